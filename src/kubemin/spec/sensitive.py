"""Which environment variables hold secrets: those that are marked, and those that look like it. Pure.

Marks go with the Pods, as an annotation: `labels.SENSITIVE_ENV` has the names of variables, with a ``!`` before those
that hold none although they look like it.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kubemin.spec.labels import SENSITIVE_ENV

_SECRET_WORDS = frozenset(
    [
        "PASSWORD",
        "PASSWD",
        "PASS",
        "PWD",
        "PASSPHRASE",
        "TOKEN",
        "SECRET",
        "SECRETS",
        "CREDENTIAL",
        "CREDENTIALS",
        "APIKEY",
        "PRIVATEKEY",
    ]
)
_KEY = ("KEY", "KEYS")
_NOT_A_VALUE = frozenset(
    [
        "FILE",
        "PATH",
        "DIR",
        "NAME",
        "ID",
        "REF",
        "URL",
        "URI",
        "HOST",
        "PORT",
        "TTL",
        "SECONDS",
        "TIMEOUT",
        "LENGTH",
        "SIZE",
        "TYPE",
    ]
)
"""As the last word: the variable says where the secret is, or something about it."""
_PUBLIC = frozenset(("PUBLIC", "PUB"))
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_PASSWORD_IN_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/\s:@]*:([^/\s@]+)@")
_RANDOM = re.compile(r"[A-Za-z0-9+/_=-]{20,}")
_PLAIN = "-"
"""A value that alone looks like nothing."""
_BITS = 3.7
"""Of entropy a character: random text of 20 has some 4, words in a row have less."""


def looks_sensitive(name: str, value: str) -> bool:
    """Whether a variable probably holds a secret, by its name or by its value."""
    if not value or value.lower() in ("true", "false", "yes", "no"):
        return False
    words = [word.upper() for word in _WORD.findall(name)]
    if words and words[-1] not in _NOT_A_VALUE:
        if _SECRET_WORDS.intersection(words):
            return True
        if words[-1] in _KEY and not _PUBLIC.intersection(words):
            return True
    return _PASSWORD_IN_URL.search(value) is not None or _looks_random(value)


def _looks_random(value: str) -> bool:
    if not _RANDOM.fullmatch(value) or value.startswith("/"):
        return False
    kinds = [any(test(letter) for letter in value) for test in (str.isdigit, str.islower, str.isupper)]
    counts = Counter(value).values()
    entropy = -sum(count / len(value) * math.log2(count / len(value)) for count in counts)
    return sum(kinds) >= 3 and entropy >= _BITS


def parts_of(value: str) -> Iterator[str]:
    """What of a sensitive value no text is to show: the value, and the password of a URL."""
    yield value
    if found := _PASSWORD_IN_URL.search(value):
        yield found[1]


def masked_setting(name: str, value: str, mask: str) -> str:
    """A value of a ConfigMap, with what looks like a secret masked.

    That is all of it where its name says so, and of one line; of a longer text, such as a file, the passwords of URLs.
    """
    is_named = looks_sensitive(name, _PLAIN)
    if looks_sensitive(name, value) and (is_named or "\n" not in value.strip()):
        return mask
    return _PASSWORD_IN_URL.sub(lambda found: found[0].removesuffix(f"{found[1]}@") + f"{mask}@", value)


def masked_settings(data: Any, mask: str) -> Any:
    """The ``data`` of a ConfigMap, each value as `masked_setting`."""
    if not isinstance(data, dict):
        return data
    return {
        name: masked_setting(str(name), value, mask) if isinstance(value, str) else value
        for name, value in data.items()
    }


class SensitiveEnv:
    """Tells which variables of an object are sensitive; ``guess``: also those that only look like it."""

    def __init__(self, *objects: Any, guess: bool = True) -> None:
        marks = {mark for one in objects for mark in _marks(one)}
        self._yes = frozenset(name for name, sensitive in marks if sensitive)
        self._no = frozenset(name for name, sensitive in marks if not sensitive)
        self._guess = guess

    def __call__(self, name: str, value: str) -> bool:
        """Whether the variable holds a secret."""
        if name in self._yes:
            return True
        return self._guess and name not in self._no and looks_sensitive(name, value)

    def is_marked(self, name: str) -> bool:
        """Whether somebody has said so."""
        return name in self._yes

    def values_in(self, value: Any) -> Iterator[tuple[str, str]]:
        """The sensitive variables in a part of an object: name and value."""
        if isinstance(value, list):
            for item in value:
                yield from self.values_in(item)
        elif isinstance(value, dict):
            name, text = value.get("name"), value.get("value")
            if isinstance(name, str) and isinstance(text, str) and self(name, text):
                yield name, text
            for item in value.values():
                yield from self.values_in(item)

    def masked(self, value: Any, mask: str) -> Any:
        """A part of an object with the values of its sensitive variables masked."""
        if isinstance(value, list):
            return [self.masked(item, mask) for item in value]
        if not isinstance(value, dict):
            return value
        shown = {key: self.masked(item, mask) for key, item in value.items()}
        name, text = value.get("name"), value.get("value")
        if isinstance(name, str) and isinstance(text, str) and self(name, text):
            shown["value"] = mask
        return shown


def marks_for(variables: Iterable[tuple[str, bool | None]]) -> Mapping[str, str]:
    """The annotation for variables, by name and whether somebody has said that they are sensitive; empty: no mark."""
    said = sorted({name if sensitive else f"!{name}" for name, sensitive in variables if sensitive is not None})
    return {SENSITIVE_ENV: ",".join(said)} if said else {}


def marked_in(annotation: str) -> Mapping[str, bool]:
    """What such an annotation says of variables, by name."""
    return dict(_read(annotation))


def _read(annotation: str) -> Iterator[tuple[str, bool]]:
    return ((name.removeprefix("!"), not name.startswith("!")) for name in annotation.split(",") if name)


def _marks(value: Any) -> Iterator[tuple[str, bool]]:
    """What all annotations of an object and of the templates in it say: names, and whether they are sensitive."""
    if isinstance(value, dict):
        metadata = value.get("metadata")
        annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
        said = annotations.get(SENSITIVE_ENV) if isinstance(annotations, dict) else None
        if isinstance(said, str):
            yield from _read(said)
        for key in ("spec", "template", "jobTemplate"):
            if key in value:
                yield from _marks(value[key])
