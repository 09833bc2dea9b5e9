"""Merging an applied configuration into an object, and taking fields out of one."""

from collections.abc import Iterator
from typing import Any

from kubesim.admit.schema import Free, Items, Node, Struct, Table
from kubesim.managed.sets import FieldSet, is_member
from kubesim.managed.walk import item_key

__all__ = ["merge", "named_members", "without"]


def merge(node: Node, live: Any, config: Any) -> Any:
    """The live value with what the configuration says. The result shares parts with both."""
    if type(node) is Free:
        node = node.of(live, config)
    if node.atomic:
        return config
    if not config or not live:
        return live or config  # an empty map or list, or null, takes nothing away
    if isinstance(node, Items):
        return _merge_items(node, live, config)
    out = dict(live)
    for key, value in config.items():
        child = node.item if isinstance(node, Table) else _field_node(node, key)
        out[key] = merge(child, live[key], value) if child is not None and key in live else value
    return out


def _field_node(node: Node, key: str) -> Node | None:
    field = node.fields.get(key, node.rest) if isinstance(node, Struct) else None
    return None if field is None else field.node


def _merge_items(node: Items, live: list[Any], config: list[Any]) -> list[Any]:
    """Items of the configuration in its order; those of the live list stay where they were around them."""
    live_keys = [item_key(node, item) for item in live]
    config_keys = [item_key(node, item) for item in config]
    ours = dict(zip(config_keys, config, strict=True))
    theirs: dict[str, Any] = {}
    for key, item in zip(live_keys, live, strict=True):
        theirs[key] = item if key not in theirs else None  # twins are replaced, not merged
    shared: Iterator[str] = iter([key for key in config_keys if key in theirs])
    next_shared = next(shared, None)
    done: set[str] = set()
    out: list[Any] = []

    def take(key: str) -> None:
        done.add(key)
        other = theirs.get(key)
        out.append(ours[key] if other is None else merge(node.item, other, ours[key]))

    left = right = 0
    while left < len(live) or right < len(config):
        if left < len(live) and right < len(config):
            key = live_keys[left]
            if key == config_keys[right]:
                take(key)
                left, right = left + 1, right + 1
                next_shared = next(shared, None)
                continue
            if key in ours and next_shared is not None and next_shared != key:
                left += 1  # shared, but its turn comes with the configuration's order
                continue
        if left < len(live):
            key = live_keys[left]
            if key not in ours:
                out.append(live[left])
                left += 1
                continue
            if key in done:
                left += 1
        if right < len(config):
            key = config_keys[right]
            take(key)
            right += 1
            if key == next_shared:
                next_shared = next(shared, None)
    return out


def named_members(node: Node | None, fields: FieldSet) -> FieldSet:
    """The set with every struct field that leads to a member made a member too; maps and items stay as they are."""
    out: FieldSet = {}
    for key, below in fields.items():
        if key == "." or not below:
            out[key] = below
            continue
        child: Node | None = None
        named = False
        if isinstance(node, Struct):
            child = _field_node(node, key[2:])
            named = key[2:] in node.fields
        elif isinstance(node, Table | Items):
            child = node.item
        elif isinstance(node, Free):
            child = node
        deeper = named_members(child, below)
        out[key] = {".": {}, **deeper} if named and "." not in deeper else deeper
    return out


def without(node: Node, value: Any, fields: FieldSet) -> Any:
    """The value without the set's members; None if nothing is left. Atomic values below a non-member go too."""
    if not isinstance(value, dict | list):
        return value
    if type(node) is Free:
        node = node.of(value)
    if not value or node.atomic:
        return None
    if isinstance(node, Items):
        kept = []
        for item in value:
            found = fields.get(item_key(node, item))
            if found is None:
                kept.append(item)
            elif not is_member(found):
                kept.append(without(node.item, item, found))
        return kept or None
    if not isinstance(value, dict):
        return value
    out: dict[str, Any] = {}
    for key, item in value.items():
        found = fields.get("f:" + key)
        if found is not None:
            if is_member(found):
                continue
            child = node.item if isinstance(node, Table) else _field_node(node, key)
            item = item if child is None else without(child, item, found)
        out[key] = item
    return out or None
