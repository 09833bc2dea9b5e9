"""Which schemas a custom resource may have: structural ones, whose defaults are valid themselves."""

import re
from typing import Any

from kubesim.admit.validation.causes import Causes
from kubesim.custom.merging_check import check_merging, items_of
from kubesim.custom.shaping import EMBEDDED, INT_OR_STRING, PRESERVE, prune
from kubesim.custom.values import check_value
from kubesim.jsondata import copy_json

__all__ = ["check_schema"]

Schema = dict[str, Any]

_TYPES = ("array", "boolean", "integer", "number", "object", "string")
_UNSUPPORTED = {
    "id": "id is not supported",
    "additionalItems": "additionalItems is not supported",
    "patternProperties": "patternProperties is not supported",
    "definitions": "definitions is not supported",
    "dependencies": "dependencies is not supported",
    "$ref": "$ref is not supported",
}
_WORDS_AT_ROOT = (
    "description type format title maximum exclusiveMaximum minimum exclusiveMinimum maxLength minLength pattern "
    "maxItems minItems uniqueItems multipleOf required items properties externalDocs example "
    "x-kubernetes-preserve-unknown-fields x-kubernetes-validations"
)
_AT_ROOT = frozenset(_WORDS_AT_ROOT.split())
_AT_ROOT_SHOWN = (
    "[Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern "
    "MaxItems MinItems UniqueItems MultipleOf Required Items Properties ExternalDocs Example XPreserveUnknownFields "
    "XValidations]"
)
_INT_OR_STRING = [{"type": "integer"}, {"type": "string"}]
_NOT_NESTED = {
    "type": "must be empty to be structural",
    "additionalProperties": "must be undefined to be structural",
    "default": "must be undefined to be structural",
    "title": "must be empty to be structural",
    "description": "must be empty to be structural",
    "nullable": "must be false to be structural",
    PRESERVE: "must be false to be structural",
    EMBEDDED: "must be false to be structural",
    INT_OR_STRING: "must be false to be structural",
    "x-kubernetes-list-map-keys": "must be empty to be structural",
    "x-kubernetes-list-type": "must be undefined to be structural",
    "x-kubernetes-map-type": "must be undefined to be structural",
    "x-kubernetes-validations": "must be empty to be structural",
}


def check_schema(path: str, schema: Schema, causes: Causes, *, status: bool) -> None:
    """Check the schema of a version. ``status``: it has that subresource."""
    if status:
        if schema.get("type") != "object":
            why = 'only "object" is allowed as the type at the root of the schema if the status subresource is enabled'
            causes.invalid(f"{path}.type", schema.get("type", ""), why)
        elif set(schema) - _AT_ROOT:
            causes.invalid(
                path,
                schema,
                f"only {_AT_ROOT_SHOWN} fields are allowed at the root of the schema if the status subresource is "
                "enabled",
            )
    if schema.get("nullable"):
        causes.forbidden(f"{path}.nullable", "nullable cannot be true at the root")
    found = Causes()
    _check_structure(path, schema, found, "at the root")
    if not found:
        _check_defaults(path, schema, found)
    causes.take(found)
    _check_words(path, schema, causes, root=True)


def _check_structure(path: str, schema: Schema, causes: Causes, place: str) -> None:
    """That every field has a type where it is declared, and nowhere else."""
    kind = schema.get("type", "")
    if kind == "array" and items_of(schema) is None:
        causes.required(f"{path}.items", "must be specified")
    if (items := items_of(schema)) is not None:
        _check_structure(f"{path}.items", items, causes, "for specified array items")
    for name, below in (schema.get("properties") or {}).items():
        where = f"{path}.properties[{name}]"
        if name == "metadata" and place == "at the root":
            _check_root_metadata(where, below, causes)
        else:
            _check_structure(where, below, causes, "for specified object fields")
    additional = schema.get("additionalProperties")
    if additional is not None and place == "at the root":
        causes.forbidden(f"{path}.additionalProperties", "must not be used at the root")
    if isinstance(additional, dict):
        _check_structure(f"{path}.additionalProperties", additional, causes, "for specified object fields")
    _check_extensions(path, schema, causes, place)
    _check_junctors(path, schema, causes, declared=schema)


def _check_root_metadata(path: str, schema: Schema, causes: Causes) -> None:
    if schema.get("type") != "object":
        causes.invalid(f"{path}.type", schema.get("type", ""), "must be object")
    allowed = {"type", "description", "properties", "default"}
    if set(schema) - allowed or set(schema.get("properties") or ()) - {"name", "generateName"}:
        causes.forbidden(
            path, "must not specify anything other than name and generateName, but metadata is implicitly specified"
        )


def _check_extensions(path: str, schema: Schema, causes: Causes, place: str) -> None:
    kind, is_object = schema.get("type", ""), bool(schema.get(EMBEDDED))
    if schema.get(INT_OR_STRING):
        for name in (PRESERVE, EMBEDDED):
            if schema.get(name):
                causes.invalid(f"{path}.{name}", True, f"must be false if {INT_OR_STRING} is true")
    if is_object and kind != "object":
        why = f"must be object if {EMBEDDED} is true"
        if kind:
            causes.invalid(f"{path}.type", kind, why)
        else:
            causes.required(f"{path}.type", why)
    elif not kind and not schema.get(INT_OR_STRING) and not schema.get(PRESERVE):
        causes.required(f"{path}.type", f"must not be empty {place}")
    elif kind != "object" and kind and place == "at the root":
        causes.invalid(f"{path}.type", kind, "must be object at the root")
    if is_object and schema.get("additionalProperties") is not None:
        causes.forbidden(f"{path}.additionalProperties", f"must not be used if {EMBEDDED} is set")
    if is_object and not schema.get(PRESERVE) and not schema.get("properties"):
        causes.required(f"{path}.properties", f"must not be empty if {EMBEDDED} is true without {PRESERVE}")


