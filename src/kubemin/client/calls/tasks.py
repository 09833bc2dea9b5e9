"""Tasks. ``task`` is the id of one, a beginning of it of at least 6 characters, or ``namespace/name``: its latest."""

from typing import TYPE_CHECKING, Any

from kubemin.client.address import below, named
from kubemin.client.steps import Call, Listening

if TYPE_CHECKING:
    from kubemin.client.replies import (
        Cancelled,
        CleanupNow,
        Event,
        Promoted,
        Task,
        TaskChanges,
        TaskEvidence,
        TaskList,
        TaskPage,
        TaskResources,
        TaskStages,
    )


def tasks(
    *,
    status: str | None = None,
    app: str | None = None,
    cluster: str | None = None,
    since: str | None = None,
    page: int | None = None,
    page_size: int | None = None,
    after: str | None = None,
) -> "Call[TaskPage]":
    """A page of all tasks, newest first; the next one by its number, or ``after`` the ``nextCursor`` of this one.

    ``since``: created then or later, as RFC 3339, a date, or unix seconds.
    """
    of_app = None if app is None else named(app)
    filters = {"status": status, "appId": of_app, "cluster": cluster, "since": since}
    return Call("GET", below("tasks"), {**filters, "page": page, "pageSize": page_size, "after": after})


def tasks_of(app: str, *, page_size: int | None = None, after: str | None = None) -> "Call[TaskList]":
    """The tasks of an application, newest first: 1000, or ``page_size``."""
    path = below("applications", named(app), "workflow", "tasks")
    return Call("GET", path, {"pageSize": page_size, "after": after})


def task(task: str) -> "Call[Task]":
    """Its status, its cleanup, and each of its components."""
    return Call("GET", _of(task, "status"))


def stages(task: str) -> "Call[TaskStages]":
    """What it does, in order: one entry a job, and the rollback or removal last."""
    return Call("GET", _of(task, "stages"))


def resources(task: str) -> "Call[TaskResources]":
    """Its cleanup journal: each object that it touched, and what became of it."""
    return Call("GET", _of(task, "resources"))


def changes(task: str, *, seq: int | None = None) -> "Call[TaskChanges]":
    """The journal with the fields that it changed, and what was changed since; of one row where ``seq`` is given."""
    return Call("GET", _of(task, "changes"), {"seq": seq})


def evidence(task: str) -> "Call[TaskEvidence]":
    """What the Pods of components that were not ready said before the rollback."""
    return Call("GET", _of(task, "evidence"))


def cancelling(
    app_id: str, task_id: str, reason: str | None, user: str | None, cleanup: str | None
) -> "Call[Cancelled]":
    """The cancel of a task of this application."""
    given = {"taskId": task_id, "reason": reason, "user": user, "cleanup": cleanup}
    body = {name: value for name, value in given.items() if value is not None}
    return Call("POST", below("applications", named(app_id), "workflow", "cancel"), body=body)


def promote(task: str, *, user: str | None = None, seq: int | None = None) -> "Call[Promoted]":
    """Let the pause that it is in pass. `Conflict` if it is in none, or that is promoted already.

    With the ``seq`` of its ``hold`` only that one, and asked again it is the same answer.
    """
    given = {name: value for name, value in (("user", user), ("seq", seq)) if value is not None}
    return Call("POST", _of(task, "promote"), body=given or None)


def cleanup(task: str) -> "Call[CleanupNow]":
    """Try an incomplete cleanup again now."""
    return Call("POST", _of(task, "cleanup"))


def abandon(task: str, *, reason: str | None = None, user: str | None = None) -> "Call[CleanupNow]":
    """Give up what an incomplete cleanup could not undo: it stays, and is not tried again. `Conflict` unless it is."""
    given: dict[str, Any] = {"abandon": True, "reason": reason, "user": user}
    return Call("POST", _of(task, "cleanup"), body={name: one for name, one in given.items() if one is not None})


def listening(task: str, after: int) -> "Listening[Event]":
    """The events of a task after that one."""
    return Listening(_of(task, "events"), after=after)


def _of(task: str, *more: object) -> str:
    return below("workflow", "tasks", named(task), *more)
