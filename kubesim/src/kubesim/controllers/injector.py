"""ConfigMaps that others put into every Namespace: a service mesh its certificate, a trust manager its bundle."""

from collections.abc import Mapping

from kubesim.controllers.hub import Controller, Hub, Key
from kubesim.controllers.view import is_deleting
from kubesim.jsondata import Object
from kubesim.storage import EventType

MANAGER = "injector"

_DELAY = 1.0  # seconds at speed 1 from a Namespace's creation

Injected = Mapping[str, Mapping[str, str]]
"""The data of each ConfigMap by its name."""


class Injector(Controller):
    """Syncs namespaces by name. What it has made and others change or delete, it makes again."""

    watches = ("namespaces", "configmaps")

    def __init__(self, hub: Hub, injected: Injected) -> None:
        super().__init__(hub)
        self._injected = injected

    def changed(self, event: EventType, plural: str, obj: Object, old: Object | None) -> None:
        meta = obj["metadata"]
        if plural == "configmaps":
            if event != "ADDED" and meta["name"] in self._injected:
                self.enqueue(meta["namespace"])
        elif event == "ADDED" and self._injected:
            self.hub.later(_DELAY, self, (meta["name"],))
        elif event == "DELETED":
            self.hub.forget(self, (meta["name"],))

    def sync(self, key: Key) -> None:
        (namespace,) = key
        found = self.view.get("namespaces", "", namespace)
        if found is None or is_deleting(found):
            return
        for name, data in self._injected.items():
            current = self.view.get("configmaps", namespace, name)
            if current is None:
                meta = {"name": name, "namespace": namespace}
                body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": dict(data)}
                self.hub.create("configmaps", body, manager=MANAGER)
            elif current.get("data") != data and not is_deleting(current):
                self.hub.update("configmaps", {**current, "data": dict(data)}, manager=MANAGER)
