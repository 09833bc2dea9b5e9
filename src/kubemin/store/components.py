"""Components of applications. A component's id, a label in the cluster, follows from its name."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Row, delete, insert, select, update

from kubemin.spec import component as spec
from kubemin.spec.ids import component_id
from kubemin.store.clock import now
from kubemin.store.tables import applications, components
from kubemin.store.transaction import Tx, dump, fields, load, values_of

_AUTO = -1
"""How `auto` is stored: the column holds numbers, and no component has fewer replicas than none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewComponent:
    """A component to store. ``properties``, ``traits`` and ``template`` are JSON."""

    name: str
    type: str
    namespace: str
    image: str = ""
    replicas: int | Literal["auto"] = 1
    properties: Any = None
    traits: Any = None
    template: Any = None
    adopt: bool | None = None

    @classmethod
    def of(cls, part: spec.Component) -> "NewComponent":
        """A component as the spec has it."""
        return NewComponent(
            name=part.name,
            type=part.type,
            namespace=part.namespace,
            image=part.image,
            replicas=part.replicas,
            properties=part.properties.dump(),
            traits=part.traits.dump(),
            adopt=part.adopt,
        )

    def to_spec(self) -> dict[str, Any]:
        """The component as the spec reads it."""
        return {
            "name": self.name,
            "type": self.type,
            "namespace": self.namespace,
            "image": self.image,
            "replicas": self.replicas,
            "properties": self.properties,
            "traits": self.traits,
            "adopt": self.adopt,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentRow(NewComponent):
    """A component as stored."""

    id: int
    app_id: str
    created_at: datetime
    updated_at: datetime


async def of_application(tx: Tx, app_id: str) -> list[ComponentRow]:
    """An application's components, in the order they were given."""
    return [_component(tx, row) for row in await _rows(tx, app_id)]


async def of_templates(tx: Tx, names: Collection[str]) -> list[ComponentRow]:
    """The components of these names of all applications that may be used as a template."""
    statement = select(components).join(applications, applications.c.id == components.c.app_id)
    wanted = statement.where(applications.c.tmp_enable.is_(True), components.c.name.in_(names))
    return [_component(tx, row) for row in await tx.rows(wanted.order_by(components.c.id))]


async def replace_components(tx: Tx, app_id: str, new: Sequence[NewComponent]) -> list[ComponentRow]:
    """Make these the application's components, and return them.

    A component whose name was there before keeps its id and ``created_at``, and ``updated_at`` if nothing has changed.
    The others are deleted. Raises `Duplicate` if a name is given twice.
    """
    present = {row.name: row for row in await _rows(tx, app_id)}
    gone = present.keys() - {component.name for component in new}
    if gone:
        await tx.write(delete(components).where(components.c.app_id == app_id, components.c.name.in_(gone)))
    for position, component in enumerate(new):
        row = present.pop(component.name, None)
        if row is None:
            values = _values(tx, component) | {"position": position, "created_at": now(), "updated_at": now()}
            await tx.insert(insert(components).values(id=component_id(app_id, component.name), app_id=app_id, **values))
        elif _content(_component(tx, row)) != _content(component):
            values = _values(tx, component) | {"position": position, "updated_at": now()}
            await tx.write(update(components).where(components.c.id == row.id).values(**values))
        elif row.position != position:
            await tx.write(update(components).where(components.c.id == row.id).values(position=position))
    return await of_application(tx, app_id)


async def _rows(tx: Tx, app_id: str) -> Sequence[Row[Any]]:
    statement = select(components).where(components.c.app_id == app_id)
    return await tx.rows(statement.order_by(components.c.position, components.c.id))


def _values(tx: Tx, component: NewComponent) -> dict[str, Any]:
    # Properties and traits hold the values of secrets and environment variables.
    return {
        **values_of(component),
        "replicas": _AUTO if component.replicas == "auto" else component.replicas,
        "properties": tx.seal(_or_empty(component.properties)),
        "traits": tx.seal(_or_empty(component.traits)),
        "template": None if component.template is None else dump(component.template),
    }


def _or_empty(value: Any) -> Any:
    return {} if value is None else value


def _content(component: NewComponent) -> tuple[object, ...]:
    return (
        component.type,
        component.namespace,
        component.image,
        component.replicas,
        dump(_or_empty(component.properties)),
        dump(_or_empty(component.traits)),
        dump(component.template),
        component.adopt,
    )


def _component(tx: Tx, row: Row[Any]) -> ComponentRow:
    values = fields(row)
    del values["position"]
    values["replicas"] = "auto" if row.replicas == _AUTO else row.replicas
    values["properties"] = tx.unseal(row.properties)
    values["traits"] = tx.unseal(row.traits)
    values["template"] = None if row.template is None else load(row.template)
    return ComponentRow(**values)
