"""Going on with a migration that was killed, where each change of the schema commits by itself (MariaDB, MySQL)."""

from typing import Any

from alembic.runtime.migration import MigrationContext, MigrationInfo
from sqlalchemy import Column, Connection, Integer, MetaData, String, Table, insert, select, update
from sqlalchemy.exc import DBAPIError

_STEPS = Table(
    "migration_steps",
    MetaData(),
    Column("revision", String(32), primary_key=True),
    Column("done", Integer, nullable=False),
    Column("refused", Integer, nullable=False),
    mysql_engine="InnoDB",
    mariadb_engine="InnoDB",
)
"""By the revision that a migration begins at: how many of its statements are done. It is there only meanwhile.

``refused``: 1 if the database refused the next one as something of that name was there: that was not ours.
"""
_ALREADY = {1022, 1050, 1060, 1061, 1091, 1826}
"""A table, column, index or key is there already, or is gone already."""


class Steps:
    """Counts the statements of a revision, and passes over those that are done.

    What was killed after a statement and before its number was stored does that statement twice. The second time the
    database refuses it: of this one alone, the first of a run that goes on, that means that it is done.
    """

    def __init__(self, context: MigrationContext) -> None:
        """Have the context's statements go through here."""
        assert context.connection is not None
        self._connection: Connection = context.connection
        self._execute = context.impl._exec  # noqa: SLF001  every operation of Alembic goes through it
        context.impl._exec = self._step  # type: ignore[method-assign]  # noqa: SLF001
        context.on_version_apply_callbacks = (*context.on_version_apply_callbacks, self._next)
        _STEPS.create(self._connection, checkfirst=True)
        self._begin(context.get_current_revision() or "")

    def end(self) -> None:
        """All revisions are done: nothing is to be gone on with."""
        _STEPS.drop(self._connection)

    def _begin(self, revision: str) -> None:
        self._of = _STEPS.c.revision == revision
        self._number = 0
        found = self._connection.execute(select(_STEPS).where(self._of)).one_or_none()
        self._done: int = found.done if found else 0
        self._in_doubt = found is not None and not found.refused
        if found is None:
            self._connection.execute(insert(_STEPS).values(revision=revision, done=0, refused=0))
            self._connection.commit()

    def _next(self, *, step: MigrationInfo, **_: Any) -> None:
        self._begin(str(step.up_revision_id))

    def _step(self, *arguments: Any, **more: Any) -> Any:
        self._number += 1
        if self._number <= self._done:
            return None
        answer = None
        try:
            answer = self._execute(*arguments, **more)
        except DBAPIError as error:
            if error.orig is None or error.orig.args[0] not in _ALREADY:
                raise
            if not self._in_doubt:
                self._store(refused=1)
                raise
        self._in_doubt = False
        self._store(done=self._number, refused=0)
        return answer

    def _store(self, **values: int) -> None:
        self._connection.execute(update(_STEPS).where(self._of).values(values))
        self._connection.commit()
