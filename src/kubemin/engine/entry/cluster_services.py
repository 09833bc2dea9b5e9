"""What callers ask of one cluster: its orphans, previews, differences, logs and kinds."""

from functools import partial

from kubemin.cluster import Cluster
from kubemin.engine.entry.compute_thread import ComputeThread
from kubemin.engine.entry.diffs import Diffs
from kubemin.engine.entry.orphans import Orphans
from kubemin.engine.entry.placing import Placing
from kubemin.engine.entry.pod_logs import PodLogs
from kubemin.engine.entry.preview import Previews
from kubemin.settings.engine import EngineSettings
from kubemin.spec.acting import Asker, Identity
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
        acting: Cluster | None = None,
    ) -> None:
        """``acting``: the cluster as whoever asks has it."""
        settings, compute_thread = settings or EngineSettings(), compute_thread or ComputeThread()
        self.name = cluster.name
        self._cluster = cluster
        self._acting = partial(ClusterServices, db, cluster, limits, settings=settings, compute_thread=compute_thread)
        self.orphans = Orphans(db, cluster, limits, acting)
        self.placing = Placing(cluster, compute_thread)
        self.previews = Previews(db, cluster, limits, settings=settings, compute_thread=compute_thread, acting=acting)
        self.diffs = Diffs(db, cluster, limits, compute_thread, acting)
        self.pod_logs = PodLogs(cluster, acting, guess=limits.guess_secrets, compute_thread=compute_thread)

    def asked_by(self, asker: Asker) -> "ClusterServices":
        """The same for whoever asks, as whom the cluster is asked where that is wanted. Raises `CannotActAs`."""
        identity = self.identity(asker)
        return self if identity is None else self._acting(acting=self._cluster.acting_as(identity))

    def identity(self, asker: Asker) -> Identity | None:
        """As whom it is done what they ask for; None: as KubeMin itself. Raises `CannotActAs`."""
        naming = self._cluster.naming
        return None if naming is None else naming.identity(asker)

    async def version(self) -> str:
        """That of its API server. Raises `ClusterError`."""
        return await self._cluster.version()
