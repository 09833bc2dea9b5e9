"""One stream over all tasks, at one server: what is told, from where on. The rule is in tests/store."""

import json
from collections.abc import AsyncGenerator, Mapping
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubemin.api.all_events import Wanted, stream_all
from kubemin.api.deps import Deps
from kubemin.api.feed import TURNS, Feed
from kubemin.api.position import MOST_GAPS, Position
from kubemin.spec.events import JobEvent
from kubemin.spec.states import JobStatus
from kubemin.store import events
from tests.api.conftest import Api
from tests.api.test_tasks import _claim, _exec

Said = Mapping[str, str]


async def heard(source: AsyncGenerator[bytes, None], *, event: bool = True) -> Said:
    """The fields of the next event, or with ``event=False`` of the next comment."""
    async for frame in source:
        said = dict(line.split(": ", 1) for line in frame.decode().splitlines() if line)
        if ("event" in said) is event and "id" in said:
            return said
    raise AssertionError("it has ended")


def _told(said: Said) -> tuple[str, Any]:
    return said["event"], json.loads(said["data"])


async def test_it_tells_of_every_task_from_now_on_or_after_an_event(api: Api, deps: Deps) -> None:
    ids = [await api.create(name=name) for name in ("one", "two")]
    before = await _exec(api, ids[0])
    source = stream_all(deps, None, Wanted())
    begin = await heard(source, event=False)
    after = await _exec(api, ids[1])
    kind, data = _told(first := await heard(source))
    assert (kind, data["taskId"], data["appId"], data["status"]) == ("task", after, ids[1]["id"], "waiting")
    assert (await heard(source, event=False))[""] == "heartbeat"
    await source.aclose()
    for last, told in ((begin["id"], [after]), ("0", [before, after]), ("999999", [])):
        source = stream_all(deps, last, Wanted())
        assert [_told(await heard(source))[1]["taskId"] for _ in told] == told
        assert (await heard(source, event=False))["id"] == first["id"]
        await source.aclose()
    assert not deps.event_hub.feed.followers


async def test_it_tells_what_is_asked_for(api: Api, deps: Deps) -> None:
    one, two = [await api.create(name=name) for name in ("one", "two")]
    for app in (one, two):
        await _exec(api, app)
        task = await _claim(api)
        async with api.db.begin("test") as tx:
            await events.append_many(tx, task.id, [JobEvent(job=1, status=JobStatus.RUNNING)])
    source = stream_all(deps, "0", Wanted(two["id"], frozenset({"job"})))
    kind, data = _told(await heard(source))
    assert (kind, data["appId"]) == ("job", two["id"])
    await source.aclose()
    for query in ({"appId": "nowhere~none"}, {"type": "x" * 33}):
        assert (await api.http.get("/api/v1/events", params=query)).status_code in (400, 404)
    answer = await api.http.get("/api/v1/events", headers={"Last-Event-ID": "7:9"})
    assert answer.json()["errors"][0]["field"] == "Last-Event-ID"


async def test_an_id_that_never_comes_is_looked_for_only_for_a_while(api: Api, deps: Deps) -> None:
    feed = Feed()
    with feed.follow():
        await feed.begin(api.db)
        feed.watch(Position.read("9:3-7", 0))  # the feed is at 0: there is no such gap below
        assert feed.position is not None
        assert feed.position.gaps == []
        feed.position = Position.read("9:3-7", 0)
        for _ in range(TURNS):
            assert feed.position.gaps
            async with api.db.read() as tx:
                await feed.poll(tx)
        async with api.db.read() as tx:
            await feed.poll(tx)
        assert str(feed.position) == "9"


@given(st.lists(st.integers(1, 60), unique=True, max_size=40), st.data())
def test_a_position_has_what_was_added_and_reads_what_it_writes(ids: list[int], data: st.DataObject) -> None:
    position, other = Position(), Position()
    for number, event_id in enumerate(ids):
        assert position.add(event_id, number)
        assert not position.add(event_id, number)
        position = position if data.draw(st.booleans()) else Position.read(str(position), 0)
        if data.draw(st.booleans()):
            other.add(event_id, 0)
    assert {one for one in range(1, 61) if not position.copy().add(one, 0)} == set(ids)
    missed = {one for one in range(1, position.last + 1) if position.copy().add(one, 0)}
    also = {one for one in range(1, min(other.last, position.last) + 1) if other.copy().add(one, 0)}
    position.watch(other, 0)
    assert {one for one in range(1, position.last + 1) if position.copy().add(one, 0)} == missed | also


@pytest.mark.parametrize("text", ["9:3-2,1-20,4-4", "1:1-1", f"99999:{','.join(f'{n}-{n}' for n in range(2, 202, 2))}"])
def test_a_position_that_somebody_made_up_is_in_order(text: str) -> None:
    gaps = Position.read(text, 0).gaps
    assert len(gaps) <= MOST_GAPS
    assert all(gap.low <= gap.high for gap in gaps)
    assert all(one.high < two.low for one, two in pairwise(gaps))
