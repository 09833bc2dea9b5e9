"""The verbs of the Kubernetes API over the storage.

Every call is a plain function that runs to its end without giving up the event loop, and is atomic for that reason.
The order of checks is the real server's, so that a request with several faults is refused for the same one.
"""

import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from kubesim import admit, managed, patching
from kubesim.addresses import Allocator
from kubesim.admission import admit_create, admit_delete, admit_update
from kubesim.admit.schema import Struct
from kubesim.custom.definition import DEFINITIONS, definition_advice
from kubesim.custom.definition_check import check_definition
from kubesim.custom.resource import CustomResource, advice
from kubesim.decoding import check_name, decode, receive
from kubesim.deletion import (
    DeleteOptions,
    check_preconditions,
    doomed,
    finalizers_for,
    is_final,
    mark_deleting,
    pod_grace,
)
from kubesim.jsondata import Clock, Object, copy_json, stamp
from kubesim.problems import (
    Problem,
    already_exists,
    bad_request,
    conflict,
    invalid,
    modified,
    not_found,
    precondition_failed,
)
from kubesim.quotas import check_quota
from kubesim.resources import RESOURCES, Resource
from kubesim.scale import apply_scale, scale_of
from kubesim.storage import Entry, Storage
from kubesim.strategy import check_meta_update, prepare_create, prepare_update, wipe_system_fields
from kubesim.views import outgoing

APPLY = "application/apply-patch+yaml"
JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_MERGE_PATCH = "application/strategic-merge-patch+json"

_NAME_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_GENERATED_NAME_BASE = 58
_GENERATED_NAME_ATTEMPTS = 8


Validate = Callable[[str, Resource, str, str], None]
"""Validating admission: raises ``Problem`` for an operation (``create``, ``update``, ``delete``) that is denied."""


class Guard(Protocol):
    """Raises ``Problem`` where the caller may not write ``new`` over ``old`` (``None``: nothing is there)."""

    def __call__(self, resource: Resource, new: Object, old: Object | None) -> None: ...


@dataclass(slots=True)
class Write:
    """How a write is done. ``warnings`` collects what the caller should be told."""

    manager: str
    dry_run: bool = False
    field_validation: str = "Ignore"
    subresource: str = ""
    warnings: list[str] | None = None
    guard: Guard | None = None

    def warn(self, text: str) -> None:
        """Tell the caller."""
        if self.warnings is not None:
            self.warnings.append(text)

    def check(self, resource: Resource, new: Object, old: Object | None) -> None:
        """Refuse what the caller may not write."""
        if self.guard is not None:
            self.guard(resource, new, old)


@dataclass(frozen=True, slots=True)
class Written:
    """What a write left: the object and whether it is new. ``entry`` is set if it is stored as it is."""

    obj: Object
    created: bool = False
    entry: Entry | None = None


@dataclass(frozen=True, slots=True)
class Removed:
    """What a delete left: the last or the terminating state of the object, and whether it is gone."""

    obj: Object
    gone: bool


