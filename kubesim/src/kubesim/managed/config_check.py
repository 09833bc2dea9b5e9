"""Whether a configuration fits its kind, in the words of the server's typed parser."""

from typing import Any

from kubesim.admit.schema import Free, Items, Node, Scalar, Struct
from kubesim.managed.conflicts import path_text
from kubesim.managed.walk import item_key
from kubesim.problems import Problem

__all__ = ["check_config"]


class _MisfitError(Exception):
    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.path = ""


def check_config(schema: Struct, config: dict[str, Any]) -> None:
    """Raise Problem 500 for a field the kind does not have, a value of another type, or two items with one key."""
    try:
        _check(schema, config)
    except _MisfitError as misfit:
        metadata = config.get("metadata") or {}
        who = (
            f"{metadata.get('namespace', '')}/{metadata.get('name', '')}; {config['apiVersion']}, Kind={config['kind']}"
        )
        message = f"failed to create typed patch object ({who}): {misfit.path}: {misfit}"
        raise Problem(500, "", message) from None


def _check(node: Node, value: Any) -> None:
    if value is None or isinstance(node, Free):
        return
    if isinstance(node, Scalar):
        _check_scalar(node.kind, value)
    elif isinstance(node, Items):
        if not isinstance(value, list):
            raise _MisfitError(f"expected list, got {_shown(value)}")
        _check_items(node, value)
    else:
        if not isinstance(value, dict):
            raise _MisfitError(f"expected map, got {_shown(value)}")
        for key, item in value.items():
            if isinstance(node, Struct):
                field = node.fields.get(key, node.rest)
                if field is None:
                    if not node.name:
                        continue
                    misfit = _MisfitError("field not declared in schema")
                    misfit.path = f".{key}"
                    raise misfit
                child = field.node
            else:
                child = node.item
            try:
                _check(child, item)
            except _MisfitError as misfit:
                misfit.path = f".{key}{misfit.path}"
                raise


def _check_items(node: Items, value: list[Any]) -> None:
    seen: set[str] = set()
    for index, item in enumerate(value):
        where = f"[{index}]"
        if not node.atomic:
            if node.keys and not isinstance(item, dict):
                raise _MisfitError(f"element {index}: associative list with keys may not have non-map elements")
            if not node.keys and (item is None or isinstance(item, dict | list)):
                raise _MisfitError(f"element {index}: associative list without keys has an element that's not a scalar")
            try:
                key = item_key(node, item)
            except ValueError as error:
                raise _MisfitError(f"element {index}: {error}") from None
            where = path_text((key,))
            if key in seen:
                raise _MisfitError(f"duplicate entries for key {where}")
            seen.add(key)
        try:
            _check(node.item, item)
        except _MisfitError as misfit:
            misfit.path = f"{where}{misfit.path}"
            raise


def _check_scalar(kind: str, value: Any) -> None:
    found = type(value)
    if kind in ("int", "long", "num") and found is not int and found is not float:
        raise _MisfitError(f"expected numeric (int or float), got {_go_type(value)}")
    if kind in ("str", "bytes", "time") and found is not str:
        raise _MisfitError(f"expected string, got {_shown(value)}")
    if kind == "bool" and found is not bool:
        raise _MisfitError(f"expected boolean, got {_shown(value)}")


def _go_type(value: Any) -> str:
    return {str: "string", bool: "bool", dict: "map[string]interface {}", list: "[]interface {}"}.get(type(value), "?")


def _shown(value: Any) -> str:
    return f"&value.valueUnstructured{{Value:{value!r}}}"