def _check_junctors(path: str, schema: Schema, causes: Causes, *, declared: Schema) -> None:
    for name in ("anyOf", "allOf", "oneOf"):
        for index, nested in enumerate(schema.get(name) or ()):
            if declared.get(INT_OR_STRING) and _is_int_or_string(name, index, schema, nested):
                continue
            _check_nested(f"{path}.{name}[{index}]", nested, causes, declared)
    if (negated := schema.get("not")) is not None:
        _check_nested(f"{path}.not", negated, causes, declared)
    if pattern := schema.get("pattern"):
        try:
            re.compile(pattern)
        except re.error as error:
            why = f"must be a valid regular expression, but isn't: {error}"
            causes.invalid(f"{path}.pattern", pattern, why)


def _is_int_or_string(name: str, index: int, schema: Schema, nested: Schema) -> bool:
    """The two forms in which a value that is a number or a string may say so once more."""
    if name == "anyOf":
        return bool(schema["anyOf"] == _INT_OR_STRING)
    return name == "allOf" and index == 0 and nested.get("anyOf") == _INT_OR_STRING


def _check_nested(path: str, schema: Schema, causes: Causes, declared: Schema | None) -> None:
    """Below a junctor values are judged, but nothing is declared."""
    for name, why in _NOT_NESTED.items():
        if schema.get(name) not in (None, "", False, []):
            causes.forbidden(f"{path}.{name}", why)
    _check_junctors(path, schema, causes, declared=declared or {})
    if (items := items_of(schema)) is not None:
        known = items_of(declared or {})
        if known is None:
            causes.required(_declaration(f"{path}.items"), "because it is defined in " + f"{path}.items")
        _check_nested(f"{path}.items", items, causes, known)
    for name, below in (schema.get("properties") or {}).items():
        where = f"{path}.properties[{name}]"
        if name == "metadata":
            causes.forbidden(where, "must not be specified in a nested context")
        known = ((declared or {}).get("properties") or {}).get(name)
        if known is None:
            causes.required(_declaration(where), f"because it is defined in {where}")
        _check_nested(where, below, causes, known)


def _declaration(path: str) -> str:
    """Where a field that is judged would have to be declared."""
    return re.sub(r"\.(anyOf|allOf|oneOf)\[\d+\]|\.not(?=\.|$)", "", path)


def _check_defaults(path: str, schema: Schema, causes: Causes) -> None:
    value = schema.get("default")
    if value is not None:
        pruned = copy_json(value)
        wrapped = {"properties": {"value": schema}, "type": "object"}
        if prune({"value": pruned}, wrapped):
            causes.invalid(f"{path}.default", value, "must not have unknown fields")
        else:
            check_value(schema, value, causes, path=f"{path}.default")
    for name, below in (schema.get("properties") or {}).items():
        _check_defaults(f"{path}.properties[{name}]", below, causes)
    for name in ("items", "additionalProperties"):
        if isinstance(below := schema.get(name), dict):
            _check_defaults(f"{path}.{name}", below, causes)


def _check_words(path: str, schema: Schema, causes: Causes, *, root: bool = False) -> None:
    """What no schema may say, at any depth."""
    kind = schema.get("type", "")
    if kind == "null":
        causes.forbidden(f"{path}.type", "type cannot be set to null, use nullable as an alternative")
    elif kind and kind not in _TYPES:
        causes.unsupported(f"{path}.type", kind, _TYPES)
    for name, why in _UNSUPPORTED.items():
        if schema.get(name):
            causes.forbidden(f"{path}.{name}", why)
    if schema.get("uniqueItems"):
        why = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        causes.forbidden(f"{path}.uniqueItems", why)
    if isinstance(schema.get("items"), list):
        causes.forbidden(f"{path}.items", "items must be a schema object and not an array")
    if schema.get("additionalProperties") not in (None, True) and schema.get("properties"):
        why = "additionalProperties and properties are mutual exclusive"
        causes.forbidden(f"{path}.additionalProperties", why)
    if schema.get(PRESERVE) is False:
        causes.invalid(f"{path}.{PRESERVE}", False, "must be true or undefined")
    if root and (schema.get("properties") or {}).get("metadata", {}).get("default") is not None:
        causes.forbidden(f"{path}.properties[metadata].default", "must not be set in top-level metadata")
    check_merging(path, schema, causes)
    for where, below in _parts(path, schema):
        _check_words(where, below, causes)


def _parts(path: str, schema: Schema) -> list[tuple[str, Schema]]:
    found = [(f"{path}.properties[{name}]", below) for name, below in (schema.get("properties") or {}).items()]
    for name in ("anyOf", "allOf", "oneOf"):
        found += [(f"{path}.{name}[{index}]", below) for index, below in enumerate(schema.get(name) or ())]
    for name in ("items", "additionalProperties", "not"):
        if isinstance(below := schema.get(name), dict):
            found.append((f"{path}.{name}", below))
    return found
