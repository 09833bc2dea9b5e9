"""The database's clock. Leases are compared with this clock only, inside the statement."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BindParameter, Double, Select, and_, literal, select, type_coerce
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator


class Timestamp(TypeDecorator[datetime]):
    """A time as seconds since 1970 in a double, an aware UTC datetime in Python.

    A number, because the databases treat numbers alike, but not time zones and fractions of seconds. A double holds
    microseconds, so a time that was read equals the stored one.
    """

    impl = Double
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> float | None:
        return value.timestamp() if isinstance(value, datetime) else value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return None if value is None else datetime.fromtimestamp(float(value), UTC)


class now(FunctionElement[datetime]):  # noqa: N801  (reads as the SQL function that it is)
    """The database's time at this moment of the statement, not at the start of the transaction."""

    type = Timestamp()
    inherit_cache = True


@compiles(now, "sqlite")
def _sqlite(element: now, compiler: SQLCompiler, **kw: Any) -> str:
    # unixepoch('subsec') says the same, from SQLite 3.42 on. Both know milliseconds; the rest is rounding.
    return "round((julianday('now') - 2440587.5) * 86400.0, 3)"


@compiles(now, "postgresql")
def _postgresql(element: now, compiler: SQLCompiler, **kw: Any) -> str:
    # now() stands still during a transaction.
    return "CAST(extract(epoch from clock_timestamp()) AS DOUBLE PRECISION)"


@compiles(now, "mysql")
@compiles(now, "mariadb")
def _mysql(element: now, compiler: SQLCompiler, **kw: Any) -> str:
    # NOW() is in the session's zone and in whole seconds, and UNIX_TIMESTAMP() reads its argument in that zone.
    return "(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)) / 1e6)"


def after(seconds: float | BindParameter[Any]) -> ColumnElement[Any]:
    """The database's time, ``seconds`` from now: a number, or a parameter of the statement."""
    return now() + (type_coerce(seconds, Double) if isinstance(seconds, BindParameter) else literal(seconds, Double))


def ago(seconds: BindParameter[Any]) -> ColumnElement[Any]:
    """The database's time, ``seconds`` before now: a parameter of the statement."""
    return now() - type_coerce(seconds, Double)


def past(column: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether the time in ``column`` is in the past; the database can use an index for it.

    With a volatile function in the comparison PostgreSQL would read every row. A scalar subquery is computed once. And
    that no row without a time is meant has to be said: of a column that is nearly always empty it would else expect
    a third of them to fit, and read the whole table.
    """
    clock: Select[Any] = select(now())
    return and_(column.is_not(None), column <= clock.scalar_subquery())
