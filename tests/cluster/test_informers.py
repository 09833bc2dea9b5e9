"""Shared watches: nothing is missed, waiters wake at once, and only those whom a change concerns."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import pytest

from kubemin.cluster import Cluster, Informers, errors
from kubemin.cluster.watching import Pauses
from kubemin.spec.objects import Manifest
from tests.waiting import PATIENCE

from .apiserver import Script, WatchStream, thing
from .servers import RawServer

GONE = b'{"kind":"Status","code":410,"reason":"Expired","message":"too old resource version"}'


class Rests:
    """Pauses that take no time, and are remembered."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def pauses(self) -> Pauses:
        async def sleep(seconds: float) -> None:
            self.seconds.append(seconds)
            await asyncio.sleep(0)

        return Pauses(sleep, jitter=lambda: 1.0)


@dataclass
class World:
    script: Script
    informers: Informers
    rests: Rests

    async def stream(self, plural: str) -> WatchStream:
        return await self.script[plural].watches.get()


@pytest.fixture
async def world() -> AsyncIterator[World]:
    script, rests = Script(), Rests()
    async with RawServer(script) as server:
        cluster = await Cluster.connect(kubeconfig=None, context=None, url=server.url, timeout=PATIENCE)
        informers = Informers(cluster, pauses=rests.pauses)
        yield World(script, informers, rests)
        await informers.aclose()
        await cluster.aclose()


class Checks:
    """A check that remembers the versions it saw, and is content with ``wanted``."""

    def __init__(self, wanted: Callable[[Manifest | None], bool]) -> None:
        self.wanted = wanted
        self.seen: list[str | None] = []
        self.called: asyncio.Queue[None] = asyncio.Queue()

    def __call__(self, item: Manifest | None) -> str | None:
        self.seen.append(item["metadata"]["resourceVersion"] if item else None)
        self.called.put_nowait(None)
        return "done" if self.wanted(item) else None


def at_version(version: int) -> Checks:
    return Checks(lambda item: item is not None and item["metadata"]["resourceVersion"] == str(version))


def absent() -> Checks:
    return Checks(lambda item: item is None)


def start(
    world: World, check: Callable[[Manifest | None], Any], kind: str = "ConfigMap", **more: Any
) -> asyncio.Task[Any]:
    return asyncio.create_task(world.informers.until(kind, "shop", "web", check, **more))


async def test_the_present_state_is_checked_at_once(world: World) -> None:
    world.script["configmaps"].items = [thing("web", 3)]
    check = at_version(3)
    assert await start(world, check) == "done"
    assert check.seen == ["3"]
    assert await start(world, absent(), kind="Secret") == "done"


async def test_one_watch_serves_all_waiters_of_a_kind_from_where_the_list_ended(world: World) -> None:
    world.script["configmaps"].version = 42
    waits = [start(world, at_version(43)) for _ in range(10)]
    stream = await world.stream("configmaps")
    stream.send("ADDED", thing("web", 43))
    assert await asyncio.gather(*waits) == ["done"] * 10
    assert stream.query["resourceVersion"] == "42"
    assert stream.query["allowWatchBookmarks"] == "true"
    assert stream.query["labelSelector"] == "app.kubernetes.io/managed-by=kubemin"
    assert [query["labelSelector"] for query in world.script["configmaps"].lists] == [stream.query["labelSelector"]]
    assert world.script["configmaps"].watches.empty()


async def test_every_state_is_seen_in_turn_also_when_they_come_in_one_piece(world: World) -> None:
    world.script["configmaps"].items = [thing("web", 3)]
    check = at_version(8)
    wait = start(world, check)
    stream = await world.stream("configmaps")
    stream.send("MODIFIED", thing("web", 5))
    stream.send("MODIFIED", thing("other", 6))
    stream.send("DELETED", thing("web", 7))
    stream.send("ADDED", thing("web", 8))
    assert await wait == "done"
    assert check.seen == ["3", "5", None, "8"]


async def test_a_line_of_many_megabytes_in_small_pieces_is_one_event(world: World) -> None:
    wait = start(world, at_version(20))
    stream = await world.stream("configmaps")
    stream.send("ADDED", thing("big", 19, data={"blob": "x" * 6_000_000}))
    stream.send("ADDED", thing("web", 20))
    assert await wait == "done"
    (big,) = [each for each in world.informers.snapshot("ConfigMap", "shop", {}) if each["metadata"]["name"] == "big"]
    assert len(big["data"]["blob"]) == 6_000_000


