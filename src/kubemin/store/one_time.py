"""What counts once, on every server of the database: of it only a digest is stored, and only until it is over."""

from sqlalchemy import bindparam, delete
from sqlalchemy import insert as sql_insert

from kubemin.store.clock import after, past
from kubemin.store.errors import Duplicate
from kubemin.store.tables import one_time
from kubemin.store.transaction import Tx

_OVER = delete(one_time).where(past(one_time.c.expires_at))
_INSERT = sql_insert(one_time).values(hash=bindparam("of_hash"), expires_at=after(bindparam("seconds")))
_TAKE = delete(one_time).where(one_time.c.hash == bindparam("of_hash"), ~past(one_time.c.expires_at))


async def remember(tx: Tx, digest: str, seconds: float) -> bool:
    """Store it for so many seconds, and forget what is over. False if it is there already."""
    await tx.write(_OVER)
    try:
        await tx.tentative(_INSERT, {"of_hash": digest, "seconds": seconds})
    except Duplicate:
        return False
    return True


async def take(tx: Tx, digest: str) -> bool:
    """Forget it. False if it is not there, or no more: of several who ask, one is told that it was."""
    return await tx.write(_TAKE, {"of_hash": digest}) == 1
