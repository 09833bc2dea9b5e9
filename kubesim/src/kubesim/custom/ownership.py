"""How the fields of a custom resource are owned and merged: its schema as types of server-side apply."""

from typing import Any

from kubesim.admit.schema import FREE, Field, Items, Node, Presence, Scalar, Struct, Table, object_meta
from kubesim.custom.shaping import EMBEDDED, PRESERVE, Schema

__all__ = ["struct_of"]

_SCALARS = {kind: Scalar(word) for kind, word in (
    ("string", "str"), ("integer", "num"), ("number", "num"), ("boolean", "bool"))}  # fmt: skip
_REPLICAS = ("f:spec", "f:replicas")


def struct_of(kind: str, schema: Schema, *, status: bool, replicas: tuple[str, ...] = _REPLICAS) -> Struct:
    """The type of a kind. ``status``: it has that subresource. ``replicas``: where its scale is, as set elements."""
    struct = _struct(schema, preserve=False, name=kind, is_object=True)
    struct.status_apart = struct.metadata_apart = status
    struct.replicas = replicas
    return struct


def _node(schema: Schema, *, preserve: bool) -> Node:
    preserve = preserve or bool(schema.get(PRESERVE))
    kind = schema.get("type")
    if kind in _SCALARS:
        return _SCALARS[kind]
    if kind == "array":
        return _items(schema, preserve=preserve)
    if schema.get("properties") or schema.get(EMBEDDED):
        return _struct(schema, preserve=preserve, name="object", is_object=bool(schema.get(EMBEDDED)))
    if kind != "object":
        return FREE
    additional = schema.get("additionalProperties")
    item = _node(additional, preserve=preserve) if isinstance(additional, dict) else FREE
    return Table(item, atomic=schema.get("x-kubernetes-map-type") == "atomic")


def _struct(schema: Schema, *, preserve: bool, name: str, is_object: bool) -> Struct:
    preserve = preserve or bool(schema.get(PRESERVE))
    struct = Struct(name, atomic=schema.get("x-kubernetes-map-type") == "atomic")
    for key, below in (schema.get("properties") or {}).items():
        struct.fields[key] = Field(_node(below, preserve=preserve), Presence.OMITTED)
    if is_object:
        text = Scalar("str")
        struct.fields |= {"apiVersion": Field(text, Presence.OMITTED), "kind": Field(text, Presence.OMITTED)}
        struct.fields["metadata"] = Field(object_meta(), Presence.ALWAYS)
        struct.always = (("metadata", object_meta()),)
    additional = schema.get("additionalProperties")
    if isinstance(additional, dict):
        struct.rest = Field(_node(additional, preserve=preserve), Presence.OMITTED)
    elif preserve or additional is True or not struct.fields:
        struct.rest = Field(FREE, Presence.OMITTED)
    return struct


def _items(schema: Schema, *, preserve: bool) -> Node:
    items = schema.get("items") or {}
    how = schema.get("x-kubernetes-list-type")
    keys: list[tuple[str, Any]] = []
    if how == "map":
        properties = items.get("properties") or {}
        names = sorted(schema.get("x-kubernetes-list-map-keys") or ())
        keys = [(name, properties.get(name, {}).get("default")) for name in names]
    return Items(_node(items, preserve=preserve), atomic=how not in ("map", "set"), keys=tuple(keys), merge_key=None)
