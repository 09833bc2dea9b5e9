"""One pass of a cleanup over rows of the journal: turn by turn, within a budget, nothing forgotten."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence

from kubemin.cluster.errors import ClusterError
from kubemin.engine.backoff import Backoff
from kubemin.engine.errors import OutOfTurn, StillThere
from kubemin.engine.journal.journal import Journal, Resource
from kubemin.spec.kinds import WRITTEN

Later = Callable[[], Awaitable[None]]
"""The rest of a row's cleanup, which the next turn need not wait for."""

Settle = Callable[[Resource], Awaitable[Later | None]]

Order = Callable[[Sequence[Resource]], list[list[Resource]]]
"""Cuts rows into turns, none of them empty."""

_CONCURRENCY = 100

_RESERVE = 0.1
"""Part of a pass's time that is kept for each turn still to come: else one object that cannot go, by a finalizer,
would keep everything after it from being undone, pass after pass."""

_ONCE_MORE = (0.0, 0.5, 1.0)
"""Seconds after which what was refused is tried again: what the rest of the pass has freed (a node port, a quota) may
be counted as taken for a moment still."""


def forwards(rows: Sequence[Resource]) -> list[list[Resource]]:
    """One turn a priority, in the order of a deploy: what others read before what reads it."""
    by_priority: dict[int, list[Resource]] = {}
    for row in sorted(rows, key=lambda one: WRITTEN[one.ref.kind].priority):
        by_priority.setdefault(WRITTEN[row.ref.kind].priority, []).append(row)
    return list(by_priority.values())


def backwards(rows: Sequence[Resource]) -> list[list[Resource]]:
    """One turn a priority, in reverse: what reads others before what it reads, and Namespaces last."""
    return forwards(rows)[::-1]


async def one_pass(
    journal: Journal,
    rows: Sequence[Resource],
    settle: Settle,
    seconds: float,
    *,
    prepare: Callable[[Sequence[Resource]], Awaitable[None]],
    order: Order = backwards,
) -> list[Resource]:
    """``settle`` each row, those of one turn together; returns what is left, each with its ``why``.

    ``prepare`` gets the rows of a turn before it begins, and a part of its time. What is refused is tried again at the
    end, if any other row is done by then: that may have been in its way. Raises `Stopped` once the lease is lost,
    `StoreError` where the journal cannot be written.
    """
    slots = asyncio.Semaphore(_CONCURRENCY)
    now = asyncio.get_running_loop().time
    deadline = now() + seconds
    waiting = list(rows)
    refused: list[Resource] = []
    too_late: list[Resource] = []
    rests: set[asyncio.Task[None]] = set()

    async def settles(row: Resource, until: float) -> None:
        async with slots:
            later = await tries(row, until, lambda: settle(row))
        if later is not None:
            rests.add(afterwards.create_task(ends(row, later)))

    async def ends(row: Resource, later: Later) -> None:
        await tries(row, deadline, later)

    async def tries(row: Resource, until: float, step: Callable[[], Awaitable[Later | None]]) -> Later | None:
        left = refused
        try:
            async with asyncio.timeout_at(until):
                return await _again_and_again(row, step)
        except OutOfTurn:
            waiting.append(row)
            return None
        except StillThere as error:
            why = str(error) if error.ref != row.ref else error.why
        except ClusterError as error:
            why = error.message
        except TimeoutError:
            left, why = too_late, row.why or "there was no time left to look at it"
        row.why = ""
        journal.settle(row, row.state, why)
        left.append(row)
        return None

    async def take_turns() -> None:
        while waiting:
            together, *to_come = order(waiting)
            waiting[:] = [row for turn in to_come for row in turn]
            until = deadline - seconds * _RESERVE * (len(to_come) + bool(refused))
            if rests and any(row.ref.kind == "Namespace" for row in together):
                await asyncio.wait(rests)  # it takes along whatever is in it
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout((until - now()) / 4):
                    await prepare(together)
            async with asyncio.TaskGroup() as group:
                for row in together:
                    group.create_task(settles(row, until))

    async with asyncio.TaskGroup() as afterwards:
        await take_turns()
        for pause in _ONCE_MORE:
            if not 0 < len(refused) < len(rows) - len(too_late) or now() + pause >= deadline:
                break
            await asyncio.sleep(pause)
            waiting[:], refused[:] = refused, []
            await take_turns()
    await journal.flush()
    return too_late + refused


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
