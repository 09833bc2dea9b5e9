"""Lists whose items are told apart: no item of a set, and no key, may be there twice."""

import json
from typing import Any

from kubesim.admit.validation.causes import Causes
from kubesim.custom.shaping import Schema

__all__ = ["check_lists"]


def check_lists(schema: Schema | None, value: Any, causes: Causes, path: str = "") -> None:
    """Record the items that are twice in a set, or under one key."""
    if schema is None:
        return
    if isinstance(value, dict):
        properties, additional = schema.get("properties") or {}, schema.get("additionalProperties")
        for key, item in value.items():
            if isinstance(item, dict | list):
                known = properties.get(key)
                named = f"{path}.{key}" if path else key
                if known is not None:
                    check_lists(known, item, causes, named)
                elif isinstance(additional, dict):
                    check_lists(additional, item, causes, f"{path}[{key}]")
    elif isinstance(value, list):
        _check_items(schema, value, causes, path)
        for index, item in enumerate(value):
            check_lists(schema.get("items"), item, causes, f"{path}[{index}]")


def _check_items(schema: Schema, value: list[Any], causes: Causes, path: str) -> None:
    kind = schema.get("x-kubernetes-list-type")
    shown = value
    if kind == "map":
        for index, item in enumerate(value):
            if item is not None and not isinstance(item, dict):
                causes.invalid(f"{path}[{index}]", item, "must be an object for an array of list-type map")
                return
        names = schema.get("x-kubernetes-list-map-keys") or ()
        shown = [{name: item[name] for name in names if name in (item or {})} for item in value]
    elif kind != "set":
        return
    seen: dict[str, int] = {}
    for index, item in enumerate(shown):
        text = json.dumps(item, sort_keys=True)
        seen[text] = seen.get(text, 0) + 1
        if seen[text] == 2:
            causes.duplicate(f"{path}[{index}]", item)
