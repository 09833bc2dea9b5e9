"""The garbage collector: what happens to dependents when their owner goes."""

from dataclasses import dataclass
from itertools import islice

from kubesim.controllers.hub import Controller, Hub, Key
from kubesim.controllers.owners import with_meta
from kubesim.controllers.view import is_deleting
from kubesim.deletion import FOREGROUND, ORPHAN
from kubesim.jsondata import Object
from kubesim.storage import EventType


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast the collector is: each turn of an object takes ``seconds`` at speed 1 of one of so many workers.

    A real one takes that long as it asks the API server for the object and its owners, and may ask only so often. A
    Deployment that is deleted in the foreground has a turn, then its ReplicaSet, then the Pods, then these two again.
    In the background there are two: the ReplicaSet's and the Pods'.
    """

    seconds: float
    workers: int = 20


class GarbageCollector(Controller):
    """Syncs objects by plural, namespace and name: each by the owners that it names, and as an owner that goes."""

    watches = ("*",)

    def __init__(self, hub: Hub, pace: Pace | None = None) -> None:
        super().__init__(hub)
        self._pace = pace
        self._waiting: dict[Key, None] = {}
        self._busy: set[Key] = set()

    def enqueue(self, *key: str) -> None:
        if self._pace is None:
            super().enqueue(*key)
        else:
            self._waiting[key] = None
            self._take_turns(self._pace)

    def _take_turns(self, pace: Pace) -> None:
        """Let idle workers begin with what waits. What one has under way no other takes up."""
        if len(self._busy) < pace.workers:
            idle = pace.workers - len(self._busy)
            for key in list(islice((key for key in self._waiting if key not in self._busy), idle)):
                del self._waiting[key]
                self._busy.add(key)
                self.hub.later(pace.seconds, self, key)

    def changed(self, event: EventType, plural: str, obj: Object, old: Object | None) -> None:
        meta = obj["metadata"]
        if event == "DELETED":
            for ref, _ in self.view.dependents(meta["uid"]):
                self.enqueue(*ref)
            for owner in meta.get("ownerReferences") or ():
                found = self.view.by_uid(owner["uid"])
                if found is not None and is_deleting(found[1]):
                    self.enqueue(*found[0])
            return
        going = _awaited(obj) and (old is None or _awaited(obj) != _awaited(old))
        owners = meta.get("ownerReferences")
        before = old["metadata"].get("ownerReferences") if old is not None else None
        if going or owners != before:
            self.enqueue(plural, meta.get("namespace", ""), meta["name"])
        for owner in before or ():
            # It no longer names an owner that may have waited for it.
            if owner not in (owners or ()):
                found = self.view.by_uid(owner["uid"])
                if found is not None and is_deleting(found[1]):
                    self.enqueue(*found[0])

    def sync(self, key: Key) -> None:
        try:
            self._collect(key)
        finally:
            if self._pace is not None:
                self._busy.discard(key)
                self._take_turns(self._pace)

    def _collect(self, key: Key) -> None:
        obj = self.view.get(key[0], key[1], key[2])
        if obj is None:
            return
        if is_deleting(obj):
            if ORPHAN in _finalizers(obj):
                self._orphan(key[0], obj)
            elif FOREGROUND in _finalizers(obj):
                self._wait_for_dependents(key[0], obj)
            return
        owners = obj["metadata"].get("ownerReferences") or []
        if not owners:
            return
        solid, absent, waiting = [], [], []
        for owner in owners:
            found = self._owner(obj, owner)
            if not self._may_own(owner, obj):
                solid.append(owner)
            elif found is None:
                absent.append(owner)
            elif is_deleting(found) and FOREGROUND in _finalizers(found):
                waiting.append(owner)
            else:
                solid.append(owner)
        if solid:
            if absent or waiting:
                self.hub.update(key[0], with_meta(obj, ownerReferences=solid))
            return
        if waiting and self.view.dependents(obj["metadata"]["uid"]):
            propagation = "Foreground"
        elif ORPHAN in _finalizers(obj):
            propagation = "Orphan"
        elif FOREGROUND in _finalizers(obj):
            propagation = "Foreground"
        else:
            propagation = "Background"
        self.hub.delete(key[0], obj, propagation=propagation)

    def _owner(self, obj: Object, owner: Object) -> Object | None:
        """The owner that a reference means: of that uid, that name and kind, in the same namespace or in none."""
        found = self.view.by_uid(owner["uid"])
        if found is None:
            return None
        (_, namespace, name), stored = found
        if (name, stored["kind"]) != (owner["name"], owner["kind"]):
            return None
        return stored if namespace in ("", obj["metadata"].get("namespace", "")) else None

    def _may_own(self, owner: Object, obj: Object) -> bool:
        """Whether the reference can be followed. Nothing is collected for one that makes no sense."""
        resource = self.hub.registry.catalog.kind(owner["apiVersion"], owner["kind"])
        return resource is not None and (not resource.namespaced or "namespace" in obj["metadata"])

    def _orphan(self, plural: str, obj: Object) -> None:
        """Let the dependents go, then the owner."""
        uid = obj["metadata"]["uid"]
        for ref, dependent in self.view.dependents(uid):
            owners = [owner for owner in dependent["metadata"]["ownerReferences"] if owner["uid"] != uid]
            self.hub.update(ref[0], with_meta(dependent, ownerReferences=owners))
        self._drop_finalizer(plural, obj, ORPHAN)

    def _wait_for_dependents(self, plural: str, obj: Object) -> None:
        """Ask the dependents to go; the owner goes when none of those that block it is left."""
        uid = obj["metadata"]["uid"]
        dependents = self.view.dependents(uid)
        if not any(_blocks(found, uid) for _, found in dependents):
            self._drop_finalizer(plural, obj, FOREGROUND)
        for ref, found in dependents:
            if not is_deleting(found):
                self.enqueue(*ref)

    def _drop_finalizer(self, plural: str, obj: Object, finalizer: str) -> None:
        left = [found for found in _finalizers(obj) if found != finalizer]
        self.hub.update(plural, with_meta(obj, finalizers=left))


def _awaited(obj: Object) -> list[str]:
    """The finalizers of an object on its way out that are the collector's to take off."""
    return [found for found in _finalizers(obj) if found in (ORPHAN, FOREGROUND)] if is_deleting(obj) else []


def _finalizers(obj: Object) -> list[str]:
    return list(obj["metadata"].get("finalizers") or ())


def _blocks(obj: Object, uid: str) -> bool:
    return any(
        owner["uid"] == uid and owner.get("blockOwnerDeletion")
        for owner in obj["metadata"].get("ownerReferences") or ()
    )
