"""The event stream: everything once, in order, to the end."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextvars import ContextVar
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import insert

from kubemin.api import events as events_module
from kubemin.api import follower as follower_module
from kubemin.api.app import create_app
from kubemin.api.deps import Deps
from kubemin.api.event_hub import EventHub
from kubemin.api.events import stream
from kubemin.settings.api import ApiSettings
from kubemin.spec.events import CleanupEvent, EndEvent, Event, JobEvent, TaskEvent, data_of
from kubemin.spec.states import Cleanup, JobStatus, TaskStatus
from kubemin.store import events, tasks
from kubemin.store.clock import now
from kubemin.store.errors import Unavailable
from kubemin.store.tables import events as table
from kubemin.store.transaction import Tx
from tests.api.conftest import Api
from tests.api.test_tasks import _claim, _exec
from tests.waiting import PATIENCE


def _parse(text: str) -> list[tuple[int, str, Any]]:
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if line and not line.startswith(":"))
        if "data" in fields:
            data = json.loads(fields["data"])
            assert datetime.fromisoformat(data.pop("at")).tzinfo is UTC
            found.append((int(fields["id"]), fields["event"], data))
    return found


@pytest.fixture
async def running(api: Api) -> tasks.Task:
    await _exec(api, await api.create())
    return await _claim(api)


async def _append(api: Api, task_id: str, *new: Event) -> None:
    async with api.db.begin("test") as tx:
        await events.append_many(tx, task_id, new)


async def _finish(api: Api, task: tasks.Task) -> None:
    async with api.db.begin("test") as tx:
        assert await tasks.finish(tx, task.id, task.lease_epoch, TaskStatus.COMPLETED, "", Cleanup.NONE)
        await events.append_many(tx, task.id, [TaskEvent(status=TaskStatus.COMPLETED), EndEvent(cleanup=Cleanup.NONE)])


async def test_it_tells_everything_and_ends(api: Api, running: tasks.Task) -> None:
    many = [JobEvent(job=number, status=JobStatus.RUNNING, info="één\nline \ud800") for number in range(1200)]
    await _append(api, running.id, *many)
    await _finish(api, running)
    answer = await api.http.get(f"/api/v1/workflow/tasks/{running.id}/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    found = _parse(answer.text)
    kinds = [kind for _, kind, _ in found]
    assert kinds == ["task"] + ["job"] * 1200 + ["task", "end"]
    assert [data for _, kind, data in found if kind == "job"] == [data_of(event) for event in many]
    ids = [event_id for event_id, _, _ in found]
    assert ids == sorted(set(ids))


async def test_it_resumes_after_the_last_event_and_does_not_wait_after_the_end(api: Api, running: tasks.Task) -> None:
    await _finish(api, running)
    path = f"/api/v1/workflow/tasks/{running.id}/events"
    whole = _parse((await api.http.get(path)).text)
    for index, (event_id, _, _) in enumerate(whole):
        answer = await api.http.get(path, headers={"Last-Event-ID": str(event_id)})
        assert _parse(answer.text) == whole[index + 1 :]
    assert _parse((await api.http.get(path, headers={"Last-Event-ID": str(2**62)})).text) == []
    answer = await api.http.get(path, headers={"Last-Event-ID": "seven"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "Last-Event-ID")


async def test_new_events_come_as_they_happen_with_heartbeats_between(
    api: Api, deps: Deps, running: tasks.Task
) -> None:
    source = stream(deps, running.id, 0)
    assert await anext(source) == b"retry: 2000\n\n"
    assert _parse((await anext(source)).decode())[0][1] == "task"
    assert await anext(source) == b": heartbeat\n\n"
    await _append(api, running.id, JobEvent(job=1, status=JobStatus.RUNNING))
    heard = [frame async for frame in _until(source, b"event: job")]
    assert _parse(heard[-1].decode())[0][2]["job"] == 1
    await _finish(api, running)
    rest = b"".join([frame async for frame in source]).decode()
    assert [kind for _, kind, _ in _parse(rest)] == ["task", "end"]


async def _until(source: AsyncIterator[bytes], word: bytes) -> AsyncIterator[bytes]:
    async for frame in source:
        yield frame
        if word in frame:
            return


async def test_an_end_that_was_not_the_end_is_passed_over(api: Api, deps: Deps, running: tasks.Task) -> None:
    await _append(api, running.id, EndEvent(cleanup=Cleanup.INCOMPLETE), CleanupEvent(state=Cleanup.RUNNING))
    source = stream(deps, running.id, 0)
    heard = b"".join([frame async for frame in _until(source, b"event: cleanup")]).decode()
    assert [kind for _, kind, _ in _parse(heard)] == ["task", "cleanup"]
    await _append(api, running.id, EndEvent(cleanup=Cleanup.INCOMPLETE))
    assert await anext(source) == b": heartbeat\n\n"
    await _finish(api, running)
    rest = b"".join([frame async for frame in source]).decode()
    assert [kind for _, kind, _ in _parse(rest)] == ["task", "end"]


@pytest.mark.parametrize("batch", [1, 2, 3])
async def test_an_end_that_is_read_before_what_follows_it_is_passed_over(
    api: Api, deps: Deps, running: tasks.Task, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    """However much is read at once, and although the task is over by then."""
    monkeypatch.setattr(events_module, "_BATCH", batch)
    await _append(api, running.id, EndEvent(cleanup=Cleanup.INCOMPLETE), CleanupEvent(state=Cleanup.RUNNING))
    await _finish(api, running)
    answer = await api.http.get(f"/api/v1/workflow/tasks/{running.id}/events")
    assert [kind for _, kind, _ in _parse(answer.text)] == ["task", "cleanup", "task", "end"]


async def test_a_listener_from_the_future_hears_the_rest_all_the_same(
    api: Api, deps: Deps, running: tasks.Task
) -> None:
    source = stream(deps, running.id, 10**9)
    async for frame in source:
        if frame == b": heartbeat\n\n":  # it listens: of a task that was over it would hear nothing
            break
    await _finish(api, running)
    assert [kind for _, kind, _ in _parse(await _collect(source))] == ["task", "end"]


async def _collect(source: AsyncIterator[bytes]) -> str:
    return b"".join([frame async for frame in source]).decode()


async def test_what_a_later_version_wrote_is_sent_on_as_it_is(api: Api, running: tasks.Task) -> None:
    async with api.db.begin("later") as tx:
        for kind, data in (("later", '{"new":1}'), ("job", '{"job":1,"status":"paused","new":[null]}')):
            await tx.write(insert(table).values(task_id=running.id, type=kind, data=data, at=now()))
    await _finish(api, running)
    found = _parse((await api.http.get(f"/api/v1/workflow/tasks/{running.id}/events")).text)
    assert [(kind, data) for _, kind, data in found[1:3]] == [
        ("later", {"new": 1}),
        ("job", {"job": 1, "status": "paused", "new": [None]}),
    ]
    assert [kind for _, kind, _ in found[3:]] == ["task", "end"]
    async with api.db.read() as tx:
        assert [row.event for row in await events.since(tx, running.id)][1:3] == [None, None]


async def test_a_server_that_stops_lets_go_of_its_listeners(deps: Deps, running: tasks.Task) -> None:
    source = stream(deps, running.id, 0)
    await anext(source)
    deps.stopping.set()
    assert [frame async for frame in source] == []


async def _waiting(deps: Deps, task_id: str) -> AsyncGenerator[bytes, None]:
    """A stream that has sent what there is, and waits."""
    source = stream(deps, task_id, 0)
    async for frame in source:
        if frame.startswith(b": heartbeat"):
            return source
    raise AssertionError


async def test_what_the_database_is_asked_does_not_grow_with_the_streams(
    api: Api, deps: Deps, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each poll is one question how the tasks are, and one for 50 of those that have news."""
    running = []
    for name in ("one", "two", "three"):
        await _exec(api, await api.create(name=name))
        running.append(await _claim(api))
    sources = [await _waiting(deps, task.id) for task in running for _ in range(20)]
    asked, polls = list[str](), 0
    counts = ContextVar("counts", default=False)  # a poll that has begun already is not counted, nor what it asks
    execute, poll = Tx._execute, EventHub.poll

    async def counted(tx: Tx, statement: Any, parameters: Any) -> Any:
        if statement.is_select and counts.get():
            asked.append(str(statement))
        return await execute(tx, statement, parameters)

    async def polled(hub: EventHub) -> None:
        nonlocal polls
        polls += 1
        token = counts.set(True)
        await poll(hub)
        counts.reset(token)

    monkeypatch.setattr(Tx, "_execute", counted)
    monkeypatch.setattr(EventHub, "poll", polled)
    for task in running:
        await _append(api, task.id, JobEvent(job=1, status=JobStatus.RUNNING))
        await _finish(api, task)
    told = await asyncio.gather(*(_collect(source) for source in sources))
    assert {kind for text in told for _, kind, _ in _parse(text)} == {"job", "task", "end"}
    assert 0 < len(asked) <= 2 * polls
    assert not deps.event_hub._channels


