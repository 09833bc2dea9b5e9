"""Values against the schema of a custom resource, in the words of the API server.

What an update leaves as it was is not judged again: an object that became invalid with a new schema can still be
changed elsewhere.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from kubesim.admit.validation.causes import Causes
from kubesim.custom.formats import fits
from kubesim.custom.shaping import INT_OR_STRING, Schema

__all__ = ["NOTHING", "by_key", "check_value", "item_key"]

NOTHING: Any = object()
"""There is no such value: an older one, for example."""

_NAMES = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", float: "number"}
_LIMITS = {"int32": 2**31, "int64": 2**63}


@dataclass(slots=True)
class _Result:
    """What was found wrong, each as something to be told, and how many checks went well."""

    wrong: list[Callable[[Causes], None]] = field(default_factory=list)
    passed: int = 0

    def merge(self, other: "_Result") -> None:
        self.wrong += other.wrong
        self.passed += other.passed


def check_value(schema: Schema, value: Any, causes: Causes, *, old: Any = NOTHING, path: str = "") -> None:
    """Record what the schema refuses in a value."""
    for tell in _check(schema, value, old, path).wrong:
        tell(causes)


def _check(schema: Schema, value: Any, old: Any, path: str) -> _Result:
    result = _Result()
    if old is not NOTHING and old == value:
        return result
    steps: list[Callable[[Schema, Any, str], _Result]] = [_type]
    if value is not None:
        steps += [_junctors, *_STEPS.get(type(value), ())]
    for step in (*steps, _enum):
        result.merge(step(schema, value, path))
    if isinstance(value, dict):
        result.merge(_object(schema, value, old, path))
    elif isinstance(value, list):
        result.merge(_array(schema, value, old, path))
    return result


def _failed(tell: Callable[[Causes], None]) -> _Result:
    return _Result([tell])


def _passed() -> _Result:
    return _Result(passed=1)


def _invalid(path: str, value: Any, text: str, subject: str = "") -> _Result:
    message = f"{subject or path} in body {text}"
    return _failed(lambda causes: causes.invalid(path, value, message))


def _types(schema: Schema) -> tuple[str, ...]:
    if schema.get(INT_OR_STRING):
        return ("integer", "string")
    return (schema["type"],) if schema.get("type") else ()


def _type(schema: Schema, value: Any, path: str) -> _Result:
    wanted = _types(schema)
    if not wanted or (value is None and schema.get("nullable")):
        return _passed()
    found = "null" if value is None else _NAMES[type(value)]
    if found in wanted or (found == "integer" and "number" in wanted):
        return _passed()
    if isinstance(value, float) and value.is_integer() and "integer" in wanted:
        return _passed()
    text = f'{path} in body must be of type {",".join(wanted)}: "{found}"'
    return _failed(lambda causes: causes.wrong_type(path, found, text))


def _enum(schema: Schema, value: Any, path: str) -> _Result:
    allowed = schema.get("enum")
    if not allowed or any(type(item) is type(value) and item == value for item in allowed):
        return _passed()
    shown = [item if isinstance(item, str) else json.dumps(item, separators=(",", ":")) for item in allowed]
    return _failed(lambda causes: causes.unsupported(path, value, shown))


def _string(schema: Schema, value: str, path: str) -> _Result:
    longest, shortest, pattern = schema.get("maxLength"), schema.get("minLength"), schema.get("pattern")
    if longest is not None and len(value) > longest:
        return _failed(lambda causes: causes.too_long(path, longest))
    if shortest is not None and len(value) < shortest:
        return _invalid(path, value, f"should be at least {shortest} chars long")
    if pattern and not _compiled(pattern).search(value):
        return _invalid(path, value, f"should match '{pattern}'")
    name = schema.get("format")
    if name and "string" in (_types(schema) or ("string",)) and not fits(value, name):
        text = f'{path} in body must be of type {name}: "{value}"'
        return _failed(lambda causes: causes.wrong_type(path, value, text))
    return _passed()


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    """A Go pattern. In Go ``$`` is the end, in Python it may stand before a last line break."""
    return re.compile(re.sub(r"(?<!\\)((?:\\\\)*)\$$", r"\1\\Z", pattern))


def _number(schema: Schema, value: float, path: str) -> _Result:
    result = _passed()
    limit = _LIMITS.get(schema.get("format", ""))
    if limit is not None and not -limit <= value < limit:
        text = f"Checked value must be of type {schema['type']} with format {schema['format']} in {path}"
        result.merge(_failed(lambda causes: causes.invalid("<nil>", "", text)))
    factor = schema.get("multipleOf")
    if factor and not float(value / factor if factor >= 1 else 1 / factor * value).is_integer():
        result.merge(_invalid(path, value, f"should be a multiple of {_go(factor)}"))
    most, least = schema.get("maximum"), schema.get("minimum")
    if most is not None and (value > most or (value == most and schema.get("exclusiveMaximum"))):
        words = "less than" if schema.get("exclusiveMaximum") else "less than or equal to"
        result.merge(_invalid(path, value, f"should be {words} {_go(most)}"))
    if least is not None and (value < least or (value == least and schema.get("exclusiveMinimum"))):
        words = "greater than" if schema.get("exclusiveMinimum") else "greater than or equal to"
        result.merge(_invalid(path, value, f"should be {words} {_go(least)}"))
    return result


def _go(number: float) -> str:
    """A number as Go prints it."""
    return str(int(number)) if float(number).is_integer() and abs(number) < 1e21 else repr(number)


def _array(schema: Schema, value: list[Any], old: Any, path: str) -> _Result:
    result = _passed()
    if (items := schema.get("items")) is not None:
        before = by_key(schema, old)
        for index, item in enumerate(value):
            result.merge(_check(items, item, before.get(item_key(schema, item), NOTHING), f"{path}[{index}]"))
    size, least, most = len(value), schema.get("minItems"), schema.get("maxItems")
    if least is not None and size < least:
        result.merge(_invalid(path, size, f"should have at least {least} items"))
    if most is not None and size > most:
        result.merge(_failed(lambda causes: causes.too_many(path, size, most)))
    return result


def item_key(schema: Schema, item: Any) -> str:
    """What tells an item of a keyed list from the others; nothing for any other list."""
    if schema.get("x-kubernetes-list-type") != "map" or not isinstance(item, dict):
        return ""
    return json.dumps([item.get(name) for name in schema.get("x-kubernetes-list-map-keys") or ()])


def by_key(schema: Schema, old: Any) -> dict[str, Any]:
    """The items of a keyed list, by what tells them apart; none of any other list."""
    keyed = {item_key(schema, item): item for item in old} if isinstance(old, list) else {}
    return {key: item for key, item in keyed.items() if key}


def _object(schema: Schema, value: dict[str, Any], old: Any, path: str) -> _Result:
    result = _passed()
    size, least, most = len(value), schema.get("minProperties"), schema.get("maxProperties")
    if least is not None and size < least:
        result.merge(_invalid(path, size, f"should have at least {least} properties"))
    if most is not None and size > most:
        result.merge(_failed(lambda causes: causes.too_many(path, size, most)))
    properties, additional = schema.get("properties") or {}, schema.get("additionalProperties")
    before = old if isinstance(old, dict) else {}
    for key, item in value.items():
        where = f"{path}.{key}" if path else key
        known = properties.get(key)
        if known is None and additional is False:
            result.merge(_invalid(path, key, "is a forbidden property", where))
        elif known is None and isinstance(additional, dict):
            known = additional
        if known is not None:
            result.merge(_check(known, item, before.get(key, NOTHING), where))
    for key in schema.get("required") or ():
        if key not in value:
            where = f"{path}.{key}" if path else key
            result.merge(_failed(lambda causes, where=where: causes.required(where)))  # type: ignore[misc]
    return result


def _junctors(schema: Schema, value: Any, path: str) -> _Result:
    """``anyOf``, ``oneOf``, ``allOf`` and ``not``. What they say of the whole has no field."""
    result = _passed()
    text = json.dumps(path, ensure_ascii=False)

    def say(message: str) -> None:
        result.wrong.append(lambda causes: causes.invalid("<nil>", "", f"{text} {message}"))

    if anyof := schema.get("anyOf"):
        tried = [_check(each, value, NOTHING, path) for each in anyof]
        if all(each.wrong for each in tried):
            say("must validate at least one schema (anyOf)")
            result.merge(max(tried, key=lambda each: each.passed))
    if oneof := schema.get("oneOf"):
        tried = [_check(each, value, NOTHING, path) for each in oneof]
        valid = sum(not each.wrong for each in tried)
        if valid != 1:
            found = f"Found {valid} valid alternatives" if valid else "Found none valid"
            say(f"must validate one and only one schema (oneOf). {found}")
            if not valid:
                result.merge(max(tried, key=lambda each: each.passed))
    if allof := schema.get("allOf"):
        tried = [_check(each, value, NOTHING, path) for each in allof]
        for each in tried:
            result.merge(each)
        if any(each.wrong for each in tried):
            none = ". None validated" if all(each.wrong for each in tried) else ""
            say(f"must validate all the schemas (allOf){none}")
    if (negated := schema.get("not")) is not None and not _check(negated, value, NOTHING, path).wrong:
        say("must not validate the schema (not)")
    return result


_STEPS: dict[type, tuple[Callable[[Schema, Any, str], _Result], ...]] = {
    str: (_string,),
    int: (_number,),
    float: (_number,),
}
