"""What takes more than one request: written once, for both drivers."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar, Unpack

from kubemin.client.address import below, named
from kubemin.client.calls import applications, runs, tasks
from kubemin.client.errors import ServerLost, SignalFailed, TaskEnded, Unavailable
from kubemin.client.following import Following
from kubemin.client.patience import AGAIN_SECONDS, Patience, pause_after
from kubemin.client.steps import Call, Flow, Give, Hear, Listening, Sleep, Step

if TYPE_CHECKING:
    from kubemin.client.options import RunOptions
    from kubemin.client.replies import (
        Applied,
        Cancelled,
        DeletedApplication,
        DeletedResources,
        RolledBack,
        Task,
        TaskId,
        Version,
    )

T = TypeVar("T")
_LOGS_AGAIN_SECONDS = 1.0
_UNKNOWN = "COMMIT_UNKNOWN"


def patiently(call: Flow[T], patience: Patience) -> Generator[Step, Any, T]:
    """Ask until there is an answer. Raises what `Patience` does when there is none for too long."""
    while True:
        try:
            data = yield from call
        except Unavailable as error:
            yield Sleep(patience.failed(error))
        else:
            patience.answered()
            return data


def started(call: Call[T], patience: Patience) -> Generator[Step, Any, T]:
    """Ask for what has an Idempotency-Key. What may have been begun is seen through: it is asked for again.

    A server that was never reached is an error at once.
    """
    try:
        return (yield from call)
    except Unavailable as error:
        if not _may_be_done(error):
            raise
        yield Sleep(patience.failed(error))
    return (yield from patiently(call, patience))


def _may_be_done(error: Unavailable) -> bool:
    """Whether the request may have been done: its answer is lost, or that of the server's database."""
    if isinstance(error, ServerLost):
        return error.sent
    return any(one["code"] == _UNKNOWN for one in error.fields)


def apply(
    application: Mapping[str, Any],
    *,
    workflow: Sequence[Any] | None = None,
    key: str | None = None,
    patience: Patience | None = None,
    **options: "Unpack[RunOptions]",
) -> "Generator[Step, Any, Applied]":
    """Run an application as it is, and do not wait for its end: ``taskId`` is the task, ``warnings`` what looks wrong.

    A lost answer is asked for again with the same ``key``, so that there is one task. Raises `ServerLost` where no
    server answers, `Invalid`, `Conflict`.
    """
    call = runs.applying(application, workflow, key or runs.new_key(), options)
    return (yield from started(call, patience or Patience()))


def execute(
    app: str,
    *,
    workflow_id: str | None = None,
    key: str | None = None,
    patience: Patience | None = None,
    **options: "Unpack[RunOptions]",
) -> "Generator[Step, Any, TaskId]":
    """Run the draft of an application, by the workflow that came with it or by another. A lost answer as in `apply`."""
    call = runs.executing(app, workflow_id, key or runs.new_key(), options)
    return (yield from started(call, patience or Patience()))


def rollback(
    app: str,
    revision: int | None = None,
    *,
    key: str | None = None,
    patience: Patience | None = None,
    **options: "Unpack[RunOptions]",
) -> "Generator[Step, Any, RolledBack]":
    """Bring an older revision as a new one, by the task ``taskId``; by default the one before the current one.

    A lost answer as in `apply`.
    """
    call = runs.rolling_back(app, revision, key or runs.new_key(), options)
    return (yield from started(call, patience or Patience()))


def restart(
    app: str, components: Sequence[str] = (), *, key: str | None = None, patience: Patience | None = None
) -> "Generator[Step, Any, TaskId]":
    """Replace the Pods of these components, or of all. `TaskActive` while a task of the application is active.

    A lost answer as in `apply`.
    """
    call = runs.restarting(app, components, key or runs.new_key())
    return (yield from started(call, patience or Patience()))


def delete(
    app: str,
    *,
    keep_resources: bool | None = None,
    delete_volumes: bool | None = None,
    key: str | None = None,
    patience: Patience | None = None,
) -> "Generator[Step, Any, DeletedApplication]":
    """Remove it with what it has in the cluster, as the task ``taskId``; volume claims stay unless asked for.

    With ``keep_resources`` nothing is deleted in the cluster. A lost answer as in `apply`.
    """
    call = applications.deleting(app, keep_resources, delete_volumes, key or runs.new_key())
    return (yield from started(call, patience or Patience()))


