"""``kubemin signals purge``: the keys in Redis that nobody needs any more."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from kubemin.cli.exits import CliError, Exit
from kubemin.cli.language import tr, trn
from kubemin.cli.loop import run_in_loop
from kubemin.cli.output import Output, say
from kubemin.signals import SignalError
from kubemin.store import Database, StoreError, tasks

if TYPE_CHECKING:
    from kubemin.settings import Settings


def run(settings: "Settings", output: Output, *, unknown: bool) -> None:
    """Delete the keys of ended tasks, and with ``unknown`` of tasks that the database has not. Raises `CliError`."""
    if settings.redis_url is None:
        raise CliError(tr("there is no Redis to purge: give --redis URL, or set KUBEMIN_REDIS_URL"), Exit.USAGE)
    try:
        purged, strange = run_in_loop(_purge(settings.database_url, settings.redis_url, unknown=unknown))
    except (StoreError, SignalError) as error:
        raise CliError(str(error)) from error
    if output.printed({"purged": purged, "unknown": strange}, purged):
        return
    output.tell(trn("deleted the signal keys of {count} task", "deleted the signal keys of {count} tasks", len(purged)))
    if strange:
        left = trn(
            "left those of {count} task that this database does not know: --unknown deletes them too",
            "left those of {count} tasks that this database does not know: --unknown deletes them too",
            len(strange),
        )
        say(left)


async def _purge(database_url: str, redis_url: str, *, unknown: bool) -> tuple[list[str], list[str]]:
    """The tasks whose keys were deleted, and those whose keys were left, as the database does not know them."""
    from kubemin.signals.purge import purge

    db = await Database.open(database_url)
    strange: list[str] = []

    async def ended(ids: Sequence[str]) -> Collection[str]:
        async with db.read() as tx:
            found = await tasks.statuses(tx, ids)
        strange.extend(one for one in ids if one not in found and not unknown)
        return [one for one in ids if (found[one].status.ended if one in found else unknown)]

    try:
        await db.check_schema()  # an empty database would know of no task at all
        return await purge(redis_url, ended), strange
    finally:
        await db.aclose()
