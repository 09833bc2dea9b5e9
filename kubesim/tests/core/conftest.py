"""A simulated cluster behind a socket, its controllers asleep, and a client that speaks plain HTTP to it."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from multidict import CIMultiDictProxy

from kubesim import SimServer

APPLY = "application/apply-patch+yaml"
JSON_PATCH = "application/json-patch+json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"

CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"


@dataclass
class Answer:
    """Status, body (parsed, where it is JSON) and headers."""

    status: int
    body: Any
    headers: CIMultiDictProxy[str]

    @property
    def version(self) -> str:
        """The object's, or the list's, resourceVersion."""
        version: str = self.body["metadata"]["resourceVersion"]
        return version

    @property
    def names(self) -> list[str]:
        """The names of a list's items."""
        return [item["metadata"]["name"] for item in self.body["items"]]


class Api:
    """Requests to a simulated cluster."""

    def __init__(self, server: SimServer, session: aiohttp.ClientSession) -> None:
        self.server = server
        self.session = session

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content_type: str = "application/json",
        headers: Mapping[str, str] | None = None,
        **query: str,
    ) -> Answer:
        data = body if isinstance(body, (bytes, str)) or body is None else json.dumps(body)
        sent = {"Content-Type": content_type, **(headers or {})} if data is not None else dict(headers or {})
        async with self.session.request(
            method, self.server.url + path, data=data, headers=sent, params=query
        ) as response:
            raw = await response.read()
            is_json = response.content_type == "application/json"
            return Answer(response.status, json.loads(raw) if is_json else raw.decode(), response.headers)

    async def get(self, path: str, **query: Any) -> Answer:
        return await self.call("GET", path, **query)

    async def post(self, path: str, body: Any, **options: Any) -> Answer:
        return await self.call("POST", path, body, **options)

    async def put(self, path: str, body: Any, **options: Any) -> Answer:
        return await self.call("PUT", path, body, **options)

    async def delete(self, path: str, body: Any = None, **options: Any) -> Answer:
        return await self.call("DELETE", path, body, **options)

    async def patch(self, path: str, body: Any, content_type: str = MERGE, **options: Any) -> Answer:
        return await self.call("PATCH", path, body, content_type=content_type, **options)

    async def apply(self, path: str, body: Any, *, manager: str = "test", **options: Any) -> Answer:
        return await self.patch(path, body, APPLY, fieldManager=manager, **options)

    async def made(self, path: str, body: Any, **options: Any) -> Answer:
        """POST that must succeed."""
        answer = await self.post(path, body, **options)
        assert answer.status == 201, answer.body
        return answer


@pytest.fixture
async def server() -> AsyncIterator[SimServer]:
    async with SimServer() as running:
        # Nobody but the test writes: what it reads is what it wrote.
        await running.controllers.settled()
        await running.controllers.stop()
        yield running


@pytest.fixture
async def api(server: SimServer) -> AsyncIterator[Api]:
    async with aiohttp.ClientSession() as session:
        yield Api(server, session)


def config_map(name: str = "a", data: Mapping[str, str] | None = None, **meta: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, **meta},
        "data": dict(data if data is not None else {"key": "value"}),
    }


def deployment(name: str = "web", image: str = "app:1", replicas: int | None = 1, **meta: Any) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "selector": {"matchLabels": {"app": name}},
        "template": {
            "metadata": {"labels": {"app": name}},
            "spec": {"containers": [{"name": "main", "image": image}]},
        },
    }
    if replicas is not None:
        spec["replicas"] = replicas
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, **meta}, "spec": spec}
