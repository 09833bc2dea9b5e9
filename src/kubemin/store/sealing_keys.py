"""Which keys values may be sealed with, and whether this process has them all.

A process that lacks one could read some tasks and not others, so it begins none: see `MissingKeys`.
"""

import asyncio
import math
import time
from collections.abc import Callable, Collection, Iterator
from typing import Any

from sqlalchemy import Column, bindparam, case, func, insert, literal, select, update
from sqlalchemy import delete as sql_delete

from kubemin.sealing.form import MARK, begin_of
from kubemin.store.columns import NOTHING
from kubemin.store.database import Database
from kubemin.store.errors import Duplicate, StoreError, Unreadable
from kubemin.store.tables import metadata, sealing_keys
from kubemin.store.transaction import Codec, Sealing, Tx, load, opened

_PROOF = "kubemin"
_ONLY = "kubemin: nothing is in plain text"
"""What a proof says once all is sealed for good. It is sealed itself: nobody without the key makes one."""
_PROOF_COLUMN = sealing_keys.c.proof
_IDS = select(sealing_keys.c.id)
_PROOFS = select(sealing_keys.c.id, sealing_keys.c.proof)
_CHECK_SECONDS = 5.0


def sealed_columns() -> Iterator[Column[Any]]:
    """Every column whose values are sealed."""
    for table in metadata.sorted_tables:
        yield from (column for column in table.columns if "sealed_by" in column.info and table is not sealing_keys)


def is_sealed_with(column: Column[Any], begin: str) -> Any:
    """Whether a value begins so. Not by LIKE: ``_`` is a letter of ids, and SQLite's minds no case."""
    return func.substr(column, 1, len(begin)) == literal(begin)


def is_plain(column: Column[Any]) -> Any:
    """Whether a value is stored in plain text, and is more than `NOTHING`."""
    return (func.substr(column, 1, len(MARK)) != literal(MARK)) & (column != literal(NOTHING))


async def begin(db: Database) -> None:
    """To be called once as a process starts: it is known from now on that values may be sealed with its first key.

    Raises `Unreadable` where a key has another's id, or values are sealed with a key that this process has not.
    """
    codec = db.codec
    async with db.read() as tx:
        await learn(tx, db.sealing)
        rows = await tx.rows(_IDS)
    for row in rows:
        if codec is not None and row.id in codec.known:
            continue
        if (where := await _in_use(db, row.id)) is not None:
            raise Unreadable(_missing(row.id, where))
        async with db.begin("forget key") as tx:
            await tx.write(sql_delete(sealing_keys).where(sealing_keys.c.id == row.id))
    if codec is not None:
        await remember(db, codec)


async def learn(tx: Tx, sealing: Sealing) -> None:
    """Read whether plain text is refused by now; that never ends. Raises `Unreadable` where a key has another's id."""
    codec = sealing.codec
    if codec is None:
        return
    for row in await tx.rows(_PROOFS):
        if row.id in codec.known:
            # It is not plain text either: whoever may write into the database could else say what they like.
            said = load(opened(Sealing(codec, only=True), row.proof, _PROOF_COLUMN, (row.id,)))
            sealing.only = sealing.only or said == _ONLY


async def refuse_plain(db: Database) -> None:
    """Record that all is sealed, with the first key or another, and that nobody stores plain text any more.

    To be called when every process without a key knows of it (`PLAIN_SECONDS`), and all was looked at since.
    """
    codec = db.codec
    assert codec is not None
    async with db.begin("refuse plain") as tx:
        proof = tx.seal(_ONLY, _PROOF_COLUMN, codec.first)
        await tx.write(update(sealing_keys).where(sealing_keys.c.id == codec.first).values(proof=proof))
    db.sealing.only = True


def _missing(key_id: str, where: str) -> str:
    return (
        f'values in {where} are sealed with the key "{key_id}", which is not among the encryption keys '
        "(KUBEMIN_ENCRYPTION_KEYS, _KEY_FILE or _KEY_COMMAND)"
    )


