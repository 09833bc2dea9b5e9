"""Finding what a path names, or the error that says it is not there."""

from kubemin.engine.errors import AppNotFound, TaskNotFound, WorkflowNotFound
from kubemin.spec.ids import ID_LENGTH
from kubemin.store import Tx, applications, tasks, workflows


def _plausible(identifier: str) -> bool:
    """Only what looks like an id is asked of the database: not every database takes every text."""
    return len(identifier) == ID_LENGTH and identifier.isascii() and identifier.isalnum()


async def application_of(tx: Tx, app_id: str) -> applications.ApplicationRow:
    """The application. Raises `AppNotFound`."""
    found = await applications.get(tx, app_id) if _plausible(app_id) else None
    if found is None:
        raise AppNotFound(app_id)
    return found


async def workflow_of(tx: Tx, app_id: str, workflow_id: str | None) -> workflows.WorkflowRow:
    """The application's workflow; without an id, the one that came with it. Raises `WorkflowNotFound`."""
    for flow in await workflows.of_application(tx, app_id):
        if workflow_id in (None, "", flow.id):
            return flow
    raise WorkflowNotFound(workflow_id or "")


async def task_of(tx: Tx, task_id: str) -> tasks.Task:
    """The task, without ``spec`` and ``plan``. Raises `TaskNotFound`."""
    found = await tasks.brief(tx, task_id) if _plausible(task_id) else None
    if found is None:
        raise TaskNotFound(task_id)
    return found
