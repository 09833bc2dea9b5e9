"""The cleanup journal (design §4): one row a resource that a task touches, one claim a request.

A resource is known by its task and its ``seq`` there, which the caller counts.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, insert, select, update

from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.states import ClaimKind, ResourceState, TaskStatus
from kubemin.store.clock import now
from kubemin.store.tables import claims, resources, tasks
from kubemin.store.transaction import Tx, dump, fields, load


@dataclass(frozen=True, slots=True, kw_only=True)
class NewResource:
    """A row to add. ``purpose`` is ``apply``, or ``remove`` for what the run is to delete (design R11)."""

    seq: int
    job_seq: int
    ref: ObjectRef
    purpose: str = "apply"
    state: ResourceState = ResourceState.INTENT
    uid: str | None = None
    before: Manifest | None = None
    applied: Any = None
    dependents: Any = None
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A row as stored."""

    task_id: str
    seq: int
    job_seq: int
    ref: ObjectRef
    purpose: str
    state: ResourceState
    uid: str | None
    before: Manifest | None
    applied: Any
    dependents: Any
    why: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class NewClaim:
    """A request about to leave, for the resource ``seq``; ``base_version`` is the resourceVersion it carries."""

    token: str
    seq: int
    kind: ClaimKind
    base_version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A request as stored. ``answer`` is None while it is not known."""

    token: str
    task_id: str
    seq: int
    kind: ClaimKind
    base_version: str | None
    answer: str | None
    created_at: datetime
    answered_at: datetime | None


async def add(tx: Tx, task_id: str, new: Sequence[NewResource]) -> None:
    """Add rows. Raises `Duplicate` (``pk_resources``) if a ``seq`` is there already."""
    if not new:
        return
    rows = [
        {
            "task_id": task_id,
            "seq": resource.seq,
            "job_seq": resource.job_seq,
            "api_version": resource.ref.api_version,
            "kind": resource.ref.kind,
            "namespace": resource.ref.namespace,
            "name": resource.ref.name,
            "purpose": resource.purpose,
            **{name: _stored(tx, name, getattr(resource, name)) for name in _CHANGEABLE},
        }
        for resource in new
    ]
    await tx.write(insert(resources).values(created_at=now(), updated_at=now()), rows)


async def update_many(tx: Tx, task_id: str, changes: Sequence[tuple[int, Mapping[str, Any]]]) -> None:
    """Change fields of rows, by ``seq``: ``state, uid, before, applied, dependents, why``, only what is given."""
    alike: defaultdict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for seq, given in changes:
        if given:
            stored = {f"to_{name}": _stored(tx, name, value) for name, value in given.items()}
            alike[tuple(sorted(given))].append({"of_seq": seq, **stored})
    for names, rows in alike.items():
        values = {name: bindparam(f"to_{name}", type_=resources.c[name].type) for name in names}
        statement = update(resources).where(resources.c.task_id == task_id, resources.c.seq == bindparam("of_seq"))
        await tx.write(statement.values(**values, updated_at=now()), rows)


async def of_task(tx: Tx, task_id: str) -> list[Resource]:
    """A task's journal, in order of ``seq``."""
    rows = await tx.rows(select(resources).where(resources.c.task_id == task_id).order_by(resources.c.seq))
    return [_resource(tx, row) for row in rows]


async def created_by_completed(tx: Tx, app_id: str) -> list[Resource]:
    """What completed tasks of an application created, newest first."""
    statement = (
        select(resources)
        .join(tasks, tasks.c.id == resources.c.task_id)
        .where(
            tasks.c.app_id == app_id,
            tasks.c.status == TaskStatus.COMPLETED,
            resources.c.state == ResourceState.CREATED,
        )
        .order_by(tasks.c.seq.desc(), resources.c.seq.desc())
    )
    return [_resource(tx, row) for row in await tx.rows(statement)]


async def add_claims(tx: Tx, task_id: str, new: Sequence[NewClaim]) -> None:
    """Record requests before they leave. Raises `Duplicate` (``pk_claims``) if a token is there already."""
    if not new:
        return
    rows = [
        {
            "task_id": task_id,
            "token": claim.token,
            "seq": claim.seq,
            "kind": claim.kind,
            "base_version": claim.base_version,
        }
        for claim in new
    ]
    await tx.write(insert(claims).values(created_at=now()), rows)


async def answer_claims(tx: Tx, answers: Mapping[str, str]) -> None:
    """Record what became of requests: token → answer."""
    if not answers:
        return
    statement = (
        update(claims)
        .where(claims.c.token == bindparam("of_token"))
        .values(answer=bindparam("to_answer", type_=claims.c.answer.type), answered_at=now())
    )
    await tx.write(statement, [{"of_token": token, "to_answer": answer} for token, answer in answers.items()])


async def claims_of_task(tx: Tx, task_id: str) -> list[Claim]:
    """Every request of a task, in order of resource and time."""
    statement = (
        select(claims).where(claims.c.task_id == task_id).order_by(claims.c.seq, claims.c.created_at, claims.c.token)
    )
    return [Claim(**{**fields(row), "kind": ClaimKind(row.kind)}) for row in await tx.rows(statement)]


async def task_of_claim(tx: Tx, token: str) -> tuple[str, ClaimKind] | None:
    """The task that a claim found on an object belongs to, and what its request was; None if nobody knows it."""
    row = await tx.row(select(claims.c.task_id, claims.c.kind).where(claims.c.token == token))
    return None if row is None else (row.task_id, ClaimKind(row.kind))


_CHANGEABLE = ("state", "uid", "before", "applied", "dependents", "why")
_SEALED = {"before", "applied"}


def _stored(tx: Tx, name: str, value: Any) -> Any:
    if name not in _CHANGEABLE:
        raise ValueError(f"a journal row's {name} does not change")
    if value is None:
        return None
    if name in _SEALED:
        return tx.seal(value)
    return dump(value) if name == "dependents" else value


def _resource(tx: Tx, row: Row[Any]) -> Resource:
    return Resource(
        task_id=row.task_id,
        seq=row.seq,
        job_seq=row.job_seq,
        ref=ObjectRef(row.kind, row.namespace, row.name),
        purpose=row.purpose,
        state=ResourceState(row.state),
        uid=row.uid,
        before=None if row.before is None else tx.unseal(row.before),
        applied=None if row.applied is None else tx.unseal(row.applied),
        dependents=None if row.dependents is None else load(row.dependents),
        why=row.why,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
