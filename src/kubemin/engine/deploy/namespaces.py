"""Namespaces that a run is asked to create (design R10)."""

from collections.abc import Iterable
from functools import partial

from kubemin.cluster import Cluster
from kubemin.cluster.namespace_content import namespace_content
from kubemin.engine.backoff import retry_reads
from kubemin.engine.deploy.replicas import Autoscalers
from kubemin.engine.deploy.write import ObjectWriter
from kubemin.engine.journal.journal import Journal
from kubemin.engine.journal.tracker import CleanupTracker
from kubemin.engine.objects.live import get_or_none
from kubemin.engine.objects.namespace_content import CONTENT
from kubemin.engine.objects.ownership import token_of
from kubemin.plan import Plan
from kubemin.spec.labels import MANAGED_BY, MANAGER
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.states import Purpose


async def missing(cluster: Cluster, plan: Plan) -> list[str]:
    """The plan's namespaces that are not there, and that none of its jobs makes. Raises `ClusterError`."""
    made = {job.ref.name for job in plan.jobs if job.ref.kind == "Namespace"}
    wanted = sorted({job.ref.namespace for job in plan.jobs} - made - {""})
    refs = [ObjectRef("Namespace", "", name) for name in wanted]
    return [ref.name for ref in refs if await retry_reads(partial(get_or_none, cluster, ref)) is None]


def already_requested(journal: Journal) -> list[str]:
    """Namespaces that a predecessor asked for. What became of that is to be found out: they would count as nobody's."""
    rows = journal.resources.values()
    return [
        row.ref.name for row in rows if row.ref.kind == "Namespace" and row.purpose is Purpose.APPLY and row.touched
    ]


async def create(tracker: CleanupTracker, names: Iterable[str]) -> None:
    """Create namespaces, and record what is in each right afterwards. Raises `JobFailed`, `ClusterError`."""
    autoscalers = Autoscalers(tracker.cluster)
    for name in names:
        ref = ObjectRef("Namespace", "", name)
        former = set(tracker.resource(ref).writes)
        manifest: Manifest = {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": name, "labels": {MANAGED_BY: MANAGER}},
        }
        made = await ObjectWriter(tracker, manifest, lambda _: None, _whoever_made_it, autoscalers).run()
        if token_of(made) in former:
            continue  # what was put into it since a predecessor made it may be anybody's
        seen = await retry_reads(partial(namespace_content, tracker.cluster, name))
        await tracker.mark_namespace_content(ref, {CONTENT: sorted(item.uid for item in seen)})


async def _whoever_made_it(_: Manifest) -> str:
    """A Namespace belongs to no application: one that somebody has made meanwhile is as good as ours."""
    return ""
