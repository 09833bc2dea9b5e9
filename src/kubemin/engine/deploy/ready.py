"""Waiting until an object is ready, hopeless, or out of time (design §7)."""

import asyncio
import math
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Literal, Protocol

from kubemin.cluster import Cluster
from kubemin.cluster.cached_readiness import (
    PodStates,
    events_about,
    last_log_lines,
    pod_states,
    readiness_from_cache,
    restarts,
)
from kubemin.cluster.errors import Forbidden
from kubemin.cluster.informers import Informers
from kubemin.cluster.readiness import Verdict, is_route, is_waited_for, readiness
from kubemin.cluster.reasons import code_of
from kubemin.engine.backoff import retry_reads
from kubemin.engine.errors import JobFailed
from kubemin.engine.objects.live import get_or_none
from kubemin.engine.objects.masking import NOTHING_SECRET, CutOnce, Mask
from kubemin.spec.kinds import KINDS, kind_of
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.reason_codes import ReasonCode

_EVENTS_FIRST, _EVENTS_MOST = 5.0, 60.0
"""Seconds of waiting after which the object's events are asked for, and between two times at most."""

_FIRST_WORD = 10.0
"""Seconds for which the first status of an object is waited for."""

_LISTS = 1.0
"""Seconds given to watches that have not seen everything yet."""


Count = tuple[int, int]
"""How many are ready, and how many are wanted."""


class Report(Protocol):
    """Takes what a job waits for, in words, and where it waits for replicas how many there are.

    ``suspended``: somebody holds it back on purpose, so that it is not late. ``restarts``: a container ends and starts
    again and again, so that the words change though nothing moves.
    """

    def __call__(
        self, message: str, count: Count | None = None, *, suspended: bool = False, restarts: bool = False
    ) -> None: ...


Judge = Callable[[Manifest], Awaitable[Verdict | None]]
"""Says by a rule whether an object is ready; None where it leaves that to its kind."""


async def until_ready(
    cluster: Cluster,
    informers: Informers,
    obj: Manifest,
    *,
    hopeless_after: float,
    report: Report,
    moved: Callable[[], None] = lambda: None,
    mask: Callable[[], Mask] = lambda: NOTHING_SECRET,
    judge: Judge | None = None,
) -> Verdict | None:
    """Wait until the object, as written or later, is ready; returns its verdict, None for one that needs no wait.

    ``judge`` says when it is, in place of its kind.

    An object that stays hopeless for ``hopeless_after`` seconds ends the wait with `JobFailed`, in the cluster's own
    words. With 0 only a final verdict does: one that no time can change.
    ``moved`` is called when a Pod changes state. What containers say is masked.
    """
    kind = ObjectRef.of(obj).kind
    if judge is None:
        if not is_waited_for(kind) and not is_route(obj):
            return None
        own_words = kind in KINDS and not is_route(obj)
        if not own_words:
            says = await _has_something_to_say(cluster, informers, obj, report)
            if says is None:
                return Verdict("ready", f"{kind} {obj['metadata']['name']}: nobody has said anything of it", 1)
            if not says:
                return None
    return await _Wait(cluster, informers, obj, hopeless_after, report, moved, mask, judge).run()


async def _has_something_to_say(cluster: Cluster, informers: Informers, obj: Manifest, report: Report) -> bool | None:
    """Whether the status of an object, of a kind that nobody has told us about, may say when it is ready.

    Its controller is given a moment for its first word. There may be none that has one: then nothing is waited for,
    and the answer is None.
    """
    ref = ObjectRef.of(obj)
    if obj.get("status") or not await retry_reads(partial(cluster.has_status, ref.kind)):
        return readiness(obj).state != "ready"
    report("waits for the first word of its controller")
    try:
        async with asyncio.timeout(_FIRST_WORD):
            await informers.until(
                ref.kind, ref.namespace, ref.name, _status_of, since=obj["metadata"]["resourceVersion"]
            )
    except TimeoutError:
        return None
    return True


def _status_of(live: Manifest | None) -> bool | None:
    """True once somebody has said something of it, or it is gone."""
    return True if live is None or live.get("status") else None


