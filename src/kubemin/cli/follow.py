"""Following a task to its end, and cancelling it when the person asks for that."""

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from kubemin.cli.choosing import Choice, choose
from kubemin.cli.ending import Ending
from kubemin.cli.exits import CliError
from kubemin.cli.interrupts import Interrupted, Interrupts, Patience, left
from kubemin.cli.language import tr
from kubemin.cli.output import Output, is_redrawn
from kubemin.cli.progress import Progress
from kubemin.cli.views import Lines, Silent, Table, View
from kubemin.client.errors import SignalFailed, TaskEnded, Unauthorized, Unavailable
from kubemin.client.sync import Client
from kubemin.spec.states import CleanupPolicy

if TYPE_CHECKING:
    from kubemin.client.replies import Cancelled, Event, Task

    News = tuple[Task, None] | tuple[None, Event]

T = TypeVar("T")

_ANSWER_SECONDS = 10
"""How long a single answer is waited for: what asks again soon need not wait longer."""
_REASON = "interrupted at the command line"


def follow(
    client: Client, task_id: str, output: Output, interrupts: Interrupts, *, from_end: bool = False
) -> tuple[Progress, Ending]:
    """Show the task until it is settled; ``from_end`` shows only its end and what follows.

    A server that is away meanwhile is waited for, to the last answer that is needed.

    A signal does to the task what `Interrupts.on_signal` says, or the person at the terminal; a second one leaves it,
    with a sentence that says how to come back. A task that is only watched is left by the first. Raises
    :class:`CliError`.
    """
    client = client.asking(_ANSWER_SECONDS)
    progress = Progress(task_id)
    view = _view(progress, output, from_end=from_end)
    following = _Following(client, progress, view, interrupts, asks=not output.is_data)
    try:
        if interrupts.on_signal is None:
            following.load()
        with view:
            try:
                ending = following.to_the_end()
            except Unauthorized as error:
                raise _unknown_meanwhile(error, progress.task_id) from error
    except Interrupted as signal:
        raise left(goes_on(progress.task_id), signal) from None
    return progress, ending


def come_back(task_id: str) -> str:
    """How to follow a task that goes on."""
    return tr("`kubemin status {task} --follow` comes back to it", task=task_id)


def goes_on(task_id: str) -> str:
    """That a task is left, and goes on."""
    return tr("left; task {task} goes on: `kubemin status {task} --follow` comes back to it", task=task_id)


def _unknown_meanwhile(error: Unauthorized, task_id: str) -> Unauthorized:
    """That whoever follows a task is not known any more: that ends the following, and not the task."""
    goes_on = tr("Task {task} goes on: `kubemin status {task} --follow` comes back to it.", task=task_id)
    return Unauthorized(f"{error.message} {goes_on}", code=error.code, status=error.status, fields=error.fields)


def _view(progress: Progress, output: Output, *, from_end: bool) -> View:
    if not output.is_chatty:
        return Silent()
    return Table(progress) if is_redrawn() else Lines(progress, from_end=from_end)


class _Following:
    def __init__(self, client: Client, progress: Progress, view: View, interrupts: Interrupts, *, asks: bool) -> None:
        self._client = client
        self._progress = progress
        self._view = view
        self._interrupts = interrupts
        self._asks = asks
        self._patience = Patience(view.notice, come_back(progress.task_id))
        self._cancelled = False

    def to_the_end(self) -> Ending:
        """Until the task is settled. Raises `Interrupted` to leave it."""
        while True:
            try:
                return self._answered(partial(Ending.of, self._watch(), self._client))
            except Interrupted as signal:
                self._interrupted(signal)

    def _watch(self) -> "Task":
        """The task as it is in the end."""
        news = self._client.watch(self._progress.task_id, after=self._progress.seen, patience=self._patience)
        last = None
        while (found := self._next(news)) is not None:
            task, event = found
            if task is not None:
                last = task
                self._wait_for_stages(task)
            elif event is not None:
                self._take(event)
        assert last is not None, "a watch begins with the task's state"
        return last

    def _next(self, news: "Iterator[News]") -> "News | None":
        with self._interrupts.waiting():
            return next(news, None)

    def _take(self, event: "Event") -> None:
        self._progress.seen = event["id"]
        if event["type"] == "job" and event["job"] not in self._progress.jobs:
            self._wait_for_stages()
        at = datetime.fromisoformat(event["at"]).timestamp() if "at" in event else time.time()
        self._view.changed(self._progress.take(event, at), at)

    def _wait_for_stages(self, task: "Task | None" = None) -> None:
        self._answered(lambda: self.load(task))

    def _answered(self, ask: Callable[[], T]) -> T:
        """Ask until there is an answer. Raises :class:`CliError`, `Interrupted`."""

        def asked() -> T:
            with self._interrupts.waiting():
                return ask()

        return self._interrupts.answered(asked, self._patience)

    def load(self, task: "Task | None" = None) -> None:
        """Take in the task's state, and ask for what of it is not given. From then on it is meant, however named."""
        task = task or self._client.task(self._progress.task_id)
        stages = self._client.stages(task["taskId"])
        self._progress.task_id = task["taskId"]
        self._progress.load(task, stages)

    def _interrupted(self, signal: Interrupted) -> None:
        """Do what the person, or the caller of the command, wants. Raises `Interrupted` to leave."""
        if self._interrupts.on_signal is None or self._cancelled or self._progress.settled:
            raise signal
        with self._view.paused():
            choice = choose(self._interrupts, signal, tr("Task {task}", task=self._progress.task_id), asks=self._asks)
        if choice is Choice.DETACH:
            raise signal
        if choice is Choice.CANCEL:
            self._cancel()

    def _cancel(self) -> None:
        """Ask the server for it until it answers. Raises :class:`CliError`, `Interrupted`."""
        self._cancelled = True
        if self._progress.status.ended:
            self._view.notice(tr("the task has ended already, and its cleanup is waited for"))
            return
        while True:
            try:
                cancel(self._client, self._progress.task_id, _REASON, missing_ok=True)
            except Unavailable as error:
                self._interrupts.forget()
                self._interrupts.sleep(self._patience.failed(error))
            else:
                self._interrupts.forget()
                return


def cancel(
    client: Client, task_id: str, reason: str | None, policy: CleanupPolicy | None = None, *, missing_ok: bool = False
) -> "Cancelled | None":
    """Cancel the task; ``missing_ok`` takes one that has just ended otherwise, or whose worker hears of it later.

    Returns the reply's data, None where there is none. Raises :class:`CliError`, `KubeminError`.
    """
    try:
        done = client.cancel(task_id, reason=reason or None, cleanup=policy)
    except (TaskEnded, SignalFailed):
        if missing_ok:
            return None
        raise
    if done["status"] != "cancelled" and not missing_ok:
        ended = tr(
            "Task {task} has already ended as {status}: there is nothing left to cancel.",
            task=task_id,
            status=done["status"],
        )
        raise CliError(ended)
    return done
