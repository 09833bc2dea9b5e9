"""Duties: what one server does for all of them, by a lease on a row."""

from sqlalchemy import bindparam, delete, insert, or_, update

from kubemin.store.clock import after, now
from kubemin.store.errors import Duplicate
from kubemin.store.tables import duties
from kubemin.store.transaction import Tx

_UNTIL = after(bindparam("seconds"))
_NAMED = duties.c.name == bindparam("of_name")
_EXTEND = update(duties).where(_NAMED).values(expires_at=_UNTIL)
_HOLD = (
    update(duties)
    .where(_NAMED, or_(duties.c.owner == bindparam("of_owner"), duties.c.expires_at <= now()))
    .values(owner=bindparam("of_owner"), expires_at=_UNTIL)
)
_INSERT = insert(duties).values(name=bindparam("of_name"), owner=bindparam("of_owner"), expires_at=_UNTIL)
_RELEASE = delete(duties).where(_NAMED, duties.c.owner == bindparam("of_owner"))


async def hold(tx: Tx, name: str, owner: str, seconds: float) -> bool:
    """Take a duty, or go on with it, for so many seconds; False while another one has it."""
    of = {"of_name": name, "of_owner": owner, "seconds": seconds}
    return await tx.write(_HOLD, of) == 1 or await _inserted(tx, of)


async def extend(tx: Tx, name: str, seconds: float) -> None:
    """Let a duty that nobody has alone be done for so many seconds from now."""
    of = {"of_name": name, "seconds": seconds}
    if await tx.write(_EXTEND, of) != 1:
        await _inserted(tx, {**of, "of_owner": ""})


async def release(tx: Tx, name: str, owner: str) -> None:
    """Give a duty up, so that another one need not wait until it runs out."""
    await tx.write(_RELEASE, {"of_name": name, "of_owner": owner})


async def _inserted(tx: Tx, of: dict[str, object]) -> bool:
    try:
        return await tx.tentative(_INSERT, of) == 1
    except Duplicate:
        return False
