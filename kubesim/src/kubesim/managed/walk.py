"""From values to sets of fields: what an object holds, and what differs between two."""

import json
from json.encoder import encode_basestring
from typing import Any

from kubesim.admit.schema import FREE, Free, Items, Node, Presence, Scalar, Struct, Table, empty_value
from kubesim.managed.sets import FieldSet

__all__ = ["compare", "declared", "item_key", "scalar_text"]

_LEAF: FieldSet = {}


def scalar_text(value: Any) -> str:
    """A scalar as compact JSON."""
    if type(value) is str:
        return encode_basestring(value)
    if value is True:
        return "true"
    if value is False:
        return "false"
    return str(value) if type(value) is int else json.dumps(value, separators=(",", ":"))


def item_key(node: Items, item: Any) -> str:
    """The path element of a list's item: ``k:{…}`` or ``v:…``. Raises ValueError for one that has none of its keys."""
    if not node.keys:
        return f"v:{scalar_text(item)}"
    parts = []
    for name, default in node.keys:
        value = item.get(name, default)
        if value is not None:
            parts.append(f'"{name}":{scalar_text(value)}')
    if not parts:
        names = " ".join(f'"{name}"' for name, _ in node.keys)
        raise ValueError(
            f"associative list with keys has an element that omits all key fields [{names}]"
            " (and doesn't have default values for any key fields)"
        )
    return "k:{" + ",".join(parts) + "}"


def whole(node: Node, value: Any) -> FieldSet:
    """Every path at and below a value: what is added with it, or removed."""
    if type(node) is Free:
        node = node.of(value)
    if node.atomic or not value:
        return _LEAF
    out: FieldSet = {".": _LEAF}
    if isinstance(node, Struct):
        fields, rest = node.fields, node.rest
        for key, item in value.items():
            field = fields.get(key, rest)
            out["f:" + key] = _LEAF if field is None or field[0].atomic else whole(field[0], item)
    elif isinstance(node, Table):
        child = node.item
        for key, item in value.items():
            out["f:" + key] = _LEAF if child.atomic else whole(child, item)
    elif isinstance(node, Items):
        child = node.item
        for item in value:
            key = item_key(node, item)
            out[key] = _LEAF if key in out else whole(child, item)
    return out


def compare(node: Struct, old: dict[str, Any], new: dict[str, Any]) -> tuple[FieldSet, FieldSet]:
    """What ``new`` changes or adds, and what it removes. Fields that are always there are there, empty, in either."""
    changed: FieldSet = {}
    removed: FieldSet = {}
    _struct(node, old, new, changed, removed)
    return changed, removed


def _struct(node: Struct, old: dict[str, Any], new: dict[str, Any], changed: FieldSet, removed: FieldSet) -> None:
    fields, rest = node.fields, node.rest
    for key, value in new.items():
        field = fields.get(key, rest)
        if key in old:
            before = old[key]
            if before is value or before == value:
                continue
        elif field is not None and field.presence is Presence.ALWAYS:
            before = empty_value(field.node)
            if before == value:
                continue
        else:
            changed["f:" + key] = _LEAF if field is None else whole(field.node, value)
            continue
        if field is None or field.node.atomic:
            changed["f:" + key] = _LEAF
        else:
            _descend(field.node, "f:" + key, before, value, changed, removed)
    for key, before in old.items():
        if key not in new:
            field = fields.get(key, rest)
            if field is None:
                removed["f:" + key] = _LEAF
            elif field.presence is Presence.ALWAYS:
                value = empty_value(field.node)
                if before == value:
                    continue
                if field.node.atomic:
                    changed["f:" + key] = _LEAF
                else:
                    _descend(field.node, "f:" + key, before, value, changed, removed)
            else:
                removed["f:" + key] = whole(field.node, before)


def _descend(node: Node, key: str, old: Any, new: Any, changed: FieldSet, removed: FieldSet) -> None:
    """Compare two different values of one path."""
    below: FieldSet = {}
    gone: FieldSet = {}
    if type(node) is Free:
        node = node.of(old, new)
        if isinstance(node, Scalar):  # another shape, or none that has fields
            changed[key] = whole(FREE, new)
            if lost := {name: part for name, part in whole(FREE, old).items() if name not in (".", *changed[key])}:
                removed[key] = lost
            return
    if isinstance(node, Struct):
        _struct(node, old or {}, new or {}, below, gone)
    elif isinstance(node, Table):
        _table(node, old or {}, new or {}, below, gone)
    elif isinstance(node, Items):
        _items(node, old or [], new or [], below, gone)
    if below:
        changed[key] = below
    if gone:
        removed[key] = gone


def _table(node: Table, old: dict[str, Any], new: dict[str, Any], changed: FieldSet, removed: FieldSet) -> None:
    child = node.item
    for name, value in new.items():
        if name not in old:
            changed["f:" + name] = whole(child, value)
        elif old[name] != value:
            if child.atomic:
                changed["f:" + name] = _LEAF
            else:
                _descend(child, "f:" + name, old[name], value, changed, removed)
    for name, value in old.items():
        if name not in new:
            removed["f:" + name] = whole(child, value)


def _items(node: Items, old: list[Any], new: list[Any], changed: FieldSet, removed: FieldSet) -> None:
    child = node.item
    before = _indexed(node, old)
    after = _indexed(node, new)
    for key, values in after.items():
        theirs = before.get(key)
        if theirs == values:
            continue
        if len(values) > 1:
            # Twins are owned as one value.
            changed[key] = _LEAF
            if theirs is not None and len(theirs) == 1:
                below = {name: part for name, part in whole(child, theirs[0]).items() if name != "."}
                if below:
                    removed[key] = below
        elif theirs is None or len(theirs) > 1:
            changed[key] = whole(child, values[0])
        elif not child.atomic:
            _descend(child, key, theirs[0], values[0], changed, removed)
        else:
            changed[key] = _LEAF
    for key, theirs in before.items():
        if key not in after:
            removed[key] = whole(child, theirs[0]) if len(theirs) == 1 else _LEAF


def _indexed(node: Items, values: list[Any]) -> dict[str, list[Any]]:
    index: dict[str, list[Any]] = {}
    for value in values:
        index.setdefault(item_key(node, value), []).append(value)
    return index


def declared(node: Node, value: Any) -> FieldSet | None:
    """The fields that a configuration sets: its leaves, its list items, its empty maps. None says that it is a leaf."""
    if type(node) is Free:
        node = node.of(value)
    if node.atomic or isinstance(node, Scalar):
        return None
    out: FieldSet = {}
    if not value:
        return out
    if isinstance(node, Items):
        child = node.item
        for item in value:
            key = item_key(node, item)
            if key in out:
                out[key] = _LEAF  # twins are one value
            else:
                below = declared(child, item)
                out[key] = {".": _LEAF, **below} if below else _LEAF
        return out
    for key, item in value.items():
        field = node.fields.get(key) if isinstance(node, Struct) else None
        other = field or (node.rest if isinstance(node, Struct) else None)
        below = (
            declared(other.node, item)
            if other is not None
            else declared(node.item, item)
            if isinstance(node, Table)
            else None
        )
        if below is None or item is None or item == {}:
            out["f:" + key] = _LEAF
        elif field is None:
            out["f:" + key] = {".": _LEAF, **below} if below else _LEAF
        elif below:
            out["f:" + key] = below
    return out
