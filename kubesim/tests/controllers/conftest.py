"""A cluster without HTTP: a registry, its controllers at high speed, and a way to wait for what they do."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

import pytest

from kubesim.controllers import Controllers
from kubesim.jsondata import Object
from kubesim.registry import Registry
from kubesim.resources import BY_KIND

T = TypeVar("T")


class World:
    """Shorthand for what a user of the cluster does, and ``until`` to wait for what the cluster does."""

    def __init__(self, registry: Registry, controllers: Controllers) -> None:
        self.registry = registry
        self.controllers = controllers
        self._changed = asyncio.Event()
        registry.subscribe(lambda *_: self._changed.set())

    def create(self, obj: Object) -> Object:
        """POST, in the namespace that the object names or in ``default``."""
        resource = BY_KIND[obj["kind"]]
        namespace = obj["metadata"].get("namespace", "default") if resource.namespaced else ""
        return self.registry.create(resource.plural, namespace, obj, manager="test")

    def get(self, plural: str, name: str, namespace: str = "default") -> Object | None:
        """The stored object."""
        return self.registry.peek(plural, namespace, name)

    def all(self, plural: str, namespace: str = "default") -> list[Object]:
        """The objects of a namespace, by name."""
        return self.registry.list(plural, namespace)

    def names(self, plural: str, namespace: str = "default") -> list[str]:
        """Their names."""
        return [obj["metadata"]["name"] for obj in self.all(plural, namespace)]

    def merge(self, plural: str, name: str, patch: Object, namespace: str = "default", **options: Any) -> Object:
        """A merge patch."""
        content_type = "application/merge-patch+json"
        return self.registry.patch(plural, namespace, name, content_type, patch, manager="test", **options)

    def delete(self, plural: str, name: str, namespace: str = "default", **options: Any) -> Object:
        """DELETE."""
        return self.registry.delete(plural, namespace, name, **options)

    def heard(self, event: str, kind: str) -> list[str]:
        """The names of the objects that such events are about, from now on, as they come."""
        names: list[str] = []

        def hear(found: str, obj: Object, old: Object | None) -> None:
            if (found, obj["kind"]) == (event, kind):
                names.append(obj["metadata"]["name"])

        self.registry.subscribe(hear)
        return names

    async def until(self, check: Callable[[], T | None]) -> T:
        """The first true answer of ``check``, asked now and after each change."""
        async with asyncio.timeout(120):
            while not (answer := check()):
                self._changed.clear()
                await self._changed.wait()
            return answer

    async def settled(self) -> None:
        """Until the cluster is at rest."""
        async with asyncio.timeout(120):
            await self.controllers.settled()

    def events(self, name: str, namespace: str = "default") -> dict[str, str]:
        """The messages of the events about the objects of a name, by reason."""
        return {
            event["reason"]: event["message"]
            for event in self.all("events", namespace)
            if event["involvedObject"]["name"] == name
        }


@pytest.fixture
async def world() -> AsyncIterator[World]:
    registry = Registry()
    for name in ("default", "kube-system"):
        registry.create("namespaces", "", {"metadata": {"name": name}}, manager="test")
    controllers = Controllers(registry, speed=1000.0)
    await controllers.start()
    yield World(registry, controllers)
    await controllers.stop()


def template(image: str = "app:1", labels: dict[str, str] | None = None, **spec: Any) -> Object:
    """A Pod template with one container."""
    return {
        "metadata": {"labels": labels or {"app": "web"}},
        "spec": {"containers": [{"name": "main", "image": image}], **spec},
    }


def deployment(name: str = "web", image: str = "app:1", replicas: int = 1, **spec: Any) -> Object:
    """A Deployment of Pods with one container."""
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": template(image, labels),
            **spec,
        },
    }


def stateful(name: str = "db", image: str = "app:1", replicas: int = 1, **spec: Any) -> Object:
    """A StatefulSet of Pods with one container and one volume."""
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "serviceName": name,
            "selector": {"matchLabels": labels},
            "template": template(image, labels),
            "volumeClaimTemplates": [
                {
                    "metadata": {"name": "data"},
                    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
                }
            ],
            **spec,
        },
    }


def pod(name: str = "one", image: str = "app:1", **spec: Any) -> Object:
    """A Pod on its own."""
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": template(image, **spec)["spec"]}


def claim(name: str = "data", **spec: Any) -> Object:
    """A claim of one GiB."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, **spec},
    }
