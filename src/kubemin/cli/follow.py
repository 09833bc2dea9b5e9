"""Following a task to its end, and cancelling it when the person asks for that."""

import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from kubemin.cli.choosing import Choice, choose
from kubemin.cli.client import Client, NoAnswer, Refused
from kubemin.cli.exits import CliError
from kubemin.cli.interrupts import Interrupted, Interrupts, Patience, left
from kubemin.cli.output import Output
from kubemin.cli.progress import Progress
from kubemin.cli.views import Lines, Silent, Table, View
from kubemin.spec.states import CleanupPolicy, TaskStatus

if TYPE_CHECKING:
    from kubemin.spec.events import Event

_AGAIN_SECONDS = 0.5
_ANSWER_SECONDS = 10
"""How long a single answer is waited for: what asks again soon need not wait longer."""
_TASK_ENDED = 20010
_REASON = "interrupted at the command line"


def follow(client: Client, task_id: str, output: Output, interrupts: Interrupts, *, from_end: bool = False) -> Progress:
    """Show the task until it is settled; ``from_end`` shows only its end and what follows.

    A signal does to the task what `Interrupts.on_signal` says, or the person at the terminal; a second one leaves it,
    with a sentence that says how to come back. A task that is only watched is left by the first. Raises
    :class:`CliError`.
    """
    client = client.patient(_ANSWER_SECONDS)
    progress = Progress(task_id)
    view = _view(progress, output, from_end=from_end)
    following = _Following(client, progress, view, interrupts, asks=not output.is_data)
    try:
        if interrupts.on_signal is None:
            following.load()
        with view:
            following.to_the_end()
    except Interrupted as signal:
        raise left(f"left; task {progress.task_id} goes on: {come_back(progress.task_id)}", signal) from None
    return progress


def come_back(task_id: str) -> str:
    """How to follow a task that goes on."""
    return f"`kubemin status {task_id} --follow` comes back to it"


def _view(progress: Progress, output: Output, *, from_end: bool) -> View:
    if not output.is_chatty:
        return Silent()
    return Table(progress) if sys.stdout.isatty() else Lines(progress, from_end=from_end)


class _Following:
    def __init__(self, client: Client, progress: Progress, view: View, interrupts: Interrupts, *, asks: bool) -> None:
        self._client = client
        self._progress = progress
        self._view = view
        self._interrupts = interrupts
        self._asks = asks
        self._patience = Patience(view.notice)
        self._loaded = False
        self._cancelled = False

    def to_the_end(self) -> None:
        """Until the task is settled. Raises `Interrupted` to leave it."""
        while True:
            try:
                if not self._loaded:
                    self._wait_for_load()
                settled = self._progress.settled
                if self._events() or (settled and self._progress.settled):
                    return
            except Interrupted as signal:
                self._interrupted(signal)

    def _events(self) -> bool:
        """Take events in until the stream ends; false when it broke off rather than came to its end."""
        event = None
        stream = self._client.events(self._progress.task_id, self._progress.seen)
        with suppress(NoAnswer):
            while (found := self._next(stream)) is not None:
                self._progress.seen, event = found
                if event is None:
                    continue
                if event.type == "job" and event.job not in self._progress.jobs:
                    self._wait_for_load()
                at = event.at.timestamp() if event.at else time.time()
                self._view.changed(self._progress.take(event, at), at)
        self._wait_for_load()
        if not self._progress.settled:
            self._interrupts.sleep(_AGAIN_SECONDS)
        return event is not None and event.type == "end"

    def _next(self, stream: "Iterator[tuple[int, Event | None]]") -> "tuple[int, Event | None] | None":
        with self._interrupts.waiting():
            return next(stream, None)

    def _wait_for_load(self) -> None:
        """Ask for the task's state until there is an answer. Raises :class:`CliError`, `Interrupted`."""
        while True:
            try:
                with self._interrupts.waiting():
                    self.load()
            except NoAnswer as error:
                self._patience.failed(error.why, come_back(self._progress.task_id))
                self._interrupts.sleep(_AGAIN_SECONDS)
            else:
                self._patience.answered()
                return

    def load(self) -> None:
        """Ask for the task's state. From then on it is the one that is meant, however it was named."""
        path = f"/workflow/tasks/{self._progress.task_id}"
        status, stages = self._client.get(f"{path}/status"), self._client.get(f"{path}/stages")
        self._progress.task_id = status["taskId"]
        self._progress.load(status, stages)
        self._loaded = True

    def _interrupted(self, signal: Interrupted) -> None:
        """Do what the person, or the caller of the command, wants. Raises `Interrupted` to leave."""
        if self._interrupts.on_signal is None or self._cancelled or self._progress.settled:
            raise signal
        with self._view.paused():
            choice = choose(self._interrupts, signal, f"Task {self._progress.task_id}", asks=self._asks)
        if choice is Choice.DETACH:
            raise signal
        if choice is Choice.CANCEL:
            self._cancel()

    def _cancel(self) -> None:
        """Ask the server for it until it answers. Raises :class:`CliError`, `Interrupted`."""
        self._cancelled = True
        if self._progress.status.ended:
            self._view.notice("the task has ended already, and its cleanup is waited for")
            return
        while True:
            try:
                cancel(self._client, self._progress.task_id, _REASON, missing_ok=True)
            except NoAnswer as error:
                self._interrupts.forget()
                self._patience.failed(error.why, come_back(self._progress.task_id))
                self._interrupts.sleep(_AGAIN_SECONDS)
            else:
                self._interrupts.forget()
                return


def cancel(
    client: Client, task_id: str, reason: str | None, policy: CleanupPolicy | None = None, *, missing_ok: bool = False
) -> Any:
    """Cancel the task; ``missing_ok`` takes one that has just ended otherwise. Returns the reply's data.

    Raises :class:`CliError`.
    """
    status = client.get(f"/workflow/tasks/{task_id}/status")
    body = {
        "taskId": status["taskId"],
        **({"reason": reason} if reason else {}),
        **({"cleanup": policy} if policy else {}),
    }
    try:
        done = client.post(f"/applications/{status['appId']}/workflow/cancel", body)
    except Refused as error:
        if missing_ok and error.business_code == _TASK_ENDED:
            return None
        raise
    if done["status"] != TaskStatus.CANCELLED and not missing_ok:
        raise CliError(f"Task {task_id} has already ended as {done['status']}: there is nothing left to cancel.")
    return done
