"""Lists whose items have an identity: one table for merge, leftovers and differences. Pure.

The keys of each kind's lists are in `kubemin.spec.kinds`; those of ``metadata`` are the same for every kind.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from kubemin.spec.kinds import KINDS, kind_name
from kubemin.spec.objects import Manifest

ListKeys = Mapping[str, tuple[str, ...]]
"""Field name → the keys that tell the items of that list apart."""

MANAGED_FIELDS = ("manager", "operation", "apiVersion", "subresource")
SETS = frozenset({"finalizers"})
"""Lists of plain values in which the order does not count."""

_METADATA: ListKeys = {"ownerReferences": ("uid",), "managedFields": MANAGED_FIELDS}
KEY_DEFAULTS: Mapping[str, str] = {"protocol": "TCP", "subresource": ""}
"""Keys that an item may leave out, and what that means."""


def list_keys_of(obj: Manifest) -> ListKeys:
    """The keys of the lists in an object of this kind; of a kind that the table lacks, as its managedFields tell."""
    kind = KINDS.get(kind_name(obj))
    return {**(kind.list_keys if kind else _told_by_owners(obj)), **_METADATA}


def _told_by_owners(obj: Manifest) -> ListKeys:
    """The keys by which the API server tells items apart, of each list of which somebody owns an item.

    Where two lists of one name are told apart otherwise, both count as one value.
    """
    found: dict[str, tuple[str, ...]] = {}
    pending = [(str(name), below) for entry in _entries(obj) for name, below in (entry.get("fieldsV1") or {}).items()]
    while pending:
        field, below = pending.pop()
        for name, inner in below.items() if isinstance(below, dict) else ():
            if name.startswith("k:"):
                names = tuple(json.loads(name[2:]))
                of = field.removeprefix("f:")
                found[of] = names if found.get(of, names) == names else ()
            pending.append((name if name.startswith("f:") else field, inner))
    return {field: names for field, names in found.items() if names}


def _entries(obj: Manifest) -> list[dict[str, Any]]:
    return obj.get("metadata", {}).get("managedFields") or []


def items_by_key(keys: ListKeys, field: str, *lists: list[Any]) -> list[dict[str, Any]] | None:
    """The lists of that field as maps from key to item; None where such a list is one value.

    It is one value, too, where an item lacks a key or two items of a list have the same.
    """
    names = keys.get(field)
    if names is None:
        return None
    maps: list[dict[str, Any]] = []
    for items in lists:
        if not all(_has_keys(item, names) for item in items):
            return None
        maps.append({item_key(item, names): item for item in items})
        if len(maps[-1]) != len(items):
            return None
    return maps


def _has_keys(item: Any, names: Sequence[str]) -> bool:
    return isinstance(item, dict) and all(name in item or name in KEY_DEFAULTS for name in names)


def item_key(item: Mapping[str, Any], names: Sequence[str]) -> str:
    """What tells the item from others, as part of a path: ``[8080,TCP]``."""
    return "[" + ",".join(str(item.get(name, KEY_DEFAULTS.get(name, ""))) for name in names) + "]"
