"""What the API server's decoder does to an object.

Types are checked, unknown and empty fields dropped, values respelled, and what is always there is added.
"""

import base64
from typing import Any

from kubesim.admit.quantity import MALFORMED, canonical_quantity
from kubesim.admit.schema import (
    UNTYPED,
    Items,
    Node,
    Presence,
    Scalar,
    Struct,
    Table,
    empty_value,
    kind_schema,
    object_meta,
    part_schema,
)
from kubesim.problems import Problem

__all__ = ["decode", "decode_metadata", "decode_schema", "unknown_fields", "unknown_metadata"]

_OMITTED, _ALWAYS = Presence.OMITTED, Presence.ALWAYS
_JSON_NAMES = {str: "string", int: "number", float: "number", bool: "bool", dict: "object", list: "array"}
_GO_NAMES = {
    "int": "int32",
    "long": "int64",
    "bool": "bool",
    "num": "float64",
    "intstr": "intstr.IntOrString",
    "bytes": "[]uint8",
}
_LIMITS = {"int": 2**31, "long": 2**63}
_ACCEPTED = {
    "str": frozenset({str}),
    "time": frozenset({str}),
    "int": frozenset({int}),
    "long": frozenset({int}),
    "bool": frozenset({bool}),
    "num": frozenset({int, float}),
    "intstr": frozenset({int, str}),
    "bytes": frozenset({str}),
}


