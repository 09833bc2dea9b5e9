"""Whoever gives manifests is told whether their kinds belong to the whole cluster, which only the cluster knows."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from kubemin.api.app import create_app
from kubemin.api.deps import Deps
from kubemin.cluster import Cluster
from kubemin.cluster.errors import NotFound, ServerError
from kubemin.engine.entry.cluster_services import ClusterServices
from kubesim.server import SimServer
from tests.api.conftest import Api
from tests.engine.test_manifests import definition, widget
from tests.waiting import PATIENCE, until

OBJECT = widget("one", size=1)
PART = {"name": "w", "type": "manifests", "properties": {"manifests": [OBJECT]}}


@pytest.fixture
async def api(deps: Deps) -> AsyncIterator[Api]:
    """The API of a server whose cluster has such a kind."""
    async with SimServer(speed=50) as sim:
        sim.registry.create("customresourcedefinitions", "", definition("Widget", "Cluster"), manager="ada")
        cluster = await Cluster.connect(kubeconfig=None, context=None, url=sim.url, timeout=PATIENCE)

        async def served() -> object:
            try:
                return await cluster.served("Widget.example.com")
            except (NotFound, ServerError):
                return None

        await until(served)
        knowing = replace(deps, clusters={"default": ClusterServices(deps.db, cluster, deps.limits)})
        transport = httpx.ASGITransport(create_app(knowing), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
            yield Api(http, deps.db)
        await cluster.aclose()


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/applications/{app_id}/version", {"components": [{**PART, "action": "add"}], "autoExec": False}),
        ("/applications/try", {"name": "other", "component": [PART]}),
        ("/apply", {"application": {"name": "other", "component": [PART]}}),
        ("/applications/plan", {"name": "other", "component": [PART]}),
    ],
)
async def test_a_cluster_scoped_object_that_no_setting_allows_is_refused(api: Api, path: str, body: Any) -> None:
    app_id = (await api.create())["id"]
    answer = await api.http.post(f"/api/v1{path.format(app_id=app_id)}", json=body)
    assert "KUBEMIN_ALLOW_CLUSTER_KINDS" in answer.text, answer.text


async def test_a_text_with_such_an_object_is_wrong(api: Api) -> None:
    text = f"name: other\ncomponent:\n- {PART}\n"
    answer = await api.post("/applications/read", {"text": text})
    assert [mistake["line"] for mistake in answer["errors"]] == [3]
    assert "KUBEMIN_ALLOW_CLUSTER_KINDS" in answer["errors"][0]["message"]
