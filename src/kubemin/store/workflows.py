"""Workflows of applications."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy import insert as sql_insert
from sqlalchemy import update as sql_update

from kubemin.spec.ids import new_id
from kubemin.store.applications import NewApplication
from kubemin.store.clock import now
from kubemin.store.tables import workflows
from kubemin.store.transaction import Tx, fields, values_of


@dataclass(frozen=True, slots=True, kw_only=True)
class NewWorkflow:
    """A workflow to insert or to save. ``steps`` is JSON, a list."""

    id: str
    app_id: str
    name: str
    alias: str = ""
    namespace: str = "default"
    project: str = ""
    description: str = ""
    type: str = ""
    disabled: bool = False
    steps: Any = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowRow(NewWorkflow):
    """A workflow as stored."""

    created_at: datetime
    updated_at: datetime


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
    """The stored workflow with some fields changed, to update."""
    names = NewWorkflow.__dataclass_fields__
    return NewWorkflow(**{name: changes.get(name, getattr(flow, name)) for name in names})


async def of_application(tx: Tx, app_id: str) -> list[WorkflowRow]:
    """An application's workflows, the oldest first."""
    rows = await tx.rows(_OF_APPLICATION, {"of_app": app_id})
    return [WorkflowRow(**{**fields(row), "steps": tx.unseal(row.steps, workflows.c.steps, row.id)}) for row in rows]


async def first_ids(tx: Tx, app_ids: Collection[str]) -> dict[str, str]:
    """The oldest workflow's id of each of these applications that has one."""
    statement = select(workflows.c.app_id, workflows.c.id).where(workflows.c.app_id.in_(app_ids))
    found: dict[str, str] = {}
    for row in await tx.rows(statement.order_by(workflows.c.created_at, workflows.c.id)):
        found.setdefault(row.app_id, row.id)
    return found


def _values(tx: Tx, new: NewWorkflow, *but: str) -> dict[str, Any]:
    return {**values_of(new, *but), "steps": tx.seal(list(new.steps), workflows.c.steps, new.id)}
