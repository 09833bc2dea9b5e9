"""One pass of a cleanup over rows of the journal: turn by turn, within a budget, nothing forgotten."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence

import structlog

from kubemin.cluster.errors import ClusterError
from kubemin.engine.backoff import Backoff
from kubemin.engine.errors import OutOfTurn, StillThere, Stopped, deciding
from kubemin.engine.journal.journal import Journal
from kubemin.engine.journal.rows import Resource
from kubemin.engine.objects.namespace_content import HOLDERS
from kubemin.spec.kinds import DEFINITION
from kubemin.spec.states import Purpose
from kubemin.store.errors import StoreError, Unreadable
from kubemin.telemetry.tracing import span

log = structlog.get_logger(__name__)

Later = Callable[[], Awaitable[None]]
"""The rest of a row's cleanup, which the next turn need not wait for."""

Settle = Callable[[Resource], Awaitable[Later | None]]
"""Undoes or removes what a row names. Raises `StillThere`, `OutOfTurn`, `ClusterError`."""

Prepare = Callable[[Sequence[Resource]], Awaitable[None]]

Order = Callable[[Sequence[Resource]], list[list[Resource]]]
"""Cuts rows into turns, none of them empty."""

_CONCURRENCY = 100

_RESERVE = 0.1
"""For each turn still to come so much is kept of the time of a pass, beside what the turn itself may take: else one
object that cannot go, by a finalizer, would keep everything after it from being undone, pass after pass."""

_ONCE_MORE = (0.0, 0.5, 1.0)
"""Seconds after which what was refused is tried again: what the rest of the pass has freed (a node port, a quota) may
be counted as taken for a moment still."""


_FIRST = {"Namespace": 0, DEFINITION: 1}


def forwards(rows: Sequence[Resource]) -> list[list[Resource]]:
    """One turn a priority, in the order of a deploy: what others read before what reads it.

    Namespaces, then definitions come before all else, whatever the order of the deploy was: with one of these goes
    whatever is in it, or is of its kind.
    """
    turns: dict[tuple[int, int], list[Resource]] = {}
    for row in sorted(rows, key=_turn):
        turns.setdefault(_turn(row), []).append(row)
    return list(turns.values())


def _turn(row: Resource) -> tuple[int, int]:
    return _FIRST.get(row.ref.kind, 2), row.place


def backwards(rows: Sequence[Resource]) -> list[list[Resource]]:
    """One turn a priority, in reverse: what reads others before what it reads, and Namespaces and definitions last."""
    return forwards(rows)[::-1]


async def one_pass(
    journal: Journal,
    rows: Sequence[Resource],
    settle: Settle,
    seconds: float,
    *,
    prepare: Prepare,
    order: Order = backwards,
) -> list[Resource]:
    """``settle`` each row, those of one turn together; returns what is left, each with its ``why``.

    ``prepare`` gets the rows of a turn before it begins, and a part of its time. What is refused is tried again at the
    end, if any other row is done by then: that may have been in its way. Raises `Stopped` once the lease is lost,
    `StoreError` where the journal cannot be written.
    """
    run = _Pass(journal, rows, settle, seconds, prepare, order)
    async with asyncio.TaskGroup() as run.rests:
        await run.take_turns()
        await run.try_refused_again()
    await journal.flush()
    return run.too_late + run.refused


