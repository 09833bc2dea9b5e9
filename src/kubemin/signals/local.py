"""Signals without Redis: inside one process, and from a server to the workers that it has started."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from kubemin.signals.base import MARKER_SECONDS, Cancelled, Mode, OnSignal, TakenOver


@dataclass(eq=False, slots=True)
class _Watch:
    epoch: int
    on_signal: OnSignal


@dataclass(slots=True)
class LocalHub:
    """State that the LocalSignals of several workers in one process share, as they would share a Redis."""

    watches: dict[str, _Watch] = field(default_factory=dict)
    marks: dict[str, tuple[str, float]] = field(default_factory=dict)


class LocalSignals:
    """An in-process registry with the semantics of the Redis keys."""

    def __init__(
        self,
        hub: LocalHub | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        tell: Callable[[str, str], None] | None = None,
        alone: bool = False,
    ) -> None:
        """Without a ``hub`` this object has its own. ``clock`` returns seconds.

        ``tell`` passes the task and the reason of a cancel on to other processes, each of which calls `cancel` on its
        own registry. It must not block or raise; a cancel that gets lost is found in the task's row.
        ``alone``: nobody calls `cancel`, as this process has neither an API nor a server that tells it.
        """
        self._hub = LocalHub() if hub is None else hub
        self._mine: dict[str, _Watch] = {}
        self._clock = clock
        self._tell = tell
        self._alone = alone

    @property
    def healthy(self) -> bool:
        """Always true: there is no connection that could fail."""
        return True

    @property
    def mode(self) -> Mode:
        """``database`` where nobody can tell this process of a cancel."""
        return Mode.DATABASE if self._alone else Mode.LOCAL

    async def watch(self, task_id: str, epoch: int, on_signal: OnSignal) -> None:
        """See Signals.watch."""
        mark = self._hub.marks.get(task_id)
        held = self._hub.watches.get(task_id)
        if mark is not None and mark[1] > self._clock():
            on_signal(Cancelled(mark[0]))
        elif held is not None and held.epoch > epoch:
            on_signal(TakenOver())
        else:
            self._hub.watches[task_id] = self._mine[task_id] = _Watch(epoch, on_signal)
            if held is not None:
                held.on_signal(TakenOver())

    async def unwatch(self, task_id: str) -> None:
        """See Signals.unwatch."""
        mine = self._mine.pop(task_id, None)
        if mine is not None and self._hub.watches.get(task_id) is mine:
            del self._hub.watches[task_id]

    async def cancel(self, task_id: str, reason: str) -> None:
        """See Signals.cancel; never fails."""
        if self._tell is not None:
            self._tell(task_id, reason)
        now = self._clock()
        for stale in [task for task, (_, until) in self._hub.marks.items() if until <= now]:
            del self._hub.marks[stale]
        self._hub.marks[task_id] = (reason, now + MARKER_SECONDS)
        watch = self._hub.watches.pop(task_id, None)
        if watch is not None:
            watch.on_signal(Cancelled(reason))

    async def aclose(self) -> None:
        """See Signals.aclose."""
        for task_id in list(self._mine):
            await self.unwatch(task_id)
