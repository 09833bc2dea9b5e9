"""PostgreSQL through asyncpg."""

from collections.abc import Callable

import asyncpg
from sqlalchemy import Connection
from sqlalchemy.engine import URL

from kubemin.store.backends.base import ConnectionLimits, Pool
from kubemin.store.backends.direct import BROKEN, DirectPool
from kubemin.store.errors import AccessDenied, CommitUnknown, Deadlock, Full, Locked, StoreError, Unavailable

_SCHEMA_LOCK = 0x6B7562656D696E
"""Key of the advisory lock around migrations."""

_LOCKED = {
    "55P03": (Locked, "a row or the schema stayed locked for too long"),
    "40P01": (Deadlock, "a deadlock was broken"),
    "40001": (Deadlock, "a concurrent transaction got in the way"),
}

_ENDED = ("25006", "25P03", "25P04", "57014")
"""It can only be read; by its own settings a transaction was idle, or took, too long, or a statement did."""


class Postgresql:
    """A PostgreSQL database, version 12 or later."""

    raised: tuple[type[Exception], ...] = (asyncpg.PostgresError, *BROKEN)
    remote = True
    needs_task = False

    def pools(self, url: URL, limits: ConnectionLimits) -> tuple[Pool, Pool]:
        if "sslmode" in url.query:  # as libpq spells it
            url = url.set(query={**url.query, "ssl": url.query["sslmode"]}).difference_update_query(["sslmode"])
        url = url.set(drivername="postgresql+asyncpg")
        return _pool(url, limits, "read committed", "off"), _pool(url, limits, "repeatable read", "on")

    def classify(self, error: BaseException, *, committing: bool) -> StoreError | None:
        if isinstance(error, asyncpg.DataError):
            return StoreError(f"the database refused a statement: {error}")
        if isinstance(error.__cause__ or error, asyncpg.TargetServerAttributeNotMatched):
            return Unavailable("the database server is a standby, which can only be read")
        if isinstance(error, asyncpg.InternalClientError):
            text = f"the connection to the database broke: {error}"
            return CommitUnknown(text) if committing else Unavailable(text)
        state = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
        if state is None:
            return None
        if state in _LOCKED:
            kind, text = _LOCKED[state]
            return kind(text)
        if state in ("53100", "53200"):
            return Full("no space is left for the database")
        if state in _ENDED or state[:3] == "57P" or state[:2] in ("08", "58"):
            text = f"the database server does not go on ({state}: {_message(error)})"
            return CommitUnknown(text) if committing else Unavailable(text)
        if state[:2] in ("53", "28", "3D"):
            refused = Unavailable if state[:2] == "53" else AccessDenied
            return refused(f"the database refused the connection: {_message(error)}")
        if "cached statement plan is invalid" in str(error):
            return Unavailable("the schema was changed meanwhile")
        return None

    def duplicate(self, error: BaseException, statement: str) -> str | None:
        name = getattr(error.__cause__ or error, "constraint_name", None)
        return name if getattr(error, "sqlstate", None) == "23505" else None

    def lock_schema(self, connection: Connection) -> Callable[[], None]:
        connection.exec_driver_sql("SET LOCAL lock_timeout = 0")  # another machine's migration may take its time
        connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_SCHEMA_LOCK})")
        return lambda: None  # released by the commit


def _message(error: BaseException) -> str:
    return str(getattr(error, "args", None) and error.args[0])


def _pool(url: URL, limits: ConnectionLimits, isolation: str, read_only: str) -> Pool:
    return DirectPool(
        url,
        limits.connections,
        timeout=limits.lock_seconds,
        target_session_attrs="primary",  # a standby has what was true a moment ago, and takes no write
        server_settings={
            "application_name": "kubemin",
            "lock_timeout": str(int(limits.lock_seconds * 1000)),
            "idle_in_transaction_session_timeout": str(int(limits.idle_seconds * 1000)),
            "default_transaction_isolation": isolation,
            "default_transaction_read_only": read_only,
        },
    )
