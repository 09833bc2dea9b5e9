"""Sets of fields in their wire form, ``fieldsV1``.

A set is a tree of dicts. A path is a member if its node is empty or has the key ``.``; a node that is neither only
leads to members further down. Sets are values: nothing changes an argument, and results share parts with arguments.
"""

from typing import Any

__all__ = ["FieldSet", "difference", "has_path", "intersection", "is_member", "paths", "union"]

FieldSet = dict[str, Any]

LEAF: FieldSet = {}


def is_member(node: FieldSet) -> bool:
    """Whether the path of this node is itself in the set."""
    return not node or "." in node


def union(left: FieldSet, right: FieldSet) -> FieldSet:
    """What is in either."""
    if left is right or not right:
        return left
    if not left:
        return right
    out = dict(left)
    for key, theirs in right.items():
        ours = out.get(key)
        out[key] = theirs if ours is None else _join(ours, theirs)
    return out


def _join(left: FieldSet, right: FieldSet) -> FieldSet:
    if not left or not right:
        full = left or right
        return full if not full or "." in full else {".": {}, **full}
    return union(left, right)


def difference(left: FieldSet, right: FieldSet) -> FieldSet:
    """What is in ``left`` but not in ``right``. A member's children are told apart from the member itself."""
    if not right:
        return left
    out: FieldSet = {}
    for key, ours in left.items():
        theirs = right.get(key)
        if theirs is None:
            out[key] = ours
            continue
        if key == ".":
            continue
        member = is_member(ours) and not is_member(theirs)
        rest = difference({name: node for name, node in ours.items() if name != "."}, theirs)
        if member:
            out[key] = {".": {}, **rest} if rest else LEAF
        elif rest:
            out[key] = rest
    return out


def intersection(left: FieldSet, right: FieldSet) -> FieldSet:
    """What is in both."""
    if left is right:
        return left
    out: FieldSet = {}
    for key, ours in left.items():
        theirs = right.get(key)
        if theirs is None or key == ".":
            continue
        member = is_member(ours) and is_member(theirs)
        rest = intersection(ours, theirs)
        if member:
            out[key] = {".": {}, **rest} if rest else LEAF
        elif rest:
            out[key] = rest
    return out


def has_path(fields: FieldSet, *path: str) -> bool:
    """Whether the path, as keys of the wire form, is a member."""
    node: FieldSet | None = fields
    for key in path:
        node = node.get(key) if node is not None else None
    return node is not None and is_member(node)


def paths(fields: FieldSet) -> list[tuple[str, ...]]:
    """All members as tuples of keys, in the order of the API server: a level's members first, then what is below."""
    found: list[tuple[str, ...]] = []
    keys = sorted(key for key in fields if key != ".")
    found.extend((key,) for key in keys if is_member(fields[key]))
    for key in keys:
        found.extend((key, *rest) for rest in paths(fields[key]))
    return found
