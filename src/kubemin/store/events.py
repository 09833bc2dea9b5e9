"""Events of a task, in order: the event stream reads them from here."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, update

from kubemin.spec.events import END, Event, data_of, read_event
from kubemin.store.clock import now
from kubemin.store.tables import events, tasks
from kubemin.store.transaction import Tx, dump, fields, load


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


async def append_many(tx: Tx, task_id: str, new: Sequence[Event]) -> None:
    """Append events in order."""
    if not new:
        return
    await _hold(tx, task_id)
    rows = [{"task_id": task_id, "type": event.type, "data": dump(data_of(event))} for event in new]
    await tx.write(insert(events).values(at=now()), rows)


async def since(tx: Tx, task_id: str, after_id: int = 0, limit: int = 1000) -> list[EventRow]:
    """A task's events after an id, oldest first."""
    statement = select(events).where(events.c.task_id == task_id, events.c.id > after_id)
    rows = await tx.rows(statement.order_by(events.c.id).limit(limit))
    return [EventRow(**{**fields(row), "data": load(row.data)}) for row in rows]


async def last_id(tx: Tx, task_id: str) -> int:
    """The id of a task's last event; 0 if it has none."""
    return int(await tx.scalar(select(func.max(events.c.id)).where(events.c.task_id == task_id)) or 0)


async def _hold(tx: Tx, task_id: str) -> None:
    # Ids are given out before the commit. Without this lock a transaction could get id 7 and commit after another one
    # with id 8. A reader that has seen 8 would ask for what comes after 8, and never see 7.
    if task_id not in tx.locked:
        await tx.write(update(tasks).where(tasks.c.id == task_id).values(updated_at=now()))
        tx.locked.add(task_id)
