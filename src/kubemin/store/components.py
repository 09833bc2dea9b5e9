"""Components of an application's draft. A component's id, a label in the cluster, follows from its name."""

import contextlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import Row, bindparam, delete, func, insert, select, update

from kubemin.spec.component import Component
from kubemin.spec.ids import component_id
from kubemin.spec.states import RevisionState
from kubemin.store.clock import now
from kubemin.store.errors import Unreadable
from kubemin.store.sight import Sight, seen_applications
from kubemin.store.tables import applications, components, revisions
from kubemin.store.transaction import Tx


@dataclass(frozen=True, kw_only=True)
class ComponentRow:
    """A component as stored. ``spec`` is JSON: the component as it was posted."""

    app_id: str
    name: str
    spec: Any
    created_at: datetime
    updated_at: datetime

    @property
    def id(self) -> int:
        """Its number, for labels."""
        return component_id(self.app_id, self.name)

    @cached_property
    def read(self) -> Component:
        """As the spec has it."""
        return Component.model_validate(self.spec)


_INSERT = insert(components).values(created_at=now(), updated_at=now())
_OF_APPLICATION = (
    select(components)
    .where(components.c.app_id == bindparam("of_app"))
    .order_by(components.c.position, components.c.name)
)


_MOMENT = 0.1
_STAMP = select(
    func.count().label("number"),
    func.max(components.c.updated_at).label("saved_at"),
    now().label("now"),
    select(revisions.c.number)
    .where(revisions.c.app_id == bindparam("of_app"), revisions.c.state == RevisionState.CURRENT)
    .scalar_subquery()
    .label("revision"),
).where(components.c.app_id == bindparam("of_app"))


async def stamp(tx: Tx, app_id: str) -> str | None:
    """Another text whenever the draft's components are others, or another revision is deployed.

    None where that cannot be said: within a moment there may be more than one save.
    """
    row = await tx.row(_STAMP, {"of_app": app_id})
    if row is None or row.saved_at is None or (row.now - row.saved_at).total_seconds() < _MOMENT:
        return None
    return f"{row.number}-{row.saved_at.timestamp():.6f}-{row.revision}"


async def of_application(tx: Tx, app_id: str) -> list[ComponentRow]:
    """The components of an application's draft, in the order they were given."""
    return [_component(tx, row) for row in await _rows(tx, app_id)]


async def of_templates(tx: Tx, names: Collection[str], sight: Sight = None) -> list[ComponentRow]:
    """The components of these names of all applications that are seen and may be used as a template."""
    statement = select(components).join(applications, applications.c.id == components.c.app_id)
    wanted = statement.where(applications.c.tmp_enable.is_(True), components.c.name.in_(names))
    if sight is not None:
        wanted = wanted.where(seen_applications(sight))
    found = []
    for row in await tx.rows(wanted.order_by(components.c.app_id, components.c.position)):
        with contextlib.suppress(Unreadable):  # another application's fault
            found.append(_component(tx, row))
    return found


async def replace_components(tx: Tx, app_id: str, new: Sequence[Component]) -> list[ComponentRow]:
    """Make these the components of the application's draft, and return them.

    A component whose name was there before keeps its ``created_at``, and ``updated_at`` if nothing has changed.
    The others are deleted. Raises `Duplicate` (``pk_components``) if a name is given twice.
    """
    present = {row.name: row for row in await _rows(tx, app_id)}
    gone = present.keys() - {component.name for component in new}
    mine = components.c.app_id == app_id
    if gone:
        await tx.write(delete(components).where(mine, components.c.name.in_(gone)))
    for position, component in enumerate(new):
        row = present.pop(component.name, None)
        if row is None:
            keys = {"app_id": app_id, "name": component.name}
            await tx.write(_INSERT, {**keys, "position": position, "spec": _sealed(tx, app_id, component)})
            continue
        values: dict[str, Any] = {"position": position, "spec": _sealed(tx, app_id, component), "updated_at": now()}
        if _reads_as(tx, row, component):
            if row.position == position:
                continue
            values = {"position": position}
        await tx.write(update(components).where(mine, components.c.name == component.name).values(**values))
    return await of_application(tx, app_id)


def _sealed(tx: Tx, app_id: str, component: Component) -> str:
    return tx.seal(component.posted(), components.c.spec, app_id, component.name)


async def _rows(tx: Tx, app_id: str) -> Sequence[Row[Any]]:
    return await tx.rows(_OF_APPLICATION, {"of_app": app_id})


def _reads_as(tx: Tx, row: Row[Any], component: Component) -> bool:
    try:
        return _component(tx, row).read.dump() == component.dump()
    except Unreadable:
        return False


def _component(tx: Tx, row: Row[Any]) -> ComponentRow:
    # The values of secrets and environment variables are in it.
    return ComponentRow(
        app_id=row.app_id,
        name=row.name,
        spec=tx.unseal(row.spec, components.c.spec, row.app_id, row.name),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
