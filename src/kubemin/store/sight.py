"""Which applications and tasks somebody may see, as conditions of statements."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, true

from kubemin.spec.scope import Scope
from kubemin.store.tables import applications, tasks

Sight = Collection[Scope] | None
"""What is seen: all that one of these has; None is everything, and says nothing in a statement."""

TASK_PROJECT = func.coalesce(applications.c.project, tasks.c.project)
"""An application's project as it is now. Of one that is gone only its tasks know it."""


def seen_applications(sight: Collection[Scope]) -> ColumnElement[bool]:
    """Of the rows of ``applications``."""
    columns = (applications.c.cluster, applications.c.namespace, applications.c.project, applications.c.name)
    return or_(false(), *(_within(scope, columns) for scope in sight))


def of_seen_tasks(statement: Select[Any], sight: Sight) -> Select[Any]:
    """The statement over ``tasks``, for the tasks of what is seen."""
    if sight is None:
        return statement
    if any(scope.projects is not None for scope in sight):
        statement = statement.outerjoin(applications, applications.c.id == tasks.c.app_id)
    return statement.where(seen_tasks(sight))


def seen_tasks(sight: Collection[Scope]) -> ColumnElement[bool]:
    """Of the rows of ``tasks``; those of ``applications`` are joined where they may be missing."""
    columns = (tasks.c.cluster, tasks.c.namespace, TASK_PROJECT, tasks.c.app_name)
    return or_(false(), *(_within(scope, columns) for scope in sight))


def _within(scope: Scope, columns: tuple[ColumnElement[Any], ...]) -> ColumnElement[bool]:
    return and_(
        true(), *(column.in_(sorted(names)) for column, names in zip(columns, scope, strict=True) if names is not None)
    )
