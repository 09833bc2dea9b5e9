"""Rules in CEL for the values of custom resources (``x-kubernetes-validations``), where a library for CEL is there.

Rules that the library cannot read, or not evaluate, are passed over: the server knows more functions than it does.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec
from typing import Any

from kubesim.admit.validation.causes import Causes
from kubesim.custom.shaping import RULES, Schema
from kubesim.custom.values import NOTHING, by_key, item_key

__all__ = ["are_followed", "check_rules"]

_OLD = "oldSelf"
_MODULE = "cel.cel"
"""It is loaded once in a process, whoever does it: a second time it panics."""

Compile = Callable[[str], Any]


def are_followed() -> bool:
    """Whether there is a library for rules."""
    return _library() is not None


def check_rules(schema: Schema, obj: Any, causes: Causes, *, old: Any = NOTHING) -> None:
    """Record the rules that an object breaks, with what it was before, if it was there."""
    compile_ = _library()
    if compile_ is None:
        return
    for part, value, before, path in _parts(schema, obj, old, ""):
        for rule in part.get(RULES) or ():
            _check(compile_, rule, part, value, before, path, causes)


def _check(
    compile_: Compile,
    rule: Mapping[str, Any],
    schema: Schema,
    value: Any,
    before: Any,
    path: str,
    causes: Causes,
) -> None:
    compares = _OLD in rule["rule"]
    if rule.get("optionalOldSelf") or (compares and before is NOTHING):
        return
    if not compares and value == before:
        return  # what was so before is not judged again
    known = {"self": value, **({_OLD: before} if compares else {})}
    try:
        holds = compile_(rule["rule"]).execute(known)
    except Exception:  # noqa: BLE001  whatever the library raises
        return
    if holds is not False:
        return
    where = f"{path}{rule.get('fieldPath', '')}".lstrip(".")
    said = rule.get("message") or f"failed rule: {rule['rule'].strip()}"
    if rule.get("reason") == "FieldValueForbidden":
        causes.forbidden(where, said)
    elif rule.get("reason") == "FieldValueRequired":
        causes.required(where, said)
    else:
        causes.invalid(where, schema.get("type", ""), said)


def _parts(schema: Any, value: Any, old: Any, path: str) -> Iterator[tuple[Schema, Any, Any, str]]:
    """Each part of the value that the schema knows, with that part of what was before, where it is the same one."""
    if not isinstance(schema, Mapping) or value is None:
        return
    yield schema, value, NOTHING if old is None else old, path
    if isinstance(value, dict):
        before = old if isinstance(old, dict) and schema.get("x-kubernetes-map-type") != "atomic" else {}
        properties = schema.get("properties") or {}
        for key, item in value.items():
            known, named = properties.get(key), f"{path}.{key}" if path else key
            below = schema.get("additionalProperties") if known is None else known
            where = f"{path}[{key}]" if known is None else named
            yield from _parts(below, item, before.get(key, NOTHING), where)
    elif isinstance(value, list):
        items = by_key(schema, old)
        for index, item in enumerate(value):
            yield from _parts(schema.get("items"), item, items.get(item_key(schema, item), NOTHING), f"{path}[{index}]")


@lru_cache(maxsize=1)
def _library() -> Compile | None:
    """The extension module alone: its package imports a command line beside it, which takes most of a second."""
    if (module := sys.modules.get(_MODULE)) is None:
        package = find_spec("cel")
        found = PathFinder.find_spec(_MODULE, package.submodule_search_locations) if package is not None else None
        if found is None or found.loader is None:
            return None
        module = sys.modules[_MODULE] = module_from_spec(found)
        found.loader.exec_module(module)
    compile_: Compile = module.compile
    return compile_
