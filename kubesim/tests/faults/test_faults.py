"""Each fault does what it says, to the requests that it names, and to no others."""

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from controllers.conftest import deployment, stateful
from faults.conftest import Client
from kubesim import SimServer
from kubesim.faults import STUCK, Fault, RequestInfo

SCALE = "/apis/apps/v1/namespaces/default/statefulsets/db/scale"
BROKEN = (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError)


def stored(server: SimServer, name: str, plural: str = "configmaps") -> bool:
    return server.registry.peek(plural, "default", name) is not None


async def test_no_fault_no_change(client: Client) -> None:
    assert (await client.make("a"))[0] == 201
    assert (await client("GET", "configmaps/a"))[0] == 200


async def test_status_with_retry_after_and_the_write_does_not_happen(server: SimServer, client: Client) -> None:
    armed = server.faults.add(Fault("status", verb="create", resource="configmaps", code=429, retry_after=7))
    async with client.session.post(
        f"{client.url}/api/v1/namespaces/default/configmaps", json={"metadata": {"name": "a"}}
    ) as response:
        body = await response.json()
        assert (response.status, response.headers["Retry-After"], body["reason"]) == (429, "7", "TooManyRequests")
        assert body["details"]["retryAfterSeconds"] == 7
    assert not stored(server, "a")
    assert (await client.make("a"))[0] == 201
    assert (armed.seen, armed.strikes) == (2, 1)


async def test_status_after_the_write(server: SimServer, client: Client) -> None:
    server.faults.add(Fault("status", verb="create", code=504, when="after"))
    assert (await client.make("a"))[0] == 504
    assert stored(server, "a")


@pytest.mark.parametrize("when", ["before", "after"])
async def test_drop(server: SimServer, client: Client, when: str) -> None:
    server.faults.add(Fault("drop", verb="create", when="after" if when == "after" else "before"))
    with pytest.raises(BROKEN):
        await client.make("a")
    assert stored(server, "a") == (when == "after")


async def test_drop_after_a_refusal(server: SimServer, client: Client) -> None:
    await client.make("a")
    server.faults.add(Fault("drop", verb="create", when="after"))
    with pytest.raises(BROKEN):
        await client.make("a")


async def test_late_lands_when_released(server: SimServer, client: Client) -> None:
    armed = server.faults.add(Fault("late", verb="create"))
    with pytest.raises(BROKEN):
        await client.make("a")
    assert not stored(server, "a")
    assert await armed.release() == [201]
    assert stored(server, "a")


async def test_late_is_judged_by_what_is_there_then(server: SimServer, client: Client) -> None:
    _, made = await client.make("a")
    armed = server.faults.add(Fault("late", verb="delete", times=None))
    options = {
        "preconditions": {"uid": made["metadata"]["uid"], "resourceVersion": made["metadata"]["resourceVersion"]}
    }
    with pytest.raises(BROKEN):
        await client("DELETE", "configmaps/a", options)
    changed = {**made, "data": {"x": "1"}}
    assert (await client("PUT", "configmaps/a", changed))[0] == 200
    assert await armed.release() == [409]
    assert stored(server, "a")


async def test_late_lands_by_itself(server: SimServer, client: Client) -> None:
    landed = asyncio.Event()
    server.registry.subscribe(lambda kind, obj, old: landed.set() if obj["metadata"]["name"] == "a" else None)
    armed = server.faults.add(Fault("late", verb="create", seconds=0.01))
    with pytest.raises(BROKEN):
        await client.make("a")
    async with asyncio.timeout(120):
        await landed.wait()
    assert await armed.release() == []


async def test_skip_and_times(server: SimServer, client: Client) -> None:
    server.faults.add(Fault("status", verb="create", skip=1, times=2))
    assert [(await client.make(name))[0] for name in "abcd"] == [201, 503, 503, 201]


