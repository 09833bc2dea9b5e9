"""Watches: where they start, what they show, how they end."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubesim import SimServer

from .conftest import CONFIG_MAPS, Api, config_map

MINE = {"labelSelector": "mine"}
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"

Line = dict[str, Any]


class Stream:
    """The lines of a watch."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response

    async def next(self) -> Line:
        line = await asyncio.wait_for(self.response.content.readline(), 20)
        assert line.endswith(b"\n"), "the watch ended"
        parsed: Line = json.loads(line)
        return parsed

    async def ends(self) -> bool:
        return await asyncio.wait_for(self.response.content.read(), 20) == b""


@asynccontextmanager
async def watch(api: Api, path: str = CONFIG_MAPS, *, headers: Any = None, **query: str) -> AsyncIterator[Stream]:
    url = api.server.url + path
    async with api.session.get(url, params={"watch": "true", **query}, headers=headers) as response:
        assert response.status == 200, await response.text()
        assert response.headers["Content-Type"] == "application/json"
        yield Stream(response)


def said(line: Line) -> tuple[str, str]:
    return line["type"], line["object"]["metadata"]["name"]


async def test_changes_after_a_version_are_shown_in_order_and_none_is_missed(api: Api) -> None:
    start = await api.made(CONFIG_MAPS, config_map("a"))
    changed = await api.patch(f"{CONFIG_MAPS}/a", {"data": {"key": "1"}})
    async with watch(api, resourceVersion=start.version) as stream:
        assert await stream.next() == {"type": "MODIFIED", "object": changed.body}
        made = await api.made(CONFIG_MAPS, config_map("b"))
        assert await stream.next() == {"type": "ADDED", "object": made.body}
        await api.delete(f"{CONFIG_MAPS}/a")
        gone = await stream.next()
        assert said(gone) == ("DELETED", "a")
        assert gone["object"]["data"] == {"key": "1"}
        assert int(gone["object"]["metadata"]["resourceVersion"]) > int(made.version)


@pytest.mark.parametrize("query", [{}, {"resourceVersion": "0"}, {"resourceVersion": ""}])
async def test_without_a_version_what_is_there_comes_first(api: Api, query: dict[str, str]) -> None:
    for name in ("b", "a"):
        await api.made(CONFIG_MAPS, config_map(name, labels={"mine": "1"}))
    async with watch(api, **MINE, **query) as stream:
        assert [said(await stream.next()) for _ in range(2)] == [("ADDED", "a"), ("ADDED", "b")]
        await api.delete(f"{CONFIG_MAPS}/b")
        assert said(await stream.next()) == ("DELETED", "b")


