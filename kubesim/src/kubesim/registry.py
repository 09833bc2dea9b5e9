"""The cluster's objects, as controllers and tests read and write them: by plural, namespace and name, without HTTP."""

from collections.abc import Iterable, Sequence
from typing import Any

from kubesim.catalog import Catalog
from kubesim.deletion import DeleteOptions
from kubesim.jsondata import Clock, Object, copy_json, utc_now
from kubesim.problems import not_found
from kubesim.selectors import both, field_matcher, label_matcher
from kubesim.storage import Entry, Storage, Subscriber
from kubesim.verbs import Verbs, Write

Objects = list[Object]
Warnings = list[str]


class Registry:
    """The verbs. Resources are named by plural, custom ones by plural and group.

    ``namespace`` is empty for cluster-scoped ones.

    Objects that come in are copied. ``get`` and ``list`` answer with copies, ``peek`` and ``scan`` with the stored
    objects themselves, which must not be changed. Whatever is refused raises ``Problem``.
    """

    def __init__(self, storage: Storage | None = None, *, clock: Clock = utc_now) -> None:
        self.storage = storage or Storage()
        self.catalog = Catalog(self.storage)
        self.verbs = Verbs(self.storage, clock)

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
            raise not_found(self.catalog.resources[resource], name)
        return entry

    def scan(self, resource: str, namespace: str | None = None) -> Iterable[Object]:
        """The stored objects of a namespace or of all, read only, in no particular order."""
        return (entry.obj for entry in self.storage.shelf(resource).scan(namespace))

    def list(self, resource: str, namespace: str | None = None, labels: str = "", fields: str = "") -> Objects:
        """Copies of the selected objects, sorted by namespace and name."""
        matcher = both(label_matcher(labels), field_matcher(self.catalog.resources[resource], fields))
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
        return self.verbs.post(self.catalog.resources[resource], namespace, copy_json(obj), write).obj

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
        return self.verbs.put(self.catalog.resources[resource], namespace, name, copy_json(obj), write).obj

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
        return self.verbs.amend(
            self.catalog.resources[resource], namespace, name, content_type, copy_json(body), write, force=force
        ).obj

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
        return self.verbs.remove(self.catalog.resources[resource], namespace, name, options).obj

    def bind(self, namespace: str, name: str, node: str) -> Object:
        """POST of a Binding: the Pod gets its node. Returns the stored Pod, read only."""
        return self.verbs.bind(namespace, name, node).obj

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
        known = self.catalog.resources[resource]
        matcher = both(label_matcher(labels), field_matcher(known, fields))
        chosen = [
            (key, entry.obj)
            for key, entry in self.storage.shelf(resource).items(namespace or None)
            if matcher is None or matcher(entry.obj)
        ]
        for (space, name), _ in chosen:
            self.verbs.remove(known, space, name, options or DeleteOptions())
        return [obj for _, obj in chosen]
