"""JSON patch, merge patch and strategic merge patch. None changes its arguments; results share parts with them."""

from typing import Any

from kubemin.sim.admit.schema import Items, Node, Struct, Table, kind_schema
from kubemin.sim.jsondata import copy_json
from kubemin.sim.problems import Problem

__all__ = ["json_patch", "merge_patch", "strategic_merge_patch"]

Object = dict[str, Any]


class _RefusedError(Exception):
    """A JSON patch operation that cannot be done."""


def json_patch(obj: Any, operations: Any) -> Any:
    """The object after an RFC 6902 patch. Raises Problem 400 for a malformed one, 422 for one that does not apply."""
    if not isinstance(operations, list):
        raise Problem(
            400,
            "BadRequest",
            "error decoding patch: json: cannot unmarshal object into Go value of type jsonpatch.Patch",
        )
    document = copy_json(obj)
    for operation in operations:
        if not isinstance(operation, dict):
            raise Problem(400, "BadRequest", "error decoding patch: an operation is an object")
        try:
            document = _operate(document, operation)
        except _RefusedError as refused:
            raise Problem(
                422, "Invalid", f"the server rejected our request due to an error in our request: {refused}"
            ) from None
    return document


def _operate(document: Any, operation: Object) -> Any:
    verb = operation.get("op")
    path = operation.get("path")
    if not isinstance(path, str):
        raise _RefusedError("an operation needs a path")
    if verb in ("add", "replace", "test") and "value" not in operation:
        raise _RefusedError(f"operation {verb} needs a value")
    if verb == "add":
        return _add(document, path, copy_json(operation["value"]))
    if verb == "replace":
        _get(document, path)
        if path == "":
            return copy_json(operation["value"])
        parent, key = _parent(document, path)
        parent[key] = copy_json(operation["value"])
        return document
    if verb == "remove":
        _remove(document, path)
        return document
    if verb == "test":
        if not _same(_get(document, path, None), operation["value"]):
            raise _RefusedError(f"testing value {path} failed: test failed")
        return document
    if verb in ("move", "copy"):
        source = operation.get("from")
        if not isinstance(source, str):
            raise _RefusedError(f"operation {verb} needs from")
        value = copy_json(_get(document, source))
        if verb == "move":
            if path.startswith(f"{source}/"):
                raise _RefusedError("a value cannot be moved into itself")
            _remove(document, source)
        return _add(document, path, value)
    raise _RefusedError(f"Unexpected kind: {verb}")


_MISSING = object()


def _tokens(path: str) -> list[str]:
    if path and path[0] != "/":
        raise _RefusedError(f"a path begins with /: {path}")
    return [token.replace("~1", "/").replace("~0", "~") for token in path.split("/")[1:]]


def _index(container: list[Any], token: str, *, top: int) -> int:
    if not (token.isdigit() and token.isascii()) or (len(token) > 1 and token[0] == "0") or int(token) >= top:
        raise _RefusedError(f"Unable to access invalid index: {token}")
    return int(token)


def _step(value: Any, token: str, default: Any = _MISSING) -> Any:
    if isinstance(value, dict) and token in value:
        return value[token]
    if isinstance(value, list):
        return value[_index(value, token, top=len(value))]
    if default is not _MISSING:
        return default
    raise _RefusedError(f"nonexistent key: {token}: missing value")


def _get(document: Any, path: str, default: Any = _MISSING) -> Any:
    tokens = _tokens(path)
    for token in tokens[:-1]:
        document = _step(document, token)
    return _step(document, tokens[-1], default) if tokens else document


def _parent(document: Any, path: str) -> tuple[Any, Any]:
    *above, last = _tokens(path)
    for token in above:
        document = _step(document, token)
    if isinstance(document, list):
        return document, _index(document, last, top=len(document))
    if not isinstance(document, dict):
        raise _RefusedError(f"doc is missing path: {path}")
    return document, last


def _add(document: Any, path: str, value: Any) -> Any:
    if path == "":
        return value
    *above, last = _tokens(path)
    target = document
    for token in above:
        target = _step(target, token)
    if isinstance(target, list):
        target.insert(len(target) if last == "-" else _index(target, last, top=len(target) + 1), value)
    elif isinstance(target, dict):
        target[last] = value
    else:
        raise _RefusedError(f"doc is missing path: {path}")
    return document


def _remove(document: Any, path: str) -> None:
    if path == "":
        raise _RefusedError("the whole document cannot be removed")
    _get(document, path)
    parent, key = _parent(document, path)
    del parent[key]


