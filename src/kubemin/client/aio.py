"""The client of asyncio programs, over aiohttp."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, closing
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, Unpack, cast

from kubemin.client import flows
from kubemin.client.address import Address, authorization
from kubemin.client.aio_http import Heard, Http
from kubemin.client.calls import runs
from kubemin.client.errors import KubeminError
from kubemin.client.methods import Methods
from kubemin.client.patience import Patience
from kubemin.client.result import Result
from kubemin.client.steps import Call, Flow, Give, Hear, Listening, Sleep, Step
from kubemin.client.tracing import checked

if TYPE_CHECKING:
    from kubemin.client.aio_run import AsyncDeploy
    from kubemin.client.options import RunOptions
    from kubemin.client.replies import Event, LogLine, Task

T = TypeVar("T")


class AsyncClient(Methods, AbstractAsyncContextManager["AsyncClient"]):
    """One server, asked within one event loop. Every method of `Client` is there, and is awaited."""

    def __init__(
        self, server: str, token: str | None = None, *, seconds: float = 60.0, traceparent: str | None = None
    ) -> None:
        """``seconds``, ``traceparent``: as those of `Client`. Raises `ValueError` as that does."""
        self.server = server.rstrip("/")
        self._http = Http(Address(server), authorization(token), seconds, checked(traceparent))

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Let go of what the HTTP library holds. Not needed where the client is used as a context."""
        await self._http.close()

    def deploy(
        self,
        application: Mapping[str, Any],
        *,
        workflow: Sequence[Any] | None = None,
        key: str | None = None,
        patience: Patience | None = None,
        **options: "Unpack[RunOptions]",
    ) -> "AsyncDeploy":
        """As `Client.deploy`: ``async with``. A cancelled task of the event loop is an error that leaves the block."""
        from kubemin.client.aio_run import AsyncDeploy

        return AsyncDeploy(self, runs.applying(application, workflow, key or runs.new_key(), options), patience)

    async def wait(self, task: str, *, patience: Patience | None = None) -> Result:
        """As `Client.wait`."""
        return Result(await self.do(flows.watch(task, None, complete=False, patience=patience or Patience())))

    def watch(
        self, task: str, *, after: int = 0, patience: Patience | None = None
    ) -> "AsyncIterator[tuple[Task, None] | tuple[None, Event]]":
        """As `Client.watch`."""
        return self.steps(flows.watch(task, after, complete=False, patience=patience or Patience()))

    async def events(
        self, task: str, *, after: int = 0, patience: Patience | None = None
    ) -> "AsyncGenerator[Event, None]":
        """As `Client.events`."""
        flow = flows.watch(task, after, complete=True, patience=patience or Patience())
        async with aclosing(self.steps(flow)) as news:
            async for _, event in news:
                if event is not None:
                    yield event
                    if event["type"] == "end":
                        return

    def follow_logs(
        self,
        app: str,
        *,
        component: str | None = None,
        container: str | None = None,
        tail: int | None = None,
        patience: Patience | None = None,
    ) -> "AsyncIterator[LogLine]":
        """As `Client.follow_logs`."""
        return self.steps(flows.log_lines(app, component, container, tail, patience or Patience()))

    async def do(self, flow: Flow[T]) -> T:
        """Take the steps of a flow to its outcome."""
        outcome: list[T] = []
        async with aclosing(self.steps(flow, outcome)) as steps:
            async for _ in steps:
                pass
        return outcome[0]

    async def steps(self, flow: Flow[T], outcome: list[T] | None = None) -> AsyncGenerator[Any, None]:
        """Take the steps of a flow, and yield what it gives; its ``outcome`` is put there."""
        taking = iter(flow)
        go_on: Callable[[], Step] = partial(next, taking)
        with closing(taking):
            async with aclosing(_Ear(self._http)) as ear:
                while True:
                    try:
                        step = go_on()
                    except StopIteration as done:
                        if outcome is not None:
                            outcome.append(cast("T", done.value))
                        return
                    go_on = partial(next, taking)
                    if isinstance(step, Give):
                        yield step.news
                        continue
                    try:
                        go_on = partial(taking.send, await self._take(step, ear))
                    except KubeminError as error:
                        go_on = partial(taking.throw, error)

    async def _take(self, step: Call[Any] | Hear | Sleep, ear: "_Ear") -> Any:
        match step:
            case Hear():
                return await ear.next(step.stream)
            case Sleep():
                return await asyncio.sleep(step.seconds)
            case _:
                return await self._http.ask(step)


class _Ear:
    """Hears one stream at a time, which is opened as it is asked for first."""

    def __init__(self, http: Http) -> None:
        self._http = http
        self._heard: Heard | None = None

    async def next(self, stream: Listening[Any]) -> dict[str, Any] | None:
        """The next event of this stream; None once it has ended or broken off. Raises `KubeminError`."""
        if self._heard is None or self._heard.stream is not stream:
            await self.aclose()
            self._heard = await self._http.listen(stream)
        event = None if self._heard is None else await self._heard.next()
        if event is None:
            await self.aclose()
        return event

    async def aclose(self) -> None:
        """Close it, if it is open."""
        if self._heard is not None:
            self._heard.close()
            self._heard = None
