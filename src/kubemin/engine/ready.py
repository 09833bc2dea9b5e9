"""Waiting until an object is ready, hopeless, or out of time (design §7)."""

import asyncio
from collections.abc import Callable

from kubemin.cluster import Cluster
from kubemin.cluster.informers import Informers
from kubemin.cluster.looks import last_words, look
from kubemin.cluster.readiness import RELATED, Verdict
from kubemin.engine.errors import JobFailed
from kubemin.engine.gone import look_at
from kubemin.spec.objects import Manifest, ObjectRef


async def until_ready(
    cluster: Cluster,
    informers: Informers,
    obj: Manifest,
    *,
    hopeless_after: float,
    progress: Callable[[str], None],
) -> None:
    """Wait until the object, as written or later, is ready; ``progress`` takes what it waits for.

    ``hopeless_after`` seconds in a hopeless state end the wait with `JobFailed` in the cluster's own words; with 0 only
    what no time can help does.
    """
    ref, meta = ObjectRef.of(obj), obj["metadata"]
    if ref.kind not in RELATED:
        return

    async def until(ends_wait: Callable[[Verdict], bool]) -> Verdict:
        def check(now: Manifest | None) -> Verdict | None:
            if now is None or now["metadata"]["uid"] != meta["uid"]:
                return _VANISHED
            verdict = look(informers, now)
            progress(verdict.message)
            return verdict if ends_wait(verdict) else None

        verdict = await informers.until(
            ref.kind, ref.namespace, ref.name, check, RELATED[ref.kind], since=meta["resourceVersion"]
        )
        if verdict is _VANISHED:
            raise JobFailed(await _vanished(cluster, ref, meta["uid"]))
        return verdict

    while True:
        verdict = await until(lambda v: v.state == "ready" or v.final or (v.state == "hopeless" and hopeless_after > 0))
        if verdict.state == "ready":
            return
        if not verdict.final:
            try:
                async with asyncio.timeout(hopeless_after):
                    await until(lambda v: v.state != "hopeless" or v.final)
                continue
            except TimeoutError:
                pass
        said = await last_words(cluster, informers, obj)
        raise JobFailed(f"{ref}: {verdict.message}" + (f"; it said last: {said}" if said else ""))


_VANISHED = Verdict("waiting", "It is no longer in sight")


async def _vanished(cluster: Cluster, ref: ObjectRef, uid: str) -> str:
    now = await look_at(cluster, ref)
    if now is not None and now["metadata"]["uid"] == uid:
        return f"somebody took KubeMin's labels off {ref} while the task waited for it"
    return f"somebody deleted {ref} while the task waited for it"
