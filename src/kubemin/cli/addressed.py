"""How an address names what a person names."""

import re

_NAMED = re.compile(r"([a-z0-9-]+[/~]){0,2}[A-Za-z0-9-]+")


def addressed(name: str) -> str | None:
    """How an address names the application or task that a person names; None for what can be the name of none."""
    return name.replace("/", "~") if name.isascii() and _NAMED.fullmatch(name) else None