class _Pass:
    """The state of one pass."""

    rests: asyncio.TaskGroup
    """Runs what later turns need not wait for."""

    def __init__(
        self,
        journal: Journal,
        rows: Sequence[Resource],
        settle: Settle,
        seconds: float,
        prepare: Prepare,
        order: Order,
    ) -> None:
        self.refused: list[Resource] = []
        self.too_late: list[Resource] = []
        self._journal = journal
        self._number = len(rows)
        self._settle = settle
        self._prepare = prepare
        self._order = order
        self._now = asyncio.get_running_loop().time
        self._deadline = self._now() + seconds
        self._slots = asyncio.Semaphore(_CONCURRENCY)
        self._waiting = list(rows)
        self._defined = {row.ref.name.partition(".")[2] for row in rows if row.ref.kind == DEFINITION and _goes(row)}
        """The groups whose definitions go."""
        self._unfinished: set[asyncio.Task[None]] = set()

    async def take_turns(self) -> None:
        """Settle what waits, one turn after the other."""
        while self._waiting:
            together, *to_come = self._order(self._waiting)
            self._waiting = [row for turn in to_come for row in turn]
            now, waits = self._now(), len(to_come) + bool(self.refused)
            until = now + (self._deadline - now) / (1 + _RESERVE * waits)
            if self._unfinished and any(row.ref.kind in HOLDERS for row in together):
                await asyncio.wait(self._unfinished)  # their deletion takes along whatever is in them
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout((until - self._now()) / 4):
                    await self._prepare(together)
            async with asyncio.TaskGroup() as turn:
                for row in together:
                    turn.create_task(self._take(row, until))

    async def try_refused_again(self) -> None:
        """Try again what was refused, as long as something else was settled that may have been in its way."""
        for pause in _ONCE_MORE:
            settled = self._number - len(self.too_late) - len(self.refused)
            if not self.refused or not settled or self._now() + pause >= self._deadline:
                return
            await asyncio.sleep(pause)
            self._waiting, self.refused = self.refused, []
            await self.take_turns()

    async def _take(self, row: Resource, until: float) -> None:
        if (blocker := self._blocker(row)) is not None:
            why = f"waits until {blocker.ref} is gone: it may be what it takes for that"
            self._journal.settle(row, row.state, why)
            self.refused.append(row)
            return
        async with self._slots:
            with span("object", {"kubemin.object": str(row.ref)}) as made:
                rest = await self._try(row, until, lambda: self._settle(row))
                if made is not None:
                    made.set("kubemin.object.state", str(row.state))
        if rest is not None:
            finishing = self.rests.create_task(self._finish(row, rest))
            self._unfinished.add(finishing)

    def _blocker(self, row: Resource) -> Resource | None:
        """A custom resource that does not go, where the row's object may be a part of its controller, and goes too.

        Its controller is taken to be here where its definition is. What is put back is in nobody's way.
        """
        if not _goes(row):
            return None
        left = (one for one in (*self.refused, *self.too_late) if _goes(one) and _group(one) in self._defined)
        return next((one for one in left if one.place > row.place and _group(row) not in self._defined), None)

    async def _finish(self, row: Resource, rest: Later) -> None:
        await self._try(row, self._deadline, rest)

    async def _try(self, row: Resource, until: float, step: Callable[[], Awaitable[Later | None]]) -> Later | None:
        """Take a step of a row's cleanup; what does not succeed goes to a list, with its ``why``."""
        left = self.refused
        try:
            async with asyncio.timeout_at(until):
                return await _again_and_again(row, step)
        except OutOfTurn:
            self._waiting.append(row)
            return None
        except StillThere as error:
            why = str(error) if error.ref != row.ref else error.why
        except ClusterError as error:
            why = error.message
        except Unreadable as error:  # of another task's
            why = str(error)
        except TimeoutError:
            left, why = self.too_late, row.why or "there was no time left to look at it"
        except Exception as error:
            if isinstance(deciding(error), (Stopped, StoreError)):
                raise
            # A fault of ours, or a row that nobody of us has written: the other rows are undone all the same.
            log.exception("unexpected error while an object is undone", object=str(row.ref))
            why = f"unexpected {type(error).__name__}: a fault of KubeMin, see the worker's log"
        row.why = ""
        self._journal.settle(row, row.state, why)
        left.append(row)
        return None


def _goes(row: Resource) -> bool:
    """Whether its object is deleted, and not put back or released."""
    return row.purpose is Purpose.REMOVE or (row.purpose is Purpose.APPLY and not row.was_there)


def _group(row: Resource) -> str:
    return row.ref.kind.partition(".")[2]


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
