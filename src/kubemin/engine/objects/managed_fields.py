"""Giving fields back to their owners when a change is undone (design R4). Pure."""

from collections.abc import Mapping
from typing import Any

from kubemin.engine.objects.diff import ABSENT
from kubemin.engine.objects.fields_v1 import without
from kubemin.engine.objects.list_keys import MANAGED_FIELDS, item_key
from kubemin.engine.objects.merge import Merge
from kubemin.spec.objects import Manifest

Entry = dict[str, Any]
"""One item of ``metadata.managedFields``."""


def restored_managed_fields(before: Manifest, applied: Manifest, current: Manifest, manager: str) -> list[Entry]:
    """The managedFields that undo what our write did to them: our own entries as before, and to others what we took.

    What somebody has taken since, from us or from whom we took it, is theirs alone.
    """
    merge = Merge({"managedFields": MANAGED_FIELDS})
    was, left, now = (_of_others(one, manager) for one in (before, applied, current))
    merged = merge.part(("managedFields",), was, left + _emptied(was, left, now), now)
    entries = [_with_time(entry, current, before) for entry in (merged if merged is not ABSENT else [])]
    own = [entry for entry in _entries(before) if entry.get("manager") == manager]
    given = own + entries
    former = {_key(entry): entry for entry in left}
    for entry in now:
        taken = entry.get("fieldsV1") or {}
        if (known := former.get(_key(entry))) is not None:
            taken = without(taken, known.get("fieldsV1") or {})
        given = [one if _key(one) == _key(entry) else _without_taken_over(one, taken, current) for one in given]
    return [entry for entry in given if entry.get("fieldsV1")]


def writers_since(applied: Manifest, current: Manifest, manager: str) -> list[str]:
    """Who else wrote an object since we did; controllers that report of it in ``status`` are not meant."""
    known = _of_others(applied, manager)
    new = (one for one in _of_others(current, manager) if one not in known and not one.get("subresource"))
    return sorted({str(one["manager"])[:_LONGEST] for one in new if one.get("manager")})


_LONGEST = 80


def _entries(obj: Manifest) -> list[Entry]:
    return obj["metadata"].get("managedFields") or []


def _of_others(obj: Manifest, manager: str) -> list[Entry]:
    """The entries of other managers, without their times: those only tell when, not who."""
    entries = [entry for entry in _entries(obj) if entry.get("manager") != manager]
    return [{key: value for key, value in entry.items() if key != "time"} for entry in entries]


def _emptied(was: list[Entry], left: list[Entry], now: list[Entry]) -> list[Entry]:
    """The entries of those from whom our write took all and who wrote again since, with no field in them.

    The API server drops an entry without fields. Merged as one that is not there, what they wrote since would be all
    that they have.
    """
    still = {_key(entry) for entry in left}
    again = {_key(entry) for entry in now} - still
    return [{**entry, "fieldsV1": {}} for entry in was if _key(entry) in again]


def _with_time(entry: Entry, *versions: Manifest) -> Entry:
    """The entry with the time that it has in the last of these versions that has one."""
    found = {_key(one): one["time"] for version in versions for one in _entries(version) if one.get("time")}
    time = found.get(_key(entry))
    return {**entry, "time": time} if time else entry


def _without_taken_over(entry: Entry, taken: Mapping[str, Any], current: Manifest) -> Entry:
    """An entry without what somebody else took, unless its manager has that still: then they have it together."""
    for now in _entries(current):
        if now.get("manager") == entry.get("manager"):
            taken = without(taken, now.get("fieldsV1") or {})
    return {**entry, "fieldsV1": without(entry.get("fieldsV1") or {}, taken)}


def _key(entry: Mapping[str, Any]) -> str:
    return item_key(entry, MANAGED_FIELDS)
