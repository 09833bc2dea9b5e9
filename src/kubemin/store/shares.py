"""Objects that applications share: locks on them, who uses one, and which task may still create or delete one.

Each cluster has its own: a copy of a cluster has the same names, and even the same uids.
"""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, ScalarSelect, Select, and_, bindparam, insert, null, or_, select, update

from kubemin.spec.objects import ObjectRef
from kubemin.spec.states import Purpose, ResourceState, TaskStatus
from kubemin.store import fold, holdings
from kubemin.store.clock import now
from kubemin.store.journal import TELLS
from kubemin.store.tables import applications, resources, shares, tasks, writes
from kubemin.store.tasks.reads import OPEN, UNDER_WAY, cluster_of
from kubemin.store.transaction import Tx, chunks, load


async def take(tx: Tx, name: str, task_id: str) -> str | None:
    """Take the lock ``name`` of its cluster for a task. Returns None if it has it now, else the task that has it.

    The task holds it until it and its cleanup have ended; nobody has to release it. Raises `Duplicate` if another
    task has taken it for the first time at the same moment: try again.
    """
    statement = select(shares.c.task_id, UNDER_WAY.label("held")).join_from(
        shares, tasks, tasks.c.id == shares.c.task_id, isouter=True
    )
    cluster = str(await cluster_of(tx, task_id))
    row = await tx.row(statement.where(shares.c.cluster == cluster, shares.c.name == name))
    if row is None:
        await tx.tentative(insert(shares).values(cluster=cluster, name=name, task_id=task_id))
        return None
    former = str(row.task_id)
    if former == task_id:
        return None
    if row.held:
        return former
    theirs = and_(shares.c.cluster == cluster, shares.c.name == name, shares.c.task_id == former)
    return None if await tx.write(update(shares).where(theirs).values(task_id=task_id)) else former


async def undecided_by(tx: Tx, uid: str, token: str | None, task_id: str) -> str | None:
    """Another task, still under way, that made the object or is to remove it: the object may still go."""
    removes = resources.c.purpose.in_([purpose for purpose in Purpose if purpose.lets_go])
    others = and_(UNDER_WAY, tasks.c.id != task_id, tasks.c.cluster == _cluster_of(task_id))
    statement = (
        select(tasks.c.id)
        .join(resources, resources.c.task_id == tasks.c.id)
        .where(others, resources.c.uid == uid, TELLS, or_(removes, _MADE))
    )
    found = await tx.scalar(statement)
    if found is None and token is not None:  # its answer is not recorded yet
        by_write = select(tasks.c.id).join(writes, writes.c.task_id == tasks.c.id)
        by_write = by_write.join(
            resources, and_(resources.c.task_id == writes.c.task_id, resources.c.seq == writes.c.seq)
        )
        found = await tx.scalar(by_write.where(others, writes.c.token == token, _MADE))
    return None if found is None else str(found)


class User(NamedTuple):
    """An application that uses or has a shared object, and the job that brought it, or would have made it otherwise."""

    app_id: str
    app_name: str
    task_id: str
    job_seq: int


class Uses(NamedTuple):
    """What becomes of an application's uses once a run of it is completed.

    ``stay``: the uids of what it goes on using. ``ended``: the rows of all other uses, by task and ``seq``.
    """

    stay: frozenset[str] = frozenset()
    ended: Sequence[tuple[str, int]] = ()


async def uses_after(
    tx: Tx, app_id: str, *, left: Collection[ObjectRef] = (), brought: Collection[ObjectRef] = (), task_id: str = ""
) -> Uses:
    """The application's uses once its task ``task_id`` is completed, or another run, of which nothing is recorded yet.

    ``left``: objects of components that the run leaves as they are: they go on using what they use. ``brought``: those
    that it brings: for them it uses what its own rows say. With neither nothing is used any more.
    """
    rows = await tx.rows(_USES, {"of_app": app_id, "of_task": task_id})
    uses = [(ObjectRef.stored(row.kind, row.namespace, row.name, row.api_version), row) for row in rows]
    anew = {(ref, row.uid) for ref, row in uses if row.task_id == task_id and ref in brought}
    stay, ended = set[str](), list[tuple[str, int]]()
    for ref, row in uses:
        if ref in left or (ref, row.uid) in anew:
            stay.add(row.uid)
        else:
            ended.append((row.task_id, row.seq))
    return Uses(frozenset(stay), ended)


