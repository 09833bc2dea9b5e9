"""One pass of a cleanup over rows of the journal: in reverse order of priority, within a budget, nothing forgotten."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence

from kubemin.cluster.errors import ClusterError
from kubemin.engine.backoff import Backoff
from kubemin.engine.errors import StillThere
from kubemin.engine.journal import Journal, Resource
from kubemin.plan import priority_of

Later = Callable[[], Awaitable[None]]
"""The rest of a row's cleanup, which what has a lower priority need not wait for."""

Settle = Callable[[Resource], Awaitable[Later | None]]

_CONCURRENCY = 100

_RESERVE = 0.1
"""Part of a pass's time that is kept for each priority still to come: else one object that cannot go, by a finalizer,
would keep everything below it from being put back, pass after pass."""


async def one_pass(
    journal: Journal,
    rows: Sequence[Resource],
    settle: Settle,
    seconds: float,
    *,
    prepare: Callable[[Sequence[Resource]], Awaitable[None]],
) -> list[Resource]:
    """``settle`` each row, those of one priority together; returns what is left, each with its ``why``.

    ``prepare`` gets the rows of a priority before their turn comes, and a part of their time. Raises `Stopped` once the
    lease is lost, `StoreError` where the journal cannot be written.
    """
    slots = asyncio.Semaphore(_CONCURRENCY)
    now = asyncio.get_running_loop().time
    deadline = now() + seconds
    left: list[Resource] = []
    rests: set[asyncio.Task[None]] = set()

    async def settles(row: Resource, until: float) -> None:
        async with slots:
            later = await tries(row, until, lambda: settle(row))
        if later is not None:
            rests.add(afterwards.create_task(ends(row, later)))

    async def ends(row: Resource, later: Later) -> None:
        await tries(row, deadline, later)

    async def tries(row: Resource, until: float, step: Callable[[], Awaitable[Later | None]]) -> Later | None:
        try:
            async with asyncio.timeout_at(until):
                return await _again_and_again(row, step)
        except StillThere as error:
            why = str(error) if error.ref != row.ref else error.why
        except ClusterError as error:
            why = error.message
        except TimeoutError:
            why = row.why or "there was no time left to look at it"
        row.why = ""
        journal.settle(row, row.state, why)
        left.append(row)
        return None

    priorities = sorted({priority_of(row.ref.kind) for row in rows})
    async with asyncio.TaskGroup() as afterwards:
        while priorities:
            priority = priorities.pop()
            together = [row for row in rows if priority_of(row.ref.kind) == priority]
            until = deadline - seconds * _RESERVE * len(priorities)
            if rests and any(row.ref.kind == "Namespace" for row in together):
                await asyncio.wait(rests)  # it takes along whatever is in it
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout((until - now()) / 4):
                    await prepare(together)
            async with asyncio.TaskGroup() as group:
                for row in together:
                    group.create_task(settles(row, until))
    await journal.flush()
    return left


async def _again_and_again(row: Resource, step: Callable[[], Awaitable[Later | None]]) -> Later | None:
    """Take a step; where the API server only does not answer now, ask again: the pass has time for that."""
    backoff = Backoff()
    while True:
        try:
            return await step()
        except ClusterError as error:
            if not error.retryable:
                raise
            row.why = error.message  # what is named, should the time run out
            await backoff.pause(error)
