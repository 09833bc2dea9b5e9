"""``async with client.deploy(application) as run:``, and what ``run`` can do."""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, aclosing
from types import TracebackType
from typing import TYPE_CHECKING

from kubemin.client import flows
from kubemin.client.errors import KubeminError
from kubemin.client.patience import Patience
from kubemin.client.result import Result
from kubemin.client.run import Begun, Leaving, not_stopped, why_stopped
from kubemin.client.steps import Call

if TYPE_CHECKING:
    from kubemin.client.aio import AsyncClient
    from kubemin.client.replies import Applied, Event


class AsyncRun(Begun):
    """A run, in its block."""

    def __init__(self, client: "AsyncClient", made: "Applied", patience: Patience) -> None:
        super().__init__(made, patience)
        self._client = client

    async def events(self, *, after: int = 0) -> "AsyncGenerator[Event, None]":
        """As `Client.events`. To stop before the end, without `wait` or `detach` after it, leaves the block early."""
        self._reads = True
        async with aclosing(self._client.events(self.task_id, after=after, patience=self._patience)) as events:
            async for event in events:
                yield event
        self._reads = False

    async def wait(self) -> Result:
        """Wait for its end, and the end of its cleanup."""
        self.result = await self._client.wait(self.task_id, patience=self._patience)
        return self.result

    async def cancel(self, reason: str | None = None, *, cleanup: str | None = None) -> Result:
        """Cancel it, and wait until what it did is put back; with the ``cleanup`` ``none`` that stays."""
        flow = flows.stopped(self.app_id, self.task_id, reason, cleanup, self._patience)
        self.result = Result(await self._client.do(flow))
        return self.result


class AsyncDeploy(AbstractAsyncContextManager[AsyncRun]):
    """The block. Raises as it is entered what `Client.apply` does."""

    def __init__(self, client: "AsyncClient", call: "Call[Applied]", patience: Patience | None) -> None:
        self._client = client
        self._call = call
        self._patience = patience or Patience()
        self._run: AsyncRun | None = None

    async def __aenter__(self) -> AsyncRun:
        try:
            made = await self._client.do(flows.started(self._call, self._patience))
        except KubeminError:
            raise
        except BaseException as error:  # interrupted: nobody knows whether it is begun
            try:
                await self._client.do(flows.undone(self._call, why_stopped(error), self._patience))
            except KubeminError as failed:
                error.add_note(not_stopped("a task that may have been begun", failed))
            raise
        self._run = AsyncRun(self._client, made, self._patience)
        return self._run

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._run is not None
        match self._run.leaving(error):
            case Leaving.WAIT:
                (await self._run.wait()).check()
            case Leaving.STOP:
                try:
                    await self._run.cancel(why_stopped(error))
                except KubeminError as failed:
                    if error is None:
                        raise
                    error.add_note(not_stopped(f"task {self._run.task_id}", failed))
