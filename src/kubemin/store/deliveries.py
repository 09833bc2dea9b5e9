"""Who is to get which message, and how far that is."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, bindparam, delete, exists, func, insert, select, update

from kubemin.store.clock import after, now, past
from kubemin.store.outbox import Event, event_of
from kubemin.store.tables import deliveries, outbox
from kubemin.store.transaction import Tx

WAITS_FOR = 3
"""A message waits for the former one of its application to the same target until that was tried so often in vain."""


class DeliveryState(StrEnum):
    """``waiting → delivered | dead | dropped``; ``dead → waiting`` when a person asks.

    ``offered``: to a target that the server which took the event does not have. One that has it says whether it is
    wanted: then it is sent like any other, else the row goes. ``dropped``: it is not to be sent any more, as its target
    is gone, or as later news have overtaken it.
    """

    OFFERED = "offered"
    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to one target. ``tries``: in vain, since it began or a person asked for it again."""

    id: int
    target: str
    state: DeliveryState
    attempts: int
    tries: int
    http_status: int | None
    error: str
    next_at: datetime | None
    created_at: datetime
    tried_at: datetime | None
    event: Event


_INSERT = insert(deliveries).values(attempts=0, tries=0, error="", next_at=now(), created_at=now())
_former = deliveries.alias()
_HAS_TO_WAIT = exists(
    select(_former.c.id).where(
        _former.c.target == deliveries.c.target,
        _former.c.app_id == deliveries.c.app_id,
        _former.c.next_at.is_not(None),
        _former.c.seq < deliveries.c.seq,
        _former.c.tries < WAITS_FOR,
    )
)
_DUE = (
    select(deliveries.c.id)
    .where(deliveries.c.target == bindparam("of_target"), past(deliveries.c.next_at), ~_HAS_TO_WAIT)
    .order_by(deliveries.c.next_at, deliveries.c.seq)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_IDS = deliveries.c.id.in_(bindparam("ids", expanding=True))
_TAKE = (
    update(deliveries)
    .where(_IDS)
    .values(
        attempts=deliveries.c.attempts + 1,
        tries=deliveries.c.tries + 1,
        tried_at=now(),
        next_at=after(bindparam("seconds")),
    )
)
_OWN = tuple(column for column in deliveries.c if column.name not in ("seq", "app_id"))
_ALL = select(*(column.label(f"own_{column.name}") for column in _OWN), *outbox.c).join_from(
    deliveries, outbox, outbox.c.seq == deliveries.c.seq
)
_TAKEN = _ALL.where(_IDS).order_by(deliveries.c.seq)
_BY_ID = deliveries.c.id == bindparam("of_id")
_IN_HAND = (_BY_ID, deliveries.c.attempts == bindparam("of_attempt"), deliveries.c.next_at.is_not(None))
_SAID: dict[str, Any] = {"http_status": bindparam("status"), "error": bindparam("said")}
_END = update(deliveries).where(*_IN_HAND).values(**_SAID, state=bindparam("ends"), next_at=None)
_AGAIN = update(deliveries).where(*_IN_HAND)
_AGAIN = _AGAIN.values(**_SAID, state=DeliveryState.WAITING, next_at=after(bindparam("seconds")))
_FORGET = delete(deliveries).where(*_IN_HAND, deliveries.c.state == DeliveryState.OFFERED)
_OPEN = (DeliveryState.WAITING, DeliveryState.OFFERED)
_RETRY = (
    update(deliveries)
    .where(_BY_ID, deliveries.c.state.in_((DeliveryState.WAITING, DeliveryState.DEAD, DeliveryState.DROPPED)))
    .values(state=DeliveryState.WAITING, tries=0, next_at=now())
)
_ANY_DUE = (
    select(deliveries.c.id).where(deliveries.c.target == bindparam("of_target"), past(deliveries.c.next_at)).limit(1)
)
_LATER = (
    select(_former.c.id)
    .where(
        _former.c.target == bindparam("of_target"),
        _former.c.app_id == bindparam("of_app"),
        _former.c.seq > bindparam("of_seq"),
        _former.c.state.not_in(_OPEN),
        outbox.c.task_id == bindparam("of_task"),
    )
    .join_from(_former, outbox, outbox.c.seq == _former.c.seq)
    .limit(1)
)
_STRANDED = (
    update(deliveries)
    .where(
        deliveries.c.state.in_(_OPEN),
        deliveries.c.target.not_in(bindparam("names", expanding=True)),
        past(deliveries.c.created_at + bindparam("seconds")),
    )
    .values(state=DeliveryState.DROPPED, next_at=None, error="no server has had a target of this name for a day")
)
_COUNTS = (
    select(
        deliveries.c.target,
        deliveries.c.state,
        func.count().label("count"),
        func.min(deliveries.c.created_at).label("oldest"),
    )
    .where(deliveries.c.state.in_((*_OPEN, DeliveryState.DEAD)))
    .group_by(deliveries.c.target, deliveries.c.state)
)


async def insert_many(tx: Tx, wanted: Sequence[tuple[Event, str]], offered: Sequence[tuple[Event, str]] = ()) -> None:
    """A message to each of these targets, to be sent at once; ``offered``: if it wants it."""
    rows = [
        {"seq": event.seq, "target": target, "app_id": event.app_id, "state": state}
        for state, those in ((DeliveryState.WAITING, wanted), (DeliveryState.OFFERED, offered))
        for event, target in those
    ]
    if rows:
        await tx.write(_INSERT, rows)


async def claim(tx: Tx, target: str, most: int, seconds: float) -> list[Delivery]:
    """Take up messages that are due: nobody else sends them for so many seconds. In order for each application."""
    ids = [row.id for row in await tx.rows(_DUE, {"of_target": target, "most": most})]
    if not ids:
        return []
    await tx.write(_TAKE, {"ids": ids, "seconds": seconds})
    return [_delivery(row) for row in await tx.rows(_TAKEN, {"ids": ids})]


async def end(tx: Tx, one: Delivery, state: DeliveryState, status: int | None, error: str = "") -> bool:
    """It was delivered, or is not tried again; False if another one has taken it up meanwhile."""
    of = {"of_id": one.id, "of_attempt": one.attempts}
    return await tx.write(_END, {**of, "ends": state, "status": status, "said": error}) == 1


async def try_later(tx: Tx, one: Delivery, seconds: float, status: int | None, error: str) -> bool:
    """It failed, and is tried again in so many seconds; False if another one has taken it up meanwhile."""
    of = {"of_id": one.id, "of_attempt": one.attempts}
    return await tx.write(_AGAIN, {**of, "seconds": seconds, "status": status, "said": error}) == 1


async def forget_offer(tx: Tx, one: Delivery) -> bool:
    """Its target does not want it; False if another one has taken it up meanwhile."""
    return await tx.write(_FORGET, {"of_id": one.id, "of_attempt": one.attempts}) == 1


async def retry(tx: Tx, delivery_id: int) -> bool:
    """Send it once more, now, and as often as at first; False if it is delivered, or not there."""
    return await tx.write(_RETRY, {"of_id": delivery_id}) == 1


async def get(tx: Tx, delivery_id: int) -> Delivery | None:
    """One of them."""
    row = await tx.row(_ALL.where(_BY_ID), {"of_id": delivery_id})
    return None if row is None else _delivery(row)


async def page(
    tx: Tx, *, state: DeliveryState | None = None, target: str | None = None, before: int | None = None, limit: int
) -> list[Delivery]:
    """Deliveries, the newest first, below the id ``before``."""
    statement = _ALL.order_by(deliveries.c.id.desc()).limit(limit)
    if state is not None:
        statement = statement.where(deliveries.c.state == state)
    if target is not None:
        statement = statement.where(deliveries.c.target == target)
    if before is not None:
        statement = statement.where(deliveries.c.id < before)
    return [_delivery(row) for row in await tx.rows(statement)]


async def is_due(tx: Tx, target: str) -> bool:
    """Whether there may be something to send to the target now: a question that locks nothing."""
    return await tx.row(_ANY_DUE, {"of_target": target}) is not None


async def is_overtaken(tx: Tx, one: Delivery) -> bool:
    """Whether the same target got later news of the same task."""
    of = {"of_target": one.target, "of_app": one.event.app_id, "of_seq": one.event.seq}
    return await tx.row(_LATER, {**of, "of_task": one.event.data.get("taskId")}) is not None


async def drop_stranded(tx: Tx, names: Collection[str], older_than: float) -> int:
    """Give up what waits for targets of other names, and is so many seconds old."""
    return await tx.write(_STRANDED, {"names": list(names), "seconds": older_than})


@dataclass(frozen=True, slots=True)
class Backlog:
    """What a target has not got."""

    offered: int = 0
    waiting: int = 0
    dead: int = 0
    oldest: datetime | None = None
    """Since when the oldest one waits."""


async def backlogs(tx: Tx) -> Mapping[str, Backlog]:
    """By target; those that have nothing left are not among them."""
    found: dict[str, dict[str, Any]] = {}
    for row in await tx.rows(_COUNTS):
        values = found.setdefault(row.target, {})
        values[row.state] = row.count
        if row.state in _OPEN:
            values["oldest"] = min(row.oldest, values.get("oldest", row.oldest))
    return {target: Backlog(**values) for target, values in found.items()}


def _delivery(row: Row[Any]) -> Delivery:
    own = {column.name: getattr(row, f"own_{column.name}") for column in _OWN}
    return Delivery(**{**own, "state": DeliveryState(own["state"])}, event=event_of(row))