@pytest.mark.parametrize("kept", [0, 1, 7])
async def test_a_slow_listener_hears_everything_once_and_in_order(
    api: Api, deps: Deps, running: tasks.Task, monkeypatch: pytest.MonkeyPatch, kept: int
) -> None:
    """While it does not listen, more comes than is kept for it."""
    monkeypatch.setattr(follower_module, "KEPT", kept)
    source = await _waiting(deps, running.id)
    heard = b""
    for number in range(1, 20):
        await _append(api, running.id, *[JobEvent(job=number, status=JobStatus.RUNNING)] * number)
        await deps.event_hub.poll()
        if number % 3 == 0:
            heard += await anext(source)
    await _finish(api, running)
    heard += (await _collect(source)).encode()
    found = _parse(heard.decode())
    ids = [event_id for event_id, _, _ in found]
    assert ids == sorted(set(ids))
    jobs = [data["job"] for _, kind, data in found if kind == "job"]
    assert jobs == [number for number in range(1, 20) for _ in range(number)]
    assert [kind for _, kind, _ in found][-2:] == ["task", "end"]


async def test_one_stream_too_many_is_told_to_come_back(api: Api, deps: Deps, running: tasks.Task) -> None:
    few = replace(deps, settings=ApiSettings(max_event_streams=2), registry=CollectorRegistry())
    sources = [await _waiting(few, running.id) for _ in range(2)]
    transport = httpx.ASGITransport(create_app(few))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
        path = f"/api/v1/workflow/tasks/{running.id}/events"
        answer = await http.get(path)
        assert (answer.status_code, answer.json()["code"], answer.headers["Retry-After"]) == (503, 503, "5")
        await sources.pop().aclose()
        await _finish(api, running)
        assert [kind for _, kind, _ in _parse((await http.get(path)).text)] == ["task", "task", "end"]
    assert "event: end" in await _collect(sources.pop())


