"""Following a task to its end, and cancelling it when the person asks for that."""

import signal
import sys
import time
from typing import Any

from kubemin.cli.client import Client, Refused
from kubemin.cli.exits import CliError
from kubemin.cli.progress import Progress
from kubemin.cli.views import Lines, Silent, Table, View
from kubemin.spec.states import CleanupPolicy, TaskStatus

_AGAIN_SECONDS = 0.5
_GIVE_UP_SECONDS = 60
_TASK_ENDED = 20010


def follow(client: Client, task_id: str, *, quiet: bool, from_end: bool = False) -> Progress:
    """Show the task until it is settled; ``quiet`` shows nothing, ``from_end`` only its end and what follows.

    Ctrl-C cancels it (on a terminal after a question) and goes on following; a second Ctrl-C leaves it to itself,
    with a sentence that says how to come back. Raises :class:`CliError`.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell starts background jobs with it ignored
    status = client.get(f"/workflow/tasks/{task_id}/status")
    task_id = status["taskId"]  # the one that is meant now, however it was named
    progress = Progress(task_id)
    progress.load(status, client.get(f"/workflow/tasks/{task_id}/stages"))
    view: View = Silent() if quiet else Table(progress) if sys.stdout.isatty() else Lines(progress, from_end=from_end)
    cancelled = False
    with view:
        while True:
            try:
                settled = progress.settled
                if _events(client, progress, view) or (settled and progress.settled):
                    return progress
            except KeyboardInterrupt:
                if cancelled or progress.settled:
                    raise CliError(f"left; `kubemin status {task_id} --follow` comes back to it", 130) from None
                if not progress.status.ended and view.ask(f"Cancel task {task_id}, and undo what it did?"):
                    cancel(client, task_id, "interrupted at the command line", missing_ok=True)
                    cancelled = True


def _events(client: Client, progress: Progress, view: View) -> bool:
    """Take events in until the stream ends; false when it broke off rather than came to its end."""
    event = None
    for event_id, event in client.events(progress.task_id, progress.seen):
        progress.seen = event_id
        if event is None:
            continue
        if event.type == "job" and event.job not in progress.jobs:
            _load(client, progress)
        at = event.at.timestamp() if event.at else time.time()
        view.changed(progress.take(event, at), at)
    deadline = time.monotonic() + _GIVE_UP_SECONDS
    while True:
        try:
            _load(client, progress)
        except Refused:
            raise
        except CliError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_AGAIN_SECONDS)
        else:
            break
    if not progress.settled:
        time.sleep(_AGAIN_SECONDS)
    return event is not None and event.type == "end"


def _load(client: Client, progress: Progress) -> None:
    path = f"/workflow/tasks/{progress.task_id}"
    progress.load(client.get(f"{path}/status"), client.get(f"{path}/stages"))


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
