"""The audit: calls that change something, in one order, each row with the hash of the row before (`spec.audit`).

Rows are appended and, when they are old, deleted from the old end; there is no statement that changes one.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, bindparam, delete, func, insert, select, update

from kubemin.spec.audit import BEGINNING, PRUNED, Checkpoint, hash_of, key_id
from kubemin.store.errors import Duplicate
from kubemin.store.tables import applications, audit, audit_heads, tasks
from kubemin.store.transaction import Tx, chunks

HEAD = 1
"""The id of the one head."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call as it is recorded. Texts are empty, and numbers 0, where there is nothing to say."""

    caller: str
    authenticated: str
    """How the caller was."""
    address: str
    method: str
    operation: str
    target: str
    cluster: str
    app: str
    task: str
    status: int
    """0: it was not answered, as the client went away, or the server stopped."""
    code: int
    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """A recorded call, and its place in the chain."""

    seq: int
    at: datetime
    call: Call
    key: str
    previous: str
    hash: str

    @property
    def place(self) -> Checkpoint:
        """Number and hash."""
        return Checkpoint(self.seq, self.hash)

    def wire(self) -> dict[str, Any]:
        """As it is exported, and what its hash is over."""
        said = asdict(self.call)
        return {
            "seq": self.seq,
            "time": said_time(self.at),
            **{"requestId" if name == "request_id" else name: value for name, value in said.items()},
            "key": self.key,
            "previous": self.previous,
            "hash": self.hash,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which rows; all that is given has to fit. Times: from ``since`` on, before ``until``."""

    since: datetime | None = None
    until: datetime | None = None
    caller: str | None = None
    operation: str | None = None
    cluster: str | None = None
    app: str | None = None
    task: str | None = None
    request_id: str | None = None
    statuses: tuple[int, int] | None = None
    """The lowest, and the first that is too high."""


def said_time(at: datetime) -> str:
    """RFC 3339 in UTC with microseconds: one spelling, as it is part of what is hashed."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


_LOCK = update(audit_heads).where(audit_heads.c.id == HEAD).values(seq=audit_heads.c.seq)
_HEAD = select(audit_heads.c.seq, audit_heads.c.hash).where(audit_heads.c.id == HEAD)
_NEWEST = select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)
_MOVE = (
    update(audit_heads)
    .where(audit_heads.c.id == HEAD)
    .values(seq=bindparam("to_seq"), hash=bindparam("to_hash", type_=audit_heads.c.hash.type))
)
_HASH = select(audit.c.hash).where(audit.c.seq == bindparam("of_seq"))
_OLDEST = select(func.min(audit.c.seq))
_CLUSTERS = (
    select(applications.c.id, applications.c.cluster).where(applications.c.id.in_(bindparam("ids", expanding=True))),
    select(tasks.c.id, tasks.c.cluster).where(tasks.c.id.in_(bindparam("ids", expanding=True))),
)
_OF_GONE = select(tasks.c.cluster).where(tasks.c.app_id == bindparam("of_app")).limit(1)
_COLUMNS = tuple(one.name for one in fields(Call) if one.name not in ("app", "task"))
"""Those that are called like the field."""


async def with_clusters(tx: Tx, calls: Sequence[Call]) -> list[Call]:
    """The calls; one that says no cluster has that of its application, or of its task.

    The cluster of an application that is gone is known by its tasks.
    """
    unsaid = [one for one in calls if not one.cluster]
    apps = {one.app for one in unsaid} - {""}
    found: dict[str, str] = {}
    for statement, ids in zip(_CLUSTERS, (apps, {one.task for one in unsaid} - {""}), strict=True):
        for part in chunks(sorted(ids)):
            found |= {row.id: row.cluster for row in await tx.rows(statement, {"ids": part})}
    for app_id in sorted(apps - found.keys()):
        found[app_id] = await tx.scalar(_OF_GONE, {"of_app": app_id}) or ""
    return [
        one if one.cluster else replace(one, cluster=found.get(one.app) or found.get(one.task, "")) for one in calls
    ]


async def append(
    tx: Tx, calls: Sequence[tuple[Call, float]], key: str | None, *, unless: Checkpoint | None = None
) -> list[AuditRow] | None:
    """Append them in this order; with each the seconds that have passed since it was answered.

    Does nothing, and returns None, where the row ``unless`` is there: a commit whose answer was lost has stored it.
    Locks the chain until the commit: others that append wait for it.
    """
    last = await _locked(tx)
    if unless is not None and await tx.scalar(_HASH, {"of_seq": unless.seq}) == unless.hash:
        return None
    now = await tx.now()
    made: list[AuditRow] = []
    for call, age in calls:
        made.append(_made(call, now - timedelta(seconds=age), last, key))
        last = made[-1].place
    await tx.write(insert(audit), [_values(row) for row in made])
    await tx.write(_MOVE, {"to_seq": last.seq, "to_hash": last.hash})
    return made


