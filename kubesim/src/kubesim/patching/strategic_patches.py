"""Strategic merge patches: merge patches that know which lists are merged item by item, by which key."""

from typing import Any, NamedTuple

from kubesim.admit.schema import Items, Node, Scalar, Struct, Table, kind_schema
from kubesim.problems import Problem

__all__ = ["strategic_merge_patch"]

Object = dict[str, Any]

_PATCH = "$patch"
_RETAIN = "$retainKeys"
_ORDER = "$setElementOrder/"
_DELETE = "$deleteFromPrimitiveList/"


def strategic_merge_patch(kind: str, obj: Object, patch: Any) -> Object:
    """The object after the patch. Raises Problem 400 for a malformed patch, 422 for one that does not fit."""
    if not isinstance(patch, dict):
        raise Problem(400, "BadRequest", "error decoding patch: a patch is an object")
    return merge_map(kind_schema(kind), obj, patch)


def merge_map(node: Node | None, live: Any, patch: Object) -> Object:
    """A map after the patch, by its type's lists."""
    directive = patch.get(_PATCH)
    if directive == "replace":
        return {key: value for key, value in patch.items() if key != _PATCH}
    if directive == "delete":
        return {}
    if directive is not None:
        raise _unfit(f"unknown patch type found: {directive}")
    out: Object = dict(live) if isinstance(live, dict) else {}
    if _RETAIN in patch:
        out = _retained(out, patch)
    orders = {key[len(_ORDER) :]: value for key, value in patch.items() if key.startswith(_ORDER)}
    for name, order in orders.items():
        _order_list(_child(node, name), out, name, patch.get(name), order)
    for key, value in patch.items():
        if key in orders or key in (_PATCH, _RETAIN) or key.startswith(_ORDER):
            continue
        if key.startswith(_DELETE):
            name = key[len(_DELETE) :]
            if isinstance(out.get(name), list):
                out[name] = [item for item in out[name] if item not in value]
            continue
        _merge_field(_child(node, key), out, key, value)
    return out


def _child(node: Node | None, key: str) -> Node | None:
    if isinstance(node, Struct):
        field = node.fields.get(key)
        return None if field is None else field.node
    return node.item if isinstance(node, Table) else None


def _merge_field(child: Node | None, out: Object, key: str, value: Any) -> None:
    live = out.get(key)
    if value is None:
        out.pop(key, None)
    elif isinstance(value, dict) and isinstance(live, dict) and not isinstance(child, Scalar):
        out[key] = merge_map(child, live, value)
    elif isinstance(value, list) and isinstance(live, list):
        merged = _merge_list(child, live, value)
        out[key] = value if merged is None else _in_order(merged.items, merged.wanted, merged.left, merged.key)
    else:
        kept = _plain(value)
        if kept is not None:
            out[key] = kept
        else:
            out.pop(key, None)


def _retained(out: Object, patch: Object) -> Object:
    """Without what the patch does not list. What it sets, it must list."""
    listed = patch[_RETAIN]
    if not isinstance(listed, list) or any(
        key not in listed
        for key, value in patch.items()
        if value is not None and key != _RETAIN and not key.startswith((_ORDER, _DELETE))
    ):
        raise Problem(400, "BadRequest", "invalid patch format of retainKeys directive")
    return {key: value for key, value in out.items() if key in listed}


def _name(item: Any, merge_key: str) -> Any:
    if not merge_key:
        return item
    if not isinstance(item, dict) or merge_key not in item:
        raise _unfit(f"map: {item!r} does not contain declared merge key: {merge_key}")
    return item[merge_key]


class _Merged(NamedTuple):
    """A list and a patch brought together, new items at the end. Both are told apart by ``key``, a set's by value."""

    items: list[Any]
    wanted: list[Any]
    """Of the patch, what is neither deleted nor a directive."""
    left: list[Any]
    """Of the live list, what the patch does not delete."""
    key: str


