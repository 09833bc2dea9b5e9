"""Lists that are longer than a page."""

from typing import Any

from kubemin.cli.client import Client

_PAGE = 1000
"""The most that a server gives at once."""


def listed(client: Client, name: str, most: int | None, **params: Any) -> dict[str, list[Any]]:
    """The list of this name, ``most`` of it or all, as one reply. Raises :class:`CliError`."""
    rows: list[Any] = []
    cursor: str | None = None
    while most is None or len(rows) < most:
        size = _PAGE if most is None else min(_PAGE, most - len(rows))
        page = client.get(f"/{name}", pageSize=size, after=cursor, **params)
        rows += page[name]
        cursor = page.get("nextCursor")
        if cursor is None:
            break
    return {name: rows}
