"""Differences of objects, to be read by people. Pure."""

import difflib
import json
from collections.abc import Iterator

_MASK = "******"
_LONGEST = 200
_LINES = 40


def format_difference(path: str, old: object, new: object, *, secret: bool) -> str:
    """One difference: ``path: old → new``, texts of several lines as a diff; values of a Secret are masked.

    Its annotations too: `kubectl apply` keeps a copy of the whole object there.
    """
    if secret and path.startswith(("data", "stringData", "metadata.annotations")):
        return f"{path}: {_masked(old)} → {_masked(new)}"
    if isinstance(old, str) and isinstance(new, str) and ("\n" in old or "\n" in new):
        return "\n".join([f"{path}:", *(f"  {line}" for line in _lines(old, new))])
    return f"{path}: {_value(old)} → {_value(new)}"


def _masked(value: object) -> str:
    return "nothing" if value is None else _MASK


def _value(value: object) -> str:
    if value is None:
        return "nothing"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = text if "\n" not in text else json.dumps(text, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text)} characters)"


def _lines(old: str, new: str) -> Iterator[str]:
    found = list(difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=1))[2:]
    yield from (line[:_LONGEST] for line in found[:_LINES])
    if len(found) > _LINES:
        yield f"… {len(found) - _LINES} more lines"
