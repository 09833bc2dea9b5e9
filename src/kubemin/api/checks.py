"""How the parts are that a process stands on: for ``/readyz``, of a server and of a worker."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from kubemin.api.models.health import CheckReply
from kubemin.store import Database
from kubemin.store.errors import StoreError

Health = Callable[[], Awaitable[str | None]]
"""Asks a part of the system how it is: None when it is well, else a sentence. Does not raise."""

_CHECK_SECONDS = 3


async def check_all(db: Database, others: Mapping[str, Health]) -> list[CheckReply]:
    """Ask all at once; the database comes first. Takes seconds at most, and does not raise."""

    async def database() -> str | None:
        try:
            await db.check_schema()
        except StoreError as error:
            return str(error).rstrip(".")
        return None

    return await asyncio.gather(_check("database", database), *(_check(name, ask) for name, ask in others.items()))


async def _check(name: str, ask: Health) -> CheckReply:
    try:
        async with asyncio.timeout(_CHECK_SECONDS):
            wrong = await ask()
    except TimeoutError:
        wrong = f"the {name} did not answer within {_CHECK_SECONDS} seconds"
    return CheckReply(name=name, status="down" if wrong else "ok", message=wrong or "")
