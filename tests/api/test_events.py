"""The event stream: everything once, in order, to the end."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import insert

from kubemin.api.deps import Deps
from kubemin.api.events import stream
from kubemin.spec.events import CleanupEvent, EndEvent, Event, JobEvent, TaskEvent, data_of
from kubemin.spec.states import Cleanup, JobStatus, TaskStatus
from kubemin.store import events, tasks
from kubemin.store.clock import now
from kubemin.store.tables import events as table
from tests.api.conftest import Api
from tests.api.test_tasks import _claim, _exec


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


async def test_a_listener_from_the_future_hears_the_rest_all_the_same(
    api: Api, deps: Deps, running: tasks.Task
) -> None:
    source = stream(deps, running.id, 10**9)
    await anext(source)
    listening = asyncio.create_task(_collect(source))
    await _finish(api, running)
    assert [kind for _, kind, _ in _parse(await listening)] == ["task", "end"]


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