async def test_a_database_that_is_away_for_a_while_ends_no_stream(
    api: Api, deps: Deps, running: tasks.Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = await _waiting(deps, running.id)
    states, away, failed = events.states, True, asyncio.Event()

    async def unsure(tx: Tx, task_ids: Any) -> Any:
        if away:
            failed.set()
            raise Unavailable("away")
        return await states(tx, task_ids)

    monkeypatch.setattr(events, "states", unsure)
    await _finish(api, running)
    await failed.wait()
    assert await anext(source) == b": heartbeat\n\n"
    away = False
    assert [kind for _, kind, _ in _parse(await _collect(source))] == ["task", "end"]


async def test_a_stream_that_cannot_be_read_ends_and_whoever_comes_again_misses_nothing(
    api: Api, deps: Deps, running: tasks.Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has begun, so no status can say that the database is away: an error would only break it off."""

    async def away(*_: object) -> Any:
        raise Unavailable("away")

    path = f"/api/v1/workflow/tasks/{running.id}/events"
    transport = httpx.ASGITransport(create_app(replace(deps, registry=CollectorRegistry())), raise_app_exceptions=True)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
        await _finish(api, running)
        with monkeypatch.context() as patched:
            patched.setattr(events, "since", away)
            answer = await http.get(path)
        assert (answer.status_code, _parse(answer.text)) == (200, [])
        assert [kind for _, kind, _ in _parse((await http.get(path)).text)] == ["task", "task", "end"]


async def test_a_fault_of_the_hub_ends_the_streams_so_that_they_come_again(
    api: Api, deps: Deps, running: tasks.Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = await _waiting(deps, running.id)

    async def wrong(tx: Tx, task_ids: Any) -> Any:
        raise ValueError("a state of a later version")

    with monkeypatch.context() as patched:
        patched.setattr(events, "states", wrong)
        async with asyncio.timeout(PATIENCE):
            assert _parse(await _collect(source)) == []
    await _finish(api, running)
    assert [kind for _, kind, _ in _parse(await _collect(stream(deps, running.id, 0)))] == ["task", "task", "end"]
