"""Namespaces: what a fresh one holds, and how one is emptied before it goes."""

from kubesim import conditions
from kubesim.controllers.hub import Controller, Key
from kubesim.controllers.view import is_deleting
from kubesim.jsondata import Object
from kubesim.problems import Problem
from kubesim.resources import Resource
from kubesim.storage import EventType

ROOT_CA = "kube-root-ca.crt"
_CA_NOTE = (
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the "
    "internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes "
    "clusters."
)
_CERTIFICATE = "-----BEGIN CERTIFICATE-----\nsimulated\n-----END CERTIFICATE-----\n"


class NamespaceController(Controller):
    """Syncs namespaces by name. Hears of everything: what leaves a terminating namespace may have been its last."""

    watches = ("*",)

    def changed(self, event: EventType, plural: str, obj: Object, old: Object | None) -> None:
        meta = obj["metadata"]
        if plural == "namespaces":
            self.enqueue(meta["name"])
        elif event == "DELETED" or (plural in ("serviceaccounts", "configmaps") and event == "MODIFIED"):
            namespace = meta.get("namespace")
            if namespace and (self._is_going(namespace) or meta["name"] in ("default", ROOT_CA)):
                self.enqueue(namespace)

    def _is_going(self, name: str) -> bool:
        found = self.view.get("namespaces", "", name)
        return found is not None and is_deleting(found)

    def sync(self, key: Key) -> None:
        found = self.view.get("namespaces", "", key[0])
        if found is None:
            self.hub.forget(self, key)
        elif is_deleting(found):
            self._empty(found)
        else:
            self._furnish(key[0])

    def _furnish(self, name: str) -> None:
        if self.view.get("serviceaccounts", name, "default") is None:
            body = {
                "apiVersion": "v1",
                "kind": "ServiceAccount",
                "metadata": {"name": "default", "namespace": name},
            }
            self.hub.create("serviceaccounts", body)
        data = {"ca.crt": _CERTIFICATE}
        current = self.view.get("configmaps", name, ROOT_CA)
        if current is None:
            annotations = {"kubernetes.io/description": _CA_NOTE}
            body = {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": ROOT_CA, "namespace": name, "annotations": annotations},
                "data": data,
            }
            self.hub.create("configmaps", body)
        elif current.get("data") != data:
            self.hub.update("configmaps", {**current, "data": data})

    def _empty(self, found: Object) -> None:
        """Ask all content to go; when it is gone, take off the namespace's finalizer, which removes it."""
        name = found["metadata"]["name"]
        for resource in self._namespaced():
            for obj in self.view.all(resource.key, name):
                if not is_deleting(obj):
                    self.hub.delete(resource.key, obj, propagation="Background")
        self.hub.registry.delete_collection("events", name)
        left = {
            resource.qualified: objects
            for resource in self._namespaced()
            if (objects := self.view.all(resource.key, name))
        }
        self._write_status(name, left)
        found_now = self.view.get("namespaces", "", name)
        if not left and found_now is not None:
            spec = {key: value for key, value in found_now["spec"].items() if key != "finalizers"}
            try:
                self.hub.update("namespaces", {**found_now, "spec": spec}, subresource="finalize")
            except Problem as problem:
                if problem.code != 404:
                    raise

    def _namespaced(self) -> list[Resource]:
        """The namespaced resources of which there are objects."""
        resources = self.hub.registry.catalog.resources
        return [found for key in self.view.plurals() if (found := resources.get(key)) and found.namespaced]

    def _write_status(self, name: str, left: dict[str, list[Object]]) -> None:
        found = self.view.get("namespaces", "", name)
        if found is None:
            return
        remaining = ", ".join(
            f"{qualified}. has {len(objects)} resource instances" for qualified, objects in sorted(left.items())
        )
        finalizers: dict[str, int] = {}
        for objects in left.values():
            for obj in objects:
                for finalizer in obj["metadata"].get("finalizers") or ():
                    finalizers[finalizer] = finalizers.get(finalizer, 0) + 1
        waiting = ", ".join(f"{key} in {number} resource instances" for key, number in sorted(finalizers.items()))
        status = found.get("status") or {}
        known = status.get("conditions", [])
        for kind, bad, good_reason, good, bad_reason, text in (
            (
                "NamespaceDeletionDiscoveryFailure",
                "",
                "ResourcesDiscovered",
                "All resources successfully discovered",
                "",
                "",
            ),
            (
                "NamespaceDeletionGroupVersionParsingFailure",
                "",
                "ParsedGroupVersions",
                "All legacy kube types successfully parsed",
                "",
                "",
            ),
            (
                "NamespaceDeletionContentFailure",
                "",
                "ContentDeleted",
                "All content successfully deleted, may be waiting on finalization",
                "",
                "",
            ),
            (
                "NamespaceContentRemaining",
                remaining,
                "ContentRemoved",
                "All content successfully removed",
                "SomeResourcesRemain",
                "Some resources are remaining: ",
            ),
            (
                "NamespaceFinalizersRemaining",
                waiting,
                "ContentHasNoFinalizers",
                "All content-preserving finalizers finished",
                "SomeFinalizersRemain",
                "Some content in the namespace has finalizers remaining: ",
            ),
        ):
            outcome = ("True", bad_reason, text + bad) if bad else ("False", good_reason, good)
            old = conditions.find(known, kind)
            if old is None or (old["status"], old["reason"], old["message"]) != outcome:
                known = conditions.put(known, kind, *outcome, self.hub.now(), again=True)
        self.hub.set_status("namespaces", found, {**status, "conditions": known})
