"""What a request means, without HTTP: the verbs of the Kubernetes API over the storage.

Every call is a plain function that runs to its end without giving up the event loop, and is atomic for that reason.
"""

import secrets
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from kubemin.sim import admit, managed, patching
from kubemin.sim.admission import Allocator, admit_create, admit_delete
from kubemin.sim.deletion import (
    DeleteOptions,
    check_preconditions,
    finalizers_for,
    is_final,
    mark_deleting,
    pod_grace,
)
from kubemin.sim.jsondata import Clock, Object, copy_json, stamp, utc_now
from kubemin.sim.problems import (
    Problem,
    already_exists,
    bad_request,
    conflict,
    invalid,
    method_not_allowed,
    modified,
    not_found,
    precondition_failed,
)
from kubemin.sim.resources import RESOURCES, Resource
from kubemin.sim.scale import apply_scale, scale_of
from kubemin.sim.selectors import both, field_matcher, label_matcher
from kubemin.sim.storage import Entry, Storage, Subscriber
from kubemin.sim.strategy import prepare_create, prepare_update, wipe_system_fields

APPLY = "application/apply-patch+yaml"
JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_MERGE_PATCH = "application/strategic-merge-patch+json"

_NAME_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_GENERATED_NAME_BASE = 58
_GENERATED_NAME_ATTEMPTS = 8


Objects = list[Object]
Warnings = list[str]


@dataclass(slots=True)
class Write:
    """How a write is done. ``warnings`` collects what the caller should be told."""

    manager: str
    dry_run: bool = False
    field_validation: str = "Ignore"
    subresource: str = ""
    warnings: Warnings | None = None

    def warn(self, text: str) -> None:
        """Tell the caller."""
        if self.warnings is not None:
            self.warnings.append(text)


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


