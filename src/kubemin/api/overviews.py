"""Applications with how each does: one look at the database for all of them, and one at the watches for each."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kubemin.api import views
from kubemin.api.deps import Deps
from kubemin.api.models.applications import ApplicationReply
from kubemin.store import Tx, overview, workflows
from kubemin.store.applications import ApplicationRow
from kubemin.store.overview import Deployed, NewestTask


@dataclass(frozen=True)
class Look:
    """What the database has of some applications, by id."""

    rows: Sequence[ApplicationRow]
    workflow_ids: Mapping[str, str]
    newest: Mapping[str, NewestTask]
    deployed: Mapping[str, Deployed]
    waiting: Mapping[str, int]


async def look(tx: Tx, rows: Sequence[ApplicationRow]) -> Look:
    """Read it: as many statements for all as for one."""
    ids = [row.id for row in rows]
    return Look(
        rows,
        await workflows.first_ids(tx, ids),
        await overview.newest_tasks(tx, ids),
        await overview.deployed(tx, ids),
        await overview.waiting(tx, ids),
    )


async def replies(deps: Deps, found: Look) -> list[ApplicationReply]:
    """Each application. In no transaction: the first question of the watches may wait for them."""
    states = await asyncio.gather(*(deps.component_states(row.id, row.cluster) for row in found.rows))
    shown = []
    for row, parts in zip(found.rows, states, strict=True):
        task = found.newest.get(row.id)
        seen = views.overview(found.deployed.get(row.id), task, found.waiting.get(row.id, 0), parts)
        status = task.status if task else None
        shown.append(views.application(row, found.workflow_ids.get(row.id), status, seen))
    return shown
