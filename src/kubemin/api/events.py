"""A task's events as Server-Sent Events, read from the events table: the same for every listener and every process."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

from kubemin.api.deps import Deps
from kubemin.spec.states import Cleanup
from kubemin.store import events, tasks

_BATCH = 500
_SETTLED = (Cleanup.NONE, Cleanup.DONE, Cleanup.INCOMPLETE)


async def stream(deps: Deps, task_id: str, after: int) -> AsyncIterator[str]:
    """The events after the given id, then each as it comes, until ``end``; a comment where nothing came for a while.

    A listener that comes back after ``end`` is not kept waiting. Raises what the store raises.
    """
    yield "retry: 2000\n\n"
    quiet_since = time.monotonic()
    while not deps.stopping.is_set():
        async with deps.db.read() as tx:
            task = await tasks.get(tx, task_id)  # before the events: what is seen here as settled has written its last
            rows = await events.since(tx, task_id, after, _BATCH)
        for row in rows:
            yield _frame(row.id, row.type, row.data)
            after = row.id
            if row.type == "end":
                return
        if rows:
            quiet_since = time.monotonic()
            continue
        if task is None or (task.status.ended and task.cleanup in _SETTLED):
            return
        if time.monotonic() - quiet_since >= deps.heartbeat_seconds:
            yield ": heartbeat\n\n"
            quiet_since = time.monotonic()
        await _pause(deps.stopping, deps.event_poll_seconds)


def _frame(event_id: int, kind: str, data: Any) -> str:
    return f"id: {event_id}\nevent: {kind}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


async def _pause(stopping: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stopping.wait()
    except TimeoutError:
        pass
