"""Applications: what users deploy. Their components and workflows are tables of their own."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Row, Select, and_, bindparam, func, null, or_, select
from sqlalchemy import delete as sql_delete
from sqlalchemy import insert as sql_insert
from sqlalchemy import update as sql_update

from kubemin.spec.names import DEFAULT_CLUSTER
from kubemin.store.clock import now
from kubemin.store.sight import Sight, seen_applications
from kubemin.store.tables import applications, tasks
from kubemin.store.transaction import Tx, chunks, fields, values_of


@dataclass(frozen=True, slots=True, kw_only=True)
class NewApplication:
    """An application to insert or to save."""

    id: str
    name: str
    namespace: str = "default"
    cluster: str = DEFAULT_CLUSTER
    alias: str = ""
    version: str = ""
    project: str = ""
    description: str = ""
    icon: str = ""
    tmp_enable: bool = False
    config_key: str | None = None
    """Keys the digests of its configuration. Random; an application that has one keeps it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationRow(NewApplication):
    """An application as stored; ``config_key`` only where it is asked for."""

    created_at: datetime
    updated_at: datetime


_INSERT = sql_insert(applications).values(created_at=now(), updated_at=now())
_KEYLESS = select(*(column for column in applications.c if column.name != "config_key"), null().label("config_key"))
_MINE = applications.c.id == bindparam("of_id")
_BY_ID = _KEYLESS.where(_MINE)
_WITH_KEY = select(applications).where(_MINE)
_EXISTS = select(applications.c.id).where(_MINE)
_IN_NAMESPACE = (
    select(applications.c.id)
    .where(applications.c.cluster == bindparam("of_cluster"), applications.c.namespace == bindparam("of_namespace"))
    .limit(1)
)
_BY_NAME = _KEYLESS.where(
    applications.c.cluster == bindparam("of_cluster"),
    applications.c.namespace == bindparam("of_namespace"),
    applications.c.name == bindparam("of_name"),
)


async def insert(tx: Tx, new: NewApplication) -> None:
    """Store a new application. Raises `Duplicate`: ``uq_applications_cluster_namespace_name``, or of its id."""
    await tx.write(_INSERT, {**values_of(new, "config_key"), "config_key": _sealed_key(tx, new)})


async def update(tx: Tx, new: NewApplication) -> bool:
    """Save an application that is there; False if it is not. Raises `Duplicate` if its new name is taken."""
    values = values_of(new, "id") | {"config_key": func.coalesce(applications.c.config_key, _sealed_key(tx, new))}
    statement = sql_update(applications).where(applications.c.id == new.id).values(**values, updated_at=now())
    return await tx.write(statement) == 1


async def delete(tx: Tx, app_id: str) -> bool:
    """Delete an application with its components and workflows. Its tasks stay, as history. False if there is none."""
    return await tx.write(sql_delete(applications).where(applications.c.id == app_id)) == 1


async def get(tx: Tx, app_id: str) -> ApplicationRow | None:
    """The application with this id, without its key: whoever stops or looks needs none, and it may not open."""
    return _application(await tx.row(_BY_ID, {"of_id": app_id}))


async def with_key(tx: Tx, app_id: str) -> ApplicationRow | None:
    """The same with its key, which rendering needs. Raises `Unreadable`."""
    row = await tx.row(_WITH_KEY, {"of_id": app_id})
    found = _application(row)
    if row is None or found is None or row.config_key is None:
        return found
    return replace(found, config_key=tx.unseal(row.config_key, applications.c.config_key, row.id))


async def exists(tx: Tx, app_id: str) -> bool:
    """Whether there is one with this id."""
    return await tx.row(_EXISTS, {"of_id": app_id}) is not None


async def are_in(tx: Tx, cluster: str, namespace: str) -> bool:
    """Whether there is one in this namespace of a cluster."""
    return await tx.row(_IN_NAMESPACE, {"of_cluster": cluster, "of_namespace": namespace}) is not None


