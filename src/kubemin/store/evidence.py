"""What Pods said before they were rolled back: one row for each component that was not ready."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import insert, select

from kubemin.store.clock import now
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


async def of_task(tx: Tx, task_id: str) -> list[tuple[str, Any]]:
    """Each component with its Pods."""
    rows = await tx.rows(select(evidence).where(evidence.c.task_id == task_id).order_by(evidence.c.component))
    return [(row.component, tx.unseal(row.pods, evidence.c.pods, task_id, row.component)) for row in rows]
