"""`kubemin worker`, and when the scope of each of its tasks ended: `ended <task> <monotonic seconds>` on stdout.

The monotonic clock is the machine's: other processes can compare it with theirs.
"""

import asyncio
import os
import time
from collections.abc import Coroutine
from typing import Any
from unittest.mock import patch

from kubemin.cli import main
from kubemin.cli.supervised import NICE
from kubemin.engine.journal.lease import Lease
from kubemin.engine.supervise import worker
from kubemin.engine.supervise.run import RunDeps, TaskRun
from kubemin.engine.supervise.scope import Scope
from kubemin.store.tasks import Task


class ToldScope(Scope):
    """Says when its work has ended by a cancel: not when it was asked to, but when nothing of it runs any more."""

    def __init__(self, task_id: str) -> None:
        super().__init__()
        self._task_id = task_id

    async def run(self, work: Coroutine[Any, Any, None]) -> None:
        """See Scope.run."""
        try:
            await super().run(work)
        except asyncio.CancelledError:
            print(f"ended {self._task_id} {time.monotonic():.6f}", flush=True)
            raise


class ToldRun(TaskRun):
    """A run in such a scope."""

    def __init__(self, task: Task, lease: Lease, _: Scope, tools: RunDeps) -> None:
        super().__init__(task, lease, ToldScope(task.id), tools)


if __name__ == "__main__":
    os.nice(NICE)
    with patch.object(worker, "TaskRun", ToldRun):
        main()
