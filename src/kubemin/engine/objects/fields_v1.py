"""fieldsV1, the form in which managedFields names fields. Pure.

A tree: ``f:<name>`` is a field, ``k:<json>`` the item of a list that has these keys, ``v:<json>`` a value of a set, and
``.`` the field or item itself.
"""

import copy
import json
from collections.abc import Callable, Mapping
from typing import Any

from kubemin.engine.objects.list_keys import KEY_DEFAULTS
from kubemin.spec.labels import MANAGER
from kubemin.spec.objects import Manifest

Fields = Mapping[str, Any]


def owned_fields(obj: Manifest, whose: Callable[[str], bool]) -> dict[str, Any]:
    """The fields that managers of whom ``whose`` is true own, but for those of subresources."""
    fields: dict[str, Any] = {}
    for entry in obj["metadata"].get("managedFields") or []:
        if whose(str(entry.get("manager"))) and not entry.get("subresource"):
            fields = union(fields, entry.get("fieldsV1") or {})
    return fields


def our_fields(obj: Manifest) -> dict[str, Any]:
    """The fields that KubeMin owns."""
    return owned_fields(obj, lambda manager: manager == MANAGER)


def union(one: Fields, two: Fields) -> dict[str, Any]:
    """The fields of either."""
    merged = dict(one)
    for key, value in two.items():
        merged[key] = union(merged[key], value) if key in merged else value
    return merged


def without(fields: Fields, others: Fields) -> dict[str, Any]:
    """The fields that ``others`` does not name."""
    left: dict[str, Any] = {}
    for key, below in fields.items():
        if key not in others:
            left[key] = below
        elif below and (rest := without(below, others[key])):
            left[key] = rest
    return left


def both(one: Fields, two: Fields) -> dict[str, Any]:
    """The fields that the two have in common."""
    found: dict[str, Any] = {}
    for key, fields in one.items():
        if key in two and ((below := both(fields, two[key])) or not (fields and two[key])):
            found[key] = below
    return found


def copy_fields(target: Any, source: Any, fields: Fields) -> None:
    """Copy into ``target`` the parts of ``source`` that ``fields`` names."""
    for key, below in fields.items():
        inner = _below(below)
        if key.startswith("f:") and isinstance(source, dict) and isinstance(target, dict):
            _copy_field(target, source, key[2:], inner)
        elif key.startswith("k:") and isinstance(source, list) and isinstance(target, list):
            _copy_item(target, source, key, inner)
        elif key.startswith("v:") and isinstance(target, list):
            value = json.loads(key[2:])
            if value not in target:
                target.append(value)


def _copy_field(target: dict[str, Any], source: dict[str, Any], name: str, inner: Fields) -> None:
    if name not in source:
        return
    if not inner or name not in target or type(target[name]) is not type(source[name]):
        target[name] = copy.deepcopy(source[name])
    else:
        copy_fields(target[name], source[name], inner)


def _copy_item(target: list[Any], source: list[Any], key: str, inner: Fields) -> None:
    theirs, ours = find_item(source, key), find_item(target, key)
    if theirs is None:
        return
    if ours is None:
        target.append(copy.deepcopy(theirs))
    else:
        copy_fields(ours, theirs, inner)


def drop_fields(target: Any, source: Any, fields: Fields) -> None:
    """Remove from ``target`` the parts that ``fields`` names and that ``source`` does not have."""
    for key, below in fields.items():
        if key.startswith("f:") and isinstance(source, dict) and isinstance(target, dict):
            name = key[2:]
            if name in target and name not in source:
                del target[name]
            elif name in target:
                drop_fields(target[name], source[name], below)
        elif isinstance(source, list) and isinstance(target, list):
            _drop_from_list(target, source, key, below)


def _drop_from_list(target: list[Any], source: list[Any], key: str, below: Fields) -> None:
    if key.startswith("v:"):
        value = json.loads(key[2:])
        if value in target and value not in source:
            target.remove(value)
    elif key.startswith("k:") and (ours := find_item(target, key)) is not None:
        theirs = find_item(source, key)
        if theirs is None:
            target.remove(ours)
        else:
            drop_fields(ours, theirs, below)


def drop_undeclared(target: Any, declared: Any, fields: Fields) -> None:
    """Remove from ``target`` what ``fields`` names and ``declared`` does not have, as the API server's apply does it.

    A map or item of which only a part is named stays as long as something else is in it.
    """
    for key, below in fields.items():
        if key.startswith("f:") and isinstance(target, dict) and key[2:] in target:
            _drop_undeclared_field(target, declared, key[2:], _below(below))
        elif key.startswith("k:") and isinstance(target, list) and (item := find_item(target, key)) is not None:
            wanted = find_item(declared, key) if isinstance(declared, list) else None
            if wanted is None and "." in below:
                target.remove(item)
            else:
                drop_undeclared(item, wanted, _below(below))


def _drop_undeclared_field(target: dict[str, Any], declared: Any, name: str, inner: Fields) -> None:
    wanted = declared.get(name) if isinstance(declared, dict) else None
    if inner:
        drop_undeclared(target[name], wanted, inner)
    if wanted is None and (not inner or not target[name]):
        del target[name]


def add_unowned(target: Any, source: Any, owned: Fields) -> None:
    """Copy into ``target`` what it lacks of ``source`` and ``owned`` does not name."""
    if not isinstance(source, dict) or not isinstance(target, dict):
        return
    for key, value in source.items():
        below = owned.get(f"f:{key}")
        if key not in target and below is None:
            target[key] = copy.deepcopy(value)
        elif below and isinstance(value, list) and isinstance(target.get(key), list):
            for item_key, inner in below.items():
                if item_key.startswith("k:"):
                    add_unowned(find_item(target[key], item_key), find_item(value, item_key), inner)
        elif below:
            add_unowned(target.get(key), value, below)


def find_item(items: list[Any], key: str) -> Any:
    """The item of a list that a ``k:`` key names; None if it is not there."""
    wanted = json.loads(key[2:])
    for item in items:
        if isinstance(item, dict) and all(
            item.get(name, KEY_DEFAULTS.get(name)) == value for name, value in wanted.items()
        ):
            return item
    return None


def _below(fields: Fields) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name != "."}
