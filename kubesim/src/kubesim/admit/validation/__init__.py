"""Which objects and changes the API server refuses, in its words."""

from collections.abc import Callable
from typing import Any

from kubesim.admit.schema import is_known
from kubesim.admit.validation import claims, data, extensions, network, pods, policies, rbac, workloads
from kubesim.admit.validation.causes import Causes
from kubesim.admit.validation.metadata import check_metadata

__all__ = ["validate_create", "validate_update"]

Object = dict[str, Any]
Check = Callable[[Object, Object | None, Causes], None]


def validate_create(kind: str, obj: Object) -> None:
    """Raise Problem 422 with a cause a field if the object, decoded and with its defaults, is not valid."""
    _validate(kind, obj, None)


def validate_update(kind: str, new: Object, old: Object) -> None:
    """Raise Problem 422 with a cause a field if ``new`` is not valid, or may not follow ``old``."""
    _validate(kind, new, old)


def _validate(kind: str, obj: Object, old: Object | None) -> None:
    causes = Causes()
    if old is None or obj["metadata"] != old["metadata"]:
        check_metadata(kind, obj["metadata"], causes, old=None if old is None else old["metadata"])
    check = _CHECKS.get(kind)
    if check is not None and is_known(kind):
        check(obj, old, causes)
    causes.raise_for(kind, obj)


def _check_pod(obj: Object, old: Object | None, causes: Causes) -> None:
    if old is None:
        pods.check_pod(obj, causes)
    else:
        pods.check_pod_update(obj, old, causes)


_CHECKS: dict[str, Check] = {
    "APIService": extensions.check_api_service,
    "ClusterRole": rbac.check_cluster_role,
    "ClusterRoleBinding": rbac.check_cluster_role_binding,
    "ConfigMap": data.check_config_map,
    "CronJob": workloads.check_cron_job,
    "DaemonSet": workloads.check_daemon_set,
    "Deployment": workloads.check_deployment,
    "HorizontalPodAutoscaler": policies.check_autoscaler,
    "Ingress": network.check_ingress,
    "Job": workloads.check_job,
    "MutatingWebhookConfiguration": extensions.check_webhooks,
    "NetworkPolicy": network.check_network_policy,
    "PersistentVolumeClaim": claims.check_claim,
    "Pod": _check_pod,
    "PodDisruptionBudget": policies.check_disruption_budget,
    "PriorityClass": extensions.check_priority_class,
    "ReplicaSet": workloads.check_replica_set,
    "ReplicationController": workloads.check_replication_controller,
    "Role": rbac.check_role,
    "RoleBinding": rbac.check_role_binding,
    "Secret": data.check_secret,
    "Service": network.check_service,
    "StatefulSet": workloads.check_stateful_set,
    "StorageClass": claims.check_storage_class,
    "ValidatingWebhookConfiguration": extensions.check_webhooks,
}