def _same(left: Any, right: Any) -> bool:
    """Equal as JSON: ``true`` is not ``1``."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_same(value, right[key]) for key, value in left.items())
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(_same(one, other) for one, other in zip(left, right, strict=True))
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return bool(left == right)


def merge_patch(obj: Any, patch: Any) -> Any:
    """The object after an RFC 7386 patch."""
    if not isinstance(patch, dict):
        return patch
    out = dict(obj) if isinstance(obj, dict) else {}
    for key, value in patch.items():
        if value is None:
            out.pop(key, None)
        elif isinstance(value, dict):
            out[key] = merge_patch(out.get(key), value)
        else:
            out[key] = value
    return out


def strategic_merge_patch(kind: str, obj: Object, patch: Object) -> Object:
    """The object after a strategic merge patch: keyed lists merge item by item. Raises Problem 400 or 422."""
    if not isinstance(patch, dict):
        raise Problem(400, "BadRequest", "error decoding patch: a patch is an object")
    return _merge_map(kind_schema(kind), obj, patch)


_ORDER, _DELETE, _PATCH, _RETAIN = "$setElementOrder/", "$deleteFromPrimitiveList/", "$patch", "$retainKeys"


def _merge_map(node: Node | None, obj: Any, patch: Object) -> Object:
    directive = patch.get(_PATCH)
    if directive == "replace":
        return {key: _plain(value) for key, value in patch.items() if value is not None and key != _PATCH}
    if directive == "delete":
        return {}
    if directive not in (None, "merge"):
        raise Problem(400, "BadRequest", f'Unknown patch type found: "{directive}"')
    out = dict(obj) if isinstance(obj, dict) else {}
    retain = patch.get(_RETAIN)
    if retain is not None:
        out = {key: value for key, value in out.items() if key in retain}
    for key, value in patch.items():
        if key in (_PATCH, _RETAIN):
            continue
        if key.startswith(_DELETE):
            name = key[len(_DELETE) :]
            kept = [item for item in out.get(name) or () if item not in value]
            out[name] = kept
            continue
        if key.startswith(_ORDER):
            name = key[len(_ORDER) :]
            if name not in patch:  # an order alone still orders
                child = _child(node, name)
                if isinstance(child, Items) and isinstance(out.get(name), list):
                    out[name] = _ordered(child, out[name], out[name], value)
            continue
        if value is None:
            out.pop(key, None)
            continue
        child = _child(node, key)
        if isinstance(value, dict):
            out[key] = _merge_map(child, out.get(key), value)
        elif isinstance(value, list) and isinstance(child, Items) and child.merge_key is not None:
            out[key] = _merge_list(child, out.get(key) or [], value, patch.get(_ORDER + key))
        elif isinstance(value, list):
            out[key] = [_plain(item) for item in value]
        else:
            out[key] = value
    return out


def _child(node: Node | None, key: str) -> Node | None:
    if isinstance(node, Struct):
        field = node.fields.get(key)
        return None if field is None else field.node
    return node.item if isinstance(node, Table) else None


def _merge_list(node: Items, live: list[Any], patch: list[Any], order: list[Any] | None) -> list[Any]:
    merge_key = node.merge_key
    if not merge_key:
        merged = list(live)
        merged.extend(item for position, item in enumerate(patch) if item not in live and item not in patch[:position])
        return _ordered(node, merged, live, order)
    if any(isinstance(item, dict) and item.get(_PATCH) == "replace" for item in patch):
        return [_plain(item) for item in patch if item.get(_PATCH) != "replace"]
    merged = list(live)
    for item in patch:
        if not isinstance(item, dict) or merge_key not in item:
            raise Problem(400, "BadRequest", f"map: {item!r} does not contain declared merge key: {merge_key}")
        wanted = item[merge_key]
        if item.get(_PATCH) == "delete":
            merged = [other for other in merged if other.get(merge_key) != wanted]
            continue
        for position, other in enumerate(merged):
            if other.get(merge_key) == wanted:
                merged[position] = _merge_map(node.item, other, item)
                break
        else:
            merged.append(_merge_map(node.item, {}, item))
    return _ordered(node, merged, live, order)


def _ordered(node: Items, merged: list[Any], live: list[Any], order: list[Any] | None) -> list[Any]:
    """Items that the patch puts in an order stand in it; the others keep their place among those around them."""
    if not order:
        return merged
    key = node.merge_key

    def name(item: Any) -> Any:
        return item.get(key) if key and isinstance(item, dict) else item

    rank = {name(item): position for position, item in enumerate(order)}
    listed = sorted((item for item in merged if name(item) in rank), key=lambda item: rank[name(item)])
    place = {name(item): position for position, item in enumerate(live)}
    out: list[Any] = []
    others = [item for item in merged if name(item) not in rank]
    for item in listed:
        position = place.get(name(item))
        while others and position is not None and place.get(name(others[0]), len(live)) < position:
            out.append(others.pop(0))
        out.append(item)
    return [*out, *others]


def _plain(value: Any) -> Any:
    """Without directives and nulls."""
    if isinstance(value, dict):
        return {
            key: _plain(item)
            for key, item in value.items()
            if item is not None and key not in (_PATCH, _RETAIN) and not key.startswith((_ORDER, _DELETE))
        }
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value
