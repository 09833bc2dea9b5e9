"""Plain HTTP to a cluster, simulated or real: what a contract test asserts is what went over the wire."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, TypeVar

from kubemin.cluster import Cluster
from kubemin.cluster.requests import Request
from kubemin.cluster.watching import split_lines
from kubesim import SimServer

Json = dict[str, Any]
Items = list[Json]
T = TypeVar("T")

CORE = "/api/v1"
PREFIXES = {
    "namespaces": CORE,
    "configmaps": CORE,
    "secrets": CORE,
    "services": CORE,
    "endpoints": CORE,
    "pods": CORE,
    "persistentvolumeclaims": CORE,
    "serviceaccounts": CORE,
    "events": CORE,
    "resourcequotas": CORE,
    "endpointslices": "/apis/discovery.k8s.io/v1",
    "deployments": "/apis/apps/v1",
    "statefulsets": "/apis/apps/v1",
    "replicasets": "/apis/apps/v1",
    "controllerrevisions": "/apis/apps/v1",
    "jobs": "/apis/batch/v1",
    "ingresses": "/apis/networking.k8s.io/v1",
    "roles": "/apis/rbac.authorization.k8s.io/v1",
    "rolebindings": "/apis/rbac.authorization.k8s.io/v1",
    "clusterroles": "/apis/rbac.authorization.k8s.io/v1",
    "clusterrolebindings": "/apis/rbac.authorization.k8s.io/v1",
    "customresourcedefinitions": "/apis/apiextensions.k8s.io/v1",
}
CLUSTER_SCOPED = {"namespaces", "clusterroles", "clusterrolebindings", "customresourcedefinitions"}
PATCHES = {
    "json": "application/json-patch+json",
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "apply": "application/apply-patch+yaml",
}
PATIENCE = 120.0
"""Seconds for what controllers do in their own time. Only a failure takes that long."""


@dataclass(frozen=True)
class Reply:
    """Status code, body and headers (names in lower case) of an answer."""

    code: int
    body: Any
    headers: dict[str, str]

    def ok(self, code: int = 200) -> Json:
        """The body of an answer that must have this code."""
        assert self.code == code, (self.code, self.body)
        assert isinstance(self.body, dict)
        return self.body

    def refused(self, code: int, reason: str, message: str = "") -> Json:
        """The ``Status`` of a refusal that must have this code and reason, and ``message`` in its message."""
        assert self.code == code, (self.code, self.body)
        assert isinstance(self.body, dict), self.body
        assert (self.body["kind"], self.body["apiVersion"]) == ("Status", "v1")
        assert (self.body["status"], self.body["code"]) == ("Failure", code)
        assert self.body.get("reason", "") == reason, self.body
        assert message in self.body["message"], self.body["message"]
        assert self.body["metadata"] == {}
        return self.body

    def causes(self) -> set[tuple[str, str]]:
        """(reason, field) of each cause of a refusal."""
        return {(cause["reason"], cause["field"]) for cause in self.body["details"]["causes"]}


class Kube:
    """A cluster, and the namespace that this test has for itself."""

    def __init__(
        self,
        cluster: Cluster,
        namespace: str,
        *,
        real: bool,
        image: str,
        controllers: bool = True,
        server: SimServer | None = None,
    ) -> None:
        self.cluster = cluster
        self.server = server
        self.namespace = namespace
        self.real = real
        self.controllers = controllers
        self._image = image

    def image(self, fate: str) -> tuple[str, list[str]]:
        """Image and command of a container that is ``ready``, that ``crash``es, or whose image cannot be ``pull``ed.

        The simulated cluster goes by the image, a real one by the command.
        """
        if fate == "pull":
            return "image.invalid/pull:none", []
        if not self.real:
            return f"app-{fate}:1", []
        return self._image, ["sh", "-c", "exit 3" if fate == "crash" else "trap 'exit 0' TERM; sleep 3600 & wait"]

    def path(self, plural: str, name: str = "", sub: str = "", *, namespace: str | None = None) -> str:
        """URL path of a collection or an object; ``namespace=""`` for all namespaces."""
        place = self.namespace if namespace is None else namespace
        middle = f"/namespaces/{place}" if place and plural not in CLUSTER_SCOPED else ""
        return "/".join(part for part in (f"{PREFIXES[plural]}{middle}/{plural}", name, sub) if part)

    async def call(
        self, method: str, path: str, body: Any = None, *, content_type: str = "application/json", **query: Any
    ) -> Reply:
        """Any request. ``body`` that is no bytes goes as JSON."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        pairs = tuple((name.rstrip("_"), str(value)) for name, value in query.items() if value is not None)
        answer = await self.cluster.raw(Request("call", method, path, path, pairs, data, content_type))
        try:
            found = answer.json()
        except ValueError:
            found = answer.body
        return Reply(answer.status, found, dict(answer.headers))

    async def post(self, plural: str, body: Json, *, namespace: str | None = None, **query: Any) -> Reply:
        return await self.call("POST", self.path(plural, namespace=namespace), body, **_manager(query))

    async def make(self, plural: str, body: Json, **query: Any) -> Json:
        """Create, and it must succeed."""
        return (await self.post(plural, body, **query)).ok(201)

    async def get(self, plural: str, name: str, sub: str = "", **query: Any) -> Reply:
        return await self.call("GET", self.path(plural, name, sub), **query)

    async def read(self, plural: str, name: str) -> Json:
        """Get, and it must be there."""
        return (await self.get(plural, name)).ok()

    async def put(self, plural: str, body: Json, *, name: str = "", sub: str = "", **query: Any) -> Reply:
        return await self.call("PUT", self.path(plural, name or body["metadata"]["name"], sub), body, **_manager(query))

    async def patch(
        self, plural: str, name: str, body: Any, *, kind: str = "merge", sub: str = "", **query: Any
    ) -> Reply:
        return await self.call(
            "PATCH", self.path(plural, name, sub), body, content_type=PATCHES[kind], **_manager(query)
        )

    async def apply(self, plural: str, body: Json, *, sub: str = "", **query: Any) -> Reply:
        return await self.patch(plural, body["metadata"]["name"], body, kind="apply", sub=sub, **query)

    async def delete(self, plural: str, name: str, **options: Any) -> Reply:
        body = {"apiVersion": "v1", "kind": "DeleteOptions", **options} if options else None
        return await self.call("DELETE", self.path(plural, name), body)

    async def list(self, plural: str, **query: Any) -> Reply:
        return await self.call("GET", self.path(plural), **query)

    async def watch(self, plural: str, *, namespace: str | None = None, **query: Any) -> AsyncGenerator[Json, None]:
        """The events of a watch, until the server ends it."""
        path = self.path(plural, namespace=namespace)
        pairs = (("watch", "true"), *((name, str(value)) for name, value in query.items()))
        request = Request("watch", "GET", path, path, pairs)
        async with self.cluster.stream(request, silence=PATIENCE) as chunks, aclosing(split_lines(chunks)) as lines:
            async for line in lines:
                yield json.loads(line)

    async def until(self, plural: str, name: str, check: Callable[[Json | None], T | None]) -> T:
        """The first result of ``check`` on the object, or None while it is absent, that is neither None nor False."""

        async def wait() -> T:
            listed = (await self.list(plural, fieldSelector=f"metadata.name={name}")).ok()
            found = check(listed["items"][0] if listed["items"] else None)
            if found:
                return found
            version = listed["metadata"]["resourceVersion"]
            events = self.watch(plural, fieldSelector=f"metadata.name={name}", resourceVersion=version)
            async for event in events:
                assert event["type"] != "ERROR", event
                found = check(None if event["type"] == "DELETED" else event["object"])
                if found:
                    return found
            raise AssertionError("the watch ended")

        async with asyncio.timeout(PATIENCE):
            return await wait()

    async def until_gone(self, plural: str, name: str) -> None:
        await self.until(plural, name, lambda item: item is None)

    async def soon(self, what: str, ask: Callable[[], Awaitable[Reply]]) -> Reply:
        """The first answer that is neither 403 nor 404: a real cluster's authorizer may know a moment late."""
        async with asyncio.timeout(PATIENCE):
            while (reply := await ask()).code in (403, 404):
                assert self.real, (what, reply.body)
                await asyncio.sleep(0.05)
            return reply

    async def soon_gone(self, what: str, ask: Callable[[], Awaitable[Reply]]) -> Reply:
        """The first answer that is a 404: a real cluster may stop to serve a path a moment late."""
        async with asyncio.timeout(PATIENCE):
            while (reply := await ask()).code != 404:
                assert self.real, (what, reply.body)
                await asyncio.sleep(0.05)
            return reply

    async def until_listed(self, plural: str, check: Callable[[Items], T | None], **query: Any) -> T:
        """The first result of ``check`` on a whole collection that is neither None nor False."""
        async with asyncio.timeout(PATIENCE):
            while True:
                listed = (await self.list(plural, **query)).ok()
                found = check(listed["items"])
                if found:
                    return found
                version = listed["metadata"]["resourceVersion"]
                async with aclosing(self.watch(plural, resourceVersion=version, **query)) as events:
                    await anext(events)


def _manager(query: dict[str, Any]) -> dict[str, Any]:
    """``manager="x"`` is short for fieldManager; "me" when not given."""
    query = dict(query)
    return {"fieldManager": query.pop("manager", "me"), **query}


def meta(item: Json) -> Json:
    found: Json = item["metadata"]
    return found


def entries(item: Json) -> dict[tuple[str, str, str], Json]:
    """managedFields by (manager, operation, subresource)."""
    return {
        (entry["manager"], entry["operation"], entry.get("subresource", "")): entry["fieldsV1"]
        for entry in meta(item).get("managedFields", [])
    }


def owners(item: Json, *path: str) -> set[str]:
    """The managers that own the field at ``path`` (keys as in fieldsV1, or plain names of fields)."""
    return {manager for (manager, _, _), fields in entries(item).items() if _holds(fields, path)}


def _holds(fields: Json, path: Sequence[str]) -> bool:
    for step in path:
        key = step if step[:2] in ("f:", "k:", "v:") else f"f:{step}"
        if key not in fields:
            return False
        fields = fields[key]
    return True
