"""Masks secret values in texts that are kept or shown: logs, messages of containers, events. Pure."""

import base64
import binascii
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from kubemin.spec.kinds import kind_name, kind_of
from kubemin.spec.objects import Manifest

_MASK = "******"
_SHORT = 4
"""A shorter value is masked only where it stands alone: whoever reads could guess it, and a text that lost every ``1``
would tell nothing."""


class Mask:
    """Replaces secret values in a text, as they are and in base64, JSON and URL form; of long ones each line too."""

    def __init__(self, values: Iterable[str]) -> None:
        forms = {form for value in values for form in _forms(value)}
        ordered = sorted(forms, key=lambda form: (-len(form), form))  # a value may be a part of another
        self._pattern = re.compile("|".join(_pattern(form) for form in ordered)) if ordered else None

    def __call__(self, text: str) -> str:
        """The text without them."""
        return text if self._pattern is None else self._pattern.sub(_MASK, text)


NOTHING_SECRET = Mask(())


def secret_values(manifests: Iterable[Manifest]) -> Iterator[str]:
    """The values of all Secrets among the manifests."""
    for manifest in manifests:
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


def _forms(value: str) -> Iterator[str]:
    for part in {value, value.strip(), *(value.splitlines() if len(value) >= 2 * _SHORT else ())}:
        if not part.strip():
            continue
        yield part
        if len(part) >= _SHORT:
            yield base64.b64encode(part.encode("utf-8", "surrogatepass")).decode().rstrip("=")
            yield json.dumps(part)[1:-1]
            yield json.dumps(part, ensure_ascii=False)[1:-1]
            yield quote(part.encode("utf-8", "surrogatepass"), safe="")


def _pattern(form: str) -> str:
    if len(form) >= _SHORT:
        return re.escape(form)
    return rf"(?<!\w){re.escape(form)}(?!\w)"
