"""What a custom resource's schema may say of how its lists and maps are merged."""

from typing import Any

from kubesim.admit.validation.causes import Causes

__all__ = ["check_merging", "items_of"]

Schema = dict[str, Any]


def items_of(schema: Schema) -> Schema | None:
    """The schema of a list's items."""
    items = schema.get("items")
    return items if isinstance(items, dict) else None


def check_merging(path: str, schema: Schema, causes: Causes) -> None:
    """Check the extensions of server-side apply."""
    kind, map_type = schema.get("type", ""), schema.get("x-kubernetes-map-type")
    if map_type is not None:
        _check_owner(path, kind, "object", "x-kubernetes-map-type", causes)
        causes.one_of(f"{path}.x-kubernetes-map-type", map_type, ("atomic", "granular"))
    how, keys = schema.get("x-kubernetes-list-type"), schema.get("x-kubernetes-list-map-keys") or []
    if how is not None:
        _check_owner(path, kind, "array", "x-kubernetes-list-type", causes)
        causes.one_of(f"{path}.x-kubernetes-list-type", how, ("atomic", "set", "map"))
    if keys and how != "map":
        why = "must be map if x-kubernetes-list-map-keys is non-empty"
        if how is None:
            causes.required(f"{path}.x-kubernetes-list-type", why)
        else:
            causes.invalid(f"{path}.x-kubernetes-list-type", how, why)
    items = items_of(schema)
    if how == "map":
        _check_keys(path, keys, items, causes)
    elif how == "set" and items is not None:
        why = "must be atomic as item of a list with x-kubernetes-list-type=set"
        if items.get("type") == "object" and items.get("x-kubernetes-map-type") != "atomic":
            causes.invalid(f"{path}.items.x-kubernetes-map-type", items.get("x-kubernetes-map-type"), why)
        if items.get("type") == "array" and items.get("x-kubernetes-list-type") not in (None, "atomic"):
            causes.invalid(f"{path}.items.x-kubernetes-list-type", items.get("x-kubernetes-list-type"), why)
    if how in ("map", "set") and items is not None and items.get("nullable"):
        causes.forbidden(f"{path}.items.nullable", f"cannot be nullable when x-kubernetes-list-type is {how}")


def _check_owner(path: str, kind: str, wanted: str, name: str, causes: Causes) -> None:
    why = f"must be {wanted} if {name} is specified"
    if not kind:
        causes.required(f"{path}.type", why)
    elif kind != wanted:
        causes.invalid(f"{path}.type", kind, why)


def _check_keys(path: str, keys: list[str], items: Schema | None, causes: Causes) -> None:
    where = f"{path}.x-kubernetes-list-map-keys"
    if not keys:
        causes.required(where, "must not be empty if x-kubernetes-list-type is map")
    if items is None:
        causes.required(f"{path}.items", "must have a schema if x-kubernetes-list-type is map")
        return
    if items.get("type") != "object":
        why = "must be object if parent array's x-kubernetes-list-type is map"
        causes.invalid(f"{path}.items.type", items.get("type", ""), why)
    properties = items.get("properties") or {}
    for key in keys:
        known = properties.get(key)
        if known is None:
            causes.invalid(where, keys, "entries must all be names of item properties")
            continue
        if known.get("type") in ("array", "object"):
            why = "must be a scalar type if parent array's x-kubernetes-list-type is map"
            causes.invalid(f"{path}.items.properties[{key}].type", items.get("type", ""), why)
        if known.get("nullable"):
            causes.forbidden(
                f"{path}.items.properties[{key}].nullable",
                "this property is in x-kubernetes-list-map-keys, so it cannot be nullable",
            )
        if "default" not in known and key not in (items.get("required") or ()):
            causes.required(
                f"{path}.items.properties[{key}].default",
                "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property",
            )
    if len(set(keys)) != len(keys):
        causes.invalid(where, keys, "must not contain duplicate entries")
