"""Masks secret values in texts that are kept or shown: logs, messages of containers, events. Pure."""

import base64
import binascii
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from kubemin.spec.kinds import kind_name, kind_of
from kubemin.spec.objects import Manifest
from kubemin.spec.sensitive import SensitiveEnv, parts_of

_MASK = "******"
_SHORT = 4
"""A shorter value is masked only where it stands alone: whoever reads could guess it, and a text that lost every ``1``
would tell nothing."""
_WORD = 8
"""A guessed value that is shorter may be a word that logs are full of, such as `postgres`."""
_ENCODED, _EACH = 256 * 1024, 32
"""So many characters are masked in other forms too, and by so many each value counts for more."""
_ALIKE = 64
_FEW = 64
_CUT = 8
"""Of a value that is cut, so many characters are masked, and no fewer: words end like values begin."""


class Mask:
    """Replaces secret values in a text, as they are and in base64, JSON and URL form; of long ones each line too.

    Tasks wait for it, and so do the leases of their worker: its work grows with the size of values and text, and never
    with both at once. So where there is very much (`_ENCODED`), the longest values are masked only as they are; and
    where many of different lengths begin alike (`_ALIKE`), all of a line from such a beginning on is masked.
    """

    def __init__(self, values: Iterable[str]) -> None:
        given = list(values)
        lines = (line for value in given if len(value) >= 2 * _SHORT for line in value.splitlines())
        parts = {part for part in (*given, *(value.strip() for value in given), *lines) if part.strip()}
        self._forms = {*parts, *(form for part in _shortest(parts) for form in _encoded(part))}
        starts = {form[:_SHORT] for form in self._forms}
        self._starts = starts if len(starts) <= _FEW else None
        """How all forms start: a text that has none of these is left as it is. None where there are too many to try."""
        lengths: defaultdict[str, set[int]] = defaultdict(set)
        for form in self._forms:
            lengths[form[:_SHORT] if len(form) >= _SHORT else ""].add(len(form))
        self._shorter = sorted(lengths.pop("", ()), reverse=True)
        self._lengths = {begin: sorted(found, reverse=True) for begin, found in lengths.items()}
        """How long forms are that begin so, the longest first: a value may be a part of another."""
        self._beginnings: dict[str, list[str]] | None = None
        """Forms by their first `_CUT` characters, once they are needed."""

    def __call__(self, text: str) -> str:
        """The text without them."""
        return self._masked(text, cut=False)

    def cut(self, text: str) -> str:
        """The text without them, also without the beginning of one at its end.

        For messages, of which Kubernetes cuts the end off: of containers at 4 KB, of events at 1 KB.
        """
        return self._masked(text, cut=True)

    def _masked(self, text: str, *, cut: bool) -> str:
        if self._starts is not None and not any(start in text for start in self._starts):
            return text
        masked, done = [], 0
        for at in range(len(text)):
            if at < done:
                continue
            if length := len(text) - at if cut and self._begins_at(text, at) else self._length_at(text, at):
                masked += [text[done:at], _MASK]
                done = at + length
        return "".join([*masked, text[done:]])

    def _begins_at(self, text: str, at: int) -> bool:
        """Whether all that is left of the text is the beginning of a form."""
        if self._beginnings is None:
            found: defaultdict[str, list[str]] = defaultdict(list)
            for form in self._forms:
                found[form[:_CUT]].append(form)
            self._beginnings = dict(found)
        forms = self._beginnings.get(text[at : at + _CUT], ()) if len(text) - at >= _CUT else ()
        if not forms:
            return False
        rest = text[at:]
        return len(forms) > _ALIKE or any(form.startswith(rest) for form in forms)

    def _length_at(self, text: str, at: int) -> int:
        """The length of the form that the text has there; 0 if there is none."""
        lengths = self._lengths.get(text[at : at + _SHORT], ())
        if len(lengths) > _ALIKE:
            return (text.find("\n", at) + 1 or len(text) + 1) - 1 - at
        for length in lengths:
            if text[at : at + length] in self._forms:
                return length
        for length in self._shorter:
            if text[at : at + length] in self._forms and _stands_alone(text, at, at + length):
                return length
        return 0


class CutOnce:
    """Masks a text that comes again and again: once, until the text or the mask is another one."""

    def __init__(self) -> None:
        self._last: tuple[Mask, str] | None = None
        self._masked = ""

    def __call__(self, mask: Mask, text: str) -> str:
        """As `Mask.cut`."""
        if self._last != (mask, text):
            self._last, self._masked = (mask, text), mask.cut(text)
        return self._masked


def secret_values(manifests: Iterable[Manifest], *, guess: bool = True) -> Iterator[str]:
    """The values of all Secrets among the manifests, and of environment variables that hold secrets.

    ``guess``: also of those that only look like it, unless they are as short as words of a text.
    """
    for manifest in manifests:
        env = SensitiveEnv(manifest, guess=guess)
        for name, value in env.values_in(manifest.get("spec")):
            yield from (part for part in parts_of(value) if env.is_marked(name) or len(part) >= _WORD)
        if kind_of(kind_name(manifest)).secret:
            yield from _strings(manifest.get("stringData"))
            for encoded in _strings(manifest.get("data")):
                try:
                    yield base64.b64decode(encoded, validate=True).decode("utf-8", "replace")
                except (binascii.Error, ValueError):
                    yield encoded


def _strings(data: Any) -> Iterator[str]:
    if isinstance(data, Mapping):
        yield from (value for value in data.values() if isinstance(value, str))


def _shortest(parts: Iterable[str]) -> Iterator[str]:
    """The shortest of them, as many as are masked in other forms too."""
    left = _ENCODED
    for part in sorted(parts, key=len):
        left -= len(part) + _EACH
        if left < 0:
            return
        yield part


def _encoded(part: str) -> Iterator[str]:
    if len(part) >= _SHORT:
        yield base64.b64encode(part.encode("utf-8", "surrogatepass")).decode().rstrip("=")
        yield json.dumps(part)[1:-1]
        yield json.dumps(part, ensure_ascii=False)[1:-1]
        yield quote(part.encode("utf-8", "surrogatepass"), safe="")


def _stands_alone(text: str, start: int, end: int) -> bool:
    around = text[start - 1 : start] + text[end : end + 1]
    return not any(character.isalnum() or character == "_" for character in around)


NOTHING_SECRET = Mask(())
