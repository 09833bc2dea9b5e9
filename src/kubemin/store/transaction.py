"""One transaction, and what errors and cancels do to it."""

import json
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Protocol, TypeVar

import orjson
from sqlalchemy import Column, Executable, Row, select
from sqlalchemy.exc import DBAPIError, SQLAlchemyError, StatementError

from kubemin.sealing.errors import MissingKey, SealingError
from kubemin.sealing.form import key_id_of
from kubemin.shield import round_trip, to_the_end
from kubemin.store.backends import Answer, Backend, DbConnection
from kubemin.store.clock import now
from kubemin.store.columns import NOTHING
from kubemin.store.errors import CommitUnknown, Duplicate, StoreError, Unavailable, Unreadable

T = TypeVar("T")

_CHUNK = 500
_NOW = select(now())

CANCEL_SECONDS = 2.0
"""How long a cancelled transaction waits for a statement's answer before it closes the connection."""


class Codec(Protocol):
    """Encrypts what may hold secrets before it is stored, and decrypts it: `kubemin.sealing.sealer.Sealer`."""

    first: str
    """The id of the key that seals."""
    known: frozenset[str]
    """The ids of all its keys."""

    def seal(self, text: str, place: str) -> str:
        """What is stored for ``text``; ``place`` says where."""

    def unseal(self, stored: str, place: str) -> str:
        """The text that `seal` was given. Raises `SealingError`."""


@dataclass
class Sealing:
    """How a process stores what may hold secrets."""

    codec: Codec | None
    """None: in plain text."""
    only: bool = False
    """All is sealed, and nobody writes plain text any more: what is in plain text was put there past KubeMin."""


