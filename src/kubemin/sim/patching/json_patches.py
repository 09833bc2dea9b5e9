"""JSON patches (RFC 6902)."""

from typing import Any

from kubemin.sim.jsondata import copy_json
from kubemin.sim.problems import Problem

__all__ = ["json_patch"]

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
            # The server does not tell which operation failed, or why.
            raise Problem(422, "Invalid", "the server rejected our request due to an error in our request") from refused
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
