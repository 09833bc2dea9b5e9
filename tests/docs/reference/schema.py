"""JSON Schema as tables: a field, its type, its default, what it means."""

from collections.abc import Mapping
from typing import Any

from tests.docs.reference.markdown import code, prose, table

Schema = dict[str, Any]

_WORDS = {"string": "text", "boolean": "true, false"}
_LIMITS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}


def fields(schema: Schema, told: Mapping[str, str] | None = None) -> str:
    """The fields of an object; empty for what has none. ``told``: what those mean that do not say it themselves."""
    required, told = schema.get("required", []), told or {}
    rows = [
        (code(name), kind(field), default(field, needed=name in required), told.get(name) or meaning(field))
        for name, field in schema.get("properties", {}).items()
    ]
    return table(("field", "type", "default", ""), rows)


def kind(schema: Schema) -> str:
    """The type, in words."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if several := schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf"):
        return " or ".join(dict.fromkeys(kind(one) for one in several if one.get("type") != "null")) or "null"
    if "enum" in schema or "const" in schema:
        return ", ".join(code(one) for one in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        return f"list of {kind(schema.get('items', {}))}"
    if schema.get("type") == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"map of {kind(schema['additionalProperties'])}"
    limits = [f"{sign} {schema[name]}" for name, sign in _LIMITS.items() if name in schema]
    name = schema.get("type", "any")
    return " ".join([_WORDS.get(name, name), *limits])


def default(schema: Schema, *, needed: bool) -> str:
    """What holds where it is left out; *required* where it may not be."""
    if needed:
        return "*required*"
    value = schema.get("default")
    if isinstance(value, bool):
        return code(str(value).lower())
    return code(value) if isinstance(value, str | int | float) and value != "" else ""


def meaning(schema: Schema) -> str:
    """What it means."""
    return prose(schema.get("description"))
