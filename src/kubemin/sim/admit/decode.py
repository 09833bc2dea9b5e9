"""What the API server's decoder does to an object: types checked, unknown and empty fields dropped, values respelled."""

import base64
import binascii
from collections.abc import Iterator
from typing import Any

from kubemin.sim.admit.quantity import canonical_quantity
from kubemin.sim.admit.schema import Items, Node, Presence, Scalar, Struct, Table, empty_value, kind_schema
from kubemin.sim.problems import Problem

__all__ = ["decode", "unknown_fields"]


class _Mismatch(Exception):
    """A value of the wrong type; the path is completed on the way up."""

    def __init__(self, message: str, wanted: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.wanted = wanted
        self.owner = ""
        self.path: tuple[str, ...] = ()


def decode(kind: str, obj: dict[str, Any]) -> None:
    """Make the object, in place, what the server would have read. Raises Problem 400 for a value of the wrong type."""
    schema = kind_schema(kind)
    try:
        _struct(schema, obj)
    except _Mismatch as mismatch:
        version = str(obj.get("apiVersion", "")).rpartition("/")[2]
        what = mismatch.message
        if mismatch.wanted:
            where = f"{mismatch.owner}.{'.'.join(mismatch.path)}"
            what = f"json: cannot unmarshal {what} into Go struct field {where} of type {mismatch.wanted}"
        raise Problem(
            400, "BadRequest", f'{kind} in version "{version}" cannot be handled as a {kind}: {what}'
        ) from None


def unknown_fields(kind: str, obj: dict[str, Any]) -> list[str]:
    """The paths of fields that the kind does not have, as ``spec.template.spec.containers[0].imagex``."""
    schema = kind_schema(kind)
    return list(_unknown(schema, obj)) if schema.name else []


def _unknown(node: Node, value: Any) -> Iterator[str]:
    if isinstance(node, Struct):
        if isinstance(value, dict):
            for key, item in value.items():
                field = node.fields.get(key)
                if field is None:
                    yield key
                elif type(item) in _CONTAINERS:
                    for rest in _unknown(field.node, item):
                        yield key + rest if rest[0] == "[" else f"{key}.{rest}"
    elif isinstance(node, Items):
        if isinstance(value, list) and not isinstance(node.item, Scalar):
            for index, item in enumerate(value):
                for rest in _unknown(node.item, item):
                    yield f"[{index}].{rest}"
    elif isinstance(node, Table) and isinstance(value, dict) and not isinstance(node.item, Scalar):
        for key, item in value.items():
            for rest in _unknown(node.item, item):
                yield f"{key}.{rest}"


_CONTAINERS = frozenset({dict, list})
_JSON_NAMES = {str: "string", int: "number", float: "number", bool: "bool", dict: "object", list: "array"}
_GO_NAMES = {"str": "string", "int": "int32", "bool": "bool", "num": "float64"}


def _struct(node: Struct, obj: dict[str, Any]) -> None:
    fields = node.fields
    dropped: list[str] = []
    for key, value in obj.items():
        field = fields.get(key)
        if field is None:
            if node.name:
                dropped.append(key)
            continue
        child, presence, _ = field
        if value is None:
            if presence != Presence.ALWAYS:
                dropped.append(key)
            else:
                obj[key] = empty_value(child)
            continue
        try:
            if type(child) is Struct:
                if type(value) is not dict:
                    raise _mismatch(value, child.name)
                _struct(child, value)
                continue
            if type(child) is Scalar:
                if child.kind == "str":
                    if type(value) is not str:
                        raise _mismatch(value, "string")
                else:
                    obj[key] = value = _scalar(child.kind, value)
                if presence == Presence.OMITTED and not value:
                    dropped.append(key)
                continue
            _container(child, value)
            if not value:
                if presence == Presence.ALWAYS:
                    obj[key] = None
                else:
                    dropped.append(key)
        except _Mismatch as mismatch:
            mismatch.path = (key, *mismatch.path)
            mismatch.owner = mismatch.owner or node.name
            raise
    for key in dropped:
        del obj[key]
    for key, child in node.always:
        if key not in obj:
            obj[key] = empty_value(child)


def _container(node: Table | Items, value: Any) -> None:
    item_node = node.item
    if isinstance(node, Items):
        if type(value) is not list:
            raise _mismatch(value, f"[]{_go_name(item_node)}")
        pairs: Iterator[tuple[Any, Any]] = enumerate(value)  # type: ignore[assignment]
    else:
        if type(value) is not dict:
            raise _mismatch(value, f"map[string]{_go_name(item_node)}")
        pairs = iter(value.items())
    if isinstance(item_node, Scalar):
        kind = item_node.kind
        for key, item in pairs:
            if kind == "str" and type(item) is str:
                continue
            value[key] = empty_value(item_node) if item is None else _scalar(kind, item)
    elif isinstance(item_node, Struct):
        for key, item in pairs:
            if type(item) is not dict:
                if item is not None:
                    raise _mismatch(item, item_node.name)
                value[key] = item_node.zero()
                continue
            _struct(item_node, item)
    else:
        for _, item in pairs:
            _container(item_node, item)


def _scalar(kind: str, value: Any) -> Any:
    found = type(value)
    if kind == "int":
        if found is not int:
            raise _mismatch(value, "int32")
    elif kind == "bool":
        if found is not bool:
            raise _mismatch(value, "bool")
    elif kind in ("str", "time"):
        if found is not str:
            raise _mismatch(value, "string")
    elif kind == "qty":
        return _quantity(value)
    elif kind == "intstr":
        if found is not int and found is not str:
            raise _mismatch(value, "intstr.IntOrString")
    elif kind == "num":
        if found is not int and found is not float:
            raise _mismatch(value, "float64")
    elif kind == "bytes":
        if found is not str:
            raise _mismatch(value, "[]uint8")
        try:
            base64.b64decode(value, validate=True)
        except binascii.Error:
            raise _Mismatch("illegal base64 data at input byte 0") from None
    return value


def _quantity(value: Any) -> str:
    if type(value) is int or type(value) is float:
        value = str(value)
    if type(value) is not str:
        raise _Mismatch("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")
    try:
        return canonical_quantity(value)
    except ValueError as error:
        raise _Mismatch(str(error)) from None


def _mismatch(value: Any, wanted: str) -> _Mismatch:
    return _Mismatch(_JSON_NAMES.get(type(value), "null"), wanted)


def _go_name(node: Node) -> str:
    if isinstance(node, Scalar):
        return _GO_NAMES.get(node.kind, "string")
    return node.name if isinstance(node, Struct) else "string"
