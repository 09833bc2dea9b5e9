"""The schema's versions: Alembic's revisions, run without a configuration file.

A revision is named ``v<major>_<number>``. Old code works on a newer schema of its own major (a rolling upgrade); what
it could not work on gets the next major.
"""

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect

from kubemin.store.backends import Backend
from kubemin.store.errors import SchemaOutdated

if TYPE_CHECKING:  # Alembic takes a quarter of a second to import: whose schema is current starts without it
    from alembic.config import Config

_FOLDER = Path(__file__).parent / "migrations"
_REVISION = re.compile(r"v(\d+)_\d+")


def config(connection: Connection | None = None) -> "Config":
    """Alembic's configuration; ``migrations/env.py`` takes the connection out of it."""
    from alembic.config import Config

    made = Config()
    made.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    made.set_main_option("path_separator", "os")
    made.attributes["connection"] = connection
    return made


@cache
def revisions() -> tuple[str, ...]:
    """Every revision this version of KubeMin knows, oldest first: the files' names begin with them."""
    files = sorted((_FOLDER / "versions").glob("v*.py"))
    return tuple(found.group() for file in files if (found := _REVISION.match(file.name)))


def upgrade(connection: Connection, backend: Backend, to: str = "head") -> None:
    """Bring the schema up to date and commit. Raises `SchemaOutdated` if it is of a later major."""
    unlock = backend.lock_schema(connection)
    try:
        current = _current(connection)
        if not _ahead(current) and current != revisions()[-1]:
            from alembic import command

            command.upgrade(config(connection), to)
        connection.commit()
    finally:
        unlock()


def check(connection: Connection) -> None:
    """Raise `SchemaOutdated` unless the schema is current, or newer within the same major."""
    current = _current(connection)
    if current is None:
        raise SchemaOutdated("the database is empty: run `kubemin migrate` first")
    if not _ahead(current) and current != revisions()[-1]:
        raise SchemaOutdated(f"the database's schema is {current}, older than this version: run `kubemin migrate`")


def _current(connection: Connection) -> str | None:
    """What Alembic wrote down as the schema's revision; None where it never did."""
    tables = inspect(connection)
    if not tables.has_table("alembic_version"):
        return None
    found: str | None = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    if found is not None and not tables.has_table("revisions"):
        raise SchemaOutdated(
            "the database was made by a version of KubeMin before its first release: begin with an empty one"
        )
    return found


def _ahead(current: str | None) -> bool:
    """Whether a newer KubeMin of the same major migrated the database."""
    known = revisions()
    if current is None or current in known:
        return False
    if _major(current) == _major(known[-1]):
        return True
    raise SchemaOutdated(
        f"the database's schema is {current}, which this version of KubeMin cannot work on: upgrade it"
    )


def _major(revision: str) -> str | None:
    match = _REVISION.fullmatch(revision)
    return match.group(1) if match else None
