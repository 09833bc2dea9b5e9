"""Applications of which it was told that the cluster has drifted from their current revision."""

from datetime import datetime

from sqlalchemy import bindparam, delete, insert, select

from kubemin.store.clock import now
from kubemin.store.errors import Duplicate
from kubemin.store.tables import drifts
from kubemin.store.transaction import Tx

_OF_APP = drifts.c.app_id == bindparam("of_app")
_SINCE = select(drifts.c.since).where(_OF_APP)
_BEGIN = insert(drifts).values(app_id=bindparam("of_app"), revision=bindparam("of_revision"), since=now())
_END = delete(drifts).where(_OF_APP)


async def since(tx: Tx, app_id: str) -> datetime | None:
    """Since when it is known; None if the application has not drifted."""
    found: datetime | None = await tx.scalar(_SINCE, {"of_app": app_id})
    return found


async def begin(tx: Tx, app_id: str, revision: int) -> bool:
    """Record that it has drifted; False if that was known."""
    try:
        return await tx.tentative(_BEGIN, {"of_app": app_id, "of_revision": revision}) == 1
    except Duplicate:
        return False


async def end(tx: Tx, app_id: str) -> bool:
    """Record that it has not any more; False if that was known."""
    return await tx.write(_END, {"of_app": app_id}) == 1