async def test_a_streaming_list_ends_with_a_bookmark(api: Api) -> None:
    await api.made(CONFIG_MAPS, config_map("a", labels={"mine": "1"}))
    current = str(api.server.registry.storage.revision)
    query = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan", "allowWatchBookmarks": "true"}
    async with watch(api, **MINE, **query) as stream:
        assert said(await stream.next()) == ("ADDED", "a")
        mark = await stream.next()
        assert mark["type"] == "BOOKMARK"
        assert mark["object"]["kind"] == "ConfigMap"
        assert mark["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
        assert mark["object"]["metadata"]["resourceVersion"] == current
        await api.made(CONFIG_MAPS, config_map("b", labels={"mine": "1"}))
        assert said(await stream.next()) == ("ADDED", "b")


async def test_send_initial_events_false_starts_now(api: Api) -> None:
    await api.made(CONFIG_MAPS, config_map("a"))
    async with watch(api, sendInitialEvents="false", resourceVersionMatch="NotOlderThan") as stream:
        await api.made(CONFIG_MAPS, config_map("b"))
        assert said(await stream.next()) == ("ADDED", "b")


@pytest.mark.parametrize(
    "query",
    [
        {"sendInitialEvents": "true"},
        {"resourceVersionMatch": "NotOlderThan"},
    ],
)
async def test_options_that_make_no_sense_are_422(api: Api, query: dict[str, str]) -> None:
    answer = await api.get(CONFIG_MAPS, watch="true", **query)
    assert (answer.status, answer.body["details"]["kind"]) == (422, "ListOptions")


async def test_a_version_that_is_none_is_500(api: Api) -> None:
    answer = await api.get(CONFIG_MAPS, watch="true", resourceVersion="x")
    assert (answer.status, answer.body["message"].startswith("resourceVersion: Invalid value")) == (500, True)


async def test_a_version_that_is_too_old_is_an_error_event_with_410(api: Api) -> None:
    made = await api.made(CONFIG_MAPS, config_map())
    await api.patch(f"{CONFIG_MAPS}/a", {"data": {"key": "new"}})
    storage = api.server.registry.storage
    storage.shelf("configmaps").forget(storage.revision)
    async with watch(api, resourceVersion=made.version) as stream:
        line = await stream.next()
        assert line["type"] == "ERROR"
        assert (line["object"]["code"], line["object"]["reason"]) == (410, "Expired")
        assert line["object"]["message"].startswith(f"too old resource version: {made.version} (")
        assert await stream.ends()


async def test_bookmarks_tell_how_far_the_cluster_is(api: Api) -> None:
    async with SimServer(bookmark_interval=0.01) as server:
        await server.controllers.stop()
        mine = Api(server, api.session)
        start = str(server.registry.storage.revision)
        async with watch(mine, resourceVersion=start, allowWatchBookmarks="true") as stream:
            first = await stream.next()
            assert (first["type"], first["object"]["metadata"]["resourceVersion"]) == ("BOOKMARK", start)
            # A change elsewhere moves the version of the next bookmark: the watch need not go back behind it.
            made = await mine.made("/api/v1/namespaces/default/secrets", {"metadata": {"name": "s"}})
            while (line := await stream.next())["object"]["metadata"]["resourceVersion"] != made.version:
                assert line["type"] == "BOOKMARK"
        async with watch(mine, resourceVersion=start) as stream:
            await mine.made(CONFIG_MAPS, config_map())
            assert said(await stream.next()) == ("ADDED", "a")


async def test_the_timeout_ends_it_in_good_order(api: Api) -> None:
    async with watch(api, resourceVersion="1000000", timeoutSeconds="1") as stream:
        assert await stream.ends()


async def test_what_enters_and_leaves_the_selection_is_added_and_deleted(api: Api) -> None:
    start = await api.made(CONFIG_MAPS, config_map("a"))
    async with watch(api, resourceVersion=start.version, **MINE) as stream:
        entered = await api.patch(f"{CONFIG_MAPS}/a", {"metadata": {"labels": {"mine": "1"}}})
        assert await stream.next() == {"type": "ADDED", "object": entered.body}
        changed = await api.patch(f"{CONFIG_MAPS}/a", {"data": {"key": "2"}})
        assert await stream.next() == {"type": "MODIFIED", "object": changed.body}
        left = await api.patch(f"{CONFIG_MAPS}/a", {"metadata": {"labels": None}, "data": {"key": "3"}})
        line = await stream.next()
        assert said(line) == ("DELETED", "a")
        assert line["object"]["data"] == {"key": "2"}
        assert line["object"]["metadata"]["resourceVersion"] == left.version
        await api.delete(f"{CONFIG_MAPS}/a")
        await api.made(CONFIG_MAPS, config_map("b", labels={"mine": "1"}))
        assert said(await stream.next()) == ("ADDED", "b")


async def test_one_namespace_one_name_or_all(api: Api) -> None:
    system = "/api/v1/namespaces/kube-system/configmaps"
    start = await api.made(CONFIG_MAPS, config_map("z"))
    for path, name in ((CONFIG_MAPS, "a"), (system, "b"), (CONFIG_MAPS, "c")):
        await api.made(path, config_map(name))
    for path, query, names in (
        (CONFIG_MAPS, {}, ["a", "c"]),
        ("/api/v1/configmaps", {}, ["a", "b", "c"]),
        (CONFIG_MAPS, {"fieldSelector": "metadata.name=c"}, ["c"]),
        (f"{CONFIG_MAPS}/c", {}, ["c"]),
    ):
        async with watch(api, path, resourceVersion=start.version, **query) as stream:
            assert [(await stream.next())["object"]["metadata"]["name"] for _ in names] == names


async def test_a_change_that_changes_nothing_is_not_shown(api: Api) -> None:
    made = await api.made(CONFIG_MAPS, config_map())
    async with watch(api, resourceVersion=made.version) as stream:
        await api.put(f"{CONFIG_MAPS}/a", made.body)
        await api.put(f"{CONFIG_MAPS}/a", {**made.body, "data": {}}, dryRun="All")
        changed = await api.patch(f"{CONFIG_MAPS}/a", {"data": {"key": "new"}})
        assert (await stream.next())["object"] == changed.body


async def test_tables_head_the_first_row_only(api: Api) -> None:
    await api.made(CONFIG_MAPS, config_map("a", labels={"mine": "1"}))
    async with watch(api, headers={"Accept": TABLE}, **MINE) as stream:
        first = await stream.next()
        assert first["object"]["kind"] == "Table"
        assert [column["name"] for column in first["object"]["columnDefinitions"]] == ["Name", "Data", "Age"]
        assert first["object"]["rows"][0]["cells"][:2] == ["a", 1]
        await api.patch(f"{CONFIG_MAPS}/a", {"data": {"more": "x"}})
        second = await stream.next()
        assert second["object"]["columnDefinitions"] == []
        assert second["object"]["rows"][0]["cells"][:2] == ["a", 2]
        assert second["object"]["rows"][0]["object"]["kind"] == "PartialObjectMetadata"


async def test_the_server_stops_with_watches_open(api: Api) -> None:
    async with SimServer() as server:
        mine = Api(server, api.session)
        start = str(server.registry.storage.revision)
        quiet = "/api/v1/limitranges"
        async with watch(mine, quiet, resourceVersion=start) as one, watch(mine, quiet, resourceVersion=start) as two:
            async with asyncio.timeout(120):
                await server.__aexit__(None, None, None)
            assert await one.ends()
            assert await two.ends()


OPERATIONS = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from(["none", "1", "2"]), st.sampled_from(["put", "delete"])),
    max_size=25,
)


