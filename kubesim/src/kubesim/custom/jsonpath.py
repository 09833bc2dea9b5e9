"""The JSON paths that printer columns and selectable fields use: fields, indices, wildcards and simple filters."""

import json
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

__all__ = ["find"]

_STEP = re.compile(
    r"\.(?P<name>(?:\\.|[^.\[\]\\])+)"
    r"|\[(?P<index>-?\d+)\]"
    r"|\[(?P<all>\*)\]"
    r"|\[(?P<quote>['\"])(?P<quoted>.*?)(?P=quote)\]"
    r"|\[\?\(\s*@\.(?P<field>[\w.]+)\s*(?P<op>==|!=)\s*(?P<wanted>\"[^\"]*\"|'[^']*'|[^)\s]+)\s*\)\]"
)


@lru_cache(maxsize=1024)
def _steps(path: str) -> tuple[dict[str, str | None], ...] | None:
    """The steps of a path; None for one that is not understood."""
    text = path if path[:1] in (".", "[") else f".{path}"
    steps, position = [], 0
    while position < len(text) and text != ".":
        match = _STEP.match(text, position)
        if match is None:
            return None
        steps.append(match.groupdict())
        position = match.end()
    return tuple(steps)


def find(value: Any, path: str) -> list[Any]:
    """All values at a path. None is found at one that is not understood."""
    steps = _steps(path)
    found = [value] if steps is not None else []
    for step in steps or ():
        found = [item for each in found for item in _step(each, step)]
    return found


def _step(value: Any, step: dict[str, str | None]) -> Iterable[Any]:
    name = step["quoted"] if step["quoted"] is not None else step["name"]
    if name is not None:
        name = re.sub(r"\\(.)", r"\1", name)
        if name == "*":
            return _all(value)
        return [value[name]] if isinstance(value, dict) and name in value else []
    if step["all"]:
        return _all(value)
    if not isinstance(value, list):
        return []
    if step["index"] is not None:
        index = int(step["index"])
        return [value[index]] if -len(value) <= index < len(value) else []
    wanted = _literal(step["wanted"] or "")
    equal = step["op"] == "=="
    return [item for item in value if (find(item, step["field"] or "") == [wanted]) is equal]


def _all(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else []


def _literal(text: str) -> Any:
    if text[:1] in "'\"":
        return text[1:-1]
    try:
        return json.loads(text)
    except ValueError:
        return text
