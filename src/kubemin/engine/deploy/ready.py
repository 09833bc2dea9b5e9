"""Waiting until an object is ready, hopeless, or out of time (design §7)."""

import asyncio
import math
from collections.abc import Callable
from typing import Protocol

from kubemin.cluster import Cluster
from kubemin.cluster.cached_readiness import events_about, last_log_lines, readiness_from_cache
from kubemin.cluster.errors import Forbidden
from kubemin.cluster.informers import Informers
from kubemin.cluster.readiness import RELATED, Verdict
from kubemin.engine.errors import JobFailed
from kubemin.engine.objects.live import get_or_none
from kubemin.spec.objects import Manifest, ObjectRef

_EVENTS_FIRST, _EVENTS_MOST = 5.0, 60.0
"""Seconds of waiting after which the object's events are asked for, and between two times at most."""

_LISTS = 1.0
"""Seconds given to watches that have not seen everything yet."""


Count = tuple[int, int]
"""How many are ready, and how many are wanted."""


class Report(Protocol):
    """Takes what a job waits for, in words, and where it waits for replicas how many there are."""

    def __call__(self, message: str, count: Count | None = None) -> None: ...


async def until_ready(
    cluster: Cluster, informers: Informers, obj: Manifest, *, hopeless_after: float, report: Report
) -> Verdict | None:
    """Wait until the object, as written or later, is ready; returns how it is then, None for what needs no wait.

    ``hopeless_after`` seconds in a hopeless state end the wait with `JobFailed` in the cluster's own words; with 0 only
    what no time can help does.
    """
    ref, meta = ObjectRef.of(obj), obj["metadata"]
    if ref.kind not in RELATED:
        return None
    now = asyncio.get_running_loop().time
    events: list[Manifest] = []

    async def until(ends_wait: Callable[[Verdict], bool]) -> Verdict:
        def check(current: Manifest | None) -> Verdict | None:
            if current is None or current["metadata"]["uid"] != meta["uid"]:
                return _VANISHED
            verdict = readiness_from_cache(informers, current, events)
            if verdict.state != "ready":
                report(verdict.message, (verdict.ready, verdict.desired))
            return verdict if ends_wait(verdict) else None

        verdict = await informers.until(
            ref.kind, ref.namespace, ref.name, check, RELATED[ref.kind], since=meta["resourceVersion"]
        )
        if verdict is _VANISHED:
            raise JobFailed(await _vanished(cluster, ref, meta["uid"]))
        return verdict

    async def at_present() -> Verdict:
        for kind in (ref.kind, *RELATED[ref.kind]):
            if (trouble := informers.trouble(kind)) is not None:
                report(trouble.message)
                return Verdict("hopeless" if isinstance(trouble, Forbidden) else "waiting", trouble.message)
        try:
            async with asyncio.timeout(_LISTS):
                return await until(lambda _: True)
        except TimeoutError:
            return _UNSEEN

    pause = min(hopeless_after, _EVENTS_FIRST) or _EVENTS_FIRST
    ask_at, give_up_at = now() + pause, math.inf
    while True:
        borne = give_up_at < math.inf

        def news(verdict: Verdict, borne: bool = borne) -> bool:
            turned = (verdict.state == "hopeless") is not borne
            return verdict.state == "ready" or verdict.final or (hopeless_after > 0 and turned)

        try:
            async with asyncio.timeout_at(min(ask_at, give_up_at)):
                verdict = await until(news)
        except TimeoutError:
            events = await events_about(cluster, informers, obj)
            pause = min(2 * pause, _EVENTS_MOST)
            ask_at = now() + pause
            verdict = await at_present()
        if verdict.state == "ready":
            return verdict
        if verdict.state != "hopeless" or not (verdict.final or hopeless_after):
            give_up_at = math.inf
        elif verdict.final or now() >= give_up_at:
            said = await last_log_lines(cluster, informers, obj)
            raise JobFailed(f"{ref}: {verdict.message}" + (f"; it said last: {said}" if said else ""))
        elif not borne:
            give_up_at = now() + hopeless_after


_VANISHED = Verdict("waiting", "It is no longer in sight")
_UNSEEN = Verdict("waiting", "It is not in sight yet")


async def _vanished(cluster: Cluster, ref: ObjectRef, uid: str) -> str:
    now = await get_or_none(cluster, ref)
    if now is not None and now["metadata"]["uid"] == uid:
        return f"somebody took KubeMin's labels off {ref} while the task waited for it"
    return f"somebody deleted {ref} while the task waited for it"
