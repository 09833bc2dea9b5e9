"""A worker in a process of its own, that can be killed at a named point: SIGKILL, as a machine dies.

The points are those where something outside the process changes: before and after each commit, before and after each
write to the API server. A run can be told to die at one of them, named by what happens there.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from kubemin.cluster import Cluster
from kubemin.dispatch import LocalDoorbell
from kubemin.engine import Engine, TaskService
from kubemin.engine.errors import NotHeld, TaskEnded
from kubemin.signals import LocalHub, LocalSignals
from kubemin.spec.limits import Limits
from kubemin.spec.states import Cleanup, JobStatus
from kubemin.store import Database, jobs, tasks
from tests.engine.instance import PATIENT
from tests.waiting import PATIENCE

_context = get_context("forkserver")
_context.set_forkserver_preload(["tests.engine.child"])


@dataclass(frozen=True)
class Point:
    """The ``nth`` time (from 1) that a run passes a point with a label like ``label``, a glob."""

    label: str
    nth: int = 1

    def __str__(self) -> str:
        return self.label if self.nth == 1 else f"{self.label} {self.nth}"

    def reached(self, passed: Sequence[str]) -> bool:
        """Whether the last of the points that a run has passed is this one."""
        like = [fnmatchcase(label, self.label) for label in passed]
        return bool(like) and like[-1] and sum(like) == self.nth


@dataclass(frozen=True)
class Script:
    """What a child does: run the task to its end, cancel it at one point, die at another.

    A run that is cancelled dies after that: ``kill_at`` counts from there on.
    """

    database: str
    cluster: str
    app_id: str
    task_id: str
    points: str
    cancel_at: Point | None = None
    kill_at: Point | None = None
    edge: str | None = None
    """Address of a second cluster, which the worker serves too."""
    promotes: bool = False
    """Whether somebody promotes the task whenever it waits for that."""


async def run_child(script: Script) -> int:
    """Run a worker as the script says; returns the exit code (-9: killed)."""
    return await run_process(_main, script)


async def run_process(main: Callable[[Any], None], argument: Any) -> int:
    """Run ``main`` in a process of its own to its end; its exit code. The caller's loop goes on meanwhile."""
    process = _context.Process(target=main, args=(argument,))
    process.start()
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(process.sentinel, ended.set)
    try:
        async with asyncio.timeout(PATIENCE):
            await ended.wait()
    finally:
        loop.remove_reader(process.sentinel)
        process.kill()
        process.join()
    code = process.exitcode
    process.close()
    assert code is not None
    return code


def _main(script: Script) -> None:
    asyncio.run(_run(script))


async def _run(script: Script) -> None:
    passed: list[str] = []
    claimed = cancelled = False
    cancelling: asyncio.Task[object] | None = None
    with Path(script.points).open("a") as points:  # noqa: ASYNC230  a line a point, flushed before the process may die

        async def hook(point: str) -> None:
            nonlocal cancelling, cancelled, claimed
            if ":cancel:" in point:  # the canceller's own commit
                if point.endswith(":after"):
                    passed.clear()
                    cancelled = True
                return
            if (":claim:" in point and claimed) or ":presence:" in point:
                return  # a look for further tasks, or a word that it is there, which come when they come
            claimed = claimed or point == "commit:claim:after"
            passed.append(point)
            points.write(f"{point}\n")
            points.flush()
            may_die = script.cancel_at is None or cancelled  # before that commit nobody has cancelled it
            if may_die and script.kill_at is not None and script.kill_at.reached(passed):
                os.kill(os.getpid(), signal.SIGKILL)
            if cancelling is None and script.cancel_at is not None and script.cancel_at.reached(passed):
                cancelling = asyncio.create_task(
                    service.cancel(script.app_id, script.task_id, "ada", f"cancelled at {point}")
                )

        db = await Database.open(script.database, hook=hook)
        addresses = {"default": script.cluster, **({"edge": script.edge} if script.edge else {})}
        clusters = [
            await Cluster.connect(kubeconfig=None, context=None, url=url, timeout=PATIENCE, hook=hook, name=name)
            for name, url in addresses.items()
        ]
        hub = LocalHub()
        service = TaskService(db, LocalSignals(hub), LocalDoorbell(), Limits())
        engine = Engine(db, clusters, LocalSignals(hub), LocalDoorbell(), PATIENT, "worker")
        running = asyncio.create_task(engine.run())
        while True:
            async with db.read() as tx:
                task = await tasks.get(tx, script.task_id)
                holds = await jobs.holds_of(tx, script.task_id) if script.promotes else []
            assert task is not None
            if task.status.ended and task.cleanup not in (Cleanup.PENDING, Cleanup.RUNNING):
                break
            if not task.promoted_hold and any(job.status is JobStatus.RUNNING for job in holds):
                with contextlib.suppress(NotHeld, TaskEnded):
                    await service.promote(script.task_id, "ada")
            await asyncio.sleep(0.05)
        if cancelling is not None:
            await asyncio.wait([cancelling])
        await engine.stop()
        await running
        for cluster in clusters:
            await cluster.aclose()
        await db.aclose()