async def end_uses(tx: Tx, uses: Uses) -> None:
    """End the uses that the application does without from now on.

    To be called by the task that completes so, in its last transaction. Nothing else ends a use: a dry run and one that
    fails change nothing, and a run of some components leaves the others as they are.
    """
    if uses.ended:
        await tx.write(_END_USE, [{"of_task": task_id, "of_seq": seq} for task_id, seq in uses.ended])


async def used_by(tx: Tx, app_id: str) -> set[str]:
    """The uids of what an application uses as it is deployed."""
    return {str(row.uid) for row in await tx.rows(_USES, {"of_app": app_id, "of_task": ""})}


async def users_of(tx: Tx, uid: str, task_id: str) -> list[User]:
    """The applications, besides the task's own, that use the object as they are deployed, the first one first.

    Then those that have it, as each has written it with ``share: force``; and those of which a run that is under way
    will have it so, or use it.
    """
    of = await tx.row(select(tasks.c.app_id, tasks.c.cluster).where(tasks.c.id == task_id))
    return [] if of is None else await _users(tx, uid, of.app_id, of.cluster)


async def _users(tx: Tx, uid: str, app_id: str, cluster: str) -> list[User]:
    columns = (tasks.c.app_id, tasks.c.app_name, tasks.c.id, tasks.c.status, resources.c.job_seq)
    statement = _used(*columns).where(resources.c.uid == uid, tasks.c.app_id != app_id, tasks.c.cluster == cluster)
    rows = await tx.rows(statement.order_by(tasks.c.seq, resources.c.seq))
    users: dict[str, User] = {}
    for row in rows:
        if row.status == TaskStatus.COMPLETED:  # of each application the newest task
            users[row.app_id] = User(row.app_id, row.app_name, row.id, row.job_seq)
    for other in await tx.rows(_TOLD_OF, {"of_uid": uid, "of_app": app_id, "of_cluster": cluster}):
        if other.id in users or await _lets_go(tx, other.id, uid):
            continue
        for held in await holdings.will_have(tx, other.id):
            if held.uid == uid:
                users[other.id] = User(other.id, other.name, *(held.by or ("", 0)))
    for row in rows:
        users.setdefault(row.app_id, User(row.app_id, row.app_name, row.id, row.job_seq))
    return list(users.values())


async def _lets_go(tx: Tx, app_id: str, uid: str) -> bool:
    """Whether it lets go of an object that it has: else two that do so would pass it on and on.

    By a task that has not ended, also where that has done with it: of that `holdings` does not tell yet.
    """
    going = False
    for row in await tx.rows(_ABOUT, {"of_app": app_id, "of_uid": uid}):
        purpose = Purpose(row.purpose)
        goes = row.state == ResourceState.INTENT or not TaskStatus(row.status).ended
        going = purpose.lets_go and (going or goes)
    return going


async def used_by_others(tx: Tx, uids: Collection[str], app_id: str) -> set[str]:
    """Those of these objects of the application, by uid, that others besides it use or have."""
    mentioned: set[str] = set()
    cluster = await tx.scalar(select(applications.c.cluster).where(applications.c.id == app_id))
    if cluster is None:  # it was deleted: what is left goes on to be removed
        cluster = await tx.scalar(select(tasks.c.cluster).where(tasks.c.app_id == app_id).limit(1))
    for part in chunks(uids):
        mentioned |= {str(uid) for (uid,) in await tx.rows(_MENTIONED, {"of_uids": part, "of_app": app_id})}
    return {uid for uid in mentioned if await _users(tx, uid, app_id, str(cluster))}


async def givers_of(tx: Tx, uids: Collection[str], app_id: str) -> set[tuple[str, str]]:
    """The applications that have passed one of these objects to this one: uid and application.

    Their label may still be on it: it was not written yet, or came back with what a rollback has put back.
    """
    found: set[tuple[str, str]] = set()
    for part in chunks(uids):
        rows = await tx.rows(_PASSED, {"of_uids": part, "of_app": app_id})
        found |= {(str(row.uid), str(row.app_id)) for row in rows if fold.receiver(load(row.dependents)) == app_id}
    return found


