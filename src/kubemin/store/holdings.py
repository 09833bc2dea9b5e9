"""What an application has in the cluster, as the journals of its tasks tell (design R11)."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from sqlalchemy import Row, and_, bindparam, or_, select

from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.states import Purpose, ResourceState, TaskStatus
from kubemin.store.columns import among
from kubemin.store.tables import resources, tasks
from kubemin.store.transaction import Tx, chunks, load

PVC = "PersistentVolumeClaim"


_NAMED = ("task_id", "seq", "kind", "namespace", "name", "purpose", "state", "uid", "dependents", "adopted")
_COMPLETED = or_(tasks.c.status == TaskStatus.COMPLETED, tasks.c.id == bindparam("ending"))
_ROWS = (
    select(tasks.c.seq.label("task_seq"), _COMPLETED.label("completed"), *(resources.c[name] for name in _NAMED))
    .join_from(resources, tasks, tasks.c.id == resources.c.task_id)
    .where(resources.c.uid.is_not(None))
)
_PURPOSE, _STATE = resources.c.purpose, resources.c.state
_THEIRS = _ROWS.where(
    tasks.c.app_id == bindparam("of_app"),
    or_(among(tasks.c.status, [status for status in TaskStatus if status.ended]), tasks.c.id == bindparam("ending")),
    or_(
        and_(_PURPOSE == Purpose.APPLY, among(_STATE, (ResourceState.CREATED, ResourceState.CHANGED))),
        and_(_PURPOSE == Purpose.APPLY, resources.c.adopted.is_not(None)),
        and_(_PURPOSE == Purpose.REMOVE, among(_STATE, (ResourceState.DELETED, ResourceState.KEPT))),
        and_(among(_PURPOSE, (Purpose.RELEASE, Purpose.HAND_OVER)), _STATE == ResourceState.RELEASED),
        _PURPOSE == Purpose.USE,
    ),
)
_PASSED = _ROWS.where(
    _PURPOSE == Purpose.HAND_OVER,
    among(_STATE, (ResourceState.INTENT, ResourceState.RELEASED)),
    resources.c.uid.in_(bindparam("uids", expanding=True)),
    tasks.c.app_id != bindparam("of_app"),
)


class Origin(NamedTuple):
    """The journal row that shows an object as it was before the application had it."""

    task_id: str
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """An object that the application has.

    ``adopted``: the row of the task that took it over, where it was a stranger's; None where it is the application's
    own. That is what its tasks made, and what had its label before a task changed it: its database was lost.
    ``kept``: it holds data, and a former task has named it as kept. ``template``: a StatefulSet's controller made it.
    """

    ref: ObjectRef
    uid: str
    dependents: dict[str, list[str]]
    adopted: Origin | None = None
    kept: bool = False
    template: bool = False


async def holdings(tx: Tx, app_id: str, ending: str | None = None) -> list[Holding]:
    """What ended tasks of an application made or took over, and none has let go of since; of each object the newest.

    The task ``ending`` counts as ended: it is about to be completed.
    """
    rows = list(await tx.rows(_THEIRS, {"of_app": app_id, "ending": ending}))
    used = {str(row.uid) for row in rows if row.purpose == Purpose.USE and row.uid is not None}
    for part in chunks(used):
        passed = await tx.rows(_PASSED, {"of_app": app_id, "ending": ending, "uids": part})
        rows += [row for row in passed if _receiver(row) == app_id]
    held: dict[str, Holding] = {}
    strangers: dict[str, Origin] = {}
    for row in sorted(rows, key=lambda row: (row.task_seq, row.seq)):
        if row.adopted or (row.adopted is None and row.state == ResourceState.CHANGED):
            strangers[row.uid] = Origin(row.task_id, row.seq)
        after = _after(held.get(row.uid), row, app_id, strangers.get(row.uid))
        held.pop(row.uid, None)  # what comes last is newest
        if after is not None:
            held[row.uid] = after
    newest = {one.ref: one for one in held.values()}
    return list(newest.values())


async def manifests_before(tx: Tx, origins: Collection[Origin]) -> dict[Origin, Manifest]:
    """The objects as they were before the tasks of these rows changed them."""
    found: dict[Origin, Manifest] = {}
    for task_id in {origin.task_id for origin in origins}:
        seqs = [origin.seq for origin in origins if origin.task_id == task_id]
        statement = select(resources.c.seq, resources.c.before)
        statement = statement.where(resources.c.task_id == task_id, resources.c.seq.in_(seqs))
        for row in await tx.rows(statement):
            if row.before is not None:
                found[Origin(task_id, row.seq)] = tx.unseal(row.before)
    return found


def receiver(dependents: dict[str, list[str]]) -> str:
    """The id of the application that a row of purpose ``hand-over`` passes its object to."""
    return (dependents.get(_TO) or [""])[0]


def handed_to(app_id: str) -> dict[str, list[str]]:
    """What such a row keeps of its receiver."""
    return {_TO: [app_id]}


_TO = "application"


def _receiver(row: Row[Any]) -> str:
    return receiver({} if row.dependents is None else load(row.dependents))


def _after(held: Holding | None, row: Row[Any], app_id: str, stranger: Origin | None) -> Holding | None:
    """What the application has of an object once a row of its history is taken in.

    ``stranger``: the row that shows it as a stranger's, where there is one.
    """
    ref, purpose, state = ObjectRef(row.kind, row.namespace, row.name), Purpose(row.purpose), ResourceState(row.state)
    dependents = {} if row.dependents is None else load(row.dependents)
    new = Holding(ref=ref, uid=row.uid, dependents=dependents)
    if purpose is Purpose.USE:
        return held
    if purpose is Purpose.HAND_OVER:
        return replace(new, dependents={}, adopted=stranger) if _receiver(row) == app_id else None
    if purpose is Purpose.APPLY:
        return new if state is ResourceState.CREATED else _after_change(held, new, row, stranger)
    if state is not ResourceState.KEPT:
        return None
    if ref.kind != PVC:
        return held
    return replace(held or replace(new, dependents={}, template=True), kept=True)


def _after_change(held: Holding | None, new: Holding, row: Row[Any], stranger: Origin | None) -> Holding | None:
    """The same after a row of an object that was there before; ``new`` is what the row alone would say."""
    if held and row.completed and row.state == ResourceState.OBSERVED and row.adopted is False:
        return replace(held, kept=False)  # it was what it is to be, and was not written
    own = replace(new, dependents={kind: [] for kind in new.dependents})  # what its controller had made is ours too
    left = row.state == ResourceState.KEPT and row.adopted  # a stranger's, which still may have what was written
    if row.state != ResourceState.CHANGED and not left:  # it is as it was, or was left as it is
        gone = row.state in (ResourceState.DELETED, ResourceState.LOST)
        return held if held or stranger or gone else own
    if held:
        return replace(held, kept=False)
    return replace(new, adopted=stranger) if stranger else own
