"""Who owns what after an update."""

from typing import Any

from kubesim.admit.schema import Struct, kind_schema
from kubesim.managed.entries import Entries, Entry, EntryKey, entry_key, is_wipe, read_entries, write_entries
from kubesim.managed.sets import FieldSet, difference, has_path, intersection, union
from kubesim.managed.walk import compare

__all__ = ["bare", "settle_times", "track_update", "tracked"]

Object = dict[str, Any]

MAX_UPDATERS = 10
"""More entries of operation Update than this are folded into one, the oldest first."""

ANCIENT = "ancient-changes"

_UNTRACKED = frozenset(
    {
        "f:name",
        "f:namespace",
        "f:creationTimestamp",
        "f:selfLink",
        "f:uid",
        "f:clusterName",
        "f:generation",
        "f:managedFields",
        "f:resourceVersion",
    }
)


def track_update(
    old: Object | None, new: Object, *, manager: str, now: str, subresource: str = "", schema: Struct | None = None
) -> None:
    """Set ``new``'s managedFields as the server does when ``manager`` creates it (``old`` is None) or updates it.

    ``new`` is decoded, and holds whatever managedFields the request sent: a valid list takes the place of the recorded
    one before the change is tracked, ``[{}]`` and ``[]`` wipe it, anything else leaves it. ``schema`` is that of a
    custom resource.
    """
    metadata = new["metadata"]
    sent = metadata.pop("managedFields", None)
    recorded = None if old is None else old["metadata"].get("managedFields")
    entries = _base(sent, recorded, subresource)
    if not entries and old is not None:
        return  # an object without owners stays without until the first apply
    schema = schema or kind_schema(new["kind"])
    if subresource == "scale" and not any(has_path(entry.fields, *schema.replicas) for entry in entries.values()):
        # A scale is tracked by the entries that own the replicas: where there are none, it is an object without owners.
        if recorded is not None:
            metadata["managedFields"] = recorded
        return
    changed, removed = compare(schema, bare(old), new)
    changed, removed = tracked(schema, changed, subresource), tracked(schema, removed, subresource)
    if changed or removed:
        _take_over(entries, changed, removed, None)
    elif sent is None and recorded is not None:
        metadata["managedFields"] = recorded
        return
    if changed:
        version = new["apiVersion"]
        key = entry_key(manager, "Update", version, subresource)
        mine = entries.get(key)
        entries[key] = Entry(changed if mine is None else union(mine.fields, changed), version, now)
        _cap(entries)
    if entries:
        metadata["managedFields"] = write_entries(entries)


def settle_times(new: Object, old: Object) -> None:
    """Give ``new`` the times of ``old`` if nothing else differs: a request that changes nothing must write nothing."""
    ours = new["metadata"].get("managedFields")
    theirs = old["metadata"].get("managedFields")
    if not ours or not theirs or ours == theirs or len(ours) != len(theirs):
        return
    for mine, other in zip(ours, theirs, strict=True):
        if mine is not other and {**mine, "time": None} != {**other, "time": None}:
            return
    new["metadata"]["managedFields"] = theirs
    if new != old:
        new["metadata"]["managedFields"] = ours


def _base(sent: Any, recorded: Any, subresource: str) -> Entries:
    if not subresource and sent is not None:
        if is_wipe(sent):
            return {}
        entries = read_entries(sent, trusted=sent == recorded)
        if entries:
            return entries
    return read_entries(recorded, trusted=True) or {}


def bare(obj: Object | None) -> Object:
    """The object without managedFields, sharing everything else; nothing at all for None."""
    if obj is None:
        return {}
    if "managedFields" not in obj["metadata"]:
        return obj
    return {**obj, "metadata": {key: value for key, value in obj["metadata"].items() if key != "managedFields"}}


def tracked(schema: Struct, fields: FieldSet, subresource: str) -> FieldSet:
    """The part of a set that a request on this resource, or subresource, can own."""
    if not fields:
        return fields
    out = dict(fields)
    out.pop("f:apiVersion", None)
    out.pop("f:kind", None)
    if subresource == "status":
        out.pop("f:spec", None)
        if schema.metadata_apart:
            out.pop("f:metadata", None)
    elif schema.status_apart:
        out.pop("f:status", None)
    metadata = out.get("f:metadata")
    if metadata is not None:
        rest = {key: node for key, node in metadata.items() if key not in _UNTRACKED and key != "."}
        if rest:
            out["f:metadata"] = rest
        else:
            del out["f:metadata"]
    return out


def _take_over(entries: Entries, changed: FieldSet, removed: FieldSet, applier: EntryKey | None) -> None:
    """Take what changed, and what is gone, from every manager but the applier; who has nothing left, goes."""
    for key, entry in list(entries.items()):
        if key == applier:
            continue
        fields = difference(difference(entry.fields, intersection(entry.fields, changed)), removed)
        if not fields:
            del entries[key]
        elif fields is not entry.fields:
            entries[key] = Entry(fields, entry.version, entry.time)


def _cap(entries: Entries) -> None:
    updaters = sorted(
        (key for key in entries if key.operation == "Update"), key=lambda key: (entries[key].time or "", key)
    )
    surplus = len(updaters) - MAX_UPDATERS
    first: dict[str, EntryKey] = {}
    for key in updaters:
        if surplus <= 0:
            return
        entry = entries[key]
        if entry.version not in first:
            first[entry.version] = key
            continue
        bucket = EntryKey(ANCIENT, "Update", entry.version, "")
        if bucket not in entries:
            entries[bucket] = entries.pop(first[entry.version])
        entries[bucket] = Entry(union(entry.fields, entries[bucket].fields), entry.version, entry.time)
        if key != bucket:
            del entries[key]
        surplus -= 1
