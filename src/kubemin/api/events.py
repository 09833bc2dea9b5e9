"""A task's events as Server-Sent Events, read from the events table: the same for every listener and every process."""

import asyncio
import time
from collections.abc import AsyncIterator

from fastapi.sse import format_sse_event
from pydantic_core import to_json

from kubemin.api.deps import Deps
from kubemin.spec.states import Cleanup
from kubemin.store import Tx, events, tasks

_BATCH = 500
_RETRY_MILLISECONDS = 2000
_SETTLED = (Cleanup.NONE, Cleanup.DONE, Cleanup.INCOMPLETE, Cleanup.ABANDONED)


async def stream(deps: Deps, task_id: str, after: int) -> AsyncIterator[bytes]:
    """The events after the given id, then each as it comes, until ``end``; a comment where nothing came for a while.

    ``end`` is sent once nothing more is under way: one that was followed by a further try of the cleanup is passed
    over. A listener that comes back after it is not kept waiting. Raises what the store raises.
    """
    yield format_sse_event(retry=_RETRY_MILLISECONDS)
    async with deps.db.read() as tx:
        last = await events.last_id(tx, task_id)
        if after >= last and await _settled(tx, task_id):
            return
    after = min(after, last)
    quiet_since = time.monotonic()
    while not deps.stopping.is_set():
        async with deps.db.read() as tx:  # one state of the database: with the last event comes the task as it is then
            rows = await events.since(tx, task_id, after, _BATCH)
            ended = bool(rows) and rows[-1].is_end and await _settled(tx, task_id)
        for row in rows:
            if not row.is_end or (ended and row is rows[-1]):
                yield _frame(row)
            after = row.id
        if ended:
            return
        if rows:
            quiet_since = time.monotonic()
            continue
        if time.monotonic() - quiet_since >= deps.heartbeat_seconds:
            yield format_sse_event(comment="heartbeat")
            quiet_since = time.monotonic()
        await _pause(deps.stopping, deps.event_poll_seconds)


async def _settled(tx: Tx, task_id: str) -> bool:
    """Nothing more happens to the task, unless somebody or the reaper begins a further cleanup."""
    task = await tasks.brief(tx, task_id)
    return task is None or (task.status.ended and task.cleanup in _SETTLED)


def _frame(row: events.EventRow) -> bytes:
    # What was stored is sent on as it is, and not read: this server may be older than the worker that wrote it.
    data = {**row.data, "at": row.at.isoformat().replace("+00:00", "Z")}
    return format_sse_event(id=str(row.id), event=row.type, data_str=to_json(data).decode())


async def _pause(stopping: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stopping.wait()
    except TimeoutError:
        pass
