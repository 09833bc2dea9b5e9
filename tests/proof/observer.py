"""Watches every write that KubeMin makes, from inside the cluster: what it makes, and what it deletes."""

from contextvars import ContextVar

from kubemin.spec.labels import RELEASED_FROM, WRITE_TOKEN
from kubemin.spec.objects import Manifest, ObjectRef
from kubesim.faults import Fault, RequestInfo
from kubesim.server import SimServer
from tests.writes import on_writes

_request: ContextVar[RequestInfo | None] = ContextVar("request", default=None)

_DEPENDENTS = ("ReplicaSet", "ControllerRevision", "PersistentVolumeClaim", "Pod")


class Observer:
    """``made`` is what KubeMin's POSTs made: uid → task; ``wrongs`` what it must never do."""

    def __init__(self, sim: SimServer) -> None:
        self._sim = sim
        self.made: dict[str, str] = {}
        self.names: set[ObjectRef] = set()
        self.old: set[str] = set()
        self.wrongs: list[str] = []
        self.deletes = 0
        self.writes = 0
        self.requests = 0
        sim.registry.subscribe(self._changed)
        self.mark()

    def mark(self) -> None:
        """Tell KubeMin's requests, which come over the socket, from everybody else's."""

        def mark(info: RequestInfo) -> None:
            _request.set(info)
            self.writes += 1

        def count(_: RequestInfo) -> None:
            self.requests += 1

        on_writes(self._sim, mark)
        self._sim.faults.add(Fault("call", times=None, dry_run=None, call=count))

    async def release(self) -> None:
        """Let go what faults hold back; late requests are still KubeMin's."""
        for armed in self._sim.faults.armed:
            token = _request.set(RequestInfo("late", "*") if armed.fault.action == "late" else None)
            try:
                await armed.release()
            finally:
                _request.reset(token)

    async def clear(self) -> None:
        """End all faults."""
        await self.release()
        await self._sim.faults.clear()
        self.mark()

    def round_begins(self) -> None:
        """Whatever is there now was there before."""
        self.old = {
            obj["metadata"]["uid"]
            for plural in ("replicasets", "controllerrevisions", "persistentvolumeclaims", "pods")
            for obj in self._sim.registry.scan(plural)
        }

    def _changed(self, event: str, obj: Manifest, old: Manifest | None) -> None:
        if _request.get() is None or "kind" not in obj:
            return
        ref, uid = ObjectRef.of(obj), obj["metadata"]["uid"]
        if event == "ADDED":
            token = (obj["metadata"].get("annotations") or {}).get(WRITE_TOKEN, "")
            if "." not in token:
                self.wrongs.append(f"{ref} was created without a claim")
            self.made[uid] = token.partition(".")[0]
            self.names.add(ref)
            return
        was = (old or {"metadata": {}})["metadata"]
        if old is not None and RELEASED_FROM in obj["metadata"].get("annotations", {}) and _owners(old):
            if not self._dependent(ref, old):
                self.wrongs.append(f"{ref} (uid {uid}) was taken from its owner, and is not of KubeMin's")
            self.made[uid] = ""  # it goes, once another serves in its place
        begins = "deletionTimestamp" in obj["metadata"] if event == "MODIFIED" else True
        if begins and "deletionTimestamp" not in was:
            self.deletes += 1
            if uid not in self.made and not self._dependent(ref, obj):
                self.wrongs.append(f"{ref} (uid {uid}) was deleted, and KubeMin did not make it")

    def _dependent(self, ref: ObjectRef, obj: Manifest) -> bool:
        """Made by a controller for an object of ours, or since the round began."""
        if ref.kind not in _DEPENDENTS:
            return False
        owners = _owners(obj)
        if ref.kind == "Pod":  # of a Deployment's ReplicaSet
            sets_above = self._sim.registry.scan("replicasets")
            owners |= {above for one in sets_above if one["metadata"]["uid"] in owners for above in _owners(one)}
        sets = (one for one in self.names if one.kind == "StatefulSet" and one.namespace == ref.namespace)
        ours = any(owner in self.made for owner in owners) or any(f"-{one.name}-" in ref.name for one in sets)
        return ours or obj["metadata"]["uid"] not in self.old


def _owners(obj: Manifest) -> set[str]:
    return {one["uid"] for one in obj["metadata"].get("ownerReferences") or []}