@settings(max_examples=20)
@given(OPERATIONS, st.integers(0, 25))
def test_a_list_and_its_watch_show_what_a_later_list_shows(operations: list[tuple[str, str, str]], before: int) -> None:
    """List, then watch from the list's version: at any time the two together are the list of that time."""

    async def check() -> None:
        async with SimServer() as server, aiohttp.ClientSession() as session:
            await server.controllers.stop()
            api = Api(server, session)
            await change(api, operations[:before])
            first = await api.get(CONFIG_MAPS, labelSelector="mine=1")
            known = {item["metadata"]["name"]: item["metadata"]["resourceVersion"] for item in first.body["items"]}
            await change(api, operations[before:])
            await api.made(CONFIG_MAPS, config_map("end", labels={"mine": "1"}))
            async with watch(api, labelSelector="mine=1", resourceVersion=first.version) as stream:
                while said(line := await stream.next()) != ("ADDED", "end"):
                    kind, name = said(line)
                    assert (kind == "ADDED") is (name not in known)
                    if kind == "DELETED":
                        del known[name]
                    else:
                        known[name] = line["object"]["metadata"]["resourceVersion"]
            await api.delete(f"{CONFIG_MAPS}/end")
            last = await api.get(CONFIG_MAPS, labelSelector="mine=1")
            assert known == {
                item["metadata"]["name"]: item["metadata"]["resourceVersion"] for item in last.body["items"]
            }

    asyncio.run(check())


async def change(api: Api, operations: Iterable[tuple[str, str, str]]) -> None:
    for number, (name, label, operation) in enumerate(operations):
        if operation == "delete":
            await api.delete(f"{CONFIG_MAPS}/{name}")
        else:
            labels = {} if label == "none" else {"mine": label}
            await api.apply(f"{CONFIG_MAPS}/{name}", config_map(name, {"n": str(number)}, labels=labels), force="true")
