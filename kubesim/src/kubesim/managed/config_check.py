"""Whether a configuration fits its kind, in the words of the server's typed parser."""

from collections.abc import Iterator
from typing import Any

from kubesim.admit.schema import Free, Items, Node, Scalar, Struct
from kubesim.managed.conflicts import path_text
from kubesim.managed.walk import item_key
from kubesim.problems import Problem

__all__ = ["check_config"]

Misfit = tuple[str, str]
"""Where, and what."""


def check_config(schema: Struct, config: dict[str, Any]) -> None:
    """Raise Problem 500 for a field the kind does not have, a value of another type, or two items with one key."""
    misfits = [f"{where}: {what}" for where, what in _misfits(schema, config)]
    if not misfits:
        return
    metadata = config.get("metadata") or {}
    who = f"{metadata.get('namespace', '')}/{metadata.get('name', '')}; {config['apiVersion']}, Kind={config['kind']}"
    said = misfits[0] if len(misfits) == 1 else "\n".join(["errors:", *(f"  {one}" for one in misfits)])
    raise Problem(500, "", f"failed to create typed patch object ({who}): {said}")


def _misfits(node: Node, value: Any) -> Iterator[Misfit]:
    if value is None or isinstance(node, Free):
        return
    if isinstance(node, Scalar):
        yield from _of_scalar(node.kind, value)
    elif isinstance(node, Items):
        if isinstance(value, list):
            yield from _of_items(node, value)
        else:
            yield "", f"expected list, got {_shown(value)}"
    elif not isinstance(value, dict):
        yield "", f"expected map, got {_shown(value)}"
    else:
        for key, item in value.items():
            if isinstance(node, Struct):
                field = node.fields.get(key, node.rest)
                if field is None:
                    if not node.name:
                        continue
                    yield f".{key}", "field not declared in schema"
                    return  # the server, too, looks no further in this map
                child = field.node
            else:
                child = node.item
            for where, what in _misfits(child, item):
                yield f".{key}{where}", what


def _of_items(node: Items, value: list[Any]) -> Iterator[Misfit]:
    seen: set[str] = set()
    for index, item in enumerate(value):
        where = f"[{index}]"
        if not node.atomic:
            if node.keys and not isinstance(item, dict):
                yield "", f"element {index}: associative list with keys may not have non-map elements"
                continue
            if not node.keys and (item is None or isinstance(item, dict | list)):
                yield "", f"element {index}: associative list without keys has an element that's not a scalar"
                continue
            try:
                key = item_key(node, item)
            except ValueError as error:
                yield "", f"element {index}: {error}"
                continue
            where = path_text((key,))
            if key in seen:
                yield "", f"duplicate entries for key {where}"
            seen.add(key)
        for below, what in _misfits(node.item, item):
            yield f"{where}{below}", what


def _of_scalar(kind: str, value: Any) -> Iterator[Misfit]:
    found = type(value)
    if kind in ("int", "long", "num") and found is not int and found is not float:
        yield "", f"expected numeric (int or float), got {_go_type(value)}"
    elif kind in ("str", "bytes", "time") and found is not str:
        yield "", f"expected string, got {_shown(value)}"
    elif kind == "bool" and found is not bool:
        yield "", f"expected boolean, got {_shown(value)}"


def _go_type(value: Any) -> str:
    return {str: "string", bool: "bool", dict: "map[string]interface {}", list: "[]interface {}"}.get(type(value), "?")


def _shown(value: Any) -> str:
    return f"&value.valueUnstructured{{Value:{value!r}}}"
