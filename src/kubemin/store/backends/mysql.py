"""MySQL 8 and MariaDB 10.6 (the first with SKIP LOCKED) or later, through asyncmy."""

import re
from collections.abc import Callable
from typing import Any

import asyncmy.errors
from sqlalchemy import Connection, event
from sqlalchemy.engine import URL

from kubemin.store.backends.base import ConnectionLimits, Pool
from kubemin.store.backends.remote import RemotePool
from kubemin.store.errors import AccessDenied, CommitUnknown, Deadlock, Full, Locked, StoreError, Unavailable

_SCHEMA_LOCK = "kubemin.migrate"
_KEY = re.compile(r"for key '(?:[^'.]*\.)?([^']*)'")
_TABLE = re.compile(r"(?:INTO|UPDATE) `?(\w+)")
_FULL = {1021, 1114, 3019}
_DENIED = {1044, 1045, 1049, 1130, 1698}
_LOST = {
    *(1040, 1043, 1053, 1077, 1080, 1129, 1158, 1159, 1160, 1161, 1203, 1226, 1927, 3169, 4031),
    *(1317, 1969, 3024),  # a statement was ended, or took too long by the server's own settings
    *(1290, 1836),  # it is only read now
}
_IS_REPLICA = "SELECT CAST(@@global.read_only AS CHAR) NOT IN ('0', 'OFF')"
_DURING_COMMIT = 1180
_DEADLOCK = 1213


class Mysql:
    """A MySQL or MariaDB database; ``drivername`` tells SQLAlchemy which."""

    raised: tuple[type[Exception], ...] = (asyncmy.errors.Error,)
    remote = True
    needs_task = True

    def __init__(self, drivername: str) -> None:
        self._drivername = drivername

    def pools(self, url: URL, limits: ConnectionLimits) -> tuple[Pool, Pool]:
        url = url.set(drivername=self._drivername)
        # Not REPEATABLE READ, the default: after waiting for a row's lock we must see what others have committed.
        writer = _pool(url, limits, "READ COMMITTED", "READ WRITE")
        return writer, _pool(url, limits, "REPEATABLE READ", "READ ONLY")

    def classify(self, error: BaseException, *, committing: bool) -> StoreError | None:
        code = _code(error)
        if code in (1205, 3572):
            return Locked("a row stayed locked for too long")
        if code == _DEADLOCK:
            return Deadlock("a deadlock was broken")
        if code in _FULL:
            return Full("no space is left for the database")
        if code in _DENIED:
            return AccessDenied(f"the database refused the connection ({code}: {error.args[-1]})")
        if code in _LOST or (code is not None and 2000 <= code < 3000) or (code == _DURING_COMMIT and committing):
            text = f"the database server is not there ({code})"
            return CommitUnknown(text) if committing else Unavailable(text)
        return None

    def duplicate(self, error: BaseException, statement: str) -> str | None:
        if _code(error) not in (1062, 1586):
            return None
        match = _KEY.search(str(error))
        key = match.group(1) if match else "unknown"
        table = _TABLE.search(statement)
        return f"pk_{table.group(1)}" if key == "PRIMARY" and table else key  # MySQL does not say which primary key

    def lock_schema(self, connection: Connection) -> Callable[[], None]:
        # DDL commits by itself here, so the lock is the session's, not the transaction's.
        connection.exec_driver_sql(f"SELECT GET_LOCK('{_SCHEMA_LOCK}', 3600)")
        return lambda: connection.exec_driver_sql(f"SELECT RELEASE_LOCK('{_SCHEMA_LOCK}')").close()


def _code(error: BaseException) -> int | None:
    first = error.args[0] if error.args else None
    return first if isinstance(first, int) else None


def _has_ended(driver: Any) -> bool:
    return bool(getattr(driver, "_stream_broken", False))  # as asyncmy's own pool asks it; older ones do not know


def _pool(url: URL, limits: ConnectionLimits, isolation: str, access: str) -> Pool:
    seconds = max(1, int(limits.lock_seconds))
    pool = RemotePool(
        url, limits.connections, isolation, is_replica=_IS_REPLICA, has_ended=_has_ended, connect_timeout=seconds
    )

    def connected(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute(f"SET SESSION innodb_lock_wait_timeout = {seconds}")
        # MariaDB ends idle transactions. MySQL can only end idle connections; then the pool opens new ones.
        idle = max(1, int(limits.idle_seconds))
        cursor.execute(f"SET @kubemin = 1 /*M!, SESSION idle_transaction_timeout = {idle} */")
        cursor.execute(f"SET @kubemin = 1 /*!80000 , SESSION wait_timeout = {6 * idle} */")
        cursor.execute("SET SESSION sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES')")
        cursor.execute(f"SET SESSION TRANSACTION {access}")
        cursor.close()

    event.listen(pool.engine.sync_engine, "connect", connected)
    return pool
