"""Who wrote an object: write tokens and managedFields (design R2, R3). Pure."""

import copy
from collections.abc import Collection, Mapping
from typing import Any

from kubemin.engine.objects.fields_v1 import (
    add_unowned,
    both,
    copy_fields,
    drop_fields,
    our_fields,
    owned_fields,
    union,
)
from kubemin.engine.objects.list_keys import MANAGED_FIELDS, item_key
from kubemin.spec.labels import APP_ID, MANAGER, WRITE_TOKEN
from kubemin.spec.objects import Manifest

_TOKEN_FIELD = f"f:{WRITE_TOKEN}"


def token_of(obj: Manifest) -> str | None:
    """The write token on an object, if the API server says that KubeMin itself put it there.

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
    """The id of the task that wrote with this token."""
    return token.partition(".")[0]


def terminating(obj: Manifest) -> bool:
    """Whether the object is on its way out."""
    return "deletionTimestamp" in obj["metadata"]


def controlled(obj: Manifest) -> bool:
    """Whether a controller made the object (it has a controller ownerReference)."""
    return controller_of(obj) is not None


def controller_ref(obj: Manifest) -> Mapping[str, Any] | None:
    """The ownerReference of the object's controller; None if it has none."""
    return next((ref for ref in obj["metadata"].get("ownerReferences") or () if ref.get("controller")), None)


def controller_of(obj: Manifest) -> str | None:
    """The object's controller, as ``Kind/name``; None if it has none."""
    reference = controller_ref(obj)
    return None if reference is None else f"{reference.get('kind')}/{reference.get('name')}"


def field_managers(obj: Manifest) -> list[str]:
    """Who set fields of the object, controllers that only report its status aside."""
    entries = obj["metadata"].get("managedFields") or []
    return sorted({str(entry.get("manager")) for entry in entries if entry.get("subresource") != "status"})


def application_of(obj: Manifest) -> str | None:
    """The id of the application that the object says it belongs to."""
    owner = (obj["metadata"].get("labels") or {}).get(APP_ID)
    return owner if isinstance(owner, str) else None


def is_strangers(live: Manifest, manifest: Manifest) -> bool:
    """Whether an object that is there does not belong to the application of the manifest.

    Its label decides, and not who wrote it: whoever applies the same file after the database was lost goes on with the
    objects that are there.
    """
    owner = application_of(live)
    return owner is None or owner != application_of(manifest)


def convert_create_to_apply(obj: Manifest, lost: Collection[str] = ()) -> list[dict[str, Any]] | None:
    """JSON patch that turns our ``Update`` entry, left by a POST, into ``Apply``; None where there is none.

    Without it an apply could never drop a field that the POST had set. ``lost``: versions that the object's kind has no
    more; what managedFields say in these becomes what they say in its present one, or no apply would be taken.
    """
    found = obj["metadata"].get("managedFields") or []
    entries = in_present_version(obj, lost)
    ours = [entry for entry in entries if entry.get("manager") == MANAGER and not entry.get("subresource")]
    updates = [entry for entry in ours if entry.get("operation") == "Update"]
    if not updates:
        return None if entries == found else _replace_owners(obj, entries)
    applied = [entry for entry in ours if entry.get("operation") == "Apply"]
    merged = {**updates[0], "operation": "Apply"}
    for entry in applied + updates[1:]:
        merged["fieldsV1"] = union(merged.get("fieldsV1") or {}, entry.get("fieldsV1") or {})
    kept = [entry for entry in entries if entry not in ours]
    return _replace_owners(obj, [merged, *kept])


def _replace_owners(obj: Manifest, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"op": "test", "path": "/metadata/uid", "value": obj["metadata"]["uid"]},
        {"op": "test", "path": "/metadata/resourceVersion", "value": obj["metadata"]["resourceVersion"]},
        {"op": "replace", "path": "/metadata/managedFields", "value": entries},
    ]


def in_present_version(obj: Manifest, lost: Collection[str]) -> list[dict[str, Any]]:
    """The object's managedFields, where what is said in ``lost`` versions is said in the object's own."""
    entries: dict[tuple[Any, ...], dict[str, Any]] = {}
    for entry in copy.deepcopy(obj["metadata"].get("managedFields") or []):
        if entry.get("apiVersion") in lost:
            entry["apiVersion"] = obj["apiVersion"]
        key = tuple(entry.get(name) for name in ("manager", "operation", "apiVersion", "subresource"))
        if (same := entries.setdefault(key, entry)) is not entry:
            same["fieldsV1"] = union(same.get("fieldsV1") or {}, entry.get("fieldsV1") or {})
    return list(entries.values())


def scaled_by_others(obj: Manifest) -> bool:
    """Whether somebody sets ``replicas`` through the scale subresource (an autoscaler, or a person)."""
    return any(
        entry.get("subresource") == "scale" and entry.get("manager") != MANAGER
        for entry in obj["metadata"].get("managedFields") or []
    )


def applied_view(before: Manifest, live: Manifest) -> Manifest:
    """What our unanswered apply made of ``before``, told from the object as it is later: the fields that are ours.

    What somebody changed since then belongs to them in managedFields, and stays theirs: a write of ours gives others no
    field, so what they own only now they have taken since. What is new and nobody's is a default that came with ours
    (``serviceAccount`` beside ``serviceAccountName``): an apply owns only what it declares.
    """
    view = copy.deepcopy(before)
    copy_fields(view, live, our_fields(live))
    drop_fields(view, live, our_fields(before))
    add_unowned(view, live, {**owned_fields(live, lambda _: True), "f:metadata": {}, "f:status": {}})
    view["metadata"]["managedFields"] = _owners_after_ours(before, live)
    return view


def _owners_after_ours(before: Manifest, live: Manifest) -> list[dict[str, Any]]:
    """The managedFields that our unanswered write left: our own as they are later, of others' what they had before."""
    had = {_owner(entry): entry.get("fieldsV1") or {} for entry in before["metadata"].get("managedFields") or []}
    left = []
    for entry in live["metadata"].get("managedFields") or []:
        if entry.get("manager") == MANAGER:
            left.append(entry)
        elif fields := both(had.get(_owner(entry), {}), entry.get("fieldsV1") or {}):
            left.append({**entry, "fieldsV1": fields})
    return left


def _owner(entry: Mapping[str, Any]) -> str:
    return item_key(entry, MANAGED_FIELDS)