async def head(tx: Tx) -> Checkpoint:
    """The row that was appended last, as it was noted then."""
    row = await tx.row(_HEAD)
    return BEGINNING if row is None else Checkpoint(row.seq, row.hash)


async def prune(tx: Tx, keep_seconds: float, key: str | None, most: int) -> int:
    """Delete rows that are older, ``most`` of them, from the old end; returns how many.

    A row says up to which one: so the chain still tells that nothing else is missing.
    """
    last = await _locked(tx)
    now = await tx.now()
    oldest = await tx.scalar(_OLDEST)
    if oldest is None:
        return 0
    young = audit.c.at >= now - timedelta(seconds=keep_seconds)
    kept = await tx.scalar(select(audit.c.seq).where(young).order_by(audit.c.seq).limit(1))
    through: int = min((last.seq + 1 if kept is None else kept) - 1, oldest + most - 1)
    if through < oldest:
        return 0
    digest = await tx.scalar(_HASH, {"of_seq": through})
    if digest is None:
        return 0  # rows are missing there: what is left of them is evidence
    row = _made(_pruned(Checkpoint(through, digest)), now, last, key)
    gone = await tx.write(delete(audit).where(audit.c.seq <= through))
    await tx.write(insert(audit), [_values(row)])
    await tx.write(_MOVE, {"to_seq": row.seq, "to_hash": row.hash})
    return gone


async def newest(tx: Tx, wanted: Wanted, *, before: int | None, limit: int) -> list[AuditRow]:
    """The rows that fit, newest first; those ``before`` this number."""
    statement = select(audit).where(*_fitting(wanted)).order_by(audit.c.seq.desc()).limit(limit)
    if before is not None:
        statement = statement.where(audit.c.seq < before)
    return [_row(row) for row in await tx.rows(statement)]


async def oldest(tx: Tx, wanted: Wanted, *, after: int, limit: int) -> list[AuditRow]:
    """The rows that fit, in their order; those ``after`` this number."""
    statement = select(audit).where(audit.c.seq > after, *_fitting(wanted)).order_by(audit.c.seq).limit(limit)
    return [_row(row) for row in await tx.rows(statement)]


def _fitting(wanted: Wanted) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.since is not None:
        found.append(audit.c.at >= wanted.since)
    if wanted.until is not None:
        found.append(audit.c.at < wanted.until)
    for column, value in (
        (audit.c.caller, wanted.caller),
        (audit.c.operation, wanted.operation),
        (audit.c.cluster, wanted.cluster),
        (audit.c.app_id, wanted.app),
        (audit.c.task_id, wanted.task),
        (audit.c.request_id, wanted.request_id),
    ):
        if value is not None:
            found.append(column == value)
    if wanted.statuses is not None:
        low, high = wanted.statuses
        found.append(and_(audit.c.status >= low, audit.c.status < high))
    return found


async def _locked(tx: Tx) -> Checkpoint:
    """Lock the head; what the next row follows."""
    if not await tx.write(_LOCK):
        try:
            await tx.tentative(insert(audit_heads).values(id=HEAD, seq=0, hash=BEGINNING.hash))
        except Duplicate:  # another process was first, and has committed by now
            await tx.write(_LOCK)
    noted, last = await head(tx), await tx.row(_NEWEST)
    # They differ only where somebody wrote into the tables. Rows are appended behind both; who verifies finds out.
    return Checkpoint(last.seq, last.hash) if last is not None and last.seq > noted.seq else noted


def _made(call: Call, at: datetime, after: Checkpoint, key: str | None) -> AuditRow:
    open_row = AuditRow(seq=after.seq + 1, at=at, call=call, key=key_id(key), previous=after.hash, hash="")
    digest = hash_of(open_row.wire(), key)
    return AuditRow(seq=open_row.seq, at=at, call=call, key=open_row.key, previous=after.hash, hash=digest)


def _pruned(through: Checkpoint) -> Call:
    return Call(
        caller="kubemin",
        authenticated="",
        address="",
        method="",
        operation=PRUNED,
        target=str(through),
        cluster="",
        app="",
        task="",
        status=200,
        code=0,
        request_id="",
    )


def _values(row: AuditRow) -> dict[str, Any]:
    return {
        "seq": row.seq,
        "at": row.at,
        **{name: getattr(row.call, name) for name in _COLUMNS},
        "app_id": row.call.app,
        "task_id": row.call.task,
        "key_id": row.key,
        "previous": row.previous,
        "hash": row.hash,
    }


def _row(row: Row[Any]) -> AuditRow:
    call = Call(**{name: getattr(row, name) for name in _COLUMNS}, app=row.app_id, task=row.task_id)
    return AuditRow(seq=row.seq, at=row.at, call=call, key=row.key_id, previous=row.previous, hash=row.hash)
