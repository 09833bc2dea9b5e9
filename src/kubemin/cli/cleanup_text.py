"""How a cleanup went, in words. It says no more than is true. Pure."""

from collections.abc import Mapping
from typing import Any

_NUMBERS = ("deleted", "restored", "unchanged", "released", "kept")


def numbers(cleanup: Mapping[str, Any], *, created: bool = False) -> str:
    """What became of the objects: ``2 deleted, 1 restored``; empty where there are none."""
    names = ("created", *_NUMBERS) if created else _NUMBERS
    return ", ".join(f"{cleanup[name]} {name}" for name in names if cleanup.get(name))


def as_it_was(cleanup: Mapping[str, Any]) -> str:
    """That the cluster is as it was before a task that did not complete: with what is not, and why."""
    counted = numbers(cleanup)
    if not cleanup.get("exceptions"):
        return "the cluster is as it was" + (f": {counted}" if counted else "")
    lines = "".join(f"\n  {named(one)}: {one['why']}" for one in cleanup["exceptions"])
    return "the cluster is as it was" + (f" ({counted})" if counted else "") + f", except:{lines}"


def named(one: Mapping[str, Any]) -> str:
    """``Kind/namespace/name``."""
    return "/".join(part for part in (one["kind"], one["namespace"], one["name"]) if part)
