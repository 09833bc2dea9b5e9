"""Threads for what may hang and cannot be interrupted, above all a look-up of a host name."""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class DaemonThreads(ThreadPoolExecutor):
    """At most ``most`` threads, begun where there is work, ended where there is none. No process waits for them.

    Python joins the threads of every other executor before a process ends, and so does the loop at its own end: one
    look-up that nobody answers would delay both. It is a `ThreadPoolExecutor` by name only, because a loop takes
    nothing else as its own; nothing of that is used. For work alone that may be left behind when a process ends.
    """

    def __init__(self, most: int, name: str) -> None:
        super().__init__(most, name)
        self._most = most
        self._name = name
        self._lock = threading.Lock()
        self._waiting: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        self._running = 0
        self._closed = False

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """As `ThreadPoolExecutor.submit`."""
        doing: Future[T] = Future()
        with self._lock:
            if self._closed:
                raise RuntimeError("these threads are closed")
            if self._running < self._most:
                threading.Thread(target=self._work, name=self._name, daemon=True).start()
                self._running += 1
            self._waiting.append((doing, lambda: fn(*args, **kwargs)))
        return doing

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take nothing more. It never waits, whatever ``wait`` is: the loop says true."""
        with self._lock:
            self._closed = True
            left = list(self._waiting) if cancel_futures else []
        for doing, _ in left:
            doing.cancel()

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._running -= 1
                    return
                doing, work = self._waiting.popleft()
            if not doing.set_running_or_notify_cancel():
                continue
            try:
                found = work()
            except BaseException as error:  # noqa: BLE001  whoever asked is told
                doing.set_exception(error)
            else:
                doing.set_result(found)
            del doing, work  # what they hold is not kept until there is other work
