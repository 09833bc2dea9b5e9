"""Who asks through a Service all the time: each change of the simulated cluster is looked at, none is missed."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kubemin.spec.objects import Manifest
from kubesim.server import SimServer

_TELLING = ("Pod", "Service", "EndpointSlice")


class Client:
    """What a client of a Service would have found after each change."""

    def __init__(self, sim: SimServer, service: str) -> None:
        self.images: list[set[str]] = []
        """The images of the Pods behind the Service, each time that these changed."""
        self.unanswered: list[str] = []
        """The changes after which nobody answered."""
        self.looks = 0
        self._sim = sim
        self._service = service

    def look(self, change: str = "the beginning") -> None:
        """Take in the cluster as it is."""
        self.looks += 1
        images = {pod["spec"]["containers"][0]["image"] for pod in self._selected()}
        if not images:
            self.unanswered.append(f"{change}: no ready Pod is selected")
        if not self._in_the_slices():
            self.unanswered.append(f"{change}: no endpoint is ready")
        if not self.images or self.images[-1] != images:
            self.images.append(images)

    def _selected(self) -> list[Manifest]:
        registry = self._sim.registry
        selector = registry.get("services", "default", self._service)["spec"]["selector"]
        return [
            pod
            for pod in registry.scan("pods", "default")
            if selector.items() <= pod["metadata"]["labels"].items()
            and "deletionTimestamp" not in pod["metadata"]
            and any(one["type"] == "Ready" and one["status"] == "True" for one in pod["status"].get("conditions") or ())
        ]

    def _in_the_slices(self) -> bool:
        """Whether the EndpointSlices, which lag behind, have an endpoint that is ready."""
        labels = f"kubernetes.io/service-name={self._service}"
        slices = self._sim.registry.list("endpointslices", "default", labels)
        return any(one["conditions"].get("ready") for each in slices for one in each.get("endpoints") or ())


@contextmanager
def asking(sim: SimServer, service: str) -> Iterator[Client]:
    """A client that asks from now on."""
    client, asks = Client(sim, service), True
    client.look()

    def changed(event: str, obj: Any, _old: Any) -> None:
        if asks and obj["kind"] in _TELLING:
            client.look(f"{event} {obj['kind']} {obj['metadata']['name']} {obj['metadata']['resourceVersion']}")

    sim.registry.subscribe(changed)
    try:
        yield client
    finally:
        asks = False
