"""What Pods said before they were rolled back: one row for each component that was not ready."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Row, insert, select

from kubemin.store.clock import now
from kubemin.store.errors import Unreadable
from kubemin.store.tables import evidence
from kubemin.store.transaction import Tx


async def add(tx: Tx, task_id: str, components: Mapping[str, Any]) -> None:
    """Store what is known of each component's Pods. Raises `Duplicate` where the task has evidence of one already."""
    if not components:
        return
    rows = [
        {"task_id": task_id, "component": name, "pods": tx.seal(pods, evidence.c.pods, task_id, name)}
        for name, pods in components.items()
    ]
    await tx.write(insert(evidence).values(created_at=now()), rows)


async def components_of(tx: Tx, task_id: str) -> Sequence[str]:
    """The components of which the task has evidence."""
    rows = await tx.rows(
        select(evidence.c.component).where(evidence.c.task_id == task_id).order_by(evidence.c.component)
    )
    return [row.component for row in rows]


class Kept(NamedTuple):
    """What the Pods of a component said."""

    component: str
    pods: Any
    unreadable: str = ""
    """Why it cannot be opened; empty where it can."""


async def of_task(tx: Tx, task_id: str) -> list[Kept]:
    """Each component with its Pods. One that cannot be opened says so."""
    rows = await tx.rows(select(evidence).where(evidence.c.task_id == task_id).order_by(evidence.c.component))
    return [_kept(tx, row) for row in rows]


def _kept(tx: Tx, row: Row[Any]) -> Kept:
    try:
        return Kept(row.component, tx.unseal(row.pods, evidence.c.pods, row.task_id, row.component))
    except Unreadable as error:
        return Kept(row.component, [], str(error))
