"""A worker's hold on a task: by a monotonic clock of its own, and by what it has committed (design §6)."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from kubemin.engine.errors import Stopped
from kubemin.store import Database, Tx, tasks


@dataclass
class Lease:
    """Held until ``deadline`` (monotonic seconds), measured from before the claim or renewal was sent.

    The database's clock decides; this one only makes the holder step down early.
    """

    task_id: str
    epoch: int
    stored: int
    """The highest number of a commit under this lease that is known to be stored; at first the claim's own."""
    deadline: float
    clock: Callable[[], float] = field(default=time.monotonic, repr=False)
    _given: int = field(init=False, repr=False)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._given = self.stored

    @property
    def is_held(self) -> bool:
        """Whether it is surely still ours."""
        return self.clock() < self.deadline

    @property
    def is_over(self) -> bool:
        """Whether its holder has let go of it."""
        return self.deadline == -math.inf

    def check(self) -> None:
        """Raise `Stopped` unless the lease is surely still ours."""
        if not self.is_held:
            raise Stopped(f"the lease on task {self.task_id} ran out")

    def extend(self, deadline: float) -> None:
        """It was renewed, and is held until then; one that is over stays so."""
        if not self.is_over:
            self.deadline = deadline

    def end(self) -> None:
        """From now on its holder commits nothing more, whatever the database would let through."""
        self.deadline = -math.inf

    async def guard(self, tx: Tx) -> int:
        """Make a transaction one under this lease, before it writes anything of the task. Raises `LeaseLost`.

        Returns the number of its commit: `is_stored` is to be told once that is made.
        """
        # Over two connections a later number could else lock the row first: a database that was set back to between the
        # two commits has the higher one, and would hide that the other is lost. The row's lock makes them wait anyway.
        async with self._turn:
            self._given = number = self._given + 1
            await tasks.guard(tx, self.task_id, self.epoch, self.stored, number)
        return number

    def is_stored(self, number: int) -> None:
        """The commit of this number is made: from now on a row that does not know it was set back."""
        self.stored = max(self.stored, number)

    @asynccontextmanager
    async def begin(self, db: Database, label: str, *, application: str | None = None) -> AsyncIterator[Tx]:
        """`Database.begin` under this lease. Raises `LeaseLost`, and what that raises.

        ``application``: its row is locked too, if it is there: before the task's row, as everywhere.
        """
        async with db.begin(label) as tx:
            if application is not None:
                await tasks.lock_application(tx, application)
            number = await self.guard(tx)
            yield tx
        self.is_stored(number)
