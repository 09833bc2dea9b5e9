"""Events of a task, in order: the event stream reads them from here."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Row, and_, bindparam, func, insert, or_, select, update

from kubemin.spec.events import END, Event, data_of, read_event
from kubemin.spec.states import Cleanup, TaskStatus
from kubemin.store.clock import now
from kubemin.store.sight import TASK_PROJECT
from kubemin.store.tables import applications, events, tasks
from kubemin.store.transaction import Tx, chunks, dump, fields, load


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """An event as stored. Ids grow within a task in the order of the commits.

    ``data`` is kept as it was written: a later version may have written it, with more than this one knows.
    """

    id: int
    task_id: str
    type: str
    data: Any
    at: datetime

    @property
    def event(self) -> Event | None:
        """The event itself; None if this version cannot read it."""
        return read_event(self.type, self.data)

    @property
    def is_end(self) -> bool:
        """Whether the stream of the task may end with it."""
        return self.type == END


@dataclass(frozen=True, slots=True, kw_only=True)
class AppEventRow(EventRow):
    """An event, and the application of its task: its id, and where it is."""

    app_id: str
    cluster: str
    namespace: str
    project: str
    app_name: str


class TaskState(NamedTuple):
    """``last`` is the id of a task's last event, 0 if it has none.

    ``settled``: nothing more happens to it, unless somebody or the reaper begins a further cleanup.
    """

    last: int
    settled: bool


_INSERT = insert(events).values(at=now())
_HOLD = update(tasks).where(tasks.c.id == bindparam("of_task")).values(updated_at=now())
_SINCE = (
    select(events)
    .where(events.c.task_id == bindparam("of_task"), events.c.id > bindparam("after"))
    .order_by(events.c.id)
    .limit(bindparam("most"))
)
_TASKS = 50
_SINCE_EACH = (
    select(events)
    .where(
        or_(
            *(
                and_(events.c.task_id == bindparam(f"task_{number}"), events.c.id > bindparam(f"last_{number}"))
                for number in range(_TASKS)
            )
        )
    )
    .order_by(events.c.task_id, events.c.id)
    .limit(bindparam("most"))
)
_ALL = (
    select(events, tasks.c.app_id, tasks.c.cluster, tasks.c.namespace, TASK_PROJECT.label("project"), tasks.c.app_name)
    .join_from(events, tasks, tasks.c.id == events.c.task_id)
    .outerjoin(applications, applications.c.id == tasks.c.app_id)
)
_AFTER = _ALL.where(events.c.id > bindparam("after")).order_by(events.c.id).limit(bindparam("most"))
_RANGES = 20
_IN_RANGES = (
    _ALL.where(
        or_(
            *(events.c.id.between(bindparam(f"low_{number}"), bindparam(f"high_{number}")) for number in range(_RANGES))
        )
    )
    .order_by(events.c.id)
    .limit(bindparam("most"))
)
_NEWEST = select(func.max(events.c.id))
_BACK = (
    select(events.c.id, events.c.at, now().label("now"))
    .where(events.c.id < bindparam("before"))
    .order_by(events.c.id.desc())
    .limit(bindparam("most"))
)
_STATES = select(
    tasks.c.id,
    tasks.c.status,
    tasks.c.cleanup,
    select(func.max(events.c.id)).where(events.c.task_id == tasks.c.id).scalar_subquery().label("last"),
).where(tasks.c.id.in_(bindparam("ids", expanding=True)))

_STAMP = select(
    tasks.c.status,
    tasks.c.updated_at,
    tasks.c.lease_expires_at,
    now().label("now"),
    select(func.max(events.c.id)).where(events.c.task_id == tasks.c.id).scalar_subquery().label("last"),
).where(tasks.c.id == bindparam("of_task"))
_STAMPED = (TaskStatus.QUEUED, TaskStatus.RUNNING, TaskStatus.COMPLETED)
_MOMENT = 0.1


async def append_many(tx: Tx, task_id: str, new: Sequence[Event]) -> None:
    """Append events in order."""
    if not new:
        return
    await _hold(tx, task_id)
    rows = [{"task_id": task_id, "type": event.type, "data": dump(data_of(event))} for event in new]
    await tx.write(_INSERT, rows)


async def since(tx: Tx, task_id: str, after_id: int = 0, limit: int = 1000) -> list[EventRow]:
    """A task's events after an id, oldest first."""
    rows = await tx.rows(_SINCE, {"of_task": task_id, "after": after_id, "most": limit})
    return [EventRow(**{**fields(row), "data": load(row.data)}) for row in rows]