class _MismatchError(Exception):
    """A value that its field cannot hold. ``owner`` and ``path`` are found out on the way up."""

    def __init__(self, message: str, wanted: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.wanted = wanted
        self.owner = ""
        self.path: list[str] = []


def decode(kind: str, obj: dict[str, Any]) -> None:
    """Make the object, in place, what the server would have read. Raises Problem 400 for a value of the wrong type."""
    _decode(kind_schema(kind), kind, obj)


def decode_metadata(kind: str, obj: dict[str, Any]) -> None:
    """The same for a kind of which only metadata is known here."""
    _decode(UNTYPED, kind, obj)


def decode_schema(schema: dict[str, Any]) -> None:
    """The same for the schema of a custom resource, where it is not all of a definition."""
    _decode(part_schema("JSONSchemaProps"), "CustomResourceDefinition", schema)


def _decode(schema: Struct, kind: str, obj: dict[str, Any]) -> None:
    try:
        _struct(schema, obj)
    except _MismatchError as mismatch:
        version = str(obj.get("apiVersion", "")).rpartition("/")[2]
        what = mismatch.message
        if mismatch.wanted:
            where = f"{mismatch.owner}.{'.'.join(reversed(mismatch.path))}"
            what = f"json: cannot unmarshal {what} into Go struct field {where} of type {mismatch.wanted}"
        raise Problem(
            400, "BadRequest", f'{kind} in version "{version}" cannot be handled as a {kind}: {what}'
        ) from None


def unknown_fields(kind: str, obj: dict[str, Any]) -> list[str]:
    """The paths of fields that the kind does not have, as ``spec.template.spec.containers[0].imagex``."""
    schema = kind_schema(kind)
    found: list[str] = []
    if schema.name:
        _unknown(schema, obj, found, "")
    return found


def unknown_metadata(metadata: Any, path: str) -> list[str]:
    """The paths of fields that no metadata has."""
    found: list[str] = []
    _unknown(object_meta(), metadata, found, f"{path}.")
    return sorted(found)


def _unknown(node: Node, value: Any, found: list[str], path: str) -> None:
    if type(value) is dict:
        if type(node) is Struct:
            fields = node.fields
            for key, item in value.items():
                field = fields.get(key)
                if field is None:
                    found.append(f"{path}{key}")
                elif (type(item) is dict or type(item) is list) and not field[0].plain:
                    _unknown(field[0], item, found, f"{path}{key}." if type(item) is dict else path + key)
        elif type(node) is Table:
            for key, item in value.items():
                _unknown(node.item, item, found, f"{path}{key}.")
    elif type(value) is list and type(node) is Items:
        for index, item in enumerate(value):
            _unknown(node.item, item, found, f"{path}[{index}].")


def _struct(node: Struct, obj: dict[str, Any]) -> None:
    fields = node.fields
    dropped: list[str] = []
    for key, value in obj.items():
        field = fields.get(key)
        if field is None:
            if node.name:
                dropped.append(key)
            continue
        child, presence = field
        if value is None:
            if presence is _ALWAYS:
                obj[key] = empty_value(child)
            else:
                dropped.append(key)
            continue
        try:
            value = _read(child, value)
        except _MismatchError as mismatch:
            mismatch.path.append(key)
            mismatch.owner = mismatch.owner or node.name
            raise
        if value or type(child) is Struct:
            obj[key] = value
        elif presence is _OMITTED:
            dropped.append(key)
        elif type(child) is not Scalar and presence is _ALWAYS:
            obj[key] = None  # storage does not tell empty lists and maps from absent ones
        else:
            obj[key] = value
    for key in dropped:
        del obj[key]
    for key, child in node.always:
        if key not in obj:
            obj[key] = empty_value(child)


def _read(node: Node, value: Any) -> Any:
    """A value as the server reads it: a scalar respelled, anything else changed in place."""
    if type(node) is Struct:
        if type(value) is not dict:
            raise _mismatch(value, node)
        _struct(node, value)
    elif type(node) is Scalar:
        return value if node.kind == "str" and type(value) is str else _scalar(node, value)
    else:
        _container(node, value)
    return value


def _container(node: Node, value: Any) -> None:
    if isinstance(node, Items):
        if type(value) is not list:
            raise _mismatch(value, node)
        keys: Any = range(len(value))
    elif isinstance(node, Table):
        if type(value) is not dict:
            raise _mismatch(value, node)
        keys = value
    else:
        raise TypeError(f"not a container: {node}")
    child = node.item
    if type(child) is Scalar:
        for key in keys:
            item = value[key]
            if type(item) is not str or child.kind != "str":
                value[key] = empty_value(child) if item is None else _scalar(child, item)
    elif type(child) is Struct:
        for key in keys:
            item = value[key]
            if item is None:
                value[key] = child.zero()
            elif type(item) is dict:
                _struct(child, item)
            else:
                raise _mismatch(item, child)
    else:
        for key in keys:
            _container(child, value[key])


def _scalar(node: Scalar, value: Any) -> Any:
    kind = node.kind
    if kind == "any":
        return value
    if kind == "qty":
        return _quantity(value)
    if type(value) not in _ACCEPTED[kind]:
        raise _mismatch(value, node)
    if kind in _LIMITS and not -_LIMITS[kind] <= value < _LIMITS[kind]:
        raise _MismatchError(f"number {value}", _go_name(node))
    if kind == "bytes":
        try:
            base64.b64decode(value, validate=True)
        except ValueError:
            raise _MismatchError("illegal base64 data at input byte 0") from None
    return value


def _quantity(value: Any) -> str:
    if type(value) is int or type(value) is float:
        value = repr(value)
    if type(value) is not str:
        raise _MismatchError(MALFORMED)
    try:
        return canonical_quantity(value)
    except ValueError as error:
        raise _MismatchError(str(error)) from None


def _mismatch(value: Any, node: Node) -> _MismatchError:
    return _MismatchError(_JSON_NAMES.get(type(value), "null"), _go_name(node))


def _go_name(node: Node) -> str:
    if isinstance(node, Scalar):
        return _GO_NAMES.get(node.kind, "string")
    if isinstance(node, Items):
        return f"[]{_go_name(node.item)}"
    if isinstance(node, Table):
        return f"map[string]{_go_name(node.item)}"
    return node.name if isinstance(node, Struct) else "interface {}"
