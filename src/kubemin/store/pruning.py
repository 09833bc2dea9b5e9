"""Forgetting what old runs held: specs, plans and manifests, and the secrets in them.

Tasks stay as history, with their journals: what an application has is told by these (`holdings`). Of their manifests
stays only what a request that lands late needs, to be undone (design §6). A task whose cleanup may still need them
whole is left for a later turn.
"""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, bindparam, delete, func, not_, select, update

from kubemin.spec.labels import APP_ID
from kubemin.spec.objects import Manifest
from kubemin.spec.states import Cleanup, RevisionState, TaskStatus
from kubemin.store.columns import NOTHING
from kubemin.store.errors import Unreadable
from kubemin.store.tables import resources, revisions, tasks
from kubemin.store.transaction import Tx, chunks

_SETTLED = and_(
    tasks.c.status.in_([status for status in TaskStatus if status.ended]),
    tasks.c.cleanup.in_((Cleanup.NONE, Cleanup.DONE, Cleanup.ABANDONED)),
)
_COMPLETED = (RevisionState.CURRENT, RevisionState.SUPERSEDED)
_ALIVE = (RevisionState.PENDING, RevisionState.CURRENT)


_REVISIONS = (
    select(revisions.c.number, revisions.c.state, revisions.c.task_id)
    .where(revisions.c.app_id == bindparam("of_app"))
    .order_by(revisions.c.number.desc())
)
_SEQS = select(tasks.c.id, tasks.c.seq).where(tasks.c.id.in_(bindparam("ids", expanding=True)))


async def prune(tx: Tx, app_id: str, keep: int) -> None:
    """Keep the newest ``keep`` revisions of an application, and what is current or pending; forget what is older.

    To be called with the application's row locked.
    """
    rows = await tx.rows(_REVISIONS, {"of_app": app_id})
    old = [row for row in rows[keep:] if row.state not in _ALIVE]
    if not old:
        return
    going = {row.task_id for row in old}
    seqs = {row.id: row.seq for row in await tx.rows(_SEQS, {"ids": [*going, rows[keep - 1].task_id]})}
    settled = await _forget(tx, tasks.c.id.in_(going))
    gone = {row.number: seqs[row.task_id] for row in old if row.task_id in settled}
    numbers = await _forget_beside(tx, app_id, gone, seqs[rows[keep - 1].task_id]) if gone else []
    await tx.write(delete(revisions).where(revisions.c.app_id == app_id, revisions.c.number.in_(numbers)))
    # What the oldest ones that are left found in the cluster was of those that are gone.
    first = [row for row in rows[::-1] if row.number not in numbers]
    last = next((place for place, row in enumerate(first) if row.state in _COMPLETED), len(first))
    await _forget_before(tx, await _settled(tx, {row.task_id for row in first[: last + 1]}))


async def _forget_beside(tx: Tx, app_id: str, gone: Mapping[int, int], before: int) -> list[int]:
    """Empty the dry runs and removals that are as old as these revisions (number → ``seq`` of the task), up to another.

    They have no revision of their own. Those older than all of these went with former ones. Returns the revisions to
    delete: one stays for the next turn where a task beside it is not settled yet.
    """
    begin = 0 if 1 in gone else min(gone.values())
    beside = and_(tasks.c.app_id == app_id, tasks.c.revision.is_(None), tasks.c.seq > begin, tasks.c.seq < before)
    await _forget(tx, beside)
    busy = await tx.scalar(select(func.min(tasks.c.seq)).where(beside, not_(_SETTLED)))
    return [number for number, seq in gone.items() if busy is None or seq > busy]


async def forget_application(tx: Tx, app_id: str) -> None:
    """Forget what the tasks of an application held that is deleted; those that still clean up keep it until then."""
    await _forget(tx, tasks.c.app_id == app_id)


async def forget_task(tx: Tx, task_id: str) -> None:
    """Forget what a task held whose cleanup is settled."""
    await _forget(tx, tasks.c.id == task_id)