def _merge_list(node: Node | None, live: list[Any], patch: list[Any]) -> _Merged | None:
    """Merge lists item by item; None if lists of this type are replaced."""
    if not isinstance(node, Items) or node.merge_key is None:
        return None
    merge_key = node.merge_key
    if not merge_key:
        both = [*live, *patch]
        both = [item for position, item in enumerate(both) if item not in both[:position]]
        return _Merged(both, patch, live, merge_key)
    replace = False
    left = list(live)
    wanted: list[Any] = []
    for item in patch:
        directive = item.get(_PATCH) if isinstance(item, dict) else None
        if directive is None:
            wanted.append(item)
        elif directive == "delete":
            gone = _name(item, merge_key)
            left = [other for other in left if _name(other, merge_key) != gone]
        elif directive == "replace":
            replace = True
        else:
            raise _unfit(f"unknown patch type found: {directive}")
    if replace:
        return _Merged(wanted, wanted, [], merge_key)
    merged = list(left)
    for item in wanted:
        name = _name(item, merge_key)
        for position, other in enumerate(merged):
            if _name(other, merge_key) == name:
                merged[position] = merge_map(node.item, other, item)
                break
        else:
            merged.append(_plain(item))
    return _Merged(merged, wanted, left, merge_key)


def _order_list(child: Node | None, out: Object, name: str, patch: Any, order: Any) -> None:
    """Merge a list that the patch puts in order, in place."""
    live = out.get(name)
    if not isinstance(order, list) or not all(isinstance(value, list | None) for value in (live, patch)):
        raise Problem(400, "BadRequest", "invalid patch format of setElementOrder list")
    merge_key = child.merge_key if isinstance(child, Items) else None
    if merge_key is None:
        if patch is not None:
            out[name] = patch
        return
    place = live or []
    if patch is None and live is None:
        return
    if patch is None:
        items = place
    else:
        _check_order(patch, order, merge_key)
        merged = None if live is None else _merge_list(child, live, patch)
        if merged is None:
            items = _plain(patch)
        else:
            items = _in_order(merged.items, merged.wanted, merged.left, merge_key)
            # The server merges in place: where items were deleted, new ones have got their places.
            place = merged.items[: len(place)]
    out[name] = _in_order(items, order, place, merge_key)


def _check_order(patch: list[Any], order: list[Any], merge_key: str) -> None:
    names = iter([_name(item, merge_key) for item in order])
    for item in patch:
        if isinstance(item, dict) and _PATCH in item:
            continue
        if _name(item, merge_key) not in names:  # the search goes on where it ended
            raise _unfit(f"The order in patch list:\n{patch}\n doesn't match $setElementOrder list:\n{order}\n")


def _in_order(merged: list[Any], order: list[Any], live: list[Any], merge_key: str) -> list[Any]:
    """Items that ``order`` names, as it names them; the others go before what they were before in the live list."""
    rank: list[Any] = [_name(item, merge_key) for item in order]
    place: list[Any] = [_name(item, merge_key) for item in live]
    named = [item for item in merged if _name(item, merge_key) in rank]
    named.sort(key=lambda item: rank.index(_name(item, merge_key)))
    others = [item for item in merged if _name(item, merge_key) not in rank]
    out: list[Any] = []
    for item in named:
        name = _name(item, merge_key)
        while others and name in place:
            other = _name(others[0], merge_key)
            if other not in place or place.index(other) > place.index(name):
                break
            out.append(others.pop(0))
        out.append(item)
    return [*out, *others]


def _plain(value: Any) -> Any:
    """A value of the patch that meets nothing: without nulls and directives. None if it is one itself."""
    if isinstance(value, dict):
        if _PATCH in value:
            return None
        kept = {key: _plain(item) for key, item in value.items() if item is not None and not key.startswith("$")}
        return {key: item for key, item in kept.items() if item is not None}
    if isinstance(value, list):
        return [item for item in map(_plain, value) if item is not None]
    return value


def _unfit(message: str) -> Problem:
    return Problem(422, "Invalid", message)
