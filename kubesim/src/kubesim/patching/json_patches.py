"""JSON patches as the API server does them: RFC 6902, but more forgiving.

Written by hand, as ``jsonpatch`` keeps to the RFC where the API server does not: there ``replace`` of an absent key
adds it, ``copy`` and ``test`` of an absent key see null, an absent value is null, an index may be negative or written
``01``, and the whole document can be replaced, but nothing can be added in its place. Of that library's six operations
and its pointers only two operations would be left.
"""

import re
from typing import Any

from kubesim.jsondata import copy_json
from kubesim.problems import Problem

__all__ = ["json_patch"]

Object = dict[str, Any]
Container = dict[str, Any] | list[Any]

_INDEX = re.compile("[+-]?[0-9]{1,18}")


class _RefusedError(Exception):
    """A JSON patch operation that cannot be done."""


def json_patch(obj: Any, operations: Any) -> Any:
    """The object after a JSON patch. Raises Problem 400 for a malformed one, 422 for one that does not apply."""
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
    """The document after one operation. It may be changed in place."""
    verb, path = operation.get("op"), _path(operation, "path")
    value = copy_json(operation.get("value"))
    if path == "" and verb == "replace":
        if not isinstance(value, dict | list):
            raise _RefusedError("the document can only be replaced by an object or a list")
        return value
    if path == "" and verb == "test":
        _test(document, value)
        return document
    if verb in ("move", "copy"):
        source, source_key = _find(document, _path(operation, "from"))
        value = copy_json(_get(source, source_key))
        if verb == "move":
            _remove(source, source_key)
    container, key = _find(document, path)
    if verb in ("add", "move", "copy"):
        _add(container, key, value)
    elif verb == "remove":
        _remove(container, key)
    elif verb == "replace":
        _replace(container, key, value)
    elif verb == "test":
        _test(_get(container, key), value)
    else:
        raise _RefusedError(f"Unexpected kind: {verb}")
    return document


def _path(operation: Object, field: str) -> str:
    path = operation.get(field)
    if not isinstance(path, str):
        raise _RefusedError(f"an operation needs {field}")
    return path


def _find(document: Any, path: str) -> tuple[Container, str]:
    """What holds the value at a path, and the key or index that it has there."""
    *above, last = (token.replace("~1", "/").replace("~0", "~") for token in path.split("/"))
    if not above:
        raise _RefusedError(f"doc is missing path: {path}")
    for token in above[1:]:
        document = _get(document, token)
        if not isinstance(document, dict | list):
            raise _RefusedError(f"doc is missing path: {path}")
    return document, last


def _index(token: str, size: int) -> int:
    """An index below ``size``. A negative one counts from the end."""
    if not _INDEX.fullmatch(token) or not -size <= int(token) < size:
        raise _RefusedError(f"Unable to access invalid index: {token}")
    return int(token) % size


def _get(container: Container, key: str) -> Any:
    """The value. What an object does not have is null, what a list does not have is refused."""
    return container.get(key) if isinstance(container, dict) else container[_index(key, len(container))]


def _add(container: Container, key: str, value: Any) -> None:
    if isinstance(container, dict):
        container[key] = value
    elif key == "-":
        container.append(value)
    else:
        container.insert(_index(key, len(container) + 1), value)


def _replace(container: Container, key: str, value: Any) -> None:
    if isinstance(container, dict):
        container[key] = value
    else:
        container[_index(key, len(container))] = value


def _remove(container: Container, key: str) -> None:
    if isinstance(container, list):
        del container[_index(key, len(container))]
    elif key in container:
        del container[key]
    else:
        raise _RefusedError(f"Unable to remove nonexistent key: {key}")


def _test(value: Any, wanted: Any) -> None:
    if not _same(value, wanted):
        raise _RefusedError("test failed")


def _same(left: Any, right: Any) -> bool:
    """Equal as JSON text: ``true`` is not ``1``, and ``1.0`` is not ``1``."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_same(value, right[key]) for key, value in left.items())
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(_same(one, other) for one, other in zip(left, right, strict=True))
    return type(left) is type(right) and bool(left == right)
