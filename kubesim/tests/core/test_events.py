"""Events: one store, two groups."""

import asyncio
import json
from typing import Any

from .conftest import Api

CORE = "/api/v1/namespaces/default/events"
NEW = "/apis/events.k8s.io/v1/namespaces/default/events"

ABOUT = {"kind": "Pod", "name": "p", "namespace": "default"}
CORE_EVENT: dict[str, Any] = {
    "metadata": {"name": "e"},
    "involvedObject": ABOUT,
    "reason": "Because",
    "message": "it did",
    "type": "Normal",
    "source": {"component": "test"},
    "count": 2,
}


async def test_a_core_event_is_shown_under_the_new_names(api: Api) -> None:
    made = await api.made(CORE, CORE_EVENT)
    shown = (await api.get(f"{NEW}/e")).body
    assert (shown["kind"], shown["apiVersion"]) == ("Event", "events.k8s.io/v1")
    assert (shown["note"], shown["regarding"]["name"], shown["deprecatedCount"]) == ("it did", "p", 2)
    assert "message" not in shown
    assert shown["metadata"] == made.body["metadata"]
    listed = await api.get(NEW)
    assert {"kind": "Event", "apiVersion": "events.k8s.io/v1", **listed.body["items"][0]} == shown


async def test_a_new_event_is_stored_as_a_core_one(api: Api) -> None:
    event = {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": "n"},
        "regarding": ABOUT,
        "reason": "Because",
        "note": "it did",
        "type": "Normal",
        "action": "Doing",
        "eventTime": "2026-01-01T00:00:00.000000Z",
        "reportingController": "test",
        "reportingInstance": "here",
    }
    made = await api.made(NEW, event)
    assert made.body["apiVersion"] == "events.k8s.io/v1"
    assert (made.body["note"], made.body["reportingController"]) == ("it did", "test")
    core = (await api.get(f"{CORE}/n")).body
    assert (core["apiVersion"], core["message"], core["involvedObject"]["name"]) == ("v1", "it did", "p")
    assert core["reportingComponent"] == "test"
    assert (await api.get(CORE, fieldSelector="involvedObject.name=p")).names == ["n"]


async def test_a_watch_of_the_new_group(api: Api) -> None:
    await api.made(CORE, CORE_EVENT)
    async with api.session.get(f"{api.server.url}{NEW}?watch=1&resourceVersion=0") as response:
        line = json.loads(await asyncio.wait_for(response.content.readline(), 20))
    assert line["object"]["note"] == "it did"


async def test_the_new_group_takes_no_patch(api: Api) -> None:
    await api.made(CORE, CORE_EVENT)
    assert (await api.patch(f"{NEW}/e", {"note": "other"})).status == 405
    assert (await api.apply(f"{NEW}/e", {"note": "other"})).status == 405
