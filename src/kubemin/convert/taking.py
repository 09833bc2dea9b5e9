"""Taking a manifest apart: what has a counterpart is taken out of it, and what is left has none."""

from collections.abc import Callable, Mapping
from typing import Any

from kubemin.spec.objects import Manifest


class StaysError(Exception):
    """The own format cannot say what an object says; the message names the field, or the reason."""


def no_counterpart(*paths: str) -> StaysError:
    """What is raised where these fields mean something that the own format cannot say."""
    more = f" and {len(paths) - 3} more" if len(paths) > 3 else ""
    return StaysError(f"no counterpart: {', '.join(paths[:3])}{more}")


def nothing_left(rest: Mapping[str, Any], path: str) -> None:
    """Raises `StaysError` if fields are left."""
    if rest:
        raise no_counterpart(*(f"{path}.{field}" if path else field for field in rest))


def part(holder: Manifest, field: str, path: str) -> Manifest:
    """Take a block of fields out; an empty one where there is none."""
    found = holder.pop(field, None) or {}
    if not isinstance(found, dict):
        raise StaysError(f"{path}.{field} is no block of fields")
    return found


def parts(holder: Manifest, field: str, path: str) -> list[Manifest]:
    """Take a list of blocks out; an empty one where there is none."""
    found = holder.pop(field, None) or []
    if not (isinstance(found, list) and all(isinstance(one, dict) for one in found)):
        raise StaysError(f"{path}.{field} is no list of blocks")
    return found


def taken(rest: Manifest, takers: Mapping[str, Callable[[Any, str], Manifest]], path: str) -> Manifest:
    """Have each field that is there taken by its taker, which says what stands for it in the own format."""
    found: Manifest = {}
    for field, take in takers.items():
        if field in rest:
            found.update(take(rest.pop(field), f"{path}.{field}"))
    return found


def as_is(name: str) -> Callable[[Any, str], Manifest]:
    """A taker for a field whose value the own format has in the same form, under this name."""
    return lambda value, _path: {name: value}
