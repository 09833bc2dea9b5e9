"""Lists that are longer than a page."""

from collections.abc import Callable, Mapping
from typing import Any

_PAGE = 1000
"""The most that a server gives at once."""


def listed(name: str, most: int | None, ask: Callable[[int, str | None], Mapping[str, Any]]) -> dict[str, list[Any]]:
    """The list of this name, ``most`` of it or all, as one reply; ``ask`` gets the size of a page, and after what."""
    rows: list[Any] = []
    cursor: str | None = None
    while most is None or len(rows) < most:
        page = ask(_PAGE if most is None else min(_PAGE, most - len(rows)), cursor)
        rows += page[name]
        cursor = page.get("nextCursor")
        if cursor is None:
            break
    return {name: rows}