async def since_each(tx: Tx, last: Mapping[str, int], limit: int = 5000) -> dict[str, list[EventRow]]:
    """The events of several tasks after an id of each, oldest first; of some tasks only the first ones, or none yet."""
    found: dict[str, list[EventRow]] = {}
    for part in chunks(sorted(last), _TASKS):
        # Each statement has the same number of conditions: SQLAlchemy compiles it once.
        given = {f"task_{number}": task_id for number, task_id in enumerate(part)}
        given |= {f"task_{number}": "" for number in range(len(part), _TASKS)}
        after = {f"last_{number}": last[task_id] for number, task_id in enumerate(part)}
        after |= {f"last_{number}": 0 for number in range(len(part), _TASKS)}
        for row in await tx.rows(_SINCE_EACH, {**given, **after, "most": limit}):
            found.setdefault(row.task_id, []).append(EventRow(**{**fields(row), "data": load(row.data)}))
    return found


async def of_all_tasks(
    tx: Tx, after_id: int, ranges: Sequence[tuple[int, int]], limit: int = 1000
) -> list[AppEventRow]:
    """The events of all tasks in these ranges of ids (both ends are in them) and after an id, lowest id first.

    The ranges lie below ``after_id``, in order.
    """
    found: list[AppEventRow] = []
    for start in range(0, len(ranges), _RANGES):
        part = ranges[start : start + _RANGES]
        part = [*part, *[(0, 0)] * (_RANGES - len(part))]  # one statement, compiled once; no event has id 0
        given = {f"{side}_{number}": one[end] for number, one in enumerate(part) for end, side in enumerate(_SIDES)}
        found += _with_app(await tx.rows(_IN_RANGES, {**given, "most": limit - len(found)}))
        if len(found) == limit:
            return found
    return found + _with_app(await tx.rows(_AFTER, {"after": after_id, "most": limit - len(found)}))


_SIDES = ("low", "high")


def _with_app(rows: Sequence[Row[Any]]) -> list[AppEventRow]:
    return [AppEventRow(**{**fields(row), "data": load(row.data)}) for row in rows]


async def newest(tx: Tx) -> int:
    """The highest id that is there, 0 if none is."""
    return await tx.scalar(_NEWEST) or 0


async def recent_ids(tx: Tx, seconds: float) -> list[int]:
    """The ids of the events of the last ``seconds``, in order, and of some before."""
    found: list[int] = []
    before = 2**63 - 1
    while rows := await tx.rows(_BACK, {"before": before, "most": _PAGE}):
        found += [row.id for row in rows]
        before = rows[-1].id
        if (rows[-1].now - rows[-1].at).total_seconds() > seconds:
            break
    return found[::-1]


_PAGE = 1000


async def states(tx: Tx, task_ids: Collection[str]) -> dict[str, TaskState]:
    """How each of these tasks is that exists."""
    found: dict[str, TaskState] = {}
    for part in chunks(task_ids):
        for row in await tx.rows(_STATES, {"ids": part}):
            settled = TaskStatus(row.status).ended and Cleanup(row.cleanup).settled
            found[row.id] = TaskState(row.last or 0, settled)
    return found


async def stamp(tx: Tx, task_id: str) -> str | None:
    """Another text whenever what a task shows has changed; None while that cannot be said.

    Of a task that waits, or has lost its worker, others say how long; what is kept of one that failed is stored beside
    it. And within a moment more than one commit may come.
    """
    row = await tx.row(_STAMP, {"of_task": task_id})
    if row is None or row.status not in _STAMPED or (row.now - row.updated_at).total_seconds() < _MOMENT:
        return None
    if row.lease_expires_at is not None and row.lease_expires_at <= row.now:
        return None
    return f"{row.last or 0}-{row.updated_at.timestamp():.6f}"


async def _hold(tx: Tx, task_id: str) -> None:
    # Ids are given out before the commit. Without this lock a transaction could get id 7 and commit after another one
    # with id 8. A reader that has seen 8 would ask for what comes after 8, and never see 7.
    if task_id not in tx.locked:
        await tx.write(_HOLD, {"of_task": task_id})
        tx.locked.add(task_id)
