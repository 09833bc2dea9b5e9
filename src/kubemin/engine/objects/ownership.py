"""Who wrote an object: claims and managedFields (design R2, R3). Pure."""

import copy
import json
from collections.abc import Callable
from typing import Any

from kubemin.spec.labels import APP_ID, MANAGER, WRITE_TOKEN
from kubemin.spec.objects import Manifest

_TOKEN_FIELD = f"f:{WRITE_TOKEN}"


def token_of(obj: Manifest) -> str | None:
    """The claim on an object, if the server says that KubeMin itself put it there.

    Others copy our annotations (a Deployment's go to its ReplicaSets): a copy belongs to their manager and does not
    count.
    """
    token = (obj["metadata"].get("annotations") or {}).get(WRITE_TOKEN)
    if not isinstance(token, str):
        return None
    for entry in obj["metadata"].get("managedFields") or []:
        if entry.get("manager") == MANAGER and _TOKEN_FIELD in (
            (entry.get("fieldsV1") or {}).get("f:metadata", {}).get("f:annotations", {})
        ):
            return token
    return None


def task_of(token: str) -> str:
    """The id of the task whose claim it is."""
    return token.partition(".")[0]


def terminating(obj: Manifest) -> bool:
    """Whether the object is on its way out."""
    return "deletionTimestamp" in obj["metadata"]


def controlled(obj: Manifest) -> bool:
    """Whether a controller made the object (it has a controller ownerReference)."""
    return any(reference.get("controller") for reference in obj["metadata"].get("ownerReferences") or [])


def application_of(obj: Manifest) -> str | None:
    """The id of the application that the object says it belongs to."""
    owner = (obj["metadata"].get("labels") or {}).get(APP_ID)
    return owner if isinstance(owner, str) else None


def convert_create_to_apply(obj: Manifest) -> list[dict[str, Any]] | None:
    """JSON patch that turns our ``Update`` entry, left by a POST, into ``Apply``; None where there is none.

    Without it an apply could never drop a field that the POST had set.
    """
    entries = copy.deepcopy(obj["metadata"].get("managedFields") or [])
    ours = [entry for entry in entries if entry.get("manager") == MANAGER and not entry.get("subresource")]
    updates = [entry for entry in ours if entry.get("operation") == "Update"]
    if not updates:
        return None
    applied = [entry for entry in ours if entry.get("operation") == "Apply"]
    merged = {**updates[0], "operation": "Apply"}
    for entry in applied + updates[1:]:
        merged["fieldsV1"] = _union(merged.get("fieldsV1") or {}, entry.get("fieldsV1") or {})
    kept = [entry for entry in entries if entry not in ours]
    return [
        {"op": "test", "path": "/metadata/uid", "value": obj["metadata"]["uid"]},
        {"op": "test", "path": "/metadata/resourceVersion", "value": obj["metadata"]["resourceVersion"]},
        {"op": "replace", "path": "/metadata/managedFields", "value": [merged, *kept]},
    ]


def scaled_by_others(obj: Manifest) -> bool:
    """Whether somebody sets ``replicas`` through the scale subresource (an autoscaler, or a person)."""
    return any(
        entry.get("subresource") == "scale" and entry.get("manager") != MANAGER
        for entry in obj["metadata"].get("managedFields") or []
    )


def applied_view(before: Manifest, live: Manifest) -> Manifest:
    """What our unanswered apply made of ``before``, told from a later look: the fields that are ours in it.

    What somebody changed since then belongs to them in managedFields, and stays theirs. What is new and nobody's is a
    default that came with ours (``serviceAccount`` beside ``serviceAccountName``): an apply owns only what it declares.
    """
    view = copy.deepcopy(before)
    ours = _our_fields(live)
    _take(view, live, ours)
    _drop(view, live, _our_fields(before))
    _add_unowned(view, live, {**owned_fields(live, lambda _: True), "f:metadata": {}, "f:status": {}})
    view["metadata"]["managedFields"] = live["metadata"].get("managedFields") or []
    return view


