"""What a DELETE means for an object: gone at once, or terminating, with which finalizers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from kubesim.conditions import put
from kubesim.custom.definition import CLEANUP
from kubesim.decoding import typed
from kubesim.jsondata import Object, stamp
from kubesim.problems import Problem, bad_option, conflict
from kubesim.resources import Resource

ORPHAN = "orphan"
FOREGROUND = "foregroundDeletion"
POLICIES = ("Orphan", "Background", "Foreground")


@dataclass(frozen=True, slots=True)
class DeleteOptions:
    """``DeleteOptions`` of a request. ``propagation`` is one of ``POLICIES``, ``grace`` is in seconds."""

    uid: str | None = None
    resource_version: str | None = None
    propagation: str | None = None
    grace: int | None = None
    dry_run: bool = False
    accepted: bool = False
    """An object that is not gone at once is answered with 202: what ``orphanDependents: false`` asks for."""

    @classmethod
    def parse(cls, body: Object) -> "DeleteOptions":
        """Read a body, as JSON. Raises ``Problem`` for what the API server refuses."""
        preconditions = typed(body, "preconditions", dict, "DeleteOptions") or {}
        propagation = typed(body, "propagationPolicy", str, "DeleteOptions")
        orphan = typed(body, "orphanDependents", bool, "DeleteOptions")
        if orphan is not None and propagation is not None:
            raise bad_option(
                "DeleteOptions",
                "propagationPolicy",
                "FieldValueInvalid",
                f'Invalid value: "{propagation}": orphanDependents and deletionPropagation cannot be both set',
            )
        if propagation is not None and propagation not in POLICIES:
            raise bad_option(
                "DeleteOptions",
                "propagationPolicy",
                "FieldValueNotSupported",
                f'Unsupported value: "{propagation}": supported values: "Background", "Foreground", "Orphan", "nil"',
            )
        if orphan is not None:
            propagation = "Orphan" if orphan else "Background"
        return cls(
            uid=typed(preconditions, "uid", str, "Preconditions"),
            resource_version=typed(preconditions, "resourceVersion", str, "Preconditions"),
            propagation=propagation,
            grace=typed(body, "gracePeriodSeconds", int, "DeleteOptions"),
            dry_run=parse_dry_run(typed(body, "dryRun", list, "DeleteOptions") or (), "DeleteOptions"),
            accepted=orphan is False,
        )


def parse_dry_run(values: Sequence[str], kind: str) -> bool:
    """``["All"]`` is true, nothing is false, anything else is refused."""
    for value in values:
        if value != "All":
            why = f'Unsupported value: ["{value}"]: supported values: "All"'
            raise bad_option(kind, "dryRun", "FieldValueNotSupported", why)
    return bool(values)


def check_preconditions(resource: Resource, obj: Object, options: DeleteOptions) -> None:
    """Raise a 409 if the object is not the one that the caller looked at."""
    meta = obj["metadata"]
    for name, wanted, found, why in (
        ("UID", options.uid, meta["uid"], "The object might have been deleted and then recreated"),
        ("ResourceVersion", options.resource_version, meta["resourceVersion"], "The object might have been modified"),
    ):
        if wanted is None or wanted == found:
            continue
        if resource.key == "namespaces":
            text = f"Precondition failed: {name} in precondition: {wanted}, {name} in object meta: {found}"
            raise conflict(resource, meta["name"], text)
        text = f"the {name} in the precondition ({wanted}) does not match the {name} in record ({found}). {why}"
        problem = conflict(resource, meta["name"], text)
        # The real server puts the kind where other messages have the plural.
        message = f'Operation cannot be fulfilled on {resource.qualified_kind} "{meta["name"]}": {text}'
        raise Problem(409, "Conflict", message, details={**problem.details, "kind": resource.kind})


def finalizers_for(resource: Resource, meta: Object, propagation: str | None) -> list[str]:
    """The finalizers that the object has once it is asked to go, with those of garbage collection added or dropped."""
    current: list[str] = meta.get("finalizers") or []
    if not resource.orphans:
        return [finalizer for finalizer in current if finalizer not in (ORPHAN, FOREGROUND)]
    if propagation is None:
        wanted = next((finalizer for finalizer in current if finalizer in (ORPHAN, FOREGROUND)), None)
        if wanted is None and resource.orphan_by_default:
            wanted = ORPHAN
    else:
        wanted = {"Orphan": ORPHAN, "Foreground": FOREGROUND}.get(propagation)
    if wanted is not None and wanted in current and not any(f in (ORPHAN, FOREGROUND) and f != wanted for f in current):
        return current
    kept = [finalizer for finalizer in current if finalizer not in (ORPHAN, FOREGROUND)]
    return [*kept, wanted] if wanted else kept


def pod_grace(pod: Object, grace: int | None) -> int:
    """Seconds that a Pod gets to stop: none if it runs nowhere or has ended."""
    if not pod["spec"].get("nodeName") or pod.get("status", {}).get("phase") in ("Succeeded", "Failed"):
        return 0
    if grace is None:
        grace = pod["spec"].get("terminationGracePeriodSeconds", 30)
    return 1 if grace < 0 else grace


def mark_deleting(meta: Object, now: datetime, grace: int = 0) -> None:
    """Set deletionTimestamp and grace period, and count the generation, in place."""
    if "deletionTimestamp" not in meta and meta.get("generation", 0) > 0:
        meta["generation"] += 1
    deadline = stamp(now + timedelta(seconds=grace))
    if meta.get("deletionTimestamp", "9") > deadline:
        meta["deletionTimestamp"] = deadline
    meta["deletionGracePeriodSeconds"] = grace


def is_final(new: Object, old: Object) -> bool:
    """An update that takes the last finalizer off a terminating object removes it."""
    meta: dict[str, Any] = old["metadata"]
    if new["metadata"].get("finalizers") or "deletionTimestamp" not in meta:
        return False
    if new["kind"] == "Namespace" and (new.get("spec") or {}).get("finalizers"):
        return False
    return not meta.get("deletionGracePeriodSeconds")


def doomed(definition: Object, now: datetime) -> Object:
    """A definition that was asked to go: its objects go first, however it was asked."""
    meta = dict(definition["metadata"])
    finalizers = meta.get("finalizers") or []
    meta |= {"deletionTimestamp": stamp(now), "finalizers": [*dict.fromkeys((*finalizers, CLEANUP))]}
    status = definition.get("status") or {}
    conditions = put(
        status.get("conditions") or (),
        "Terminating",
        "True",
        "InstanceDeletionPending",
        "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
        stamp(now),
    )
    return {**definition, "metadata": meta, "status": {**status, "conditions": conditions}}
