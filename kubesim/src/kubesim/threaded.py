"""A simulated cluster in a thread of its own, for code that has no event loop, or another one."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar

from kubesim.controllers import Operator
from kubesim.faults import Armed, Fault, Faults
from kubesim.kubeconfig import write_private
from kubesim.server import SimServer

P = ParamSpec("P")
T = TypeVar("T")

_NOT_RUNNING = "the simulated cluster is not running"


class _Loop:
    """Runs things in the server's thread, for other threads."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Its outcome. In a test with an event loop, that loop waits meanwhile."""
        try:
            outcome = asyncio.run_coroutine_threadsafe(work, self._loop)
        except RuntimeError:  # the loop is closed
            work.close()
            raise RuntimeError(_NOT_RUNNING) from None
        return outcome.result()

    def call(self, function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """What the function returns there."""

        async def call() -> T:
            return function(*arguments, **named)

        return self.run(call())


class ThreadedServer:
    """Runs a server while the context is open: ``with ThreadedServer(SimServer(speed=10)) as cluster: ...``.

    All its methods may be called from any thread. They block until the cluster has done what was asked. ``__exit__``
    raises the first error that is a bug of the simulation, if there was one.
    """

    def __init__(self, server: SimServer | None = None) -> None:
        self._server = server or SimServer()
        self._folder: TemporaryDirectory[str] | None = None
        self._ready: Future[_Loop] = Future()
        self._ended: Future[None] = Future()
        self._stopping = asyncio.Event()
        self._loop: _Loop | None = None
        self._thread = threading.Thread(target=self._run, name="kubesim", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        first: tuple[Future[Any], ...] = (self._ready, self._ended)
        wait(first, return_when=FIRST_COMPLETED)
        if self._ended.done():
            self._ended.result()
        self._loop = self._ready.result()
        self._folder = TemporaryDirectory(prefix="kubesim-")
        write_private(self.kubeconfig_path, self.kubeconfig())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.call(self._stopping.set)
        self._loop = None
        self._thread.join()
        if self._folder is not None:
            self._folder.cleanup()
        self._ended.result()

    @property
    def url(self) -> str:
        """``http://host:port``."""
        return self._server.url

    @property
    def token(self) -> str | None:
        """The administrator's token; ``None`` where no token is asked for."""
        return self._server.authorization.admin_token

    @property
    def kubeconfig_path(self) -> Path:
        """A file with the kubeconfig, as long as the cluster runs."""
        if self._folder is None:
            raise RuntimeError(_NOT_RUNNING)
        return Path(self._folder.name) / "kubeconfig.yaml"

    @property
    def faults(self) -> "ThreadedFaults":
        """Its faults."""
        return ThreadedFaults(self._server.faults, self._running)

    def kubeconfig(self, token: str | None = None) -> str:
        """A kubeconfig for it, as YAML: the administrator's or, with a ``token``, that of its owner."""
        return self._server.kubeconfig(token)

    def account_token(self, namespace: str, name: str) -> str:
        """A token of a ServiceAccount, which must be there."""
        return self._running.call(self._server.account_token, namespace, name)

    def operate(self, operator: Operator) -> None:
        """Let it act on the objects of its custom resource. Its functions are called in the server's thread."""
        self._running.call(self._server.controllers.operate, operator)

    def settled(self) -> None:
        """Return once the cluster is at rest: its controllers have nothing to do, now or soon."""
        self._running.run(self._server.controllers.settled())

    @contextmanager
    def outage(self) -> Iterator[None]:
        """No API server while the context is open: nothing listens, all connections break. The cluster goes on."""
        outage = self._server.outage()
        self._running.run(outage.__aenter__())
        try:
            yield
        finally:
            self._running.run(outage.__aexit__(None, None, None))

    @property
    def _running(self) -> _Loop:
        if self._loop is None:
            raise RuntimeError(_NOT_RUNNING)
        return self._loop

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001  handed over: __enter__ or __exit__ raises it
            self._ended.set_exception(error)
        else:
            self._ended.set_result(None)

    async def _serve(self) -> None:
        async with self._server:
            self._ready.set_result(_Loop(asyncio.get_running_loop()))
            await self._stopping.wait()


class ThreadedFaults:
    """``Faults`` for other threads."""

    def __init__(self, faults: Faults, loop: _Loop) -> None:
        self._faults = faults
        self._loop = loop

    @property
    def armed(self) -> list["ThreadedFault"]:
        """Those that wait, the oldest first."""
        return [ThreadedFault(self._faults, one, self._loop) for one in self._loop.call(lambda: self._faults.armed)]

    def add(self, fault: Fault) -> "ThreadedFault":
        """Arm a fault. The next request is already subject to it. What a ``call`` calls runs in the server's thread."""
        return ThreadedFault(self._faults, self._loop.call(self._faults.add, fault), self._loop)

    def clear(self) -> None:
        """Release and disarm all."""
        self._loop.run(self._faults.clear())

    def cut_watches(self, resource: str = "*") -> int:
        """Break all open watches of the resources that the glob names, now. Answers with how many there were."""
        return self._loop.call(self._faults.cut_watches, resource)


class ThreadedFault:
    """An armed fault, for other threads."""

    def __init__(self, faults: Faults, armed: Armed, loop: _Loop) -> None:
        self._faults = faults
        self._armed = armed
        self._loop = loop

    @property
    def id(self) -> int:
        """Its number."""
        return self._armed.id

    @property
    def fault(self) -> Fault:
        """What it does."""
        return self._armed.fault

    @property
    def strikes(self) -> int:
        """How often it has struck."""
        return self._armed.strikes

    @property
    def outcomes(self) -> list[int]:
        """The status codes of late requests that have landed."""
        return list(self._armed.outcomes)

    def struck(self, times: int = 1, *, within: float = 60.0) -> None:
        """Return once it has struck that often. Raises :class:`TimeoutError` after ``within`` seconds.

        A client in the same event loop cannot go on meanwhile: there, ``await asyncio.to_thread(armed.struck)``.
        """

        async def strike() -> None:
            async with asyncio.timeout(within):
                await self._armed.struck(times)

        self._loop.run(strike())

    def release(self) -> list[int]:
        """Let go what is held: requests, late requests, stuck objects. Answers with the codes of what landed now."""
        return self._loop.run(self._armed.release())

    def remove(self) -> None:
        """Disarm it. What it holds stays held: release it first."""
        self._loop.call(self._faults.remove, self._armed)
