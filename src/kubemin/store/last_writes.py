"""Who wrote an object last, by the token on it, and whether anything of that is still open (design R3)."""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from sqlalchemy import and_, bindparam, select

from kubemin.spec.states import TaskStatus, WriteKind
from kubemin.store.columns import among
from kubemin.store.errors import Unreadable
from kubemin.store.tables import resources, tasks, writes
from kubemin.store.transaction import Tx, chunks


class Sight(NamedTuple):
    """What an object showed: its write token, uid and version."""

    token: str
    uid: str
    version: str


class Sender(NamedTuple):
    """The task and the job that sent a write."""

    task_id: str
    job_seq: int


_SAME_ROW = and_(resources.c.task_id == writes.c.task_id, resources.c.seq == writes.c.seq)
_FINAL = (
    select(
        writes.c.token, writes.c.task_id, writes.c.job_seq, resources.c.job_seq.label("row_job_seq"), resources.c.uid
    )
    .join(tasks, tasks.c.id == writes.c.task_id)
    .join(resources, _SAME_ROW)
    .where(
        writes.c.token.in_(bindparam("tokens", expanding=True)),
        among(writes.c.kind, (WriteKind.CREATE, WriteKind.APPLY)),
        tasks.c.status == TaskStatus.COMPLETED,
    )
)
_OPEN_ON = (
    select(resources.c.uid, writes.c.base_version)
    .join(writes, _SAME_ROW)
    .where(writes.c.base_version.in_(bindparam("versions", expanding=True)), writes.c.answer.is_(None))
)
_PLANS = select(tasks.c.id, tasks.c.plan).where(tasks.c.id.in_(bindparam("ids", expanding=True)))


async def settled_writes(tx: Tx, sights: Collection[Sight]) -> dict[Sight, Sender]:
    """Of these objects those whose last write is known and final, and who sent it.

    Final: its task completed with that very object, so nothing will undo it; and no request of any task is open that
    is based on the version seen, so none can land on it.
    """
    found: dict[str, tuple[Sender, str]] = {}
    for part in chunks({sight.token for sight in sights}):
        for row in await tx.rows(_FINAL, {"tokens": part}):
            job_seq = row.row_job_seq if row.job_seq is None else row.job_seq
            found[row.token] = Sender(row.task_id, job_seq), row.uid
    open_on = await _open_on(tx, {sight.version for sight in sights})
    return {
        sight: found[sight.token][0]
        for sight in sights
        if sight.token in found and found[sight.token][1] == sight.uid and (sight.uid, sight.version) not in open_on
    }


async def _open_on(tx: Tx, versions: Collection[str]) -> set[tuple[str, str]]:
    """The uids and versions on which requests are based whose answer is not known."""
    found: set[tuple[str, str]] = set()
    for part in chunks(versions):
        found |= {(str(row.uid), str(row.base_version)) for row in await tx.rows(_OPEN_ON, {"versions": part})}
    return found


async def planned_jobs(tx: Tx, senders: Collection[Sender]) -> dict[Sender, Mapping[str, Any]]:
    """These jobs as their tasks' plans have them, as JSON. What was forgotten since (`pruning`) is left out or bare.

    So is what cannot be opened: whoever asks then goes by what the object shows.
    """
    found: dict[Sender, Mapping[str, Any]] = {}
    for part in chunks({sender.task_id for sender in senders}):
        for row in await tx.rows(_PLANS, {"ids": part}):
            try:
                plan = {"stages": []} if row.plan is None else tx.unseal(row.plan, tasks.c.plan, row.id)
            except Unreadable:
                continue
            for job in (job for stage in plan["stages"] for job in stage["jobs"]):
                sender = Sender(row.id, job["seq"])
                if sender in senders:
                    found[sender] = job
    return found
