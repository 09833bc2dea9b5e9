"""Conditions in a status: a list that is a map by type."""

from collections.abc import Sequence

from kubesim.jsondata import Object


def find(conditions: Sequence[Object], kind: str) -> Object | None:
    """The condition of that type."""
    return next((found for found in conditions if found["type"] == kind), None)


def without(conditions: Sequence[Object], kind: str) -> list[Object]:
    """The conditions but for one type."""
    return [found for found in conditions if found["type"] != kind]


def put(
    conditions: Sequence[Object],
    kind: str,
    status: str,
    reason: str,
    message: str,
    now: str,
    *,
    stamps: Sequence[str] = (),
    again: bool = False,
) -> list[Object]:
    """The conditions with this one in place.

    One that has the status and the reason already stays as it is, unless ``again``. ``lastTransitionTime`` moves
    with the status only; the times named in ``stamps`` move always.
    """
    old = find(conditions, kind)
    if old is not None and not again and (old["status"], old.get("reason", "")) == (status, reason):
        return list(conditions)
    moved = old["lastTransitionTime"] if old is not None and old["status"] == status else now
    new: Object = {"type": kind, "status": status, **dict.fromkeys(stamps, now), "lastTransitionTime": moved}
    new |= {key: value for key, value in (("reason", reason), ("message", message)) if value}
    return [*without(conditions, kind), new]