async def remember(db: Database, codec: Codec) -> None:
    """Store the first key's id. Whether all is sealed with it has to be seen anew: others may not have had it."""
    try:
        async with db.begin("remember key") as tx:
            known = sealing_keys.c.id == codec.first
            if await tx.write(update(sealing_keys).where(known).values(complete=False)) == 0:
                proof = tx.seal(_ONLY if db.sealing.only else _PROOF, _PROOF_COLUMN, codec.first)
                await tx.tentative(insert(sealing_keys).values(id=codec.first, proof=proof, complete=False))
    except Duplicate:
        return  # another process has, just now


async def _in_use(db: Database, key_id: str) -> str | None:
    """A column with a value that is sealed with this key."""
    for column in sealed_columns():
        async with db.read() as tx:
            if await tx.row(select(literal(1)).where(is_sealed_with(column, begin_of(key_id))).limit(1)) is not None:
                return str(column)
    return None


async def missing(tx: Tx, codec: Codec | None) -> Collection[str]:
    """The keys that others may have sealed values with, and this process has not."""
    known = frozenset[str]() if codec is None else codec.known
    return sorted(str(row.id) for row in await tx.rows(_IDS) if row.id not in known)


class MissingKeys:
    """Whether another process seals with a key that this one has not; looked at every few seconds at most."""

    def __init__(self, db: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._db = db
        self._clock = clock
        self._looked_at = -math.inf
        self._said: str | None = None
        self._lock = asyncio.Lock()

    async def __call__(self) -> str | None:
        """None where all keys are there or the database does not answer, else a sentence without its full stop."""
        async with self._lock:
            if self._clock() - self._looked_at >= _CHECK_SECONDS:
                try:
                    async with self._db.read(urgent=True) as tx:
                        found = await missing(tx, self._db.codec)
                        if not self._db.sealing.only:
                            await learn(tx, self._db.sealing)
                except StoreError:
                    return self._said  # whoever asks hears that from the database itself
                self._said = (
                    f"the encryption key {_quoted(found)} is in use and not given to this process" if found else None
                )
                self._looked_at = self._clock()
            return self._said


def _quoted(ids: Collection[str]) -> str:
    return ", ".join(f'"{one}"' for one in ids)


class Counts(dict[str, int]):
    """How many values of a column are sealed with each key, by its id; ``""``: in plain text."""


_UNKNOWN = "?"


async def count(db: Database) -> dict[str, Counts]:
    """Of each column that may hold secrets. Reads all of them, so it takes its time. ``?``: keys that nobody knows."""
    async with db.read() as tx:
        ids = {str(row.id) for row in await tx.rows(_IDS)} | (set() if db.codec is None else set(db.codec.known))
    found: dict[str, Counts] = {}
    for column in sealed_columns():
        wanted = {"": is_plain(column), **{key_id: is_sealed_with(column, begin_of(key_id)) for key_id in sorted(ids)}}
        sealed = is_sealed_with(column, MARK)
        sums = [func.coalesce(func.sum(case((what, 1), else_=0)), 0) for what in (*wanted.values(), sealed)]
        async with db.read() as tx:
            (row,) = await tx.rows(select(*sums).where(column.is_not(None)))
        *each, all_sealed = (int(number) for number in row)
        counts = Counts(zip(wanted, each, strict=True))
        if unknown := all_sealed - sum(number for key_id, number in counts.items() if key_id):
            counts[_UNKNOWN] = unknown
        found[str(column)] = Counts({key_id: number for key_id, number in counts.items() if number})
    return found


_COMPLETE = update(sealing_keys).where(sealing_keys.c.id == bindparam("of_id"))


async def is_complete(tx: Tx, key_id: str) -> bool:
    """Whether all was sealed with this key when it was last looked at."""
    return bool(await tx.scalar(select(sealing_keys.c.complete).where(sealing_keys.c.id == key_id)))


async def set_complete(tx: Tx, key_id: str) -> None:
    """All is sealed with this key."""
    await tx.write(_COMPLETE.values(complete=True), {"of_id": key_id})


__all__ = [
    "Counts",
    "MissingKeys",
    "begin",
    "count",
    "is_complete",
    "learn",
    "missing",
    "refuse_plain",
    "remember",
    "sealed_columns",
    "set_complete",
]