async def test_matching(server: SimServer, client: Client) -> None:
    server.faults.add(Fault("status", verb="write", resource="config*", namespace="default", name="a-*", times=None))
    server.faults.add(Fault("status", verb="apply", code=500, times=None))
    assert (await client.make("a-1"))[0] == 503
    assert (await client.make("b-1"))[0] == 201
    assert (await client("POST", "secrets", {"metadata": {"name": "a-1"}}))[0] == 201
    assert (await client("GET", "configmaps/a-1"))[0] == 404
    headers = {"Content-Type": "application/merge-patch+json"}
    assert (await client("PATCH", "configmaps/b-1", {"data": {}}, headers=headers))[0] == 200
    headers = {"Content-Type": "application/apply-patch+yaml"}
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "b-1"}}
    assert (await client("PATCH", "configmaps/b-1?fieldManager=x", body, headers=headers))[0] == 500


async def test_dry_runs_do_not_count_unless_asked_for(server: SimServer, client: Client) -> None:
    server.faults.add(Fault("status", verb="create"))
    body = {"metadata": {"name": "a"}}
    assert (await client("POST", "configmaps?dryRun=All", body))[0] == 201
    assert (await client("POST", "configmaps", body))[0] == 503
    server.faults.add(Fault("status", verb="create", dry_run=True))
    assert (await client("POST", "configmaps", body))[0] == 201
    assert (await client("POST", "configmaps?dryRun=All", {"metadata": {"name": "b"}}))[0] == 503


async def test_hold_and_release(server: SimServer, client: Client) -> None:
    armed = server.faults.add(Fault("hold", verb="create"))
    asked = asyncio.create_task(client.make("a"))
    async with asyncio.timeout(120):
        await armed.struck()
    assert not stored(server, "a")
    await armed.release()
    assert (await asked)[0] == 201


async def test_call_runs_between_the_look_and_the_write(server: SimServer, client: Client) -> None:
    _, made = await client.make("a")

    def edit(info: RequestInfo) -> None:
        body = {"data": {"theirs": "1"}}
        server.registry.patch(
            info.resource, info.namespace, info.name, "application/merge-patch+json", body, manager="other"
        )

    server.faults.add(Fault("call", verb="update", call=edit))
    assert (await client("PUT", "configmaps/a", {**made, "data": {"ours": "1"}}))[0] == 409


async def test_latency_comes_before_the_write(server: SimServer, client: Client) -> None:
    server.faults.add(Fault("latency", verb="create", seconds=0.01))
    assert (await client.make("a"))[0] == 201


async def _lines(response: aiohttp.ClientResponse) -> list[dict[str, object]]:
    return [json.loads(line) async for line in response.content]


async def test_watch_410(server: SimServer, client: Client) -> None:
    server.faults.add(Fault("expire", verb="watch"))
    url = f"{client.url}/api/v1/configmaps?watch=true&resourceVersion=1"
    async with client.session.get(url) as response:
        assert response.status == 200
        (line,) = await _lines(response)
    assert line["type"] == "ERROR"
    assert isinstance(line["object"], dict)
    assert (line["object"]["code"], line["object"]["reason"]) == (410, "Expired")


async def test_cut_watches(server: SimServer, client: Client) -> None:
    url = (
        f"{client.url}/api/v1/namespaces/default/configmaps?watch=true&resourceVersion=0&fieldSelector=metadata.name=a"
    )
    await client.make("a")
    async with client.session.get(url) as response:
        first = json.loads(await response.content.readline())
        assert first["type"] == "ADDED"
        assert server.faults.cut_watches("secrets") == 0
        assert server.faults.cut_watches("configmaps") == 1
        with pytest.raises(BROKEN):
            await _lines(response)


async def test_watch_is_cut_by_itself(server: SimServer, client: Client) -> None:
    server.faults.add(Fault("cut", resource="configmaps", seconds=0.01))
    with pytest.raises(BROKEN):
        async with client.session.get(f"{client.url}/api/v1/configmaps?watch=true&resourceVersion=0") as response:
            await _lines(response)


