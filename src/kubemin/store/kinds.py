"""The kinds, besides those that components make by themselves, of which tasks have written objects, by cluster."""

import contextlib
from collections.abc import Collection

from sqlalchemy import bindparam, insert, select

from kubemin.store.errors import Duplicate
from kubemin.store.tables import kinds, tasks
from kubemin.store.transaction import Tx

_OF_CLUSTER = select(kinds.c.name).where(kinds.c.cluster == bindparam("of_cluster"))


async def written(tx: Tx, cluster: str) -> frozenset[str]:
    """Their names in a cluster."""
    return frozenset(row.name for row in await tx.rows(_OF_CLUSTER, {"of_cluster": cluster}))


async def remember(tx: Tx, names: Collection[str], task_id: str) -> None:
    """Keep these of the task's cluster too, for good: where one was written, a late request may make one again."""
    if not names:
        return
    cluster = str(await tx.scalar(select(tasks.c.cluster).where(tasks.c.id == task_id)))
    for name in sorted(set(names) - await written(tx, cluster)):
        with contextlib.suppress(Duplicate):  # another task was first
            await tx.tentative(insert(kinds).values(cluster=cluster, name=name))
