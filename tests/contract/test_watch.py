"""Watches: framing, where they begin and end, and what selectors do to them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest

from kubemin.cluster import ClusterError
from tests.manifests import configmap, namespace

from .kube import PATIENCE, Json, Kube, meta

SHORT = {"timeoutSeconds": 300}


async def version_of(kube: Kube, plural: str = "configmaps") -> str:
    if not kube.real:  # there the fixture has waited for it
        await kube.until("configmaps", "kube-root-ca.crt", lambda item: item)
    found: str = (await kube.list(plural)).ok()["metadata"]["resourceVersion"]
    return found


async def take(events: AsyncIterator[Json], count: int) -> list[tuple[str, Json]]:
    async with asyncio.timeout(PATIENCE):
        found = []
        async for event in events:
            if event["type"] != "BOOKMARK":
                assert set(event) == {"type", "object"}
                found.append((event["type"], event["object"]))
            if len(found) == count:
                return found
    raise AssertionError(f"the watch ended after {found}")


def watching(kube: Kube, plural: str = "configmaps", **query: Any) -> aclosing[Any]:
    return aclosing(kube.watch(plural, **{**SHORT, **query}))


async def test_each_change_after_the_version_comes_once_and_in_order(kube: Kube) -> None:
    before = await kube.make("configmaps", configmap("old"))
    version = await version_of(kube)
    made = await kube.make("configmaps", configmap())
    changed = (await kube.put("configmaps", configmap(data={"a": "2"}))).ok()
    (await kube.delete("configmaps", "web")).ok()
    async with watching(kube, resourceVersion=version) as events:
        found = await take(events, 3)
    assert [kind for kind, _ in found] == ["ADDED", "MODIFIED", "DELETED"]
    assert found[0][1] == made
    assert found[1][1] == changed
    last = found[2][1]
    assert int(meta(last)["resourceVersion"]) > int(meta(changed)["resourceVersion"])
    assert {**last, "metadata": None} == {**changed, "metadata": None}
    assert meta(last)["uid"] != meta(before)["uid"]


async def test_changes_come_as_they_happen(kube: Kube) -> None:
    version = await version_of(kube)
    async with watching(kube, resourceVersion=version) as events:
        for number in range(3):
            waiting = asyncio.ensure_future(take(events, 1))
            await kube.make("configmaps", configmap(f"n{number}"))
            ((kind, item),) = await waiting
            assert (kind, meta(item)["name"]) == ("ADDED", f"n{number}")


@pytest.mark.parametrize("query", [{}, {"resourceVersion": "0"}], ids=["none", "zero"])
async def test_without_a_version_what_is_there_comes_first(kube: Kube, query: Json) -> None:
    await kube.make("configmaps", configmap("a", labels={"ours": "yes"}))
    await kube.make("configmaps", configmap("b", labels={"ours": "yes"}))
    async with watching(kube, labelSelector="ours=yes", **query) as events:
        assert {(kind, meta(item)["name"]) for kind, item in await take(events, 2)} == {("ADDED", "a"), ("ADDED", "b")}
        waiting = asyncio.ensure_future(take(events, 1))
        (await kube.delete("configmaps", "a")).ok()
        ((kind, item),) = await waiting
        assert (kind, meta(item)["name"]) == ("DELETED", "a")


async def test_an_object_that_comes_to_match_is_added_and_one_that_stops_is_deleted(kube: Kube) -> None:
    """DELETED does not always mean gone: whoever waits for that looks again."""
    version = await version_of(kube)
    await kube.make("configmaps", configmap())
    for value in ("yes", "yes", "no"):
        change = {"metadata": {"labels": {"ours": value}}, "data": {"b": value}}
        await kube.patch("configmaps", "web", change)
    (await kube.patch("configmaps", "web", {"data": {"b": "3"}})).ok()
    (await kube.patch("configmaps", "web", {"metadata": {"labels": {"ours": "yes"}}})).ok()
    async with watching(kube, resourceVersion=version, labelSelector="ours=yes") as events:
        found = await take(events, 3)
    assert [kind for kind, _ in found] == ["ADDED", "DELETED", "ADDED"]
    assert meta(found[1][1])["labels"] == {"ours": "yes"}
    assert int(meta(found[1][1])["resourceVersion"]) < int(meta(found[2][1])["resourceVersion"])


async def test_a_watch_of_one_name(kube: Kube) -> None:
    version = await version_of(kube)
    await kube.make("configmaps", configmap("other"))
    await kube.make("configmaps", configmap())
    async with watching(kube, resourceVersion=version, fieldSelector="metadata.name=web") as events:
        ((kind, item),) = await take(events, 1)
    assert (kind, meta(item)["name"]) == ("ADDED", "web")


async def test_a_watch_of_all_namespaces(kube: Kube) -> None:
    version = await version_of(kube)
    other = f"{kube.namespace}-two"
    await kube.make("namespaces", namespace(other))
    await kube.post("configmaps", configmap(labels={"at": kube.namespace}))
    await kube.post("configmaps", configmap(labels={"at": kube.namespace}), namespace=other)
    async with watching(kube, namespace="", resourceVersion=version, labelSelector=f"at={kube.namespace}") as events:
        found = await take(events, 2)
    assert {meta(item)["namespace"] for _, item in found} == {kube.namespace, other}
    (await kube.delete("namespaces", other)).ok()


async def test_what_a_finalizer_holds_is_modified_and_then_deleted(kube: Kube) -> None:
    version = await version_of(kube)
    await kube.make("configmaps", configmap(finalizers=["kubemin.test/hold"]))
    (await kube.delete("configmaps", "web")).ok()
    (await kube.patch("configmaps", "web", {"metadata": {"finalizers": None}})).ok()
    async with watching(kube, resourceVersion=version) as events:
        found = await take(events, 3)
    assert [kind for kind, _ in found] == ["ADDED", "MODIFIED", "DELETED"]
    assert ["deletionTimestamp" in meta(item) for _, item in found] == [False, True, True]


async def test_the_server_ends_a_watch_after_its_time(kube: Kube) -> None:
    version = await version_of(kube)
    async with asyncio.timeout(PATIENCE):
        events = [event async for event in kube.watch("configmaps", resourceVersion=version, timeoutSeconds=1)]
    assert all(event["type"] == "BOOKMARK" for event in events)


async def test_bookmarks_bring_the_version_and_nothing_else(kube: Kube) -> None:
    version = await version_of(kube)
    await kube.make("configmaps", configmap("elsewhere", labels={"ours": "no"}))
    query = {
        "resourceVersion": version,
        "labelSelector": "ours=yes",
        "allowWatchBookmarks": "true",
        "timeoutSeconds": 10 if kube.real else 1,
    }
    async with asyncio.timeout(PATIENCE):
        events = [event async for event in kube.watch("configmaps", namespace=None, **query)]
    assert {event["type"] for event in events} == {"BOOKMARK"}
    last = events[-1]["object"]
    assert (last["kind"], last["apiVersion"]) == ("ConfigMap", "v1")
    assert int(last["metadata"]["resourceVersion"]) >= int(version)
    assert "name" not in last["metadata"]


@pytest.mark.history(5)
async def test_a_version_too_old_is_a_410_at_once_or_in_the_stream(kube: Kube) -> None:
    for number in range(10):
        await kube.make("configmaps", configmap(f"n{number}"))
    status: Any = None
    try:
        async with watching(kube, namespace="", resourceVersion="1") as events:
            event = await anext(events)
            if kube.real and event["type"] != "ERROR":
                pytest.skip("this API server has forgotten nothing yet")
            assert event["type"] == "ERROR"
            assert event["object"]["kind"] == "Status"
            status, reason = event["object"]["code"], event["object"]["reason"]
    except ClusterError as error:
        status, reason = error.status, error.reason
    assert (status, reason) in {(410, "Expired"), (410, "Gone")}


async def test_a_version_that_is_none_is_refused(kube: Kube) -> None:
    reply = await kube.call("GET", kube.path("configmaps"), watch="true", resourceVersion="nonsense")
    assert (reply.code, reply.body.get("reason", "")) == (500, "")
    assert 'resourceVersion: Invalid value: "nonsense"' in reply.body["message"]