async def test_stuck_finalizer(server: SimServer, client: Client) -> None:
    await client.make("a")
    await client.make("b")
    armed = server.faults.add(Fault("stick", resource="configmaps", name="a"))
    assert (await client("DELETE", "configmaps/b"))[0] == 200
    status, body = await client("DELETE", "configmaps/a")
    assert (status, body["metadata"]["finalizers"]) == (200, [STUCK])
    assert not stored(server, "b")
    assert stored(server, "a")
    await armed.release()
    assert not stored(server, "a")


async def test_what_controllers_delete_sticks_too(server: SimServer, client: Client) -> None:
    _, owner = await client.make("owner")
    ref = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["metadata"]["uid"]}
    await client("POST", "configmaps", {"metadata": {"name": "child", "ownerReferences": [ref]}})
    armed = server.faults.add(Fault("stick", name="child"))
    await client("DELETE", "configmaps/owner")
    async with asyncio.timeout(120):
        while not armed.strikes:
            await server.controllers.settled()
    assert stored(server, "child")
    await armed.release()
    assert not stored(server, "child")


async def test_a_claim_that_a_controller_makes_after_its_owner_is_gone(server: SimServer, client: Client) -> None:
    """Trap 17: the claims of a StatefulSet may come after the look, and after the StatefulSet."""
    await client("POST", "/apis/apps/v1/namespaces/default/statefulsets", stateful())
    armed = server.faults.add(Fault("lag", resource="persistentvolumeclaims", name="data-db-1", times=None))
    await client("PATCH", SCALE, {"spec": {"replicas": 2}}, headers={"Content-Type": "application/merge-patch+json"})
    async with asyncio.timeout(120):
        await armed.struck()
    await client("DELETE", "/apis/apps/v1/namespaces/default/statefulsets/db")
    await server.controllers.settled()
    assert not stored(server, "data-db-1", "persistentvolumeclaims")
    assert (await armed.release())[0] == 201
    assert stored(server, "data-db-1", "persistentvolumeclaims")


WHY = "ValidatingAdmissionPolicy 'freeze' with binding 'all' denied request: not on Fridays"
DENIED = f'configmaps "a" is forbidden: {WHY}'


def freeze(verb: str, **more: Any) -> Fault:
    return Fault("deny", verb=verb, times=None, policy="freeze", binding="all", message="not on Fridays", **more)


async def test_a_policy_denies_before_anything_is_said_to_exist(server: SimServer, client: Client) -> None:
    await client.make("a")
    armed = server.faults.add(freeze("create", resource="configmaps", name="a*"))
    for query in ("", "?dryRun=All"):
        code, body = await client("POST", f"configmaps{query}", {"metadata": {"name": "a"}})
        assert (code, body["reason"], body["message"]) == (422, "Invalid", DENIED)
        assert body["details"] == {
            "name": "a",
            "kind": "configmaps",
            "causes": [{"message": WHY}],
        }
    assert (await client("POST", "configmaps", {"metadata": {"name": "a"}, "data": {"?": "x"}}))[1]["message"] != DENIED
    assert (await client.make("b"))[0] == 201
    assert (await client("DELETE", "configmaps/a"))[0] == 200
    assert (await client.make("a"))[1]["message"] == DENIED
    server.faults.remove(armed)
    assert (await client.make("a"))[0] == 201


async def test_an_apply_is_denied_as_what_it_does(server: SimServer, client: Client) -> None:
    headers = {"Content-Type": "application/apply-patch+yaml"}
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
    created = server.faults.add(freeze("create"))
    path = "configmaps/a?fieldManager=x"
    assert (await client("PATCH", path, body, headers=headers))[0] == 422
    server.faults.remove(created)
    updated = server.faults.add(freeze("update"))
    assert (await client("PATCH", path, body, headers=headers))[0] == 201
    for verb, content in (("PATCH", headers), ("PATCH", {"Content-Type": "application/merge-patch+json"}), ("PUT", {})):
        assert (await client(verb, path, {**body, "data": {"x": "y"}}, headers=content))[1]["message"] == DENIED
    server.faults.remove(updated)
    server.faults.add(freeze("delete", code=403))
    for url in ("configmaps/a", "configmaps"):
        code, refused = await client("DELETE", url)
        assert (code, refused["reason"]) == (403, "Forbidden")
    assert stored(server, "a")


