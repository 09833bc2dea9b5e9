"""As whom a task goes forward."""

from kubemin.cluster import Cluster
from kubemin.engine.errors import JobFailed
from kubemin.spec.acting import Identity
from kubemin.spec.reason_codes import ReasonCode
from kubemin.store.tasks import Task


def acting_for(task: Task, cluster: Cluster) -> Cluster:
    """The cluster as whoever asked for the task has it. It stays so on every worker, whatever the settings say now."""
    return cluster.acting_as(None if task.acting_as is None else Identity.read(task.acting_as))


def refuse_nobody(task: Task, cluster: Cluster) -> None:
    """Raise `JobFailed` where it is to be done as whoever asked, and the task does not say who did."""
    if cluster.naming is not None and task.acting_as is None:
        raise JobFailed(
            f"in cluster {cluster.name} it is done as whoever asks (KUBEMIN_IMPERSONATION), and this task does not say "
            "who that is, as it was asked for before that was so: ask for it again",
            ReasonCode.RIGHTS,
        )
