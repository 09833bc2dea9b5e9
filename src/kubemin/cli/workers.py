"""The workers of a server: processes of their own, which it starts, keeps running, and ends (operations.md)."""

import asyncio
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

import structlog

from kubemin.cli.link import Link

log = structlog.get_logger(__name__)

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0
_WELL_SECONDS = 60.0
"""A worker that ran for so long is started again after the first pause."""
_ANSWER_SECONDS = 1.0


@dataclass(frozen=True)
class Start:
    """What a worker is told when it is to begin. It has the server's environment too."""

    settings: dict[str, Any]
    simulated_at: Mapping[str, str]
    stop_seconds: float
    """How long it may take to stop; then it is killed."""
    stuck_seconds: float
    """How long it may leave a question without an answer; then it is killed, too."""


class WorkerProcess:
    """One of them; after its end another process takes its place and name."""

    def __init__(self, name: str, on_ring: Callable[["WorkerProcess"], None]) -> None:
        self.name = name
        self._on_ring = on_ring
        self._spawn()
        self._link: Link | None = None
        self._answer: asyncio.Future[list[Any] | None] | None = None
        self.ready = False
        self.begun = asyncio.Event()
        """Set when it is ready for the first time, or has failed to become so."""

    def _spawn(self) -> None:
        self._end, theirs = socket.socketpair()
        # Its Ctrl-C is the server's, which tells it to stop: a signal that is blocked here stays so in the process.
        former = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            command = [sys.executable, "-P", "-m", "kubemin.cli.supervised", self.name]
            self._process = subprocess.Popen(command, stdin=theirs.fileno())  # noqa: S603
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, former)
            theirs.close()

    async def run(self, start: Start, stopping: asyncio.Event) -> None:
        """Have it work, and start it again whenever it has ended, until the event is set and it has ended."""
        pause = _FIRST_PAUSE
        while True:
            began = time.monotonic()
            code = await self._work(start, stopping)
            self.begun.set()
            if stopping.is_set():
                return
            if time.monotonic() - began >= _WELL_SECONDS:
                pause = _FIRST_PAUSE
            seconds = pause * random.uniform(0.5, 1)  # noqa: S311  jitter, not a secret
            log.warning(
                "a worker ended; it is started again", worker=self.name, how=_how(code), after_seconds=round(seconds, 1)
            )
            if await _within(seconds, stopping):
                return
            pause = min(2 * pause, _LONGEST_PAUSE)
            self._spawn()

    async def _work(self, start: Start, stopping: asyncio.Event) -> int:
        """From its start to its end; its exit code."""
        self._link = await Link.over(self._end)
        self._link.send("start", start.settings, dict(start.simulated_at))
        async with asyncio.TaskGroup() as group:
            listening = group.create_task(self._listen(self._link))
            told = group.create_task(stopping.wait())
            watching = group.create_task(self._watch(start.stuck_seconds))
            await asyncio.wait((listening, told), return_when=asyncio.FIRST_COMPLETED)
            told.cancel()
            watching.cancel()
            if not listening.done():
                self._link.send("stop")
                await asyncio.wait([listening], timeout=start.stop_seconds)
                if not listening.done():
                    log.warning("a worker does not stop; it is killed", worker=self.name)
                    self._process.kill()
        self._link.close()
        return await asyncio.to_thread(self._process.wait)

    async def _watch(self, seconds: float) -> None:
        """Kill it when it is stuck. Its tasks are not its own any more; but it may have the one writer's place."""
        while True:
            await asyncio.sleep(seconds)
            if self.ready and await self.ask(seconds) is None:
                log.warning("a worker does not answer; it is killed", worker=self.name)
                self._process.kill()

    async def _listen(self, link: Link) -> None:
        """Hear what it says, until it has ended."""
        while (message := await link.receive()) is not None:
            match message:
                case ["ready"]:
                    self.ready = True
                    self.begun.set()
                case ["ring"]:
                    self._on_ring(self)
                case ["answer", families]:
                    self._answered(families)
        self.ready = False
        self._answered(None)

    def _answered(self, families: list[Any] | None) -> None:
        answer, self._answer = self._answer, None
        if answer is not None and not answer.done():
            answer.set_result(families)

    def send(self, *message: Any) -> None:
        """Tell it something; nothing becomes of it if it has ended, or does not read."""
        if self._link is not None:
            self._link.send(*message)

    async def ask(self, seconds: float = _ANSWER_SECONDS) -> list[Any] | None:
        """Its metrics; None if it does not answer so soon."""
        if not self.ready:
            return None
        if self._answer is None:
            self._answer = asyncio.get_running_loop().create_future()
            self.send("ask")
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.shield(self._answer)
        except TimeoutError:
            return None

    def kill(self) -> None:
        """Be sure that it is gone."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._end.close()


class Workers:
    """All workers of a server. A context: at its end none is left."""

    def __init__(self, count: int) -> None:
        """Start the processes; they import what they need, and wait to be told how to begin."""
        self._all = [WorkerProcess(str(number), self._pass_on) for number in range(1, count + 1)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for one in self._all:
            one.kill()

    def tell(self, *message: Any) -> None:
        """Tell all of them. Never waits, never raises."""
        for one in self._all:
            one.send(*message)

    def _pass_on(self, ringer: WorkerProcess) -> None:
        for one in self._all:
            if one is not ringer:
                one.send("ring")

    async def run(self, start: Start, stopping: asyncio.Event) -> None:
        """Keep all running until the event is set; then have them stop."""
        async with asyncio.TaskGroup() as group:
            for one in self._all:
                group.create_task(one.run(start, stopping))

    async def begun(self) -> None:
        """Wait until each is ready, or has failed to become so."""
        for one in self._all:
            await one.begun.wait()

    async def metrics(self) -> dict[str, list[Any] | None]:
        """What each has counted, by its name; None for one that does not answer."""
        answers = await asyncio.gather(*(one.ask() for one in self._all))
        return {one.name: answer for one, answer in zip(self._all, answers, strict=True)}

    async def health(self) -> str | None:
        """Which of them do not answer, in a sentence; None if all do."""
        silent = [name for name, answer in (await self.metrics()).items() if answer is None]
        return f"of {len(self._all)} these do not answer: worker {', '.join(silent)}" if silent else None

    def __len__(self) -> int:
        return len(self._all)


def _how(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"killed by {signal.Signals(-code).name}"


async def _within(seconds: float, event: asyncio.Event) -> bool:
    """Whether the event is set by then."""
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False
