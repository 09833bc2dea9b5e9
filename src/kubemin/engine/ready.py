"""Waiting until an object is ready, hopeless, or out of time (design §7)."""

import asyncio
from collections.abc import Callable

from kubemin.cluster.informers import Informers
from kubemin.cluster.readiness import Verdict, readiness
from kubemin.engine.errors import JobFailed
from kubemin.spec.labels import CLI
from kubemin.spec.objects import Manifest, ObjectRef

_RELATED = {"Deployment": ("Pod",), "StatefulSet": ("Pod",), "Job": ("Pod",)}


async def until_ready(
    informers: Informers, obj: Manifest, *, hopeless_after: float, progress: Callable[[Verdict], None]
) -> Manifest:
    """Wait until the object of this uid and generation (or a later one) is ready; returns it as it is then.

    ``hopeless_after`` seconds in a hopeless state end the wait with `JobFailed` in the cluster's own words; 0 waits on.
    """
    ref, meta = ObjectRef.of(obj), obj["metadata"]
    if ref.kind not in _RELATED:
        return obj
    wanted = {CLI: meta.get("labels", {}).get(CLI, "")}
    last = obj

    def judge(now: Manifest | None) -> Verdict:
        nonlocal last
        if now is None or now["metadata"]["uid"] != meta["uid"]:
            raise JobFailed(f"{ref} was taken away by somebody while the task waited for it")
        last = now
        pods = informers.snapshot("Pod", ref.namespace, wanted) if wanted[CLI] else []
        verdict = readiness(now, pods)
        progress(verdict)
        return verdict

    async def until(state_is: Callable[[str], bool]) -> Verdict:
        def check(now: Manifest | None) -> Verdict | None:
            verdict = judge(now)
            return verdict if state_is(verdict.state) else None

        return await informers.until(
            ref.kind, ref.namespace, ref.name, check, _RELATED[ref.kind], since=meta["resourceVersion"]
        )

    while True:
        verdict = await until(lambda state: state == "ready" or (state == "hopeless" and hopeless_after > 0))
        if verdict.state == "ready":
            return last
        try:
            async with asyncio.timeout(hopeless_after):
                await until(lambda state: state != "hopeless")
        except TimeoutError:
            raise JobFailed(f"{ref}: {verdict.message}") from None
