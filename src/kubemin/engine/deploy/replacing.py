"""The stages of strategies (`Stage.replaces`): whether there are Pods to replace, and so whether they are needed."""

from collections.abc import Collection
from functools import partial

from kubemin.cluster import Cluster
from kubemin.cluster.errors import ClusterError
from kubemin.engine.backoff import retry_reads
from kubemin.engine.deploy.dry_runs import written
from kubemin.engine.deploy.replicas import Autoscalers
from kubemin.engine.deploy.unchanged import Unchanged
from kubemin.engine.objects.live import Snapshot, get_or_none
from kubemin.engine.objects.ownership import terminating
from kubemin.plan import Job, Plan, Portion
from kubemin.spec.objects import Manifest

_SAME = "its Pods stay as they are"


async def unneeded(
    plan: Plan,
    snapshot: Snapshot,
    cluster: Cluster,
    autoscalers: Autoscalers,
    unchanged: Unchanged,
    coming: Collection[str] = (),
    *,
    take_over: bool = False,
) -> dict[int, str]:
    """The jobs and holds of stages that have nothing to replace, by their ``seq``, and why.

    ``snapshot`` shows what is there; in the ``coming`` namespaces there is nothing. Raises `ClusterError`.
    """
    brings = {job.ref: job for job in plan.jobs}  # the last job of an object brings it to its end
    why: dict[int, str] = {}
    for ref in dict.fromkeys(stage.replaces for stage in plan.stages if stage.replaces is not None):
        there = ref.namespace not in coming
        live = snapshot.get(ref) if ref in snapshot or not there else await _read(cluster, brings[ref])
        said = await _nothing_to_replace(brings[ref], live, cluster, autoscalers, unchanged, take_over=take_over)
        if said:
            why |= {seq: f"{ref}: {said}" for stage in plan.stages if stage.replaces == ref for seq in stage.seqs}
    return why


async def _read(cluster: Cluster, job: Job) -> Manifest | None:
    return await retry_reads(partial(get_or_none, cluster, job.ref))


async def _nothing_to_replace(
    job: Job,
    live: Manifest | None,
    cluster: Cluster,
    autoscalers: Autoscalers,
    unchanged: Unchanged,
    *,
    take_over: bool,
) -> str:
    """Why there is nothing to replace; empty where there is, or where the cluster cannot tell."""
    if live is None or terminating(live):
        return "it is not there yet"
    if not live["spec"].get("replicas", 1):
        return "it has no Pods"
    if await unchanged.look(job, job.manifest, live) is not None:
        return _SAME
    try:
        changed = await written(cluster, autoscalers, job, live, take_over=take_over)
    except ClusterError as error:
        if error.retryable:
            raise
        return ""  # the pre-flight or the write itself says what is wrong
    same = changed["spec"]["template"] == live["spec"]["template"]
    return _SAME if same else ""


async def with_portion(cluster: Cluster, manifest: Manifest, portion: Portion | None) -> Manifest:
    """The manifest with as many replicas as are that portion just now. Raises `ClusterError`."""
    if portion is None:
        return manifest
    live = await retry_reads(partial(get_or_none, cluster, portion.of))
    if live is None:
        return manifest
    return {**manifest, "spec": {**manifest["spec"], "replicas": portion.replicas(live["spec"].get("replicas", 1))}}
