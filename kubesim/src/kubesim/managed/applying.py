"""Server-side apply."""

from typing import Any

from kubesim.admit.schema import Struct, kind_schema
from kubesim.jsondata import copy_json
from kubesim.managed.config_check import check_config
from kubesim.managed.conflicts import conflict_problem
from kubesim.managed.entries import Entries, Entry, EntryKey, entry_key, read_entries, write_entries
from kubesim.managed.last_applied import KUBECTL, annotate, client_side_fields
from kubesim.managed.merging import merge, named_members, without
from kubesim.managed.sets import FieldSet, difference, intersection, union
from kubesim.managed.tracking import bare, tracked
from kubesim.managed.walk import compare, declared
from kubesim.problems import Problem

__all__ = ["apply"]

Object = dict[str, Any]

BEFORE_FIRST_APPLY = "before-first-apply"


def apply(
    live: Object | None,
    config: Object,
    *,
    manager: str,
    force: bool,
    now: str,
    subresource: str = "",
    schema: Struct | None = None,
) -> Object:
    """The object after ``manager`` applied ``config`` to it, not decoded yet; neither argument is touched.

    ``schema`` is that of a custom resource.

    Raises Problem 409 with a cause a field that another manager owns with another value (unless ``force``), 400 for a
    configuration that brings managedFields or another version, 500 for one that does not fit its kind.
    """
    if config.get("metadata", {}).get("managedFields") is not None:
        raise Problem(400, "BadRequest", "metadata.managedFields must be nil")
    if subresource == "scale" and config.get("kind") == "Scale" and live is not None:
        config = _scale_config(live, config, schema)
    schema = schema or kind_schema(config["kind"])
    version = config["apiVersion"]
    if live is not None and live["apiVersion"] != version:
        raise Problem(
            400,
            "BadRequest",
            "Incorrect version specified in apply patch. "
            f"Specified patch version: {version}, expected: {live['apiVersion']}",
        )
    check_config(schema, config)
    recorded = None if live is None else live["metadata"].get("managedFields")
    entries = read_entries(recorded, trusted=True) or {}
    live = bare(live)
    if not entries and live:
        owned = tracked(schema, compare(schema, {}, live)[0], "")
        if owned:
            key = entry_key(BEFORE_FIRST_APPLY, "Update", version, "")
            entries[key] = Entry(owned, version, now)

    key = entry_key(manager, "Apply", version, subresource)
    last = entries.get(key)
    sent = declared(schema, config) or {}
    fields = tracked(schema, sent, subresource)
    merged: Object = merge(schema, live, config)
    entries[key] = Entry(fields, version, last.time if last else None)
    if last is not None:  # name and namespace are nobody's, but as long as they are sent their object stays
        merged = _pruned(schema, merged, last.fields, {**entries, key: Entry(sent, version, None)})
    if merged != live:
        changed, removed = compare(schema, live, merged)
        changed, removed = tracked(schema, changed, subresource), tracked(schema, removed, subresource)
        conflicts = _conflicts(entries, key, changed)
        if conflicts and not force:
            allowed = client_side_fields(schema, live) if manager == KUBECTL else {}
            left = {owner: difference(conflict, allowed) for owner, conflict in conflicts.items()}
            left = {owner: conflict for owner, conflict in left.items() if conflict}
            if left:
                raise conflict_problem(left, entries)
        _take_over(entries, key, conflicts, removed)
        entries[key] = Entry(fields, version, now)
    if not fields:
        del entries[key]
    merged = copy_json(merged)  # so far it shares parts with both arguments
    metadata = merged.setdefault("metadata", {})
    if entries:
        metadata["managedFields"] = write_entries(entries)
    if manager == KUBECTL:
        annotate(merged, config)
    return merged


def _conflicts(entries: Entries, applier: EntryKey, changed: FieldSet) -> dict[EntryKey, FieldSet]:
    """What changes under its owner's hands, by owner."""
    found = {key: intersection(entry.fields, changed) for key, entry in entries.items() if key != applier}
    return {key: fields for key, fields in found.items() if fields}


def _take_over(entries: Entries, applier: EntryKey, conflicts: dict[EntryKey, FieldSet], removed: FieldSet) -> None:
    """Take what changed, and what is gone, from its owners; who has nothing left, goes."""
    for key, entry in list(entries.items()):
        if key == applier:
            continue
        fields = difference(difference(entry.fields, conflicts.get(key, {})), removed)
        if not fields:
            del entries[key]
        elif fields != entry.fields:
            entries[key] = Entry(fields, entry.version, entry.time)


def _pruned(schema: Struct, merged: Object, last: FieldSet, entries: Entries) -> Object:
    """Without the fields that this manager applied last time, does not apply now, and nobody else owns."""
    owned: FieldSet = {}
    for entry in entries.values():
        owned = union(owned, entry.fields)
    if not difference(last, owned):
        return merged
    last = named_members(schema, last)
    present = named_members(schema, _fields(schema, merged))
    pruned = without(schema, merged, last) or {}
    # What somebody owns comes back.
    keep = union(named_members(schema, _fields(schema, pruned)), named_members(schema, owned))
    pruned = without(schema, merged, difference(present, keep)) or {}
    # So does what went only because something around it went.
    left = named_members(schema, _fields(schema, pruned))
    result: Object = without(schema, merged, intersection(difference(present, left), last)) or {}
    return result


def _fields(schema: Struct, obj: Object) -> FieldSet:
    return declared(schema, obj) or {}


def _scale_config(live: Object, config: Object, schema: Struct | None) -> Object:
    spec = config.get("spec", {})
    schema = schema or kind_schema(live["kind"])
    made: Object = {"apiVersion": live["apiVersion"], "kind": live["kind"]}
    made["metadata"] = {"name": live["metadata"]["name"]}
    *above, last = (element.removeprefix("f:") for element in schema.replicas)
    place = made
    for part in above:
        place = place.setdefault(part, {})
    if "replicas" in spec:
        place[last] = spec["replicas"]
    return made
