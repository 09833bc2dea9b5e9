"""``kubemin signals purge``: the keys in Redis that nobody needs any more."""

import asyncio
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from kubemin.cli.exits import CliError, Exit
from kubemin.cli.output import print_json, say
from kubemin.signals import SignalError
from kubemin.store import Database, StoreError, tasks

if TYPE_CHECKING:
    from kubemin.settings import Settings


def run(settings: "Settings", *, unknown: bool, as_json: bool) -> None:
    """Delete the keys of ended tasks, and with ``unknown`` of tasks that the database has not. Raises `CliError`."""
    if settings.redis_url is None:
        raise CliError("there is no Redis to purge: give --redis URL, or set KUBEMIN_REDIS_URL", Exit.USAGE)
    try:
        purged = asyncio.run(_purge(settings.database_url, settings.redis_url, unknown=unknown))
    except (StoreError, SignalError) as error:
        raise CliError(str(error)) from error
    if as_json:
        print_json({"purged": purged})
    else:
        say(f"deleted the signal keys of {len(purged)} {'task' if len(purged) == 1 else 'tasks'}")


async def _purge(database_url: str, redis_url: str, *, unknown: bool) -> list[str]:
    from kubemin.signals.purge import purge

    db = await Database.open(database_url)

    async def ended(ids: Sequence[str]) -> Collection[str]:
        async with db.read() as tx:
            found = await tasks.statuses(tx, ids)
        return [one for one in ids if (found[one].status.ended if one in found else unknown)]

    try:
        await db.check_schema()  # an empty database would know of no task at all
        return await purge(redis_url, ended)
    finally:
        await db.aclose()