def owned_fields(obj: Manifest, whose: Callable[[str], bool]) -> dict[str, Any]:
    """The fields (fieldsV1) that managers of whom ``whose`` is true own, but for those of subresources."""
    fields: dict[str, Any] = {}
    for entry in obj["metadata"].get("managedFields") or []:
        if whose(str(entry.get("manager"))) and not entry.get("subresource"):
            fields = _union(fields, entry.get("fieldsV1") or {})
    return fields


def _our_fields(obj: Manifest) -> dict[str, Any]:
    return owned_fields(obj, lambda manager: manager == MANAGER)


def _union(one: dict[str, Any], two: dict[str, Any]) -> dict[str, Any]:
    merged = dict(one)
    for key, value in two.items():
        merged[key] = _union(merged[key], value) if key in merged else value
    return merged


def _take(target: Any, source: Any, fields: dict[str, Any]) -> None:
    """Copy into ``target`` the parts of ``source`` that ``fields`` (fieldsV1) names."""
    for spelled, below in fields.items():
        if spelled.startswith("f:") and isinstance(source, dict) and isinstance(target, dict):
            key = spelled[2:]
            if key not in source:
                continue
            inner = {name: value for name, value in below.items() if name != "."}
            if not inner or key not in target or type(target[key]) is not type(source[key]):
                target[key] = copy.deepcopy(source[key])
            else:
                _take(target[key], source[key], inner)
        elif spelled.startswith("k:") and isinstance(source, list) and isinstance(target, list):
            item = find_item(source, spelled)
            mine = find_item(target, spelled)
            if item is None:
                continue
            if mine is None:
                target.append(copy.deepcopy(item))
            else:
                _take(mine, item, {name: value for name, value in below.items() if name != "."})
        elif spelled.startswith("v:") and isinstance(target, list):
            value = json.loads(spelled[2:])
            if value not in target:
                target.append(value)


def _drop(target: Any, source: Any, fields: dict[str, Any]) -> None:
    """Remove from ``target`` the parts that ``fields`` names and that ``source`` no longer has."""
    for spelled, below in fields.items():
        if spelled.startswith("f:") and isinstance(source, dict) and isinstance(target, dict):
            key = spelled[2:]
            if key in target and key not in source:
                del target[key]
            elif key in target:
                _drop(target[key], source[key], below)
        elif spelled.startswith("k:") and isinstance(source, list) and isinstance(target, list):
            mine, item = find_item(target, spelled), find_item(source, spelled)
            if mine is not None and item is None:
                target.remove(mine)
            elif mine is not None:
                _drop(mine, item, below)
        elif spelled.startswith("v:") and isinstance(source, list) and isinstance(target, list):
            value = json.loads(spelled[2:])
            if value in target and value not in source:
                target.remove(value)


def _add_unowned(target: Any, source: Any, owned: dict[str, Any]) -> None:
    """Copy into ``target`` what it lacks of ``source`` and ``owned`` does not name."""
    if not isinstance(source, dict) or not isinstance(target, dict):
        return
    for key, value in source.items():
        below = owned.get(f"f:{key}")
        if key not in target and below is None:
            target[key] = copy.deepcopy(value)
        elif below and isinstance(value, list) and isinstance(target.get(key), list):
            for spelled, inner in below.items():
                if spelled.startswith("k:"):
                    _add_unowned(find_item(target[key], spelled), find_item(value, spelled), inner)
        elif below:
            _add_unowned(target.get(key), value, below)


def find_item(items: list[Any], spelled: str) -> Any:
    """The item of a list that a ``k:`` key of fieldsV1 names; None if it is not there."""
    wanted = json.loads(spelled[2:])
    for item in items:
        if isinstance(item, dict) and all(item.get(key) == value for key, value in wanted.items()):
            return item
    return None