async def _forget(tx: Tx, which: ColumnElement[bool]) -> set[str]:
    """Empty the settled ones of these tasks; returns their ids, also of those that were emptied before."""
    found = await tx.rows(select(tasks.c.id, tasks.c.plan).where(which, _SETTLED))
    plans = {row.id: _plan(tx, row) for row in found if row.plan is not None}
    # A removal brings nothing, and needs no plan; it has one until it is emptied, as all others differ until then.
    bare = {task_id: _without_values(plan) if plan and plan["stages"] else None for task_id, plan in plans.items()}
    full = [task_id for task_id, plan in plans.items() if plan != bare[task_id]]
    if full:
        statement = update(tasks).where(tasks.c.id == bindparam("of_task"))
        sealed = {task_id: bare[task_id] and tx.seal(bare[task_id], tasks.c.plan, task_id) for task_id in full}
        rows = [{"of_task": task_id, "to": to} for task_id, to in sealed.items()]
        await tx.write(statement.values(plan=bindparam("to", type_=tasks.c.plan.type)), rows)
    for part in chunks(full):
        await _forget_manifests(tx, part)
    return {row.id for row in found}


def _plan(tx: Tx, row: Row[Any]) -> Any:
    """A task's plan; empty text where it cannot be opened: nobody can go by it any more, so all of it is forgotten."""
    try:
        return tx.unseal(row.plan, tasks.c.plan, row.id)
    except Unreadable:
        return ""


def _without_values(plan: Any) -> Any:
    """A plan as JSON with no more of its manifests than a late request's undoing needs: whose objects, which claims."""
    return {
        "stages": [
            {**stage, "jobs": [{**job, "fetch": None, "manifest": _bare(job["manifest"])} for job in stage["jobs"]]}
            for stage in plan["stages"]
        ]
    }


def _bare(manifest: Manifest) -> Manifest:
    meta, templates = manifest["metadata"], manifest.get("spec", {}).get("volumeClaimTemplates", [])
    labels = {key: value for key, value in meta.get("labels", {}).items() if key == APP_ID}
    return {
        "apiVersion": manifest["apiVersion"],
        "kind": manifest["kind"],
        "metadata": {**{key: meta[key] for key in ("name", "namespace") if key in meta}, "labels": labels},
        "spec": {"volumeClaimTemplates": [{"metadata": {"name": one["metadata"]["name"]}} for one in templates]},
    }


async def _forget_manifests(tx: Tx, task_ids: Collection[str]) -> None:
    mine = resources.c.task_id.in_(task_ids)
    await tx.write(update(resources).where(mine, resources.c.applied.is_not(None)).values(applied=None))
    await _forget_before(tx, task_ids)


async def _settled(tx: Tx, task_ids: Collection[str]) -> set[str]:
    return {row.id for row in await tx.rows(select(tasks.c.id).where(tasks.c.id.in_(task_ids), _SETTLED))}


async def _forget_before(tx: Tx, task_ids: Collection[str]) -> None:
    """Without manifests the journal tells as much; the labels of a stranger's object are still to come back (R11)."""
    changed = (resources.c.task_id.in_(task_ids), resources.c.before.is_not(None))
    columns = (resources.c.task_id, resources.c.seq, resources.c.before)
    adopted = await tx.rows(select(*columns).where(*changed, resources.c.adopted.is_not(False)))
    await tx.write(update(resources).where(*changed).values(before=NOTHING))
    if adopted:
        statement = update(resources).where(
            resources.c.task_id == bindparam("of_task"), resources.c.seq == bindparam("of_seq")
        )
        rows = [{"of_task": row.task_id, "of_seq": row.seq, "to": _only_labels(tx, row)} for row in adopted]
        await tx.write(statement.values(before=bindparam("to", type_=resources.c.before.type)), rows)


def _only_labels(tx: Tx, row: Row[Any]) -> str:
    """What is left of it. Where it cannot be opened it stays as it is: with its key its labels may still come back."""
    place = (resources.c.before, row.task_id, row.seq)
    try:
        before = tx.unseal(row.before, *place)
    except Unreadable:
        return str(row.before)
    return tx.seal({"metadata": {"labels": before["metadata"].get("labels") or {}}}, *place)