async def find(tx: Tx, namespace: str, name: str, cluster: str = DEFAULT_CLUSTER) -> ApplicationRow | None:
    """The application of this name in this namespace of a cluster, without its key."""
    given = {"of_cluster": cluster, "of_namespace": namespace, "of_name": name}
    return _application(await tx.row(_BY_NAME, given))


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which applications are meant; without any, all.

    ``search`` looks for a part of the name, alias, namespace or project, regardless of case. ``templates``: only those
    that may be used as a template. ``status`` is that of the newest task. ``sight``: what whoever asks may see.
    """

    search: str | None = None
    templates: bool = False
    name: str | None = None
    namespace: str | None = None
    cluster: str | None = None
    status: str | None = None
    sight: Sight = None


ALL = Filter()


class Place(NamedTuple):
    """Where an application is among all, as they were when it was read."""

    updated_at: datetime
    id: str


async def page(
    tx: Tx, wanted: Filter = ALL, *, after: Place | None = None, limit: int | None = None, offset: int = 0
) -> list[ApplicationRow]:
    """Applications, the one that was changed last first, without keys; ``after`` is the last one that is known."""
    statement = _matching(_KEYLESS, wanted).order_by(applications.c.updated_at.desc(), applications.c.id.desc())
    if after is not None:
        same = and_(applications.c.updated_at == after.updated_at, applications.c.id < after.id)
        statement = statement.where(
            applications.c.updated_at <= after.updated_at, or_(applications.c.updated_at < after.updated_at, same)
        )
    if limit is not None:
        statement = statement.limit(limit).offset(offset or None)
    return [ApplicationRow(**fields(row)) for row in await tx.rows(statement)]


async def places(tx: Tx, sight: Sight, limit: int) -> list[tuple[str, str, str]]:
    """Cluster, namespace and name of what is seen, the one that was changed last first."""
    statement = select(applications.c.cluster, applications.c.namespace, applications.c.name)
    statement = _matching(statement, Filter(sight=sight)).order_by(applications.c.updated_at.desc()).limit(limit)
    return [(row.cluster, row.namespace, row.name) for row in await tx.rows(statement)]


async def ids_after(tx: Tx, last: str, limit: int) -> list[str]:
    """Ids of applications behind one, in their order; from the first on behind an empty one."""
    statement = select(applications.c.id).where(applications.c.id > last).order_by(applications.c.id).limit(limit)
    return [row.id for row in await tx.rows(statement)]


async def count(tx: Tx, wanted: Filter = ALL) -> int:
    """How many applications `page` finds without a limit."""
    return int(await tx.scalar(_matching(select(func.count()).select_from(applications), wanted)))


async def projects(tx: Tx, app_ids: Collection[str]) -> dict[str, str]:
    """In which project each of these applications is that there is."""
    found: dict[str, str] = {}
    for part in chunks(app_ids):
        rows = await tx.rows(select(applications.c.id, applications.c.project).where(applications.c.id.in_(part)))
        found.update((row.id, row.project) for row in rows)
    return found


async def statuses(tx: Tx, app_ids: Collection[str]) -> dict[str, str]:
    """The status of the newest task of each of these applications that has one."""
    found: dict[str, str] = {}
    for part in chunks(app_ids):
        statement = select(applications.c.id, _LAST_STATUS.label("status")).where(applications.c.id.in_(part))
        found |= {row.id: row.status for row in await tx.rows(statement) if row.status is not None}
    return found


_LAST_STATUS = (
    select(tasks.c.status)
    .where(tasks.c.app_id == applications.c.id)
    .order_by(tasks.c.seq.desc())
    .limit(1)
    .correlate(applications)
    .scalar_subquery()
)


def _matching(statement: Select[Any], wanted: Filter) -> Select[Any]:
    if wanted.sight is not None:
        statement = statement.where(seen_applications(wanted.sight))
    if wanted.templates:
        statement = statement.where(applications.c.tmp_enable.is_(True))
    if wanted.name is not None:
        statement = statement.where(applications.c.name == wanted.name)
    if wanted.namespace is not None:
        statement = statement.where(applications.c.namespace == wanted.namespace)
    if wanted.cluster is not None:
        statement = statement.where(applications.c.cluster == wanted.cluster)
    if wanted.status is not None:
        statement = statement.where(_LAST_STATUS.in_([wanted.status]))
    if wanted.search:
        columns = (applications.c.name, applications.c.alias, applications.c.namespace, applications.c.project)
        part = wanted.search.lower()
        # LIKE is not enough: PostgreSQL minds the case, and MySQL does with our collation.
        statement = statement.where(or_(*(func.lower(column).contains(part, autoescape=True) for column in columns)))
    return statement


def _sealed_key(tx: Tx, new: NewApplication) -> str | None:
    return None if new.config_key is None else tx.seal(new.config_key, applications.c.config_key, new.id)


def _application(row: Row[Any] | None) -> ApplicationRow | None:
    return None if row is None else ApplicationRow(**{**fields(row), "config_key": None})
