"""One pass of a cleanup over rows of the journal: in reverse order of priority, within a budget, nothing forgotten."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from kubemin.cluster.errors import ClusterError
from kubemin.engine.backoff import Backoff
from kubemin.engine.errors import StillThere
from kubemin.engine.journal import Journal, Resource
from kubemin.plan import priority_of

_CONCURRENCY = 32

_RESERVE = 0.1
"""Part of a pass's time that is kept for each priority still to come: else one object that cannot go, by a finalizer,
would keep everything below it from being put back, pass after pass."""


async def one_pass(
    journal: Journal, rows: Sequence[Resource], settle: Callable[[Resource], Awaitable[None]], seconds: float
) -> list[Resource]:
    """``settle`` each row, those of one priority together; returns what is left, each with its ``why``.

    Raises `Stopped` once the lease is lost, `StoreError` where the journal cannot be written.
    """
    slots = asyncio.Semaphore(_CONCURRENCY)
    deadline = asyncio.get_running_loop().time() + seconds
    left: list[Resource] = []

    async def settles(row: Resource, until: float) -> None:
        try:
            async with slots, asyncio.timeout_at(until):
                await _again_and_again(row, settle)
            return
        except StillThere as error:
            why = str(error) if error.ref != row.ref else error.why
        except ClusterError as error:
            why = error.message
        except TimeoutError:
            why = row.why or "there was no time left to look at it"
        row.why = ""
        journal.settle(row, row.state, why)
        left.append(row)

    priorities = sorted({priority_of(row.ref.kind) for row in rows})
    while priorities:
        priority = priorities.pop()
        until = deadline - seconds * _RESERVE * len(priorities)
        async with asyncio.TaskGroup() as group:
            for row in rows:
                if priority_of(row.ref.kind) == priority:
                    group.create_task(settles(row, until))
    await journal.flush()
    return left


async def _again_and_again(row: Resource, settle: Callable[[Resource], Awaitable[None]]) -> None:
    """Settle a row; where the API server only does not answer now, ask again: the pass has time for that."""
    backoff = Backoff()
    while True:
        try:
            return await settle(row)
        except ClusterError as error:
            if not error.retryable:
                raise
            row.why = error.message  # what is named, should the time run out
            await backoff.pause(error)