async def is_known(tx: Tx, app_id: str, task_id: str) -> bool:
    """Whether an application is, or was, one of the task's cluster, by its tasks."""
    of_it = select(tasks.c.id).where(tasks.c.app_id == app_id, tasks.c.cluster == _cluster_of(task_id)).limit(1)
    return await tx.scalar(of_it) is not None


def _cluster_of(task_id: str) -> ScalarSelect[str]:
    return select(tasks.c.cluster).where(tasks.c.id == task_id).scalar_subquery()


def _used(*columns: ColumnElement[Any]) -> Select[Any]:
    """What applications use as they are deployed, or as a run that is under way will have it."""
    return (
        select(*columns)
        .select_from(tasks)
        .join(resources, resources.c.task_id == tasks.c.id)
        .join(applications, applications.c.id == tasks.c.app_id)
        .where(or_(and_(_IN_USE, tasks.c.status.in_([*OPEN, TaskStatus.COMPLETED])), _WRITES))
    )


_BEGUN = (ResourceState.INTENT, ResourceState.OBSERVED)
_IN_USE = and_(resources.c.purpose == Purpose.USE, resources.c.state == ResourceState.OBSERVED, TELLS)
_WRITES = and_(
    resources.c.purpose == Purpose.APPLY,
    resources.c.state.in_([*_BEGUN, ResourceState.CREATED, ResourceState.CHANGED]),
    or_(resources.c.before.is_not(None), resources.c.state == ResourceState.CREATED),
    tasks.c.status.in_(OPEN),
    TELLS,
)
"""A run that is under way has written the object, or is about to."""
_TOLD_OF = (
    select(applications.c.id, applications.c.name)
    .distinct()
    .join(resources, resources.c.holder == applications.c.id)
    .where(resources.c.uid == bindparam("of_uid"), TELLS, applications.c.id != bindparam("of_app"))
    .where(applications.c.cluster == bindparam("of_cluster"))
    .order_by(applications.c.id)
)
"""Applications of whose journals a row names the object."""
_ABOUT = (
    select(resources.c.purpose, resources.c.state, tasks.c.status)
    .join_from(resources, tasks, tasks.c.id == resources.c.task_id)
    .where(resources.c.uid == bindparam("of_uid"), resources.c.holder == bindparam("of_app"))
    .order_by(tasks.c.seq, resources.c.seq)
)
_MENTIONED = (
    select(resources.c.uid)
    .distinct()
    .where(resources.c.uid.in_(bindparam("of_uids", expanding=True)), TELLS, resources.c.holder != bindparam("of_app"))
)
_PASSED = (
    select(resources.c.uid, resources.c.dependents, tasks.c.app_id)
    .join_from(resources, tasks, tasks.c.id == resources.c.task_id)
    .where(resources.c.uid.in_(bindparam("of_uids", expanding=True)), TELLS, resources.c.holder != bindparam("of_app"))
    .where(
        resources.c.purpose == Purpose.HAND_OVER, resources.c.state.in_((ResourceState.INTENT, ResourceState.RELEASED))
    )
)
_USES = (
    select(*(resources.c[name] for name in ("task_id", "seq", "api_version", "kind", "namespace", "name", "uid")))
    .join_from(resources, tasks, tasks.c.id == resources.c.task_id)
    .where(resources.c.holder == bindparam("of_app"), _IN_USE)
    .where(or_(tasks.c.status == TaskStatus.COMPLETED, tasks.c.id == bindparam("of_task")))
)
_END_USE = (
    update(resources)
    .where(resources.c.task_id == bindparam("of_task"), resources.c.seq == bindparam("of_seq"))
    .values(state=ResourceState.RELEASED, why="a later run does without it", updated_at=now())
)
_MADE: ColumnElement[bool] = and_(
    resources.c.purpose == Purpose.APPLY,
    resources.c.before == null(),
    resources.c.state.in_((ResourceState.INTENT, ResourceState.CREATED)),
)
