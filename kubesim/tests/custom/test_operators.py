"""Operators: what acts on custom resources."""

from typing import Any

import aiohttp

from core.conftest import Api
from kubesim import Operator, SimServer
from kubesim.jsondata import Object

from .samples import CRDS, KEY, WIDGETS, definition, widget


def child(owner: Object) -> list[Object]:
    meta = {"name": f"{owner['metadata']['name']}-conf"}
    return [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"size": str(owner["spec"]["size"])}}]


async def run(operator: Operator, act: Any) -> None:
    async with SimServer(speed=100, operators=[operator]) as server, aiohttp.ClientSession() as session:
        api = Api(server, session)
        await api.made(CRDS, definition())
        await server.controllers.settled()
        await api.made(WIDGETS, widget(spec={"size": 1}))
        await act(api)


async def found(api: Api) -> Object:
    await api.server.controllers.settled()
    body: Object = (await api.get(f"{WIDGETS}/a")).body
    return body


async def test_an_object_is_ready_for_each_generation() -> None:
    async def act(api: Api) -> None:
        first = await found(api)
        assert first["status"]["observedGeneration"] == 1
        assert first["status"]["address"] == "here"
        (ready,) = first["status"]["conditions"]
        assert (ready["type"], ready["status"], ready["observedGeneration"]) == ("Ready", "True", 1)
        await api.patch(f"{WIDGETS}/a", {"spec": {"size": 2}})
        assert (await found(api))["status"]["observedGeneration"] == 2

    await run(Operator(KEY, status={"address": "here"}), act)


async def test_an_object_fails() -> None:
    async def act(api: Api) -> None:
        (ready,) = (await found(api))["status"]["conditions"]
        assert (ready["status"], ready["message"]) == ("False", "no room")

    await run(Operator(KEY, fail="no room"), act)


async def test_a_function_says_what_the_status_is() -> None:
    async def act(api: Api) -> None:
        assert (await found(api))["status"] == {"size": 1}

    await run(Operator(KEY, reconcile=lambda obj: {"size": obj["spec"]["size"]}), act)


async def test_what_it_makes_goes_with_its_owner_once_the_operator_lets_it() -> None:
    async def act(api: Api) -> None:
        owner = await found(api)
        assert owner["metadata"]["finalizers"] == ["example.com/operator"]
        made = (await api.get("/api/v1/namespaces/default/configmaps/a-conf")).body
        (reference,) = made["metadata"]["ownerReferences"]
        assert (reference["uid"], reference["controller"]) == (owner["metadata"]["uid"], True)
        await api.delete(f"{WIDGETS}/a")
        await api.server.controllers.settled()
        assert (await api.get(f"{WIDGETS}/a")).status == 404
        assert (await api.get("/api/v1/namespaces/default/configmaps/a-conf")).status == 404

    await run(Operator(KEY, children=child, finalizer="example.com/operator"), act)


async def test_it_can_come_later() -> None:
    async with SimServer(speed=100) as server, aiohttp.ClientSession() as session:
        api = Api(server, session)
        await api.made(CRDS, definition())
        await server.controllers.settled()
        await api.made(WIDGETS, widget(spec={"size": 1}))
        server.controllers.operate(Operator(KEY))
        assert (await found(api))["status"]["conditions"][0]["status"] == "True"


async def test_it_acts_only_while_its_own_pods_are_ready() -> None:
    workload = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "operator"},
        "spec": {
            "selector": {"matchLabels": {"app": "operator"}},
            "template": {
                "metadata": {"labels": {"app": "operator"}},
                "spec": {"containers": [{"name": "operator", "image": "operator:1"}]},
            },
        },
    }

    async def act(api: Api) -> None:
        assert "status" not in await found(api)
        await api.made("/apis/apps/v1/namespaces/default/deployments", workload)
        assert (await found(api))["status"]["conditions"][0]["status"] == "True"

    await run(Operator(KEY, runs_as=("deployments", "default", "operator")), act)
