"""The other people of the cluster, and a model of it as they want it: the cluster as it would be without KubeMin."""

import copy
from typing import Any

from kubemin.spec.labels import WRITE_TOKEN
from kubemin.spec.objects import Manifest, ObjectRef
from kubesim.problems import Problem
from kubesim.registry import Registry
from tests.proof.manifests import is_custom, resource_key, snapshot, stored

_MERGE = "application/merge-patch+json"
_STRATEGIC = "application/strategic-merge-patch+json"
_APPLY = "application/apply-patch+yaml"
HOLD = "example.com/hold"
_EXPORTED = ("name", "namespace", "labels", "annotations")


class Foreigners:
    """Edits, deletes and creates in the cluster, and does the same in the model, where it concerns the same object."""

    def __init__(self, registry: Registry) -> None:
        self.live = registry
        self.model = Registry()
        self.touched: set[ObjectRef] = set()
        self.stripped: set[ObjectRef] = set()
        self.remade: set[ObjectRef] = set()
        """What they made anew as it was, with our marks on it."""
        self.held: set[ObjectRef] = set()
        self.ever: set[ObjectRef] = set()
        """What they ever made."""
        self.gone: set[ObjectRef] = set()
        """What they ever deleted: of a StatefulSet the claims stay then, as they want it."""
        self.meddled: set[ObjectRef] = set()
        """What they ever made, changed or deleted."""
        self._count = 0

    def rebase(self) -> None:
        """The cluster is as it should be now: what comes later is compared with this."""
        self.model = Registry()
        for ref, obj in snapshot(self.live).items():
            self._put(ref, obj)
        self.touched.clear()

    def expected(self) -> dict[ObjectRef, Manifest]:
        """The cluster as it would be without KubeMin."""
        return snapshot(self.model)

    def create(self, manifest: Manifest, *, applied: bool = False, manager: str = "kubectl") -> str:
        """Make an object, unless one is there; says what became of it."""
        ref = ObjectRef.of(manifest)
        plural = resource_key(ref.kind)
        if stored(self.live, ref) is not None:
            return "there already"
        if plural not in self.live.catalog.resources:
            return "not served"
        if applied:
            self.live.patch(plural, ref.namespace, ref.name, _APPLY, manifest, manager=manager)
        else:
            self.live.create(plural, ref.namespace, manifest, manager=manager)
        self._touch(ref)
        self.ever.add(ref)
        self._put(ref, self.live.get(plural, ref.namespace, ref.name))
        return "made"

    def edit(self, ref: ObjectRef, what: str) -> str:
        """Edit an object, if it is there; says what became of it."""
        self._count += 1
        manager = "someone"
        plural = resource_key(ref.kind)
        found = stored(self.live, ref)
        if found is None:
            return "not there"
        content_type = _MERGE
        if what == "inject" and ref.kind in ("Deployment", "StatefulSet"):
            body, subresource, content_type = _injection(found), "", _STRATEGIC
        elif what == "inject" and is_custom(ref):
            body, subresource, content_type = _part_of(found), "", _APPLY
        else:
            body, subresource = self._patch(ref, what, f"foreign-{self._count}")
        try:
            self.live.patch(
                plural, ref.namespace, ref.name, content_type, body, manager=manager, subresource=subresource
            )
        except Problem as problem:
            return f"refused: {problem}"
        self._touch(ref)
        if what == "strip":
            self.stripped.add(ref)
        if what == "hold":
            self.held.add(ref)
        if self._same(ref, found):
            self.model.patch(
                plural, ref.namespace, ref.name, content_type, body, manager=manager, subresource=subresource
            )
        return "done"

    def delete(self, ref: ObjectRef) -> str:
        """Delete an object, if it is there; says what became of it."""
        plural = resource_key(ref.kind)
        found = stored(self.live, ref)
        if found is None:
            return "not there"
        known = self._same(ref, found)
        self.live.delete(plural, ref.namespace, ref.name, uid=found["metadata"]["uid"])
        self._touch(ref)
        self.gone.add(ref)
        if known:
            self._erase(ref, found["metadata"]["uid"])
        return "done"

    def remake(self, ref: ObjectRef) -> str:
        """Delete a ConfigMap or Secret and make it anew from an export: our marks are on it, as theirs."""
        found = stored(self.live, ref)
        if found is None or ref.kind not in ("ConfigMap", "Secret"):
            return "not there"
        kept = {key: value for key, value in found["metadata"].items() if key in _EXPORTED}
        export = copy.deepcopy({**found, "metadata": kept})
        self.delete(ref)
        outcome = self.create(export)
        if outcome == "made":
            self.remade.add(ref)
        return outcome

    def _touch(self, ref: ObjectRef) -> None:
        self.touched.add(ref)
        self.meddled.add(ref)

    def let_go(self) -> None:
        """Take our finalizers off again."""
        for ref in self.held:
            plural = resource_key(ref.kind)
            for registry in (self.live, self.model):
                found = stored(registry, ref)
                if found is None or HOLD not in (found["metadata"].get("finalizers") or []):
                    continue
                left = [one for one in found["metadata"]["finalizers"] if one != HOLD]
                body = {"metadata": {"finalizers": left or None}}
                registry.patch(plural, ref.namespace, ref.name, _MERGE, body, manager="someone")
        self.held.clear()

    def _patch(self, ref: ObjectRef, what: str, value: str) -> tuple[dict[str, Any], str]:
        if what == "strip":
            return {"metadata": {"annotations": {WRITE_TOKEN: None}}}, ""
        if what == "hold":
            return {"metadata": {"finalizers": [HOLD]}}, ""
        if what == "scale" and ref.kind in ("Deployment", "StatefulSet"):
            # A number that no part has: else it would be a change of the object as the task has it by then, and none
            # of the object as it was.
            return {"spec": {"replicas": 4 + self._count % 3}}, "scale"
        if what == "overwrite" and ref.kind == "ConfigMap":
            return {"data": {"version": value}}, ""
        if what == "overwrite" and ref.kind == "Secret":
            return {"stringData": {"version": value}}, ""
        if what == "overwrite" and is_custom(ref):
            return {"spec": {"size": 100 + self._count}}, ""
        if what == "overwrite":
            return {"metadata": {"labels": {"app.kubernetes.io/name": value}}}, ""
        if ref.kind == "ConfigMap":
            return {"data": {value: "x"}}, ""
        return {"metadata": {"labels": {f"example.com/{value}": "x"}}}, ""

    def _same(self, ref: ObjectRef, live: Manifest) -> bool:
        mine = stored(self.model, ref)
        return mine is not None and bool(mine["metadata"]["uid"] == live["metadata"]["uid"])

    def _put(self, ref: ObjectRef, obj: Manifest) -> None:
        self.model.storage.put(resource_key(ref.kind), (ref.namespace, ref.name), copy.deepcopy(obj))

    def _erase(self, ref: ObjectRef, uid: str) -> None:
        """Remove it from the model, and what goes with it."""
        self.model.storage.remove(resource_key(ref.kind), (ref.namespace, ref.name))
        for below, obj in snapshot(self.model).items():
            if any(owner["uid"] == uid for owner in obj["metadata"].get("ownerReferences") or []):
                self._erase(below, obj["metadata"]["uid"])


def _injection(workload: Manifest) -> dict[str, Any]:
    """What an injector, or `kubectl set env`, puts into a Pod template: items of lists in which ours are, too."""
    name = workload["spec"]["template"]["spec"]["containers"][0]["name"]
    env = [{"name": "INJECTED", "value": "1"}]
    pod = {"containers": [{"name": name, "env": env}], "hostAliases": [{"ip": "10.0.0.1", "hostnames": ["a"]}]}
    return {"spec": {"template": {"spec": pod}}}


def _part_of(custom: Manifest) -> dict[str, Any]:
    """What somebody else applies to a custom resource: items of lists in which ours are, too."""
    spec = {"ports": [{"name": "injected", "port": 9}], "tags": ["injected"]}
    meta = {"name": custom["metadata"]["name"]}
    return {"apiVersion": custom["apiVersion"], "kind": custom["kind"], "metadata": meta, "spec": spec}