class Verbs:
    """Writes. Objects passed in are taken over, not copied; objects that come out must not be changed."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock
        self._allocator = Allocator()
        self.finalizers_on_delete: Callable[[Resource, Object], list[str]] = lambda resource, obj: []
        """Asked at each deletion for finalizers that the object gets with it: how faults make one stick."""
        self.validate: Validate = lambda operation, resource, namespace, name: None
        """Asked before each write of an object, dry runs too, when all else is known to be right but for quotas."""

    def post(self, resource: Resource, namespace: str, obj: Object, write: Write) -> Written:
        """Create ``obj``."""
        meta = receive(resource, namespace, obj)
        wipe_system_fields(meta)
        if meta.get("name") or not meta.get("generateName"):
            return self._create(resource, namespace, obj, write)
        base = str(meta["generateName"])[:_GENERATED_NAME_BASE]
        for attempt in range(_GENERATED_NAME_ATTEMPTS):
            candidate = copy_json(obj)
            candidate["metadata"]["name"] = base + "".join(secrets.choice(_NAME_LETTERS) for _ in range(5))
            try:
                return self._create(resource, namespace, candidate, write)
            except Problem as problem:
                if problem.reason != "AlreadyExists" or attempt == _GENERATED_NAME_ATTEMPTS - 1:
                    raise
        raise AssertionError("unreachable")

    def put(self, resource: Resource, namespace: str, name: str, obj: Object, write: Write) -> Written:
        """Replace the object, its status or its scale."""
        old = self._peek(resource, namespace, name)
        if write.subresource == "scale":
            if old is None:
                raise not_found(resource, name)
            return self._update(resource, old, apply_scale(resource, old, obj), write)
        meta = receive(resource, namespace, obj)
        check_name(meta, name)
        if old is None and (write.subresource or not resource.create_on_put):
            raise not_found(resource, name)
        found = "" if old is None else old["metadata"]["uid"]
        if (uid := meta.get("uid")) and uid != found:
            raise precondition_failed(resource, (namespace, name), "UID", uid, found)
        if old is None:
            wipe_system_fields(meta)
            meta.pop("resourceVersion", None)
            return self._create(resource, namespace, obj, write)
        decode(resource, obj, validation=write.field_validation, warn=write.warn)
        return self._update(resource, old, obj, write)

    def amend(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        content_type: str,
        body: Any,
        write: Write,
        *,
        force: bool = False,
    ) -> Written:
        """Patch the object, its status or its scale. An apply creates what is absent."""
        live = self._peek(resource, namespace, name)
        if content_type == APPLY and write.subresource != "scale":
            return self._apply(resource, namespace, name, live, body, write, force=force)
        if live is None:
            raise not_found(resource, name)
        base = scale_of(resource, live) if write.subresource == "scale" else live
        new = _patched(resource, base, content_type, body)
        if write.subresource == "scale":
            return self._update(resource, live, apply_scale(resource, live, new), write)
        meta = receive(resource, namespace, new)
        check_name(meta, name)
        decode(resource, new, validation=write.field_validation, warn=write.warn, patched=True)
        return self._update(resource, live, new, write)

    def remove(self, resource: Resource, namespace: str, name: str, options: DeleteOptions) -> Removed:
        """Delete the object, or let it terminate while it has finalizers or a grace period."""
        old = self._peek(resource, namespace, name)
        if old is None:
            raise not_found(resource, name)
        admit_delete(resource, name)
        check_preconditions(resource, old, options)
        self.validate("delete", resource, namespace, name)
        meta: Object = old["metadata"]
        if resource.key == DEFINITIONS and "deletionTimestamp" not in meta:
            going = doomed(old, self._clock())
            return Removed(
                self._store(resource, (namespace, name), going, old, dry_run=options.dry_run).obj, gone=False
            )
        lasting = resource.key == "namespaces" and bool((old.get("spec") or {}).get("finalizers"))
        if lasting and "deletionTimestamp" in meta:
            return Removed(old, gone=False)
        grace = pod_grace(old, options.grace) if resource.key == "pods" else 0
        if grace and "deletionTimestamp" in meta:
            left = meta.get("deletionGracePeriodSeconds") or 0
            if left and (options.grace is None or grace >= left):
                return Removed(old, gone=False)
            grace = grace if left else 0
        finalizers = finalizers_for(resource, meta, options.propagation)
        if not options.dry_run and "deletionTimestamp" not in meta:
            finalizers = [*finalizers, *self.finalizers_on_delete(resource, old)]
        if not (finalizers or grace or lasting):
            if not options.dry_run:
                self._erase(resource, (namespace, name))
            return Removed(old, gone=True)
        new = {**old, "metadata": dict(meta)}
        if finalizers:
            new["metadata"]["finalizers"] = finalizers
        else:
            new["metadata"].pop("finalizers", None)
        mark_deleting(new["metadata"], self._clock(), grace)
        if lasting:
            del new["metadata"]["deletionGracePeriodSeconds"]
            new["status"] = {**old.get("status", {}), "phase": "Terminating"}
        return Removed(self._store(resource, (namespace, name), new, old, dry_run=options.dry_run).obj, gone=False)

    def bind(self, namespace: str, name: str, node: str) -> Written:
        """Give a Pod its node. No field manager comes to own what this sets."""
        resource = RESOURCES["pods"]
        old = self._peek(resource, namespace, name)
        if old is None:
            raise not_found(resource, name)
        meta, spec, status = old["metadata"], old["spec"], old.get("status") or {}
        if "deletionTimestamp" in meta:
            raise conflict(resource, name, f"pod {name} is being deleted, cannot be assigned to a host")
        if spec.get("nodeName"):
            raise conflict(resource, name, f'pod {name} is already assigned to node "{spec["nodeName"]}"')
        scheduled = {
            "type": "PodScheduled",
            "status": "True",
            "lastProbeTime": None,
            "lastTransitionTime": stamp(self._clock()),
        }
        others = [found for found in status.get("conditions") or () if found["type"] != "PodScheduled"]
        new = {
            **old,
            "metadata": dict(meta),
            "spec": {**spec, "nodeName": node},
            "status": {**status, "conditions": [*others, scheduled]},
        }
        return self._store(resource, (namespace, name), new, old, dry_run=False)

    def _peek(self, resource: Resource, namespace: str, name: str) -> Object | None:
        """The object, as this version of the resource shows it."""
        entry = self._storage.shelf(resource.key).find(namespace, name)
        return None if entry is None else outgoing(resource, entry).obj

    def _create(self, resource: Resource, namespace: str, obj: Object, write: Write) -> Written:
        now = stamp(self._clock())
        decode(resource, obj, validation=write.field_validation, warn=write.warn)
        managed.track_update(None, obj, manager=write.manager, now=now, schema=_schema(resource))
        return self._insert(resource, namespace, obj, write, now)

    def _insert(self, resource: Resource, namespace: str, obj: Object, write: Write, now: str) -> Written:
        """The second half of a creation, after managedFields: admission, validation, storage."""
        meta = obj["metadata"]
        name = meta.get("name", "")
        meta["uid"] = str(uuid.uuid4())
        meta["creationTimestamp"] = now
        admit_create(self._storage, resource, namespace, name, obj)
        write.check(resource, obj, None)
        prepare_create(resource, obj)
        _validate(resource, obj, None, write.warn)
        # Whether it exists is found out last: a POST of what is there is refused first by policies and full quotas.
        self.validate("create", resource, namespace, name)
        check_quota(self._storage, resource, namespace, name, obj)
        version = str(meta.pop("resourceVersion", "") or "0")
        if version != "0" and not write.dry_run:
            raise Problem(500, "", "resourceVersion should not be set on objects to be created")
        if (existing := self._peek(resource, namespace, name)) is not None:
            raise already_exists(resource, name, terminating="deletionTimestamp" in existing["metadata"])
        if resource.key == "services":
            self._allocator.allocate(resource, obj, dry_run=write.dry_run)
        if write.dry_run:
            return Written(_in_order(resource, obj), created=True)
        entry = self._storage.put(resource.key, (namespace, name), _kept(resource, obj))
        return Written(entry.obj, created=True, entry=entry)

    def _apply(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        live: Object | None,
        body: Any,
        write: Write,
        *,
        force: bool,
    ) -> Written:
        if not isinstance(body, dict):
            raise bad_request("error decoding patch: the body is not an object")
        for field in ("apiVersion", "kind"):
            if not body.get(field):
                raise bad_request(f"invalid object type: {field} must be set")
        meta = receive(resource, namespace, body)
        if not meta.get("name"):
            meta["name"] = name
        check_name(meta, name)
        now = stamp(self._clock())
        if live is not None and isinstance(resource, CustomResource) and (lost := resource.lost_version(live)):
            raise Problem(500, "", f"request to convert CR to an invalid group/version: {lost}")
        new = managed.apply(
            live,
            body,
            manager=write.manager,
            force=force,
            now=now,
            subresource=write.subresource,
            schema=_schema(resource),
        )
        if live is None:
            if write.subresource:
                raise not_found(resource, name)
            if uid := meta.get("uid"):
                why = f"uid mismatch: the provided object specified uid {uid}, and no existing object was found"
                raise conflict(resource, name, why)
            wipe_system_fields(new["metadata"])
            new["metadata"].pop("resourceVersion", None)
            decode(resource, new, validation=write.field_validation, warn=write.warn)
            return self._insert(resource, namespace, new, write, now)
        decode(resource, new, validation=write.field_validation, warn=write.warn)
        return self._update(resource, live, new, write, tracked=True)

    def _update(self, resource: Resource, old: Object, new: Object, write: Write, *, tracked: bool = False) -> Written:
        """Make ``new`` the state of an object that is ``old``. ``tracked``: managedFields are settled already."""
        meta, name = new["metadata"], old["metadata"]["name"]
        key = (old["metadata"].get("namespace", ""), name)
        version = str(meta.get("resourceVersion") or "0")
        if not version.isdecimal():
            raise Problem(500, "", f'strconv.ParseUint: parsing "{version}": invalid syntax')
        if version == "0" and not resource.unconditional_update:
            why = "Invalid value: 0: must be specified for an update"
            raise invalid(resource.group, resource.plural, name, ("metadata.resourceVersion", "FieldValueInvalid", why))
        if version not in ("0", old["metadata"]["resourceVersion"]):
            raise modified(resource, name)
        meta["resourceVersion"] = old["metadata"]["resourceVersion"]
        prepare_update(resource, new, old, write.subresource)
        if not tracked:
            now = stamp(self._clock())
            managed.track_update(
                old, new, manager=write.manager, subresource=write.subresource, now=now, schema=_schema(resource)
            )
            if isinstance(resource, CustomResource) and resource.lost_version(new):
                del new["metadata"]["managedFields"]  # what cannot be converted is dropped, and all else with it
        write.check(resource, new, old)
        check_meta_update(resource, new, old)
        _validate(resource, new, old, write.warn, write.subresource)
        if not write.subresource:
            admit_update(self._storage, resource, new, old)
            self.validate("update", resource, key[0], name)
            check_quota(self._storage, resource, key[0], name, new, old)
        if resource.key == "services" and not write.subresource:
            self._allocator.allocate(resource, new, dry_run=write.dry_run)
        if is_final(new, old):
            if not write.dry_run:
                self._erase(resource, key)
            return Written(new)
        return self._store(resource, key, new, old, dry_run=write.dry_run)

    def _store(self, resource: Resource, key: tuple[str, str], new: Object, old: Object, *, dry_run: bool) -> Written:
        """Write, unless nothing changes: then the object keeps its version, and managedFields their times."""
        managed.settle_times(new, old)
        if new == old:
            return Written(old, entry=self._storage.shelf(resource.key).find(*key))
        if dry_run:
            return Written(new)
        entry = self._storage.put(resource.key, key, _kept(resource, new))
        return Written(entry.obj, entry=entry)

    def _erase(self, resource: Resource, key: tuple[str, str]) -> None:
        entry = self._storage.remove(resource.key, key)
        if resource.key == "services":
            self._allocator.release(entry.obj)


def _schema(resource: Resource) -> Struct | None:
    """How the fields of a custom resource are owned; of other kinds it is known by their names."""
    return resource.struct if isinstance(resource, CustomResource) else None


def _validate(
    resource: Resource, new: Object, old: Object | None, warn: Callable[[str], None], subresource: str = ""
) -> None:
    """Refuse what is not valid, or may not follow ``old``, and warn of what may be meant otherwise."""
    if isinstance(resource, CustomResource):
        resource.validate(new, old, subresource)
        for text in advice(new, old):
            warn(text)
    elif old is None:
        admit.complete(resource.kind, new)
        admit.validate_create(resource.kind, new)
    else:
        admit.validate_update(resource.kind, new, old)
    if resource.key == DEFINITIONS and not subresource:
        check_definition(new, old)
        for text in definition_advice(new, old):
            warn(text)


def _kept(resource: Resource, obj: Object) -> Object:
    """An object as it is stored: a custom one in one version, whatever version it came in."""
    obj = _in_order(resource, obj)
    return resource.keep(obj) if isinstance(resource, CustomResource) else obj


def _in_order(resource: Resource, obj: Object) -> Object:
    """Kind and API version first: so they are shown, and so a list can leave them out of its items."""
    return {"kind": resource.kind, "apiVersion": resource.api_version, **obj}


def _patched(resource: Resource, live: Object, content_type: str, body: Any) -> Object:
    base = copy_json(live)
    if content_type == JSON_PATCH:
        new = patching.json_patch(base, body)
    elif content_type == MERGE_PATCH:
        new = patching.merge_patch(base, body)
    elif content_type == STRATEGIC_MERGE_PATCH and not isinstance(resource, CustomResource):
        new = patching.strategic_merge_patch(live["kind"], base, body)
    else:
        raise Problem(415, "UnsupportedMediaType", f"unsupported patch type {content_type}")
    if not isinstance(new, dict):
        raise bad_request(f"the patch turns the {resource.kind} into something that is not an object")
    return new
