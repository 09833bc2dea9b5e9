"""The kinds, besides those that components make by themselves, of which tasks have written objects."""

import contextlib
from collections.abc import Collection

from sqlalchemy import insert, select

from kubemin.store.errors import Duplicate
from kubemin.store.tables import kinds
from kubemin.store.transaction import Tx

_ALL = select(kinds.c.name)


async def written(tx: Tx) -> frozenset[str]:
    """Their names."""
    return frozenset(row.name for row in await tx.rows(_ALL))


async def remember(tx: Tx, names: Collection[str]) -> None:
    """Keep these too, for good: where an object of a kind was written once, a late request may make one again."""
    if not names:
        return
    for name in sorted(set(names) - await written(tx)):
        with contextlib.suppress(Duplicate):  # another task was first
            await tx.tentative(insert(kinds).values(name=name))
