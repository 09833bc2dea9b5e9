"""What the controllers know of the cluster: the stored objects, indexed so that no sync ever scans them all."""

from collections.abc import Iterable
from typing import TypeVar

from kubesim.controllers.references import mounted_claims, used_config
from kubesim.jsondata import Object

Ref = tuple[str, str, str]
"""Plural, namespace (empty for cluster-scoped objects) and name."""

# The kinds that a controller adopts by their labels when they have no controller.
_ADOPTABLE = frozenset({"pods", "replicasets", "controllerrevisions"})

_K = TypeVar("_K")
_V = TypeVar("_V")


class View:
    """An index over the stored objects, kept by ``put`` and ``remove``. What it hands out is read only."""

    def __init__(self) -> None:
        self._objects: dict[str, dict[str, dict[str, Object]]] = {}
        self._uids: dict[str, Ref] = {}
        self._dependents: dict[str, dict[Ref, None]] = {}
        self._orphans: dict[tuple[str, str], dict[str, None]] = {}
        self._users: dict[Ref, dict[str, None]] = {}
        self._ready: dict[str, float] = {}

    def get(self, plural: str, namespace: str, name: str) -> Object | None:
        """The object of that name, if there is one."""
        return self._objects.get(plural, {}).get(namespace, {}).get(name)

    def all(self, plural: str, namespace: str | None = None) -> list[Object]:
        """The objects of a resource, of one namespace or of all."""
        spaces = self._objects.get(plural, {})
        if namespace is not None:
            return list(spaces.get(namespace, {}).values())
        return [obj for objects in spaces.values() for obj in objects.values()]

    def plurals(self) -> list[str]:
        """The resources of which there are objects."""
        return [plural for plural, spaces in self._objects.items() if spaces]

    def by_uid(self, uid: str) -> tuple[Ref, Object] | None:
        """The object with that uid."""
        ref = self._uids.get(uid)
        obj = self.get(*ref) if ref is not None else None
        return (ref, obj) if ref is not None and obj is not None else None

    def dependents(self, uid: str) -> list[tuple[Ref, Object]]:
        """What names the uid in an ownerReference."""
        return [(ref, obj) for ref in list(self._dependents.get(uid, ())) if (obj := self.get(*ref)) is not None]

    def controlled(self, uid: str, plural: str) -> list[Object]:
        """The objects of a resource whose controller has that uid, oldest first."""
        return [
            obj
            for ref, obj in self.dependents(uid)
            if ref[0] == plural and (owner := controller_of(obj)) is not None and owner["uid"] == uid
        ]

    def uncontrolled(self, plural: str, namespace: str) -> list[Object]:
        """The objects of a namespace that have no controller: what may be adopted."""
        names = self._orphans.get((plural, namespace), ())
        return [obj for name in list(names) if (obj := self.get(plural, namespace, name)) is not None]

    def users(self, plural: str, namespace: str, name: str) -> list[Object]:
        """The Pods whose spec names that ConfigMap, Secret or claim."""
        pods = (self.get("pods", namespace, pod) for pod in list(self._users.get((plural, namespace, name), ())))
        return [pod for pod in pods if pod is not None]

    def ready_since(self, uid: str) -> float | None:
        """Since when, on the loop's clock, the Pod with that uid has been ready."""
        return self._ready.get(uid)

    def put(self, plural: str, obj: Object, old: Object | None, now: float) -> None:
        """Take note of a new state of an object."""
        meta = obj["metadata"]
        namespace, name, uid = meta.get("namespace", ""), meta["name"], meta["uid"]
        ref = (plural, namespace, name)
        self._objects.setdefault(plural, {}).setdefault(namespace, {})[name] = obj
        self._uids[uid] = ref
        owners = meta.get("ownerReferences")
        before = old["metadata"].get("ownerReferences") if old is not None else None
        if old is None or owners != before:
            self._unlink(ref, before)
            for owner in owners or ():
                self._dependents.setdefault(owner["uid"], {})[ref] = None
            if plural in _ADOPTABLE and controller_of(obj) is None:
                self._orphans.setdefault((plural, namespace), {})[name] = None
        if plural == "pods":
            if old is None:
                for used in _uses(obj):
                    self._users.setdefault((used[0], namespace, used[1]), {})[name] = None
            if not is_ready(obj):
                self._ready.pop(uid, None)
            elif uid not in self._ready:
                self._ready[uid] = now

    def remove(self, plural: str, obj: Object) -> None:
        """Take note that an object is gone."""
        meta = obj["metadata"]
        namespace, name = meta.get("namespace", ""), meta["name"]
        ref = (plural, namespace, name)
        spaces = self._objects.get(plural, {})
        objects = spaces.get(namespace, {})
        objects.pop(name, None)
        if not objects:
            spaces.pop(namespace, None)
        self._uids.pop(meta["uid"], None)
        self._ready.pop(meta["uid"], None)
        self._unlink(ref, meta.get("ownerReferences"))
        if plural == "pods":
            for used in _uses(obj):
                _discard(self._users, (used[0], namespace, used[1]), name)

    def _unlink(self, ref: Ref, owners: Iterable[Object] | None) -> None:
        for owner in owners or ():
            _discard(self._dependents, owner["uid"], ref)
        _discard(self._orphans, (ref[0], ref[1]), ref[2])


def _discard(index: dict[_K, dict[_V, None]], key: _K, value: _V) -> None:
    values = index.get(key)
    if values is not None:
        values.pop(value, None)
        if not values:
            del index[key]


def _uses(pod: Object) -> set[tuple[str, str]]:
    spec = pod.get("spec", {})
    claims = {("persistentvolumeclaims", claim) for claim in mounted_claims(spec).values()}
    return claims | {(need.plural, need.name) for need in used_config(spec)}


def controller_of(obj: Object) -> Object | None:
    """The ownerReference that is marked as the controller."""
    for owner in obj["metadata"].get("ownerReferences", ()):
        if owner.get("controller"):
            return dict(owner)
    return None


def condition(obj: Object, kind: str) -> Object | None:
    """The condition of that type in the object's status."""
    for found in obj.get("status", {}).get("conditions", ()):
        if found.get("type") == kind:
            return dict(found)
    return None


def is_ready(pod: Object) -> bool:
    """Whether the Pod's Ready condition is true."""
    found = condition(pod, "Ready")
    return found is not None and found["status"] == "True"


def is_deleting(obj: Object) -> bool:
    """Whether the object has a deletionTimestamp."""
    return "deletionTimestamp" in obj["metadata"]


def is_finished(pod: Object) -> bool:
    """Whether the Pod has run to its end."""
    return obj_phase(pod) in ("Succeeded", "Failed")


def obj_phase(obj: Object) -> str:
    """The phase in the status, ``Pending`` where there is none yet."""
    return str(obj.get("status", {}).get("phase") or "Pending")
