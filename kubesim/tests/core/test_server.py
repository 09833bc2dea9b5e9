"""The server as a whole: how it starts and stops, its kubeconfig, several at once."""

import asyncio

import aiohttp
import pytest
import yaml

from kubesim import SimServer

from .conftest import CONFIG_MAPS, Api, config_map


async def test_a_cluster_is_furnished_before_anybody_sees_it() -> None:
    async with SimServer() as server, aiohttp.ClientSession() as session:
        api = Api(server, session)
        assert (await api.get("/api/v1/namespaces")).names == [
            "default",
            "kube-node-lease",
            "kube-public",
            "kube-system",
        ]
        for path, name in (
            ("serviceaccounts", "default"),
            ("configmaps", "kube-root-ca.crt"),
        ):
            for namespace in ("default", "kube-system"):
                assert name in (await api.get(f"/api/v1/namespaces/{namespace}/{path}")).names
        assert (await api.get("/api/v1/nodes")).names
        before = (await api.get("/api/v1/nodes")).version
        await server.controllers.settled()
        assert (await api.get("/api/v1/nodes")).version == before


async def test_two_clusters_share_nothing() -> None:
    async with SimServer() as one, SimServer() as two, aiohttp.ClientSession() as session:
        await Api(one, session).made(CONFIG_MAPS, config_map())
        assert one.port != two.port
        assert (await Api(two, session).get(f"{CONFIG_MAPS}/a")).status == 404


async def test_a_port_that_is_taken_is_an_os_error_and_nothing_is_left_running() -> None:
    async with SimServer() as server:
        before = asyncio.all_tasks()
        with pytest.raises(OSError, match="in use"):
            await SimServer(port=server.port).__aenter__()
        assert asyncio.all_tasks() == before


async def test_its_kubeconfig_leads_to_it() -> None:
    async with SimServer(token="secret") as server:
        config = yaml.safe_load(server.kubeconfig())
        (cluster,) = config["clusters"]
        (user,) = config["users"]
        (context,) = config["contexts"]
        assert cluster["cluster"] == {"server": server.url}
        assert user["user"] == {"token": "secret"}
        assert (context["context"]["cluster"], context["context"]["user"]) == (cluster["name"], user["name"])
        assert config["current-context"] == context["name"]


async def test_it_stops_listening_and_has_no_url_then() -> None:
    async with SimServer() as server:
        url = server.url
    with pytest.raises(RuntimeError):
        _ = server.port
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get(url)


async def test_a_token_is_asked_for() -> None:
    async with SimServer(token="secret") as server:
        for token, status in (("secret", 200), ("other", 401)):
            headers = {"Authorization": f"Bearer {token}"}
            async with (
                aiohttp.ClientSession(headers=headers) as session,
                session.get(f"{server.url}/api/v1/nodes") as response,
            ):
                assert response.status == status
