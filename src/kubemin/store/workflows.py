"""Workflows of applications."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, select
from sqlalchemy import insert as sql_insert
from sqlalchemy import update as sql_update

from kubemin.spec.ids import new_id
from kubemin.store.applications import NewApplication
from kubemin.store.clock import now
from kubemin.store.errors import Unreadable
from kubemin.store.tables import workflows
from kubemin.store.transaction import Tx, fields, values_of


@dataclass(frozen=True, slots=True, kw_only=True)
class _Workflow:
    id: str
    app_id: str
    name: str
    alias: str = ""
    namespace: str = "default"
    project: str = ""
    description: str = ""
    type: str = ""
    disabled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NewWorkflow(_Workflow):
    """A workflow to insert or to save. ``steps`` is JSON, a list."""

    steps: Any = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowRow(_Workflow):
    """A workflow as stored."""

    opened: list[Any] | None
    unreadable: str = ""
    """Why its steps cannot be opened; empty where they can."""
    lacking: str | None = None
    created_at: datetime
    updated_at: datetime

    @property
    def steps(self) -> list[Any]:
        """Raises `Unreadable` where they cannot be opened: a run of it is a run of nothing else."""
        if self.opened is None:
            raise Unreadable(self.unreadable, self.lacking)
        return self.opened


def made(app: NewApplication, name: str, alias: str, steps: Sequence[Any], workflow_id: str = "") -> NewWorkflow:
    """A workflow of the application, to insert; with a new id where none is given."""
    return NewWorkflow(
        id=workflow_id or new_id(),
        app_id=app.id,
        name=name,
        alias=alias,
        namespace=app.namespace,
        project=app.project,
        type="deploy",
        steps=list(steps),
    )


_INSERT = sql_insert(workflows).values(created_at=now(), updated_at=now())
_OF_APPLICATION = (
    select(workflows).where(workflows.c.app_id == bindparam("of_app")).order_by(workflows.c.created_at, workflows.c.id)
)


async def insert(tx: Tx, new: NewWorkflow) -> None:
    """Store a new workflow. Raises `Duplicate` (``uq_workflows_app_id_name``) if the application has one so named."""
    await tx.write(_INSERT, _values(tx, new))


async def update(tx: Tx, new: NewWorkflow) -> bool:
    """Save a workflow of the same id and application; False if there is none. Raises `Duplicate` like `insert`."""
    statement = sql_update(workflows).where(workflows.c.id == new.id, workflows.c.app_id == new.app_id)
    return await tx.write(statement.values(**_values(tx, new, "id", "app_id"), updated_at=now())) == 1


def changed(flow: WorkflowRow, **changes: Any) -> NewWorkflow:
    """The stored workflow with some fields changed, to update. Raises `Unreadable` where its steps stay unread."""
    kept = NewWorkflow.__dataclass_fields__.keys() - changes.keys()
    return NewWorkflow(**{name: getattr(flow, name) for name in kept}, **changes)


async def of_application(tx: Tx, app_id: str) -> list[WorkflowRow]:
    """An application's workflows, the oldest first. One whose steps cannot be opened says so (``unreadable``)."""
    return [_workflow(tx, row) for row in await tx.rows(_OF_APPLICATION, {"of_app": app_id})]


async def first_ids(tx: Tx, app_ids: Collection[str]) -> dict[str, str]:
    """The oldest workflow's id of each of these applications that has one."""
    statement = select(workflows.c.app_id, workflows.c.id).where(workflows.c.app_id.in_(app_ids))
    found: dict[str, str] = {}
    for row in await tx.rows(statement.order_by(workflows.c.created_at, workflows.c.id)):
        found.setdefault(row.app_id, row.id)
    return found


def _workflow(tx: Tx, row: Row[Any]) -> WorkflowRow:
    values = fields(row)
    stored = values.pop("steps")
    try:
        opened = tx.unseal(stored, workflows.c.steps, row.id)
        if not isinstance(opened, list):
            raise Unreadable(f"workflows.steps of {row.id} cannot be read: it is no list")
    except Unreadable as error:
        return WorkflowRow(**values, opened=None, unreadable=str(error), lacking=error.lacking)
    return WorkflowRow(**values, opened=opened)


def _values(tx: Tx, new: NewWorkflow, *but: str) -> dict[str, Any]:
    return {**values_of(new, *but), "steps": tx.seal(list(new.steps), workflows.c.steps, new.id)}
