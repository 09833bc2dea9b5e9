"""What the API server does to an object between decoding and validation, kind by kind.

Callers write the spec, controllers the status, the server the generation: whoever sends the other's part is not
refused, it is ignored.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from kubesim.admit import services
from kubesim.custom.definition import DEFINITIONS
from kubesim.custom.resource import CustomResource
from kubesim.jsondata import Object, copy_json
from kubesim.problems import invalid
from kubesim.resources import Resource

# The status that a new object starts with. Kinds that are not named here start with an empty one.
_FIRST_STATUS: Mapping[str, Object] = {
    "namespaces": {"phase": "Active"},
    "pods": {"phase": "Pending"},
    "services": {"loadBalancer": {}},
    "ingresses": {"loadBalancer": {}},
    "persistentvolumeclaims": {"phase": "Pending"},
    "persistentvolumes": {"phase": "Pending"},
    "replicasets": {"replicas": 0},
    "replicationcontrollers": {"replicas": 0},
    "statefulsets": {"availableReplicas": 0, "replicas": 0},
    "daemonsets": {
        "currentNumberScheduled": 0,
        "desiredNumberScheduled": 0,
        "numberMisscheduled": 0,
        "numberReady": 0,
    },
    "horizontalpodautoscalers": {"currentMetrics": None, "desiredReplicas": 0},
    "poddisruptionbudgets": {
        "currentHealthy": 0,
        "desiredHealthy": 0,
        "disruptionsAllowed": 0,
        "expectedPods": 0,
    },
}
_SYSTEM_FIELDS = ("creationTimestamp", "uid", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink")


def wipe_system_fields(meta: Object) -> None:
    """Forget what only the server may set."""
    for field in _SYSTEM_FIELDS:
        meta.pop(field, None)


def prepare_create(resource: Resource, obj: Object) -> None:
    """Give a new object its first status and generation, in place."""
    if isinstance(resource, CustomResource):
        resource.prepare_create(obj)
        return
    if "status" in resource.subresources and resource.key != "nodes":
        first = _FIRST_STATUS.get(resource.key)
        obj["status"] = copy_json(first) if first else {}
    if resource.generation:
        obj["metadata"]["generation"] = 1
    if resource.key == DEFINITIONS:
        names = {"plural": "", "kind": ""}
        obj["status"] = {"conditions": None, "acceptedNames": names, "storedVersions": stored_versions(obj, ())}
    if resource.key == "namespaces":
        spec = obj["spec"] = obj.get("spec") or {}
        finalizers = spec.setdefault("finalizers", [])
        if "kubernetes" not in finalizers:
            finalizers.append("kubernetes")


def prepare_update(resource: Resource, new: Object, old: Object, subresource: str) -> None:
    """Undo, in place, what the request may not change, and count the generation."""
    new_meta, old_meta = new["metadata"], old["metadata"]
    _carry(new_meta, old_meta, "generation")
    if isinstance(resource, CustomResource):
        resource.prepare_update(new, old, subresource)
        new_meta = new["metadata"]
    elif subresource == "status":
        _carry(new, old, "spec")
        _carry(new_meta, old_meta, "labels")
        if resource.key == "pods":
            _carry(new_meta, old_meta, "ownerReferences")
    elif subresource == "finalize":
        _carry(new, old, "status")
        finalizers = (new.get("spec") or {}).get("finalizers")
        new["spec"] = {**old.get("spec", {})}
        if finalizers:
            new["spec"]["finalizers"] = finalizers
        else:
            new["spec"].pop("finalizers", None)
    else:
        _keep_status(resource, new, old)
    if not new_meta.get("uid"):
        _carry(new_meta, old_meta, "uid")
    for field in ("creationTimestamp", "deletionTimestamp"):
        if field in old_meta:
            new_meta[field] = old_meta[field]
    if "deletionGracePeriodSeconds" in old_meta:
        new_meta.setdefault("deletionGracePeriodSeconds", old_meta["deletionGracePeriodSeconds"])
    if isinstance(resource, CustomResource):
        return
    if resource.generation and subresource in ("", "scale") and _generation_moves(resource, new, old):
        new_meta["generation"] = old_meta.get("generation", 0) + 1


def _keep_status(resource: Resource, new: Object, old: Object) -> None:
    """Undo, in place, what only the status, or the server, may change."""
    if "status" in resource.subresources:
        _carry(new, old, "status")
    if resource.key == DEFINITIONS:
        before = (old.get("status") or {}).get("storedVersions") or ()
        new["status"] = {**(old.get("status") or {}), "storedVersions": stored_versions(new, before)}
    if resource.key == "namespaces":
        _carry(new, old, "spec")
    if resource.key == "services":
        services.carry_over(new["spec"], old["spec"])
        services.drop_unfit(new, old)


def stored_versions(definition: Object, known: Iterable[str]) -> list[str] | None:
    """The versions in which objects of a definition may be stored: those that were, and the present one."""
    now = [version["name"] for version in definition["spec"]["versions"] or () if version["storage"]]
    return list(dict.fromkeys((*known, *now[:1]))) or None


def _generation_moves(resource: Resource, new: Object, old: Object) -> bool:
    if resource.group == "admissionregistration.k8s.io":
        return bool(new.get("webhooks") != old.get("webhooks"))
    if resource.key == "endpointslices":
        return any(new.get(field) != old.get(field) for field in ("endpoints", "ports", "addressType"))
    if new.get("spec") != old.get("spec"):
        return True
    # Of all kinds only Deployment counts a change of annotations: they are copied to its ReplicaSets.
    return resource.key == "deployments" and (new["metadata"].get("annotations") or {}) != (
        old["metadata"].get("annotations") or {}
    )


def _carry(new: dict[str, Any], old: Mapping[str, Any], field: str) -> None:
    """Make a field of ``new`` what it is in ``old``."""
    if field in old:
        new[field] = old[field]
    else:
        new.pop(field, None)


def check_meta_update(resource: Resource, new: Object, old: Object) -> None:
    """What no update may do to metadata."""
    new_meta, old_meta = new["metadata"], old["metadata"]
    causes: list[tuple[str, str, str]] = []
    for field in ("name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"):
        if new_meta.get(field) != old_meta.get(field):
            value = f'"{new_meta.get(field)}"' if isinstance(new_meta.get(field), str) else new_meta.get(field)
            causes.append((f"metadata.{field}", "FieldValueInvalid", f"Invalid value: {value}: field is immutable"))
    if "deletionTimestamp" in old_meta:
        added = sorted(set(new_meta.get("finalizers") or ()) - set(old_meta.get("finalizers") or ()))
        if added:
            listed = ", ".join(f'"{finalizer}"' for finalizer in added)
            causes.append(
                (
                    "metadata.finalizers",
                    "FieldValueForbidden",
                    "Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers "
                    f"[]string{{{listed}}}",
                )
            )
    if causes:
        raise invalid(resource.group, resource.kind, old_meta["name"], *causes)
