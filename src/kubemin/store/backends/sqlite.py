"""SQLite: one writer, readers beside it (WAL)."""

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection, UniqueConstraint
from sqlalchemy.engine import URL

from kubemin.store.backends.base import ConnectionLimits, Pool
from kubemin.store.backends.file import FilePool
from kubemin.store.backends.turn import Turn
from kubemin.store.errors import BadUrl, CommitUnknown, Full, Locked, StoreError, Unavailable
from kubemin.store.tables import metadata

_PREFIX = "UNIQUE constraint failed: "


class Sqlite:
    """An SQLite file.

    When a commit returns, its data is on the disk. Only the owner may read the file: it holds secrets.
    """

    raised: tuple[type[Exception], ...] = (sqlite3.Error,)
    remote = False
    needs_task = False

    def pools(self, url: URL, limits: ConnectionLimits) -> tuple[Pool, Pool]:
        if url.host or not url.database or url.database == ":memory:" or url.database.startswith("file:"):
            raise BadUrl("an SQLite database is a file: sqlite:///path, or sqlite:////absolute/path")
        path = Path(url.database)
        _create(path)
        begin_reading = [
            "BEGIN",
            "SELECT 1 FROM sqlite_master LIMIT 1",
        ]  # the first SELECT fixes the state that is read
        return (
            FilePool(
                url,
                1,
                limits.lock_seconds,
                ["PRAGMA journal_mode=WAL", "PRAGMA secure_delete=ON"],
                ["BEGIN IMMEDIATE"],
                _turn(path),
            ),
            FilePool(url, limits.connections, limits.lock_seconds, ["PRAGMA query_only=ON"], begin_reading),
        )

    def classify(self, error: BaseException, *, committing: bool) -> StoreError | None:
        if not isinstance(error, sqlite3.Error):
            return None
        code = getattr(error, "sqlite_errorcode", None)
        match None if code is None else code & 0xFF:
            case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
                return Locked("the database is locked by another process")
            case sqlite3.SQLITE_FULL:
                return Full("no space is left for the database")
            case sqlite3.SQLITE_IOERR if committing:
                # The data may have reached the disk although the commit failed.
                return CommitUnknown(f"the disk failed during a commit: {error}")
            case (
                sqlite3.SQLITE_CANTOPEN
                | sqlite3.SQLITE_IOERR
                | sqlite3.SQLITE_READONLY
                | sqlite3.SQLITE_PERM
                | sqlite3.SQLITE_CORRUPT
                | sqlite3.SQLITE_NOTADB
            ):
                return Unavailable(f"the database file cannot be used: {error}")
        return None

    def duplicate(self, error: BaseException, statement: str) -> str | None:
        text = str(error)
        if not isinstance(error, sqlite3.IntegrityError) or not text.startswith(_PREFIX):
            return None
        columns = text.removeprefix(_PREFIX).split(", ")
        table = metadata.tables[columns[0].split(".")[0]]
        names = [column.split(".")[1] for column in columns]
        for constraint in table.constraints:
            if isinstance(constraint, UniqueConstraint) and [c.name for c in constraint.columns] == names:
                return str(constraint.name)
        return f"pk_{table.name}"

    def lock_schema(self, connection: Connection) -> Callable[[], None]:
        return lambda: None  # BEGIN IMMEDIATE has locked it


def _turn(database: Path) -> Turn:
    path = database.with_name(f"{database.name}-turn")
    try:
        return Turn(path)
    except OSError as error:
        raise Unavailable(f"the file {path} cannot be opened: {error.strerror}") from error


def _create(path: Path) -> None:
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise Unavailable(f"the database file {path} cannot be opened: {error.strerror}") from error