async def test_a_policy_binds_controllers_too(server: SimServer, client: Client) -> None:
    body = {"action": "deny", "verb": "create", "resource": "pods", "times": None, "message": "none here"}
    assert (await client("POST", "/sim/faults", body))[0] == 201
    server.registry.create("deployments", "default", deployment(), manager="test")
    await server.controllers.settled()
    (failed,) = (
        condition
        for condition in server.registry.get("deployments", "default", "web")["status"]["conditions"]
        if condition["type"] == "ReplicaFailure"
    )
    assert "ValidatingAdmissionPolicy 'policy' with binding 'binding' denied request: none here" in failed["message"]
    assert list(server.registry.scan("pods")) == []


async def test_over_http(server: SimServer, client: Client) -> None:
    status, armed = await client("POST", "/sim/faults", {"action": "late", "verb": "create", "times": 1})
    assert status == 201
    with pytest.raises(BROKEN):
        await client.make("a")
    _, listed = await client("GET", "/sim/faults")
    assert [(fault["id"], fault["strikes"], fault["held"]) for fault in listed["faults"]] == [(armed["id"], 1, 1)]
    assert await client("POST", f"/sim/faults/{armed['id']}/release") == (200, {"outcomes": [201]})
    assert stored(server, "a")
    assert (await client("DELETE", f"/sim/faults/{armed['id']}"))[0] == 200
    assert (await client("GET", "/sim/faults"))[1] == {"faults": []}
    assert await client("POST", "/sim/faults/cut", {}) == (200, {"cut": 0})


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"action": "call"},
        {"action": "explode"},
        {"action": "drop", "when": "never"},
        {"action": "drop", "color": 1},
        {"action": "drop", "skip": "1"},
        {"action": "drop", "times": True},
        {"action": "drop", "name": 5},
        {"action": "drop", "dry_run": "yes"},
        {"action": "deny", "code": 503},
        {"action": "deny", "policy": 1},
    ],
)
async def test_nonsense_over_http_is_refused(client: Client, body: dict[str, object]) -> None:
    assert (await client("POST", "/sim/faults", body))[0] == 400


async def test_clear_releases_all(server: SimServer, client: Client) -> None:
    server.faults.add(Fault("late", verb="create", times=None))
    with pytest.raises(BROKEN):
        await client.make("a")
    assert (await client("DELETE", "/sim/faults"))[0] == 200
    assert stored(server, "a")
    assert (await client.make("b"))[0] == 201


async def test_outage(server: SimServer, client: Client) -> None:
    await client.make("a")
    async with client.session.get(f"{client.url}/api/v1/configmaps?watch=true&resourceVersion=0") as response:
        await response.content.readline()
        async with server.outage():
            with pytest.raises(BROKEN):
                await _lines(response)
            with pytest.raises(aiohttp.ClientConnectorError):
                await client("GET", "configmaps/a")
    assert (await client("GET", "configmaps/a"))[0] == 200


async def test_what_a_pod_has_read_can_be_asked_for(server: SimServer, client: Client) -> None:
    await client.make("conf", LEVEL="a")
    container = {"name": "main", "image": "app:1", "envFrom": [{"configMapRef": {"name": "conf"}}]}
    _, made = await client("POST", "pods", {"metadata": {"name": "one"}, "spec": {"containers": [container]}})
    await server.controllers.settled()
    path = f"/sim/environment/{made['metadata']['uid']}"
    assert await client("GET", path) == (200, {"main": {"LEVEL": "a"}})
    assert await client("GET", "/sim/environment/nobody") == (200, {})
