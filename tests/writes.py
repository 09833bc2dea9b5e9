"""What KubeMin writes to a simulated cluster, as it comes: in one place, what is none of a task's writes."""

from collections.abc import Awaitable, Callable

from kubesim.faults import Armed, Fault, RequestInfo
from kubesim.server import SimServer

TOLD = "events"
"""A worker tells of objects by Kubernetes Events, beside all else, in its own time: they are no writes of a task."""


def on_writes(
    sim: SimServer,
    call: Callable[[RequestInfo], Awaitable[None] | None],
    *,
    verb: str = "write",
    dry_run: bool | None = False,
) -> Armed:
    """Call it at each write of a task from now on. ``dry_run``: those that only ask; None for both."""

    def written(info: RequestInfo) -> Awaitable[None] | None:
        return None if info.resource == TOLD else call(info)

    return sim.faults.add(Fault("call", verb=verb, times=None, dry_run=dry_run, call=written))
