"""Whether a write would leave an object as it is: told from the object alone, and strictly. Pure.

An apply changes values, and who owns the fields. So nothing changes where the object has all that is declared, we own
all that is declared, and we own nothing else: no value becomes another, no field is taken over, and none goes. Where
the server spells a value in another way, or a rule of its own is not known here, the answer is no, and it is written.
"""

import json
from typing import Any

from kubemin.engine.objects.diff import NOT_CONTENT
from kubemin.engine.objects.fields_v1 import Fields, find_item, our_fields
from kubemin.engine.objects.list_keys import ListKeys, items_by_key, list_keys_of
from kubemin.engine.objects.others import SET_BY_SERVER, fields_beyond, is_filled_in
from kubemin.spec.labels import TASK_ID, WRITE_TOKEN
from kubemin.spec.objects import Manifest

_ONE_VALUE = frozenset(
    {
        "configMapKeyRef",
        "fieldRef",
        "labelSelector",
        "nodeSelector",
        "requiredDuringSchedulingIgnoredDuringExecution",
        "resourceFieldRef",
        "roleRef",
        "secretKeyRef",
        "selector",
    }
)
"""Maps that are owned as one value."""

_OF_OBJECTS = NOT_CONTENT - {"metadata"}
"""What the server adds to an object that is a value within another, such as a template of volume claims."""

_IDENTITY = ("name", "namespace")


def has_values(wanted: Manifest, live: Manifest, *, same: bool) -> bool:
    """Whether the object has all that is declared, spelled alike and in the same order.

    A list or map that is one value has nothing else in it, but for what the server fills in. Some of that might also
    have been declared before, and be dropped now: it counts only where our last write declared the ``same`` manifest.
    """
    return _has(wanted, live, "", list_keys_of(live), same)


def owns_declared(wanted: Manifest, live: Manifest) -> bool:
    """Whether all that is declared is ours, perhaps with others: a write would take nothing over."""
    return _owns(_declared(wanted), our_fields(live), "", list_keys_of(live))


def owns_more(wanted: Manifest, live: Manifest, *, same: bool) -> bool:
    """Whether fields are ours that are not declared: a write would give them up, and what nobody else has would go.

    What the server filled in when it made the object is its maker's too, and would come back. It is passed over where
    our last write declared the ``same`` manifest; else it might be what that declared.
    """
    fields = {key: below for key, below in our_fields(live).items() if key not in ("f:metadata", "f:status")}
    more = any(fields_beyond(fields, wanted, live)) if same else _undeclared(fields, wanted)
    return more or _undeclared({"f:metadata": our_fields(live).get("f:metadata", {})}, _with_marks(wanted))


def same_content(one: Manifest, two: Manifest) -> bool:
    """Whether two looks show the same object, and nobody has written it between them, but for its status."""
    return _without_status(one) == _without_status(two)


def _without_status(obj: Manifest) -> Manifest:
    meta = {key: value for key, value in obj["metadata"].items() if key != "resourceVersion"}
    entries = obj["metadata"].get("managedFields") or []
    meta["managedFields"] = [entry for entry in entries if entry.get("subresource") != "status"]
    return {**{key: value for key, value in obj.items() if key != "status"}, "metadata": meta}


def _declared(wanted: Manifest) -> Manifest:
    """The part of a manifest that somebody can own."""
    meta = {key: value for key, value in wanted["metadata"].items() if key not in _IDENTITY}
    return {**{key: value for key, value in wanted.items() if key not in ("apiVersion", "kind")}, "metadata": meta}


def _with_marks(wanted: Manifest) -> Manifest:
    meta = wanted["metadata"]
    marks = {
        "labels": {**(meta.get("labels") or {}), TASK_ID: ""},
        "annotations": {**(meta.get("annotations") or {}), WRITE_TOKEN: ""},
    }
    return {**wanted, "metadata": {**meta, **marks}}


def _has(wanted: Any, live: Any, field: str, keys: ListKeys, same: bool) -> bool:
    if field in _ONE_VALUE:
        return _is(wanted, live, same)
    if isinstance(wanted, dict) and isinstance(live, dict):
        return all(name in live and _has(value, live[name], name, keys, same) for name, value in wanted.items())
    if isinstance(wanted, list) and isinstance(live, list):
        if (maps := items_by_key(keys, field, wanted, live)) is None:
            return _is(wanted, live, same)
        ours, there = maps
        in_order = [key for key in there if key in ours] == list(ours)
        return in_order and all(_has(item, there[key], "", keys, same) for key, item in ours.items())
    return type(wanted) is type(live) and bool(wanted == live)


def _is(wanted: Any, live: Any, same: bool) -> bool:
    """Whether a value that is owned as a whole is as declared, but for what the server fills in."""
    if isinstance(wanted, dict) and isinstance(live, dict):
        return wanted.keys() <= live.keys() and all(
            _is(wanted[name], value, same) if name in wanted else _is_added(name, value, wanted, same)
            for name, value in live.items()
        )
    if isinstance(wanted, list) and isinstance(live, list):
        pairs = zip(wanted, live, strict=False)
        return len(wanted) == len(live) and all(_is(ours, there, same) for ours, there in pairs)
    return type(wanted) is type(live) and bool(wanted == live)


def _is_added(name: str, value: Any, wanted: Manifest, same: bool) -> bool:
    if "fieldPath" in wanted:  # of a reference to a field of the Pod
        return (name, value) == ("apiVersion", "v1")
    return (is_filled_in(name, value) and (same or name not in SET_BY_SERVER)) or (
        same and name in _OF_OBJECTS and "metadata" in wanted
    )


def _owns(wanted: Any, fields: Fields, field: str, keys: ListKeys) -> bool:
    if not isinstance(wanted, dict | list) or not wanted:
        return True
    names = keys.get(field, ())
    if isinstance(wanted, list):
        return _owns_items(wanted, fields, names, keys) if fields or names else True
    if not fields:  # one value, or a map of which somebody has taken all that was in it
        return field in _ONE_VALUE
    below = {name: fields.get(f"f:{name}") for name in wanted}
    return all(found is not None and _owns(wanted[name], found, name, keys) for name, found in below.items())


def _owns_items(wanted: list[Any], fields: Fields, names: tuple[str, ...], keys: ListKeys) -> bool:
    for item in wanted:
        key = next((key for key in fields if key.startswith("k:") and find_item([item], key) is not None), None)
        if key is None:
            return False
        if not fields[key]:
            if not set(item) <= set(names):  # it consists of nothing but its key
                return False
        elif not _owns(item, fields[key], "", keys):
            return False
    return True


def _undeclared(fields: Fields, wanted: Any) -> bool:
    for key, below in fields.items():
        if key == ".":
            continue
        if key.startswith("f:"):
            if not isinstance(wanted, dict) or key[2:] not in wanted:
                return True
            part = wanted[key[2:]]
        elif key.startswith("k:"):
            part = find_item(wanted, key) if isinstance(wanted, list) else None
            if part is None:
                return True
        else:
            return not (isinstance(wanted, list) and key.startswith("v:") and json.loads(key[2:]) in wanted)
        if _undeclared(below, part):
            return True
    return False