def delete_resources(
    app: str, *, delete_volumes: bool | None = None, key: str | None = None, patience: Patience | None = None
) -> "Generator[Step, Any, DeletedResources]":
    """Remove what it has in the cluster, and keep the application. Answers once that is done, in a minute at most.

    A lost answer as in `apply`.
    """
    call = applications.deleting_resources(app, delete_volumes, key or runs.new_key())
    return (yield from started(call, patience or Patience()))


def make_version(
    app: str,
    *,
    components: Sequence[Mapping[str, Any]] = (),
    version: str | None = None,
    strategy: str | Mapping[str, Any] | None = None,
    auto_exec: bool = True,
    description: str | None = None,
    key: str | None = None,
    patience: Patience | None = None,
) -> "Generator[Step, Any, Version]":
    """Change components of the draft, and run it unless ``auto_exec`` is false: then ``taskId`` is empty.

    A lost answer as in `apply`.
    """
    body = {
        "components": list(components),
        "version": version,
        "strategy": strategy,
        "autoExec": auto_exec,
        "description": description,
    }
    call = applications.making_version(app, body, key or runs.new_key())
    return (yield from started(call, patience or Patience()))


def cancel(
    task: str, *, reason: str | None = None, user: str | None = None, cleanup: str | None = None
) -> "Generator[Step, Any, Cancelled]":
    """Cancel a task; what it did is then undone, or stays with the ``cleanup`` ``none``. Does not wait for that.

    One that had completed is answered as ``completed``. Raises `TaskEnded` of one that had ended otherwise.
    """
    found = yield from tasks.task(task)
    return (yield from tasks.cancelling(found["appId"], found["taskId"], reason, user, cleanup))


def stopped(
    app_id: str, task_id: str, reason: str | None, cleanup: str | None, patience: Patience
) -> "Generator[Step, Any, Task]":
    """Cancel a task, whatever it takes, and wait until its cleanup has ended."""
    with suppress(TaskEnded, SignalFailed):  # it has ended by itself, or its worker reads it in the database
        yield from patiently(tasks.cancelling(app_id, task_id, reason, None, cleanup), patience)
    return (yield from watch(task_id, None, complete=False, patience=patience))


def undone(call: "Call[Applied]", reason: str, patience: Patience) -> "Generator[Step, Any, Task]":
    """Stop the run whose begin was interrupted: with its key it is the same one, if it was begun."""
    made = yield from started(call, patience)
    return (yield from stopped(made["appId"], made["taskId"], reason, None, patience))


def watch(task: str, after: int | None, *, complete: bool, patience: Patience) -> "Generator[Step, Any, Task]":
    """Follow a task until it is settled: gives ``(task, None)`` as it is now, then ``(None, event)`` for each event.

    The state comes anew each time the stream has broken off, and last. Returns the last one.
    """
    following = Following(after, complete=complete)
    while True:
        now = yield from patiently(tasks.task(task), patience)
        task = now["taskId"]
        over = following.is_over(now)
        yield Give((now, None))
        if over:
            return now
        pause = AGAIN_SECONDS
        try:
            stream = tasks.listening(task, following.seen)
            while (event := (yield Hear(stream))) is not None:
                if following.takes(event):
                    pause = 0.0
                    yield Give((None, event))
        except Unavailable as error:  # it has as many streams as it may have
            pause = pause_after(error)
        if pause:
            yield Sleep(pause)


def log_lines(
    app: str, component: str | None, container: str | None, tail: int | None, patience: Patience
) -> Generator[Step, Any, None]:
    """Give each line that containers write, without end; what comes while the server is away is lost, not doubled."""
    which = {"component": component, "container": container, "tail": tail, "follow": True}
    while True:
        stream: Listening[Any] = Listening(below("applications", named(app), "logs"), which, numbered=False)
        try:
            while (line := (yield Hear(stream))) is not None:
                patience.answered()
                yield Give(line)
            yield from applications.application(app)  # why it ended: perhaps the server is away
            patience.answered()
        except Unavailable as error:
            yield Sleep(patience.failed(error))
        which["tail"] = 0
        yield Sleep(_LOGS_AGAIN_SECONDS)