class Translator:
    """Sends work to the database, and turns the driver's errors into a `StoreError`."""

    def __init__(self, backend: Backend, answer_seconds: float) -> None:
        self._backend = backend
        self._answer_seconds = answer_seconds
        self._to_the_end = to_the_end if backend.needs_task else round_trip
        self.raised: tuple[type[Exception], ...] = (SQLAlchemyError, OSError, TimeoutError, *backend.raised)

    async def run(
        self, work: Callable[[], Coroutine[Any, Any, T]], *, committing: bool = False, patient: bool = False
    ) -> T:
        """Run ``work`` to its end even under a cancel. After a cancel anything but a commit has `CANCEL_SECONDS` left.

        Raises a `StoreError` if it fails, or if no answer comes in time. With ``patient`` there is no time limit.
        """
        try:
            if committing:
                return await self._to_the_end(work(), None, self._answer_seconds if self._backend.remote else None)
            if self._backend.remote:
                return await self._to_the_end(work(), CANCEL_SECONDS, None if patient else self._answer_seconds)
            return await work()  # a file: no await is cut short here that could leave a statement half done
        except self.raised as error:
            raise self._explain(error, committing) from error

    async def finish(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run ``work`` to its end, also under a cancel."""
        await (self._to_the_end(work()) if self._backend.remote else work())

    def _explain(self, error: Exception, committing: bool) -> StoreError:
        origin = (error.orig if isinstance(error, StatementError) else None) or error
        if isinstance(origin, StoreError):
            return origin  # raised by a column type
        statement = error.statement if isinstance(error, StatementError) else None
        constraint = self._backend.duplicate(origin, statement or "")
        if constraint is not None:
            return Duplicate(constraint)
        known = self._backend.classify(origin, committing=committing)
        if known is not None:
            return known
        lost = isinstance(error, DBAPIError) and error.connection_invalidated
        if lost or isinstance(origin, (OSError, TimeoutError, *_broken(self._backend))):
            what = f"{type(origin).__name__}: {origin}" if str(origin) else type(origin).__name__
            if committing:
                return CommitUnknown(f"the database did not answer a commit ({what})")
            return Unavailable(f"the database does not answer ({what})")
        return StoreError(f"the database refused a statement: {origin}")


def _broken(backend: Backend) -> tuple[type[Exception], ...]:
    return tuple(kind for kind in backend.raised if kind.__name__ == "InterfaceError")


class Tx:
    """A transaction. After an error or a cancel it accepts no more statements, and is rolled back.

    What runs often is a statement at module level, executed with parameters: building one costs more than running it.
    """

    def __init__(self, connection: DbConnection, translator: Translator, sealing: Sealing) -> None:
        self._connection = connection
        self._translator = translator
        self._sealing = sealing
        self._failure: StoreError | None = None
        self.wrote_plain = False
        """Whether something that may hold secrets was made to be stored in plain text."""
        self.locked: set[str] = set()
        """Ids of the tasks whose row this transaction has written, and so locked."""

    async def rows(self, statement: Executable, parameters: Any = None) -> Sequence[Row[Any]]:
        """All rows of a SELECT."""
        return (await self._execute(statement, parameters)).rows

    async def row(self, statement: Executable, parameters: Any = None) -> Row[Any] | None:
        """The first row of a SELECT, or None."""
        rows = (await self._execute(statement, parameters)).rows
        return rows[0] if rows else None

    async def scalar(self, statement: Executable, parameters: Any = None) -> Any:
        """The first column of the first row, or None."""
        rows = (await self._execute(statement, parameters)).rows
        return rows[0][0] if rows else None

    async def write(self, statement: Executable, parameters: Any = None) -> int:
        """Run a write; returns how many rows it matched (of a single execution)."""
        return (await self._execute(statement, parameters)).matched

    async def tentative(self, statement: Executable, parameters: Any = None) -> int:
        """Like `write`, but a violated unique constraint (`Duplicate`) undoes only this statement."""
        self.check()
        nested = partial(self._connection.execute_nested, statement, parameters)
        try:
            return (await self._translator.run(nested)).matched
        except Duplicate:
            raise
        except StoreError as error:
            self._failure = error
            raise

    async def now(self) -> datetime:
        """The database's time."""
        time: datetime = await self.scalar(_NOW)
        return time

    def check(self) -> None:
        """Raise a `StoreError` if the transaction has failed."""
        if self._failure is not None:
            raise StoreError("the transaction has failed, and is rolled back") from self._failure

    def seal(self, value: Any, column: Column[Any], *key: str | int) -> str:
        """JSON that may hold secrets, as it is stored in this column of the row that ``key`` names.

        The names of the key are those that the column was declared with (`tables`); in another row it does not open.
        """
        text, codec = dump(value), self._sealing.codec
        if codec is None:
            self.wrote_plain = True
            return text
        return codec.seal(text, place_of(column, key))

    def unseal(self, stored: str, column: Column[Any], *key: str | int) -> Any:
        """The value that `seal` was given; plain text is read too, until all is sealed. Raises `Unreadable`."""
        text = opened(self._sealing, stored, column, key)
        try:
            return load(text)
        except (ValueError, RecursionError) as error:
            raise Unreadable(f"{_named(column, key)} cannot be read: it is not the JSON that was stored") from error

    async def _execute(self, statement: Executable, parameters: Any) -> Answer:
        self.check()
        try:
            return await self._translator.run(partial(self._connection.execute, statement, parameters))
        except StoreError as error:
            self._failure = error
            raise


def place_of(column: Column[Any], key: Sequence[str | int]) -> str:
    """Where a value is: what it is bound to."""
    assert len(key) == len(column.info["sealed_by"]), f"{column} is sealed by {column.info['sealed_by']}"
    return f"{column}/{'/'.join(str(part) for part in key)}"


def opened(sealing: Sealing, stored: str, column: Column[Any], key: Sequence[str | int]) -> str:
    """A stored text, as it was before it was sealed. Raises `Unreadable`, which names the table and the key."""
    key_id = key_id_of(stored)
    if key_id is None:
        if sealing.only and stored != NOTHING:
            raise Unreadable(
                f"{_named(column, key)} cannot be read: it is in plain text, and all that KubeMin stores is sealed. "
                "Somebody else wrote it; `kubemin key rotate --accept-plain` seals what is there"
            )
        return stored
    try:
        if sealing.codec is None:
            raise MissingKey(key_id)
        return sealing.codec.unseal(stored, place_of(column, key))
    except SealingError as error:
        lacking = error.key_id if isinstance(error, MissingKey) else None
        raise Unreadable(f"{_named(column, key)} cannot be read: {error}", lacking) from error


def _named(column: Column[Any], key: Sequence[str | int]) -> str:
    return f"{column} of {'/'.join(str(part) for part in key)}"


def chunks(values: Iterable[str], size: int = _CHUNK) -> Iterator[Sequence[str]]:
    """The values in parts that fit into one IN: databases limit the number of parameters."""
    left = list(values)
    for start in range(0, len(left), size):
        yield left[start : start + size]


def dump(value: Any) -> str:
    """JSON, the same bytes for the same value whatever the database. Keys keep their order, numbers are finite."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:  # half a surrogate pair, as a log may have one, or a number of more than 64 bits
        return json.dumps(value, separators=(",", ":"))


def load(stored: str) -> Any:
    """The value that `dump` was given."""
    return json.loads(stored)  # orjson would refuse such halves, and round such numbers


def values_of(record: Any, *but: str) -> dict[str, Any]:
    """A record's values, by field, to write into the columns of the same names; ``but`` those that differ from them."""
    return {name: getattr(record, name) for name in record.__dataclass_fields__ if name not in but}


def fields(row: Row[Any]) -> dict[str, Any]:
    """A row's values by column: the reverse of `values_of`."""
    return dict(row._mapping)  # noqa: SLF001  (SQLAlchemy's public accessor, named so to leave columns their names)
