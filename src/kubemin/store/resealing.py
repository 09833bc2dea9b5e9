"""Sealing anew what is in plain text or under another key than the first (rotation).

Any number of processes may do it at once, and be killed at any moment. A value is written only if it is still the one
that was read. Each has a transaction of its own: whoever holds one row's lock alone can wait for nobody, so no lease
and no cancel is ended by a deadlock with it, or waits longer than for one row.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Column, Row, Select, and_, bindparam, func, or_, select, update

from kubemin.sealing.form import MARK, begin_of
from kubemin.store.columns import NOTHING
from kubemin.store.database import Database
from kubemin.store.errors import Unreadable
from kubemin.store.sealing_keys import is_complete, learn, refuse_plain, remember, sealed_columns, set_complete
from kubemin.store.transaction import Codec, opened, place_of

_SCANNED = 50
"""So many rows are looked at in one statement: on SQLite it holds up the event loop while it reads."""
_HEAD = max(len(NOTHING) + 1, len(MARK) + 32 + 1)

Pause = Callable[[float], Awaitable[None]]


class Progress(NamedTuple):
    """What a pass has done so far: values looked at, and sealed anew; the first one that cannot be opened."""

    column: str = ""
    seen: int = 0
    sealed: int = 0
    wrong: Unreadable | None = None


async def reseal(db: Database, pause: Pause = asyncio.sleep, share: float = 1) -> AsyncGenerator[Progress, None]:
    """One pass over all values; yields after each batch. ``share``: of the time so much is spent working, at most.

    A value that cannot be opened stays as it is. Raises `StoreError`; what was done until then stays done.
    """
    codec = db.codec
    if codec is None:
        return
    seen = sealed = 0
    wrong: Unreadable | None = None
    clock = asyncio.get_running_loop().time
    for column in sealed_columns():
        after: Sequence[Any] | None = None
        while True:
            began = clock()
            async with db.read() as tx:
                rows = await tx.rows(*_batch(column, after))
            if not rows:
                break
            after = tuple(rows[-1])[:-1]
            for row in rows:
                try:
                    sealed += await _reseal_one(db, codec, column, row)
                except Unreadable as error:
                    wrong = wrong or error
                await pause((clock() - began) * (1 / share - 1) if share < 1 else 0)
                began = clock()
            seen += len(rows)
            yield Progress(str(column), seen, sealed, wrong)


async def rotate(db: Database, pause: Pause = asyncio.sleep, share: float = 1) -> AsyncGenerator[Progress, None]:
    """Passes until one finds nothing more to seal; then the first key is `complete`.

    Raises `Unreadable` at the end where a value cannot be opened, and any `StoreError` at once.
    """
    codec = db.codec
    if codec is None:
        return
    last = Progress(sealed=1)
    while last.sealed:
        last = Progress()
        async for last in reseal(db, pause, share):
            yield last
    if last.wrong is not None:
        raise last.wrong
    async with db.begin("rotated") as tx:
        await set_complete(tx, codec.first)


async def keep_sealed(db: Database, share: float = 0.2, seconds: float = 60, pause: Pause = asyncio.sleep) -> None:
    """Rotate in the background whenever there may be something to seal. Ends only by a cancel. Raises like `rotate`."""
    codec, known_since = db.codec, False
    while codec is not None:
        async with db.read() as tx:
            complete = await is_complete(tx, codec.first)
            if not db.sealing.only:
                await learn(tx, db.sealing)
        if not complete:
            # Another process that has not this key may have forgotten it, before there was a value sealed with it.
            await remember(db, codec)
            known_since = False
            async for _ in rotate(db, pause, share):
                pass
        elif known_since and not db.sealing.only:
            # Since `seconds` nobody without a key stores plain text: one more look, and then there is none for good.
            seen = [one async for one in reseal(db, pause, share)]
            if not seen or (seen[-1].sealed, seen[-1].wrong) == (0, None):
                await refuse_plain(db)
        await pause(seconds)
        known_since = True


def _keys(column: Column[Any]) -> list[Column[Any]]:
    return [column.table.c[name] for name in column.info["sealed_by"]]


def _batch(column: Column[Any], after: Sequence[Any] | None) -> tuple[Select[Any], dict[str, Any]]:
    keys = _keys(column)
    statement = select(*keys, func.substr(column, 1, _HEAD).label("head")).order_by(*keys).limit(_SCANNED)
    if after is None:
        return statement, {}
    # (a, b) > (x, y), in words that use the index on every database.
    later = [
        and_(
            *(key == bindparam(f"after_{before}") for before, key in enumerate(keys[:place])),
            key > bindparam(f"after_{place}"),
        )
        for place, key in enumerate(keys)
    ]
    return statement.where(or_(*later)), {f"after_{place}": value for place, value in enumerate(after)}


async def _reseal_one(db: Database, codec: Codec, column: Column[Any], row: Row[Any]) -> bool:
    head = row.head
    if head is None or head == NOTHING or head.startswith(begin_of(codec.first)):
        return False
    keys = _keys(column)
    key = tuple(row)[:-1]
    mine = and_(*(name == value for name, value in zip(keys, key, strict=True)))
    async with db.read() as tx:
        was = await tx.scalar(select(column).where(mine))
    if was is None or was == NOTHING or was.startswith(begin_of(codec.first)):
        return False
    text = opened(db.sealing, was, column, key)
    to = codec.seal(text, place_of(column, key))
    async with db.begin("reseal") as tx:
        return await tx.write(update(column.table).where(mine, column == was).values({column: to})) == 1