@pytest.mark.parametrize("how", ["end", "break_off"])
async def test_a_watch_that_ends_goes_on_from_the_last_version(world: World, how: str) -> None:
    wait = start(world, at_version(30))
    stream = await world.stream("configmaps")
    stream.send("ADDED", thing("web", 21))
    getattr(stream, how)()
    stream = await world.stream("configmaps")
    assert stream.query["resourceVersion"] == "21"
    stream.bookmark(25)
    stream.end()
    stream = await world.stream("configmaps")
    assert stream.query["resourceVersion"] == "25"
    stream.send("MODIFIED", thing("web", 30))
    assert await wait == "done"
    assert len(world.script["configmaps"].lists) == 1


@pytest.mark.parametrize("how", ["status", "event", "garbage"])
async def test_after_a_410_the_collection_is_listed_anew_and_differences_wake(world: World, how: str) -> None:
    collection = world.script["configmaps"]
    collection.items = [thing("web", 3), thing("gone", 4)]
    changed, gone = at_version(50), absent()
    waits = [start(world, changed), asyncio.create_task(world.informers.until("ConfigMap", "shop", "gone", gone))]
    stream = await world.stream("configmaps")
    await changed.called.get()
    await gone.called.get()
    collection.items, collection.version = [thing("web", 50)], 51
    if how == "status":
        collection.watch_refusals = [(410, GONE)]
        stream.break_off()
    elif how == "event":
        stream.send("ERROR", {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"})
    else:
        stream.write(b"this is no JSON\n")
    assert await asyncio.gather(*waits) == ["done", "done"]
    assert (await world.stream("configmaps")).query["resourceVersion"] == "51"
    assert len(collection.lists) == 2


async def test_an_unchanged_object_does_not_wake_after_a_fresh_list(world: World) -> None:
    world.script["configmaps"].items = [thing("web", 3)]
    check = at_version(60)
    wait = start(world, check)
    (await world.stream("configmaps")).send("ERROR", {"code": 410})
    (await world.stream("configmaps")).send("MODIFIED", thing("web", 60))
    await wait
    assert check.seen == ["3", "60"]


async def test_other_errors_in_the_stream_do_not_list_anew(world: World) -> None:
    wait = start(world, at_version(60))
    (await world.stream("configmaps")).send("ERROR", {"code": 500, "message": "etcd"})
    (await world.stream("configmaps")).send("ADDED", thing("web", 60))
    await wait
    assert len(world.script["configmaps"].lists) == 1


async def test_trouble_is_told_and_waited_out_with_growing_pauses(world: World) -> None:
    world.script["configmaps"].list_refusals = (
        [(500, b"{}")] * 5 + [(429, b'{"kind":"Status","details":{"retryAfterSeconds":7}}')] + [(403, b"{}")]
    )
    world.script["configmaps"].items = [thing("web", 3)]
    assert await start(world, at_version(3)) == "done"
    assert world.rests.seconds == [0.1, 0.2, 0.4, 0.8, 1.6, 7.0, 6.4]


async def test_a_refusal_of_our_credentials_ends_the_waits_before_the_list_and_after_it(world: World) -> None:
    """And no watch: with new credentials the next waits go on."""
    collection = world.script["configmaps"]
    collection.list_refusals = [(401, b"{}")] * 2
    pausing, go_on = asyncio.Event(), asyncio.Event()

    async def sleep(seconds: float) -> None:
        pausing.set()
        await go_on.wait()

    informers = Informers(world.informers._cluster, pauses=lambda: Pauses(sleep))
    wait = asyncio.create_task(informers.until("ConfigMap", "shop", "web", absent()))
    following = asyncio.create_task(informers.watch("ConfigMap"))
    with pytest.raises(errors.Unauthorized):
        await wait
    with pytest.raises(errors.Unauthorized):
        await informers.until("ConfigMap", "shop", "web", absent())
    await pausing.wait()
    go_on.set()
    await following
    assert await informers.until("ConfigMap", "shop", "web", absent()) == "done"
    await informers.aclose()


async def test_trouble_shows_until_the_server_answers_again(world: World) -> None:
    refused = asyncio.Event()
    collection = world.script["configmaps"]
    collection.list_refusals = [(403, b"{}")]
    sleeping = asyncio.Event()

    async def sleep(seconds: float) -> None:
        refused.set()
        await sleeping.wait()

    informers = Informers(world.informers._cluster, pauses=lambda: Pauses(sleep))
    wait = asyncio.create_task(informers.until("ConfigMap", "shop", "web", absent()))
    await refused.wait()
    assert isinstance(informers.watch_error("ConfigMap"), errors.Forbidden)
    assert not informers.synced("ConfigMap")
    sleeping.set()
    assert await wait == "done"
    assert informers.watch_error("ConfigMap") is None
    assert informers.synced("ConfigMap")
    await informers.aclose()


async def test_a_watch_that_breaks_at_once_again_and_again_makes_the_list_be_read_anew(world: World) -> None:
    """As after a restore of the server's database: the version we know lies in its future."""
    collection = world.script["configmaps"]
    collection.watch_refusals = [(500, b"{}")] * 4
    collection.items = [thing("web", 4)]
    check = at_version(5)
    wait = start(world, check)
    await check.called.get()
    collection.items = [thing("web", 5)]
    assert await wait == "done"
    assert len(collection.lists) == 2


async def test_pauses_are_capped_and_start_anew_after_success() -> None:
    rests = Rests()
    pauses = rests.pauses()
    for _ in range(20):
        await pauses.after(None)
    assert max(rests.seconds) == 10.0
    pauses.reset()
    await pauses.after(None)
    assert rests.seconds[-1] == 0.1
    await Pauses(pauses._sleep, jitter=lambda: 0.0).after(None)
    assert rests.seconds[-1] == 0.05


async def test_since_keeps_the_state_before_a_write_from_being_judged(world: World) -> None:
    world.script["configmaps"].items = [thing("web", 3)]
    check = Checks(lambda item: True)
    wait = start(world, check, since="15")
    stream = await world.stream("configmaps")
    stream.send("MODIFIED", thing("web", 14))
    stream.send("MODIFIED", thing("web", 15))
    assert await wait == "done"
    assert check.seen == ["15"]
    assert await start(world, check, since="15") == "done"


async def test_since_is_reached_by_a_bookmark_or_another_object_too(world: World) -> None:
    world.script["configmaps"].items = [thing("web", 3)]
    checks = [Checks(lambda item: True), Checks(lambda item: True)]
    waits = [start(world, checks[0], since="20"), start(world, checks[1], since="30")]
    stream = await world.stream("configmaps")
    stream.bookmark(20)
    assert await waits[0] == "done"
    stream.send("ADDED", thing("other", 30))
    assert await waits[1] == "done"
    assert [check.seen for check in checks] == [["3"], ["3"]]


async def test_a_related_object_wakes_its_own_component_only(world: World) -> None:
    """Many waiters in one namespace: a Pod's change costs one check, not one a waiter."""
    names = [f"c{n}" for n in range(200)]
    world.script["deployments"].items = [thing(name, 3, component=name) for name in names]
    checks = {name: Checks(lambda item: False) for name in names}
    waits = [
        asyncio.create_task(world.informers.until("Deployment", "shop", name, check, ["Pod"]))
        for name, check in checks.items()
    ]
    for check in checks.values():
        await check.called.get()
    pods = await world.stream("pods")
    for version in range(11, 111):
        pods.send("MODIFIED", thing("pod", version, component="c7"))
        await checks["c7"].called.get()
    assert [len(checks[name].seen) for name in names] == [101 if name == "c7" else 1 for name in names]

    pods.send("ADDED", thing("elsewhere", 111, component="c8", namespace="other"))
    pods.send("ADDED", thing("unlabelled", 112))
    for check in checks.values():
        await check.called.get()
    assert len(checks["c8"].seen) == 2
    for wait in waits:
        wait.cancel()
    await asyncio.gather(*waits, return_exceptions=True)
    assert not world.informers._waiters._by_object
    assert not world.informers._waiters._by_related


async def test_a_waiter_whose_object_appears_is_woken_by_its_components_pods(world: World) -> None:
    check = Checks(lambda item: False)
    wait = start(world, check, kind="Deployment", related=["Pod"])
    await check.called.get()
    (await world.stream("deployments")).send("ADDED", thing("web", 11, component="a"))
    await check.called.get()
    pods = await world.stream("pods")
    pods.send("ADDED", thing("foreign", 12, component="b"))
    pods.send("ADDED", thing("own", 13, component="a"))
    await check.called.get()
    assert check.seen == [None, "11", "11"]
    assert [item["metadata"]["name"] for item in world.informers.snapshot("Pod", "shop", {})] == ["foreign", "own"]
    wait.cancel()
    await asyncio.gather(wait, return_exceptions=True)


async def test_a_pod_whose_labels_change_wakes_its_former_component_too(world: World) -> None:
    world.script["deployments"].items = [thing("web", 3, component="a")]
    world.script["pods"].items = [thing("pod", 4, component="a")]
    check = Checks(lambda item: False)
    wait = start(world, check, kind="Deployment", related=["Pod"])
    await check.called.get()
    (await world.stream("pods")).send("MODIFIED", thing("pod", 11, component="b"))
    await check.called.get()
    wait.cancel()
    await asyncio.gather(wait, return_exceptions=True)


async def test_of_pods_an_excerpt_is_kept_but_all_is_followed(world: World) -> None:
    world.script["pods"].items = [thing("web", 3)]
    world.script["configmaps"].items = [thing("web", 3)]
    for kind, kept in (("Pod", False), ("ConfigMap", True)):
        await start(world, at_version(3), kind=kind)
        (found,) = world.informers.snapshot(kind, "shop", {})
        assert ("managedFields" in found["metadata"]) is kept
        assert (found["kind"], found["apiVersion"]) == (kind, "v1")
    async with aclosing(world.informers.follow("Pod")) as events:
        what, item = await anext(events)
    assert (what, item["kind"], item["metadata"]["managedFields"]) == ("ADDED", "Pod", [{"manager": "someone"}])


async def test_following_tells_all_present_then_each_change_and_all_again_after_a_gap(world: World) -> None:
    collection = world.script["configmaps"]
    collection.items = [thing("a", 1), thing("b", 2)]
    async with aclosing(world.informers.follow("ConfigMap")) as events:
        assert [(await anext(events))[1]["metadata"]["name"] for _ in range(2)] == ["a", "b"]
        waiting = asyncio.create_task(anext(events))
        stream = await world.stream("configmaps")
        stream.send("MODIFIED", thing("a", 11))
        stream.send("DELETED", thing("b", 12))
        got = [await waiting, await anext(events)]
        assert [(what, item["metadata"]["name"]) for what, item in got] == [("MODIFIED", "a"), ("DELETED", "b")]
        stream.send("ERROR", {"code": 410})
        assert [(await anext(events))[0] for _ in range(2)] == ["ADDED", "ADDED"]


async def test_an_error_in_a_check_reaches_its_waiter_and_no_other(world: World) -> None:
    def bad(item: Manifest | None) -> None:
        raise ZeroDivisionError

    other = start(world, at_version(11))
    with pytest.raises(ZeroDivisionError):
        await start(world, bad)
    (await world.stream("configmaps")).send("ADDED", thing("web", 11))
    assert await other == "done"


async def test_closing_ends_those_who_wait(world: World) -> None:
    world.script["secrets"].list_refusals = [(500, b"{}")] * 1000
    synced, unsynced = start(world, at_version(99)), start(world, at_version(99), kind="Secret")
    await world.stream("configmaps")
    await world.informers.aclose()
    for wait in (synced, unsynced):
        with pytest.raises(errors.Closed):
            await wait
    with pytest.raises(errors.Closed):
        await start(world, absent(), kind="Pod")


async def test_a_fault_of_ours_is_raised_rather_than_waited_for(world: World) -> None:
    wait = start(world, at_version(99))
    stream = await world.stream("configmaps")
    stream.send("ADDED", {"metadata": {"resourceVersion": "3"}})  # no name: no server would
    with contextlib.suppress(asyncio.TimeoutError), pytest.raises(RuntimeError, match="the watch of ConfigMap failed"):
        await wait