class _Wait:
    """The wait for one object.

    The shared watches wake it, and only for a verdict that matters: ready, final, or a turn to or from hopeless. Some
    refusals (a quota, an admission webhook) show in no object, only in events. Those are asked for, at longer and
    longer intervals, as long as the object is not ready.
    """

    def __init__(
        self,
        cluster: Cluster,
        informers: Informers,
        obj: Manifest,
        hopeless_after: float,
        report: Report,
        moved: Callable[[], None],
        mask: Callable[[], Mask],
        judge: Judge | None,
    ) -> None:
        self._judge = judge
        self._judged: tuple[str, Verdict | None] = ("", None)
        """The version of the object that the rule was asked about last, and its answer."""
        self._cluster = cluster
        self._informers = informers
        self._object = obj
        self._ref = ObjectRef.of(obj)
        self._hopeless_after = hopeless_after
        self._report = report
        self._moved = moved
        self._mask = mask
        self._cut = CutOnce()  # the watches show most states more than once
        self._pods: PodStates = ()
        self._now = asyncio.get_running_loop().time
        self._events: list[Manifest] = []
        self._interval = min(hopeless_after, _EVENTS_FIRST) or _EVENTS_FIRST
        self._ask_at = self._now() + self._interval
        self._give_up_at = math.inf
        """When the time granted to a hopeless object is over; infinite while it is not hopeless."""

    async def run(self) -> Verdict:
        while True:
            verdict = await self._next_verdict()
            if verdict.state == "ready":
                return verdict
            # A container that crashed and runs again, for how long nobody knows, does not give the object new time.
            hopeless = verdict.state == "hopeless" or (verdict.restarted and self._give_up_at < math.inf)
            if hopeless and (verdict.final or self._now() >= self._give_up_at):
                raise JobFailed(await self._failure(verdict), verdict.code or ReasonCode.CRASH_LOOP)
            if not hopeless or not self._hopeless_after:
                self._give_up_at = math.inf
            elif self._give_up_at == math.inf:
                self._give_up_at = self._now() + self._hopeless_after

    async def _next_verdict(self) -> Verdict:
        """The next verdict that matters; in any case one when events are due or the granted time is over."""
        try:
            async with asyncio.timeout_at(min(self._ask_at, self._give_up_at)):
                return await self._until(self._matters)
        except TimeoutError:
            self._events = await events_about(self._cluster, self._informers, self._object)
            self._interval = min(2 * self._interval, _EVENTS_MOST)
            self._ask_at = self._now() + self._interval
            return await self._verdict_now()

    def _matters(self, verdict: Verdict) -> bool:
        was_hopeless = self._give_up_at < math.inf
        turned = (verdict.state == "hopeless" or (was_hopeless and verdict.restarted)) is not was_hopeless
        return verdict.state == "ready" or verdict.final or (self._hopeless_after > 0 and turned)

    async def _until(self, ends_wait: Callable[[Verdict], bool]) -> Verdict:
        ref, meta = self._ref, self._object["metadata"]

        def check(live: Manifest | None) -> Verdict | Manifest | None:
            if live is None or live["metadata"]["uid"] != meta["uid"]:
                return _VANISHED
            if self._judge is not None and self._judged[0] != live["metadata"]["resourceVersion"]:
                return live
            verdict = self._judged[1] or readiness_from_cache(self._informers, live, self._events)
            if (pods := pod_states(self._informers, live)) != self._pods:
                self._pods = pods
                self._moved()
            if verdict.state != "ready":
                self._report(
                    self._cut(self._mask(), verdict.message),
                    (verdict.ready, verdict.desired),
                    suspended=verdict.suspended,
                    restarts=restarts(pods),
                )
            return verdict if ends_wait(verdict) else None

        related, since = kind_of(ref.kind).told_by, meta["resourceVersion"]
        while True:
            found: Verdict | Manifest = await self._informers.until(
                ref.kind, ref.namespace, ref.name, check, related, since=since
            )
            if found is _VANISHED:
                raise JobFailed(await _why_it_vanished(self._cluster, ref, meta["uid"]), ReasonCode.CONFLICT)
            if isinstance(found, Verdict):
                return found
            assert self._judge is not None
            self._judged = found["metadata"]["resourceVersion"], await self._judge(found)

    async def _verdict_now(self) -> Verdict:
        """What the watches show at present, or what is wrong with the watches themselves."""
        for kind in (self._ref.kind, *kind_of(self._ref.kind).told_by):
            if (error := self._informers.watch_error(kind)) is not None:
                self._report(error.message)
                state: Literal["hopeless", "waiting"] = "hopeless" if isinstance(error, Forbidden) else "waiting"
                return Verdict(state, error.message, code=code_of(error))
        try:
            async with asyncio.timeout(_LISTS):
                return await self._until(lambda _: True)
        except TimeoutError:
            return _NOT_SEEN_YET

    async def _failure(self, verdict: Verdict) -> str:
        lines = await last_log_lines(self._cluster, self._informers, self._object)
        mask = self._mask()
        return f"{self._ref}: {mask.cut(verdict.message)}" + (f"; it said last: {mask(lines)}" if lines else "")


_VANISHED = Verdict("waiting", "It is no longer there")
_NOT_SEEN_YET = Verdict("waiting", "The watch has not shown it yet")


async def _why_it_vanished(cluster: Cluster, ref: ObjectRef, uid: str) -> str:
    live = await get_or_none(cluster, ref)
    if live is not None and live["metadata"]["uid"] == uid:
        return f"somebody took KubeMin's labels off {ref} while the task waited for it"
    return f"somebody deleted {ref} while the task waited for it"
