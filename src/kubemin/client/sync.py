"""The client of scripts, threads and the command line."""

import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from functools import partial
from typing import TYPE_CHECKING, Any, Self, TypeVar, Unpack, cast

from kubemin.client import flows
from kubemin.client.address import Address
from kubemin.client.calls import runs
from kubemin.client.credential import Credential, Fixed
from kubemin.client.errors import KubeminError
from kubemin.client.http import Heard, Http
from kubemin.client.methods import Methods
from kubemin.client.patience import Patience
from kubemin.client.result import Result
from kubemin.client.steps import Call, Flow, Give, Hear, Listening, Sleep, Step
from kubemin.client.tracing import checked

if TYPE_CHECKING:
    from kubemin.client.options import RunOptions
    from kubemin.client.replies import Event, LogLine, Task
    from kubemin.client.sync_run import Deploy

T = TypeVar("T")


class Client(Methods, AbstractContextManager["Client"]):
    """One server. Nothing stays open between requests: several threads may use one client, and it needs no close."""

    def __init__(
        self,
        server: str,
        token: str | Credential | None = None,
        *,
        seconds: float = 60.0,
        traceparent: str | None = None,
    ) -> None:
        """``token`` may be one that is renewed; ``seconds``: how long an answer may take.

        ``traceparent``: the span that the requests belong to (W3C Trace Context); without it that of the running
        OpenTelemetry context, if there is one. Raises `ValueError` for what is no address of a server, or no span.
        """
        self.server = server.rstrip("/")
        self.seconds = seconds
        self._token = Fixed(token) if token is None or isinstance(token, str) else token
        self._traceparent = checked(traceparent)
        self._http = Http(Address(server), self._token, seconds, self._traceparent)

    def __exit__(self, *_: object) -> None:
        """Nothing is open."""

    def asking(self, seconds: float) -> Self:
        """The same server, asked with so many seconds for each answer."""
        return type(self)(self.server, self._token, seconds=seconds, traceparent=self._traceparent)

    def deploy(
        self,
        application: Mapping[str, Any],
        *,
        workflow: Sequence[Any] | None = None,
        key: str | None = None,
        patience: Patience | None = None,
        **options: "Unpack[RunOptions]",
    ) -> "Deploy":
        """A block that runs the application, and leaves nothing of it behind when it is left early.

        Left by an error, or while its events are read, it cancels the task, waits until all is put back, and raises the
        error. Left otherwise it waits for the end, and raises `NotCompleted` unless that is ``completed`` or was waited
        for. ``patience``: for how long a server that is away is waited for.
        """
        from kubemin.client.sync_run import Deploy

        return Deploy(self, runs.applying(application, workflow, key or runs.new_key(), options), patience)

    def wait(self, task: str, *, patience: Patience | None = None) -> Result:
        """Wait until nothing more happens to the task. Raises what `Patience` does once the server is away too long."""
        return Result(self.do(flows.watch(task, None, complete=False, patience=patience or Patience())))

    def watch(
        self, task: str, *, after: int = 0, patience: Patience | None = None
    ) -> "Iterator[tuple[Task, None] | tuple[None, Event]]":
        """Each event after that one, as ``(None, event)``, and how the task is, as ``(task, None)``.

        That comes first, each time the stream has broken off, and last: then the task is settled.
        """
        flow = flows.watch(task, after, complete=False, patience=patience or Patience())
        return cast("Iterator[tuple[Task, None] | tuple[None, Event]]", self.steps(flow))

    def events(self, task: str, *, after: int = 0, patience: Patience | None = None) -> "Iterator[Event]":
        """Each event after that one, once and in order, until the task has ended.

        A stream that breaks off is resumed. Raises what `Patience` does once the server is away too long.
        """
        with closing(self.steps(flows.watch(task, after, complete=True, patience=patience or Patience()))) as news:
            for _, event in news:
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
    ) -> "Iterator[LogLine]":
        """Each line that the containers write from now on, after the last ``tail`` of each; without end."""
        flow = flows.log_lines(app, component, container, tail, patience or Patience())
        return cast("Iterator[LogLine]", self.steps(flow))

    def do(self, flow: Flow[T]) -> T:
        """Take the steps of a flow to its outcome."""
        steps = self.steps(flow)
        while True:
            try:
                next(steps)
            except StopIteration as done:
                return cast("T", done.value)

    def steps(self, flow: Flow[T]) -> Generator[Any, None, T]:
        """Take the steps of a flow, and yield what it gives."""
        taking = iter(flow)
        go_on: Callable[[], Step] = partial(next, taking)
        with closing(taking), closing(_Ear(self._http)) as ear:
            while True:
                try:
                    step = go_on()
                except StopIteration as done:
                    return cast("T", done.value)
                go_on = partial(next, taking)
                if isinstance(step, Give):
                    yield step.news
                    continue
                try:
                    go_on = partial(taking.send, self._take(step, ear))
                except KubeminError as error:
                    go_on = partial(taking.throw, error)

    def _take(self, step: Call[Any] | Hear | Sleep, ear: "_Ear") -> Any:
        match step:
            case Hear():
                return ear.next(step.stream)
            case Sleep():
                return time.sleep(step.seconds)
            case _:
                return self._http.ask(step)


class _Ear:
    """Hears one stream at a time, which is opened as it is asked for first."""

    def __init__(self, http: Http) -> None:
        self._http = http
        self._heard: Heard | None = None

    def next(self, stream: Listening[Any]) -> dict[str, Any] | None:
        """The next event of this stream; None once it has ended or broken off. Raises `KubeminError`."""
        if self._heard is None or self._heard.stream is not stream:
            self.close()
            self._heard = self._http.listen(stream)
        event = None if self._heard is None else self._heard.next()
        if event is None:
            self.close()
        return event

    def close(self) -> None:
        """Close it, if it is open."""
        if self._heard is not None:
            self._heard.close()
            self._heard = None
