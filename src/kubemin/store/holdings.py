"""What an application has in the cluster, as the journals of its tasks tell (design R11).

The rows that tell it are found by their ``holder``, not by their tasks, of which there may be very many: a row that
tells nothing more than later ones loses it (`fold.told`).
"""

from collections.abc import Collection, Sequence

from sqlalchemy import bindparam, select, update

from kubemin.spec.objects import Manifest
from kubemin.spec.states import Cleanup, Purpose, ResourceState, TaskStatus
from kubemin.store.columns import NOTHING, among
from kubemin.store.errors import Unreadable
from kubemin.store.fold import Holding, JournalRow, Origin, fold, is_ended, may_be_passed, passed_to, told
from kubemin.store.journal import TELLS
from kubemin.store.tables import resources, tasks
from kubemin.store.transaction import Tx, chunks, load

_REF = ("api_version", "kind", "namespace", "name")
_NAMED = ("task_id", "seq", "job_seq", *_REF, "purpose", "state", "uid", "dependents", "adopted", "priority")
_ROWS = select(
    tasks.c.seq.label("task_seq"),
    tasks.c.status,
    tasks.c.cleanup,
    *(resources.c[name] for name in _NAMED),
    resources.c.before.is_not(None).label("was_there"),
).join_from(resources, tasks, tasks.c.id == resources.c.task_id)
_OWN = _ROWS.where(resources.c.holder == bindparam("of_app"))
_PASSED = _ROWS.where(
    resources.c.uid.in_(bindparam("uids", expanding=True)),
    TELLS,
    resources.c.holder != bindparam("of_app"),
    resources.c.purpose == Purpose.HAND_OVER,
    among(resources.c.state, (ResourceState.INTENT, ResourceState.RELEASED)),
)
_TOLD = (
    update(resources)
    .where(resources.c.task_id == bindparam("of_task"), resources.c.seq == bindparam("of_seq"))
    .values(holder=None)
)
_FEW = 16
"""So many rows that tell nothing more may be read again each time: it is cheaper than a write with each task."""


async def holdings(tx: Tx, app_id: str, ending: str | None = None) -> list[Holding]:
    """What ended tasks of an application made or took over, and none has let go of since; of each object the newest.

    The task ``ending`` counts as ended: this transaction completes it. Then the rows that are `told` lose their holder.
    """
    own, passed = await _rows(tx, app_id, ending)
    if ending is not None:
        known = told(own, passed, app_id, ending)
        if len(known) > max(_FEW, len(own) // 2):
            await _tell_no_more(tx, known)
    return fold([*own, *passed], app_id, ending).holdings


async def will_have(tx: Tx, app_id: str) -> list[Holding]:
    """The same without what cleanups are still to take back: once they are done."""
    own, passed = await _rows(tx, app_id, None)
    return fold([row for row in [*own, *passed] if not _is_to_be_undone(row)], app_id).holdings


def _is_to_be_undone(row: JournalRow) -> bool:
    return (
        row.purpose == Purpose.APPLY
        and row.status != TaskStatus.COMPLETED
        and row.cleanup in (Cleanup.PENDING, Cleanup.RUNNING, Cleanup.INCOMPLETE)
    )


async def tell_no_more(tx: Tx, app_id: str) -> None:
    """Take the holder from all rows of an application that tell nothing more than later ones, however few they are.

    To be called with the application's row locked, where it has one.
    """
    if known := told(*await _rows(tx, app_id, None), app_id):
        await _tell_no_more(tx, known)


async def _rows(tx: Tx, app_id: str, ending: str | None) -> tuple[Sequence[JournalRow], list[JournalRow]]:
    """The rows that tell what an application has: its own, and those by which others passed something to it."""
    own: Sequence[JournalRow] = await tx.rows(_OWN, {"of_app": app_id})
    used = {str(row.uid) for row in own if may_be_passed(row) and row.uid is not None and is_ended(row, ending)}
    passed: list[JournalRow] = []
    for part in chunks(used):
        passed += [row for row in await tx.rows(_PASSED, {"of_app": app_id, "uids": part}) if passed_to(row) == app_id]
    return own, passed


async def _tell_no_more(tx: Tx, rows: Sequence[JournalRow]) -> None:
    await tx.write(_TOLD, [{"of_task": row.task_id, "of_seq": row.seq} for row in rows])


async def namespaces(tx: Tx, app_id: str) -> set[str]:
    """Those that the application has objects in; empty text stands for objects of the whole cluster.

    A namespace that a task made for it counts as itself. Rows that no longer tell anything may be among them.
    """
    statement = select(resources.c.kind, resources.c.namespace, resources.c.name).where(resources.c.holder == app_id)
    return {row.name if row.kind == "Namespace" else row.namespace for row in await tx.rows(statement.distinct())}


async def tell_again(tx: Tx, app_id: str, task_id: str) -> None:
    """Give the rows about a task's objects their holder back: the task is to change its own once more."""
    mine = resources.c.task_id == task_id
    uids = [row.uid for row in await tx.rows(select(resources.c.uid).where(mine, resources.c.uid.is_not(None)))]
    await tx.write(update(resources).where(mine).values(holder=app_id))
    for part in chunks(uids):
        theirs = select(tasks.c.id).where(tasks.c.id == resources.c.task_id, tasks.c.app_id == app_id).exists()
        await tx.write(update(resources).where(resources.c.uid.in_(part), theirs).values(holder=app_id))


async def manifests_before(tx: Tx, origins: Collection[Origin]) -> dict[Origin, Manifest]:
    """The objects as they were before the tasks of these rows changed them; without those that cannot be opened."""
    found: dict[Origin, Manifest] = {origin: load(NOTHING) for origin in origins}
    for task_id in {origin.task_id for origin in origins}:
        seqs = [origin.seq for origin in origins if origin.task_id == task_id]
        statement = select(resources.c.seq, resources.c.before)
        statement = statement.where(resources.c.task_id == task_id, resources.c.seq.in_(seqs))
        for row in await tx.rows(statement):
            if row.before is None:
                continue
            origin = Origin(task_id, row.seq)
            try:
                found[origin] = tx.unseal(row.before, resources.c.before, *origin)
            except Unreadable:
                del found[origin]
    return found