class Registry:
    """The verbs. Resources are named by plural; ``namespace`` is empty for cluster-scoped ones.

    Objects that come in are copied. ``get`` and ``list`` answer with copies, ``peek`` and ``scan`` with the stored
    objects themselves, which must not be changed. Whatever is refused raises ``Problem``.
    """

    def __init__(self, storage: Storage | None = None, *, clock: Clock = utc_now) -> None:
        self.storage = storage or Storage()
        self._clock = clock
        self._allocator = Allocator()

    # -- reading

    def peek(self, resource: str, namespace: str, name: str) -> Object | None:
        """The stored object, read only, or ``None``."""
        entry = self.storage.shelf(resource).find(namespace, name)
        return None if entry is None else entry.obj

    def get(self, resource: str, namespace: str, name: str) -> Object:
        """A copy of the object. 404 if there is none."""
        obj: Object = copy_json(self.entry(resource, namespace, name).obj)
        return obj

    def entry(self, resource: str, namespace: str, name: str) -> Entry:
        """The stored entry. 404 if there is none."""
        entry = self.storage.shelf(resource).find(namespace, name)
        if entry is None:
            raise not_found(RESOURCES[resource], name)
        return entry

    def scan(self, resource: str, namespace: str | None = None) -> Iterable[Object]:
        """The stored objects of a namespace or of all, read only, in no particular order."""
        return (entry.obj for entry in self.storage.shelf(resource).scan(namespace))

    def list(self, resource: str, namespace: str | None = None, labels: str = "", fields: str = "") -> Objects:
        """Copies of the selected objects, sorted by namespace and name."""
        matcher = both(label_matcher(labels), field_matcher(RESOURCES[resource], fields))
        return [
            copy_json(entry.obj)
            for _, entry in self.storage.shelf(resource).items(namespace or None)
            if matcher is None or matcher(entry.obj)
        ]

    def subscribe(self, callback: Subscriber) -> None:
        """Call back (type, object, object before) after each change, from within the write. Both are read only."""
        self.storage.subscribe(callback)

    # -- writing

    def create(
        self,
        resource: str,
        namespace: str,
        obj: Object,
        *,
        manager: str,
        dry_run: bool = False,
        field_validation: str = "Ignore",
        warnings: Warnings | None = None,
    ) -> Object:
        """POST. Returns the stored object, read only."""
        write = Write(manager, dry_run, field_validation, "", warnings)
        return self.post(RESOURCES[resource], namespace, copy_json(obj), write).obj

    def update(
        self,
        resource: str,
        namespace: str,
        name: str,
        obj: Object,
        *,
        manager: str,
        subresource: str = "",
        dry_run: bool = False,
        field_validation: str = "Ignore",
        warnings: Warnings | None = None,
    ) -> Object:
        """PUT, of the object or of a subresource. Returns the stored object, read only."""
        write = Write(manager, dry_run, field_validation, subresource, warnings)
        return self.put(RESOURCES[resource], namespace, name, copy_json(obj), write).obj

    def patch(
        self,
        resource: str,
        namespace: str,
        name: str,
        content_type: str,
        body: Any,
        *,
        manager: str,
        force: bool = False,
        subresource: str = "",
        dry_run: bool = False,
        field_validation: str = "Ignore",
        warnings: Warnings | None = None,
    ) -> Object:
        """PATCH with a decoded body, apply included. Returns the stored object, read only."""
        write = Write(manager, dry_run, field_validation, subresource, warnings)
        return self.amend(RESOURCES[resource], namespace, name, content_type, copy_json(body), write, force=force).obj

    def delete(
        self,
        resource: str,
        namespace: str,
        name: str,
        *,
        uid: str | None = None,
        resource_version: str | None = None,
        propagation: str | None = None,
        grace: int | None = None,
        dry_run: bool = False,
    ) -> Object:
        """DELETE. Returns the object as it was last, or as it now terminates, read only."""
        options = DeleteOptions(uid, resource_version, propagation, grace, dry_run)
        return self.remove(RESOURCES[resource], namespace, name, options).obj

    def bind(self, namespace: str, name: str, node: str) -> Object:
        """POST of a Binding: the Pod gets its node. No field manager comes to own what this sets."""
        resource = RESOURCES["pods"]
        old = self.entry("pods", namespace, name).obj
        meta, spec, status = old["metadata"], old["spec"], old.get("status") or {}
        if "deletionTimestamp" in meta or spec.get("nodeName"):
            raise conflict(
                resource, name, f'pod {name} is being deleted or already assigned to a node, not to "{node}"'
            )
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
        return self._store(resource, (namespace, name), new, old, dry_run=False).obj

    def delete_collection(
        self,
        resource: str,
        namespace: str | None = None,
        labels: str = "",
        fields: str = "",
        *,
        options: DeleteOptions | None = None,
    ) -> Sequence[Object]:
        """DELETE of all that is selected. Returns the objects as they were before, read only."""
        known = RESOURCES[resource]
        matcher = both(label_matcher(labels), field_matcher(known, fields))
        chosen = [
            (key, entry.obj)
            for key, entry in self.storage.shelf(resource).items(namespace or None)
            if matcher is None or matcher(entry.obj)
        ]
        for (space, name), _ in chosen:
            self.remove(known, space, name, options or DeleteOptions())
        return [obj for _, obj in chosen]

    # -- the verbs themselves; the objects passed in are taken over

    def post(self, resource: Resource, namespace: str, obj: Object, write: Write) -> Written:
        """Create ``obj``."""
        meta = self._receive(resource, namespace, obj)
        wipe_system_fields(meta)
        if meta.get("name") or not meta.get("generateName"):
            return self._create(resource, namespace, obj, write)
        base = meta["generateName"][:_GENERATED_NAME_BASE]
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
        if write.subresource == "scale":
            live = self.entry(resource.plural, namespace, name).obj
            return self._update(resource, live, apply_scale(resource, live, obj), write)
        meta = self._receive(resource, namespace, obj)
        if meta.get("name") != name:
            if not meta.get("name"):
                raise bad_request(
                    f"the name of the object ({name} based on URL) was undeterminable: name must be provided"
                )
            raise bad_request(f"the name of the object ({meta['name']}) does not match the name on the URL ({name})")
        old = self.peek(resource.plural, namespace, name)
        if (uid := meta.get("uid")) and (old is None or uid != old["metadata"]["uid"]):
            if old is None and (write.subresource or not resource.create_on_put):
                raise not_found(resource, name)
            found = "" if old is None else old["metadata"]["uid"]
            raise precondition_failed(resource, (namespace, name), "UID", uid, found)
        if old is None:
            if write.subresource or not resource.create_on_put:
                raise not_found(resource, name)
            wipe_system_fields(meta)
            meta.pop("resourceVersion", None)
            return self._create(resource, namespace, obj, write)
        self._decode(resource, obj, write)
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
        live = self.peek(resource.plural, namespace, name)
        if content_type == APPLY and write.subresource != "scale":
            return self._apply(resource, namespace, name, live, body, write, force=force)
        if live is None:
            raise not_found(resource, name)
        base = scale_of(resource, live) if write.subresource == "scale" else live
        new = self._patched(resource, base, content_type, body)
        if write.subresource == "scale":
            return self._update(resource, live, apply_scale(resource, live, new), write)
        if new.get("kind") != resource.kind or new.get("apiVersion") != resource.api_version:
            raise bad_request("the patch changes the kind or the API version of the object")
        meta = self._receive(resource, namespace, new)
        if meta.get("name") != name:
            raise bad_request(
                f"the name of the object ({meta.get('name', '')}) does not match the name on the URL ({name})"
            )
        self._decode(resource, new, write)
        return self._update(resource, live, new, write)

    def remove(self, resource: Resource, namespace: str, name: str, options: DeleteOptions) -> Removed:
        """Delete the object, or let it terminate while it has finalizers or a grace period."""
        old = self.entry(resource.plural, namespace, name).obj
        admit_delete(resource, name)
        check_preconditions(resource, old, options)
        meta = old["metadata"]
        now = self._clock()
        if resource.plural == "namespaces":
            if "deletionTimestamp" in meta and (old.get("spec") or {}).get("finalizers"):
                return Removed(old, gone=False)
            grace = None
        else:
            grace = pod_grace(old, options.grace) if resource.plural == "pods" else None
        if grace and "deletionTimestamp" in meta:
            left = meta.get("deletionGracePeriodSeconds") or 0
            if left and (options.grace is None or grace >= left):
                return Removed(old, gone=False)
            grace = grace if left else 0
        finalizers = finalizers_for(resource, meta, options.propagation)
        new = {**old, "metadata": dict(meta)}
        if finalizers:
            new["metadata"]["finalizers"] = finalizers
        else:
            new["metadata"].pop("finalizers", None)
        if resource.plural == "namespaces" and (old.get("spec") or {}).get("finalizers"):
            mark_deleting(new["metadata"], now)
            new["metadata"].pop("deletionGracePeriodSeconds")
            new["status"] = {**old.get("status", {}), "phase": "Terminating"}
        elif finalizers or grace:
            mark_deleting(new["metadata"], now, grace or 0)
        elif options.dry_run:
            return Removed(old, gone=True)
        else:
            self._erase(resource, (namespace, name))
            return Removed(old, gone=True)
        return Removed(self._store(resource, (namespace, name), new, old, dry_run=options.dry_run).obj, gone=False)

    # -- inside

    def _receive(self, resource: Resource, namespace: str, obj: Object) -> Object:
        """Check what an object claims to be, and return its metadata."""
        kind, version = obj.setdefault("kind", resource.kind), obj.setdefault("apiVersion", resource.api_version)
        if kind != resource.kind:
            raise bad_request(
                f'{kind} in version "{version.rpartition("/")[2]}" cannot be handled as a {resource.kind}: '
                f'no kind "{kind}" is registered for version "{version}"'
            )
        if version != resource.api_version:
            raise bad_request(
                f"the API version in the data ({version}) does not match the expected API version "
                f"({resource.api_version})"
            )
        meta = obj.get("metadata")
        if meta is None:
            meta = obj["metadata"] = {}
        elif not isinstance(meta, dict):
            raise bad_request(
                f'{kind} in version "{resource.version}" cannot be handled as a {kind}: metadata is not an object'
            )
        if not resource.namespaced:
            meta.pop("namespace", None)
        elif not meta.get("namespace"):
            meta["namespace"] = namespace
        elif meta["namespace"] != namespace:
            raise bad_request("the namespace of the provided object does not match the namespace sent on the request")
        return meta

    def _decode(self, resource: Resource, obj: Object, write: Write, *, patched: Any = None) -> None:
        """Settle unknown fields and defaults, as decoding into the typed object does.

        ``patched`` is the object that a patch made, where the caller sent a patch: it is shown in the refusal.
        """
        if write.field_validation != "Ignore" and (unknown := admit.unknown_fields(resource.kind, obj)):
            texts = [f'unknown field "{path}"' for path in unknown]
            if write.field_validation == "Strict":
                raise self._strict(resource, obj, ", ".join(texts), patched=write.patch)
            for text in texts:
                write.warn(text)
        if resource.plural == "secrets" and isinstance(plain := obj.pop("stringData", None), dict):
            data = obj["data"] = obj.get("data") or {}
            for key, text in plain.items():
                data[key] = base64.b64encode(str(text).encode()).decode()
        admit.default(resource.kind, obj)

    def _create(self, resource: Resource, namespace: str, obj: Object, write: Write) -> Written:
        meta = obj["metadata"]
        name = meta.get("name", "")
        now = stamp(self._clock())
        self._decode(resource, obj, write)
        managed.track_update(None, obj, manager=write.manager, now=now)
        return self._insert(resource, namespace, name, obj, write, now)

    def _insert(self, resource: Resource, namespace: str, name: str, obj: Object, write: Write, now: str) -> Written:
        """The second half of a creation, after managedFields: admission, validation, storage."""
        meta = obj["metadata"]
        meta["uid"] = str(uuid.uuid4())
        meta["creationTimestamp"] = now
        admit_create(self, resource, namespace, name, obj)
        prepare_create(resource, obj)
        admit.validate_create(resource.kind, obj)
        if (existing := self.peek(resource.plural, namespace, name)) is not None:
            raise already_exists(resource, name, terminating="deletionTimestamp" in existing["metadata"])
        if str(meta.pop("resourceVersion", "") or "0") != "0" and not write.dry_run:
            raise Problem(500, "", "resourceVersion should not be set on objects to be created")
        if resource.plural == "services":
            self._allocator.allocate(resource, obj, None, dry_run=write.dry_run)
        if write.dry_run:
            return Written(obj, created=True)
        entry = self.storage.put(resource.plural, (namespace, name), _in_order(resource, obj))
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
        if not body.get("apiVersion") or not body.get("kind"):
            missing = "apiVersion" if not body.get("apiVersion") else "kind"
            raise bad_request(f"invalid object type: {missing} must be set")
        meta = self._receive(resource, namespace, body)
        if meta.setdefault("name", name) != name:
            raise bad_request(f"the name of the object ({meta['name']}) does not match the name on the URL ({name})")
        now = stamp(self._clock())
        if live is None:
            if uid := meta.get("uid"):
                raise conflict(
                    resource,
                    name,
                    f"uid mismatch: the provided object specified uid {uid}, and no existing object was found",
                )
            new = managed.apply(None, body, manager=write.manager, force=force, now=now, subresource=write.subresource)
            if write.subresource:
                raise not_found(resource, name)
            wipe_system_fields(new["metadata"])
            new["metadata"].pop("resourceVersion", None)
            self._decode(resource, new, write)
            return self._insert(resource, namespace, name, new, write, now)
        new = managed.apply(live, body, manager=write.manager, force=force, now=now, subresource=write.subresource)
        self._decode(resource, new, write)
        return self._update(resource, live, new, write, tracked=True)

    def _patched(self, resource: Resource, live: Object, content_type: str, body: Any) -> Object:
        base = copy_json(live)
        if content_type == JSON_PATCH:
            new = patching.json_patch(base, body)
        elif content_type == MERGE_PATCH:
            new = patching.merge_patch(base, body)
        elif content_type == STRATEGIC_MERGE_PATCH:
            new = patching.strategic_merge_patch(live["kind"], base, body)
        else:
            raise Problem(415, "UnsupportedMediaType", f"unsupported patch type {content_type}")
        if not isinstance(new, dict):
            raise bad_request(f"the patch turns the {resource.kind} into something that is not an object")
        return new

    def _update(self, resource: Resource, old: Object, new: Object, write: Write, *, tracked: bool = False) -> Written:
        """Make ``new`` the state of an object whose state is ``old``."""
        meta, name = new["metadata"], old["metadata"]["name"]
        version = str(meta.get("resourceVersion") or "0")
        if version == "0":
            if not resource.unconditional_update:
                raise invalid(
                    resource.group,
                    resource.plural,
                    name,
                    (
                        "metadata.resourceVersion",
                        "FieldValueInvalid",
                        "Invalid value: 0: must be specified for an update",
                    ),
                )
        elif version != old["metadata"]["resourceVersion"]:
            if not version.isdecimal():
                raise Problem(500, "", f'strconv.ParseUint: parsing "{version}": invalid syntax')
            raise modified(resource, name)
        meta["resourceVersion"] = old["metadata"]["resourceVersion"]
        prepare_update(resource, new, old, write.subresource)
        if not tracked:
            managed.track_update(
                old, new, manager=write.manager, subresource=write.subresource, now=stamp(self._clock())
            )
        _check_meta_update(resource, new, old)
        admit.validate_update(resource.kind, new, old)
        if resource.plural == "services" and not write.subresource:
            self._allocator.allocate(resource, new, old, dry_run=write.dry_run)
        key = (old["metadata"].get("namespace", ""), name)
        if is_final(new, old):
            if not write.dry_run:
                self._erase(resource, key)
            return Written(new)
        return self._store(resource, key, new, old, dry_run=write.dry_run)

    def _store(self, resource: Resource, key: tuple[str, str], new: Object, old: Object, *, dry_run: bool) -> Written:
        """Write, unless nothing changes: then the object keeps its version, and managedFields their times."""
        managed.settle_times(new, old)
        if new == old:
            return Written(old, entry=self.storage.shelf(resource.plural).find(*key))
        if dry_run:
            return Written(new)
        entry = self.storage.put(resource.plural, key, _in_order(resource, new))
        return Written(entry.obj, entry=entry)

    def _erase(self, resource: Resource, key: tuple[str, str]) -> None:
        entry = self.storage.remove(resource.plural, key)
        if resource.plural == "services":
            self._allocator.release(entry.obj)

    def scale(self, resource: Resource, namespace: str, name: str) -> Object:
        """The scale subresource."""
        if "scale" not in resource.subresources:
            raise method_not_allowed(resource, "scale")
        return scale_of(resource, self.entry(resource.plural, namespace, name).obj)


def _in_order(resource: Resource, obj: Object) -> Object:
    """Kind and API version first: so they are shown, and so a list can leave them out of its items."""
    return {"kind": resource.kind, "apiVersion": resource.api_version, **obj}


def _check_meta_update(resource: Resource, new: Object, old: Object) -> None:
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
