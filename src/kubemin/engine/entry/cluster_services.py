"""What callers ask of one cluster: its orphans, previews, differences, logs and kinds."""

from kubemin.cluster import Cluster
from kubemin.engine.entry.compute_thread import ComputeThread
from kubemin.engine.entry.diffs import Diffs
from kubemin.engine.entry.orphans import Orphans
from kubemin.engine.entry.placing import Placing
from kubemin.engine.entry.pod_logs import PodLogs
from kubemin.engine.entry.preview import Previews
from kubemin.settings.engine import EngineSettings
from kubemin.spec.limits import Limits
from kubemin.store import Database


class ClusterServices:
    """One of each, for one cluster. None of it waits for another cluster."""

    def __init__(
        self,
        db: Database,
        cluster: Cluster,
        limits: Limits,
        *,
        settings: EngineSettings | None = None,
        compute_thread: ComputeThread | None = None,
    ) -> None:
        settings, compute_thread = settings or EngineSettings(), compute_thread or ComputeThread()
        self.name = cluster.name
        self._cluster = cluster
        self.orphans = Orphans(db, cluster, limits)
        self.placing = Placing(cluster, compute_thread)
        self.previews = Previews(db, cluster, limits, settings=settings, compute_thread=compute_thread)
        self.diffs = Diffs(db, cluster, limits, compute_thread)
        self.pod_logs = PodLogs(cluster, guess=limits.guess_secrets)

    async def version(self) -> str:
        """That of its API server. Raises `ClusterError`."""
        return await self._cluster.version()
