"""What the schema of a custom resource does to an object: unknown fields go, defaults come, nulls are settled.

A schema is the JSON of an ``openAPIV3Schema`` that was found to be structural.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from kubesim.jsondata import copy_json

__all__ = ["EMBEDDED", "INT_OR_STRING", "META", "PRESERVE", "RULES", "Schema", "default", "embedded", "parts", "prune"]

Schema = Mapping[str, Any]

PRESERVE = "x-kubernetes-preserve-unknown-fields"
EMBEDDED = "x-kubernetes-embedded-resource"
INT_OR_STRING = "x-kubernetes-int-or-string"

META = frozenset({"apiVersion", "kind", "metadata"})
"""The fields of an object that no schema has to name."""


RULES = "x-kubernetes-validations"
"""Rules in CEL. They are kept, and not followed."""


def parts(schema: Schema) -> Iterator[Schema]:
    """The schema, and all within it."""
    yield schema
    lists = [part for name in ("allOf", "anyOf", "oneOf") for part in schema.get(name) or ()]
    single = [schema.get(name) for name in ("items", "additionalProperties", "not")]
    for part in (*lists, *single, *(schema.get("properties") or {}).values()):
        if isinstance(part, Mapping):
            yield from parts(part)


def below(schema: Schema | None, key: str) -> Schema | None:
    """The schema of a map's value."""
    if schema is None:
        return None
    found: Schema | None = (schema.get("properties") or {}).get(key)
    return found if found is not None else _additional(schema)


def _additional(schema: Schema) -> Schema | None:
    additional = schema.get("additionalProperties")
    return additional if isinstance(additional, Mapping) else None


def prune(obj: dict[str, Any], schema: Schema) -> list[str]:
    """Drop, in place, the fields that the schema does not have. Answers with their paths, sorted."""
    dropped: list[str] = []
    _prune(obj, schema, "", dropped, is_object=True)
    return sorted(dropped)


def _prune(value: Any, schema: Schema | None, path: str, dropped: list[str], *, is_object: bool = False) -> None:
    if schema is not None and schema.get(PRESERVE):
        _prune_known(value, schema, path, dropped, is_object=is_object)
    elif isinstance(value, dict):
        is_object = is_object or bool(schema is not None and schema.get(EMBEDDED))
        for key in list(value):
            if is_object and key in META:
                continue
            where = f"{path}.{key}" if path else key
            if schema is not None and (key in (schema.get("properties") or {}) or "additionalProperties" in schema):
                _prune(value[key], below(schema, key), where, dropped)
            else:
                dropped.append(where)
                del value[key]
    elif isinstance(value, list):
        items = None if schema is None else schema.get("items")
        for index, item in enumerate(value):
            _prune(item, items, f"{path}[{index}]", dropped)


def _prune_known(value: Any, schema: Schema | None, path: str, dropped: list[str], *, is_object: bool = False) -> None:
    """Keep what is not known here. What is known may be less tolerant."""
    if schema is None:
        return
    if isinstance(value, dict):
        is_object = is_object or bool(schema.get(EMBEDDED))
        for key, item in value.items():
            known = key in (schema.get("properties") or {}) or "additionalProperties" in schema
            if known and not (is_object and key in META):
                _prune(item, below(schema, key), f"{path}.{key}" if path else key, dropped)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _prune_known(item, schema.get("items"), f"{path}[{index}]", dropped)


def default(obj: dict[str, Any], schema: Schema) -> None:
    """Fill in defaults, in place. A null that may not be one gives way to the default or, without one, is dropped."""
    _drop_nulls(obj, schema)
    _default(obj, schema)


def _is_wrong_null(value: Any, schema: Schema | None) -> bool:
    return value is None and schema is not None and not schema.get("nullable")


def _drop_nulls(value: Any, schema: Schema | None) -> None:
    if isinstance(value, dict):
        for key in list(value):
            known = below(schema, key)
            if _is_wrong_null(value[key], known) and known is not None and known.get("default") is None:
                del value[key]
            else:
                _drop_nulls(value[key], known)
    elif isinstance(value, list):
        for item in value:
            _drop_nulls(item, None if schema is None else schema.get("items"))


def _default(value: Any, schema: Schema | None) -> None:
    if schema is None:
        return
    if isinstance(value, dict):
        for key, known in (schema.get("properties") or {}).items():
            if known.get("default") is not None and (key not in value or _is_wrong_null(value[key], known)):
                value[key] = copy_json(known["default"])
        for key, item in value.items():
            known = below(schema, key)
            if _is_wrong_null(item, known) and known is not None:
                value[key] = copy_json(known.get("default"))
            _default(value[key], known)
    elif isinstance(value, list):
        items = schema.get("items")
        for index, item in enumerate(value):
            if _is_wrong_null(item, items) and items is not None:
                value[index] = copy_json(items.get("default"))
            _default(value[index], items)


def embedded(value: Any, schema: Schema | None, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """The objects within an object, with their paths."""
    if schema is None:
        return
    if isinstance(value, dict):
        if path and schema.get(EMBEDDED):
            yield path, value
        for key, item in value.items():
            if isinstance(item, dict | list):
                yield from embedded(item, below(schema, key), f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from embedded(item, schema.get("items"), f"{path}[{index}]")
