"""The entries of ``metadata.managedFields``: read, told apart, put in order, written."""

import json
from typing import Any, NamedTuple

from kubesim.managed.sets import FieldSet

__all__ = ["Entry", "EntryKey", "is_wipe", "read_entries", "write_entries"]


class EntryKey(NamedTuple):
    """What tells entries apart. Appliers have one entry whatever their version: ``version`` is empty for them."""

    manager: str
    operation: str
    version: str
    subresource: str


class Entry(NamedTuple):
    """A manager's fields, the version they are named in and when they last changed."""

    fields: FieldSet
    version: str
    time: str | None


Entries = dict[EntryKey, Entry]


def entry_key(manager: str, operation: str, version: str, subresource: str) -> EntryKey:
    """The key of a manager's entry."""
    return EntryKey(manager or "unknown", operation, version if operation == "Update" else "", subresource)


def is_wipe(value: Any) -> bool:
    """Whether a request's managedFields ask to forget every owner: ``[{}]`` or ``[]``."""
    return value in ([{}], [])


def read_entries(value: Any, *, trusted: bool = False) -> Entries | None:
    """The entries by key; None if any is not valid. ``trusted`` ones were written here: their spelling is canonical."""
    entries: Entries = {}
    for item in value or ():
        if not isinstance(item, dict):
            return None
        operation, version = item.get("operation"), item.get("apiVersion")
        if operation not in ("Apply", "Update") or not version or item.get("fieldsType") != "FieldsV1":
            return None
        fields = item.get("fieldsV1") or {}
        if not trusted:
            try:
                fields = _canonical(fields)
            except ValueError:
                return None
        key = EntryKey(
            item.get("manager", ""), operation, version if operation == "Update" else "", item.get("subresource", "")
        )
        entries[key] = Entry(fields, version, item.get("time"))
    return entries


def _canonical(fields: Any) -> FieldSet:
    if not isinstance(fields, dict):
        raise ValueError("a set of fields is a map")
    out: FieldSet = {}
    for key, below in fields.items():
        if key == ".":
            out[key] = {}
            continue
        kind, colon, text = key.partition(":")
        if not colon:
            raise ValueError(f"missing colon: {key}")
        if kind == "k":
            data = json.loads(text)
            if not isinstance(data, dict):
                raise ValueError(f"not a key: {key}")
            text = json.dumps(data, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
        elif kind == "v":
            text = json.dumps(json.loads(text), separators=(",", ":"), ensure_ascii=False)
        elif kind == "i":
            int(text)
        elif kind != "f":
            continue
        out[f"{kind}:{text}"] = _canonical(below)
    return out


def write_entries(entries: Entries) -> list[dict[str, Any]]:
    """The wire form, in the server's order: by operation, time, manager, version, subresource."""
    written = []
    for key, entry in sorted(entries.items(), key=_order):
        item = {
            "apiVersion": entry.version,
            "fieldsType": "FieldsV1",
            "fieldsV1": entry.fields,
            "manager": key.manager,
            "operation": key.operation,
        }
        if key.subresource:
            item["subresource"] = key.subresource
        if entry.time:
            item["time"] = entry.time
        written.append(item)
    return written


def _order(pair: tuple[EntryKey, Entry]) -> tuple[str, str, str, str, str]:
    key, entry = pair
    return key.operation, entry.time or "", key.manager, entry.version, key.subresource
