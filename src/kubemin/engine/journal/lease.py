"""A worker's hold on a task, by a monotonic clock of its own (design §6)."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from kubemin.engine.errors import Stopped


@dataclass
class Lease:
    """Held until ``deadline`` (monotonic seconds), measured from before the claim or renewal was sent.

    The database's clock decides; this one only makes the holder step down early.
    """

    task_id: str
    epoch: int
    deadline: float
    clock: Callable[[], float] = field(default=time.monotonic, repr=False)

    def check(self) -> None:
        """Raise `Stopped` unless the lease is surely still ours."""
        if self.clock() >= self.deadline:
            raise Stopped(f"the lease on task {self.task_id} ran out")
