"""What the API server writes where a manifest says nothing: of fields that mean the same whether they are there or not.

A path names fields; ``[]`` is each item of a list. Inner fields come before the block that holds them: a block that has
become empty goes too.
"""

from collections.abc import Mapping
from typing import Any

from kubemin.convert.shapes import values_at

Defaults = tuple[tuple[str, Any], ...]

_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_PROBE: Defaults = (
    ("timeoutSeconds", 1),
    ("periodSeconds", 10),
    ("successThreshold", 1),
    ("failureThreshold", 3),
    ("initialDelaySeconds", 0),
    ("httpGet.scheme", "HTTP"),
    ("httpGet.path", "/"),
    ("grpc.service", ""),
)
_CONTAINER: Defaults = (
    ("terminationMessagePath", "/dev/termination-log"),
    ("terminationMessagePolicy", "File"),
    ("resources.limits", {}),
    ("resources.requests", {}),
    ("resources", {}),
    ("securityContext", {}),
    ("stdin", False),
    ("stdinOnce", False),
    ("tty", False),
    ("command", []),
    ("args", []),
    ("env[].value", ""),
    ("env[].valueFrom.fieldRef.apiVersion", "v1"),
    ("env[].valueFrom.configMapKeyRef.optional", False),
    ("env[].valueFrom.secretKeyRef.optional", False),
    ("envFrom[].prefix", ""),
    ("envFrom[].configMapRef.optional", False),
    ("envFrom[].secretRef.optional", False),
    ("env", []),
    ("envFrom", []),
    ("ports[].protocol", "TCP"),
    ("ports", []),
    ("volumeMounts[].readOnly", False),
    ("volumeMounts[].subPath", ""),
    ("volumeMounts[].recursiveReadOnly", "Disabled"),
    ("volumeMounts", []),
    *((f"{probe}.{path}", value) for probe in _PROBES for path, value in _PROBE),
)
_POD: Defaults = (
    ("restartPolicy", "Always"),
    ("dnsPolicy", "ClusterFirst"),
    ("schedulerName", "default-scheduler"),
    ("terminationGracePeriodSeconds", 30),
    ("securityContext", {}),
    ("enableServiceLinks", True),
    ("hostNetwork", False),
    ("hostPID", False),
    ("hostIPC", False),
    ("nodeSelector", {}),
    ("tolerations", []),
    ("affinity", {}),
    ("imagePullSecrets", []),
    ("topologySpreadConstraints", []),
    ("volumes[].configMap.defaultMode", 0o644),
    ("volumes[].configMap.optional", False),
    ("volumes[].secret.defaultMode", 0o644),
    ("volumes[].secret.optional", False),
    ("volumes[].hostPath.type", ""),
    ("volumes[].persistentVolumeClaim.readOnly", False),
    ("volumes", []),
    *((f"{kind}[].{path}", value) for kind in ("initContainers", "containers") for path, value in _CONTAINER),
    ("initContainers", []),
)
_TEMPLATE: Defaults = (("metadata.creationTimestamp", None), *((f"spec.{path}", value) for path, value in _POD))
_CLAIM: Defaults = (("volumeMode", "Filesystem"), ("resources.limits", {}))
_JOB: Defaults = (
    ("completions", 1),
    ("parallelism", 1),
    ("backoffLimit", 6),
    ("completionMode", "NonIndexed"),
    ("suspend", False),
    ("manualSelector", False),
    ("podReplacementPolicy", "TerminatingOrFailed"),
    *((f"template.{path}", value) for path, value in _TEMPLATE),
)

DEFAULTS: Mapping[str, Defaults] = {
    "Deployment": (
        ("spec.replicas", 1),
        ("spec.revisionHistoryLimit", 10),
        ("spec.progressDeadlineSeconds", 600),
        ("spec.minReadySeconds", 0),
        ("spec.paused", False),
        ("spec.strategy.rollingUpdate.maxSurge", "25%"),
        ("spec.strategy.rollingUpdate.maxUnavailable", "25%"),
        ("spec.strategy.rollingUpdate", {}),
        ("spec.strategy.type", "RollingUpdate"),
        ("spec.strategy", {}),
        *((f"spec.template.{path}", value) for path, value in _TEMPLATE),
    ),
    "StatefulSet": (
        ("spec.replicas", 1),
        ("spec.revisionHistoryLimit", 10),
        ("spec.minReadySeconds", 0),
        ("spec.podManagementPolicy", "OrderedReady"),
        ("spec.updateStrategy.rollingUpdate.partition", 0),
        ("spec.updateStrategy.rollingUpdate.maxUnavailable", 1),  # 1.35.0 to 1.35.3, and from 1.37 on
        ("spec.updateStrategy.rollingUpdate", {}),
        ("spec.updateStrategy.type", "RollingUpdate"),
        ("spec.updateStrategy", {}),
        ("spec.persistentVolumeClaimRetentionPolicy.whenDeleted", "Retain"),
        ("spec.persistentVolumeClaimRetentionPolicy.whenScaled", "Retain"),
        ("spec.persistentVolumeClaimRetentionPolicy", {}),
        *((f"spec.template.{path}", value) for path, value in _TEMPLATE),
        ("spec.volumeClaimTemplates[].apiVersion", "v1"),
        ("spec.volumeClaimTemplates[].kind", "PersistentVolumeClaim"),
        ("spec.volumeClaimTemplates[].metadata.creationTimestamp", None),
        *((f"spec.volumeClaimTemplates[].spec.{path}", value) for path, value in _CLAIM),
        ("spec.volumeClaimTemplates", []),
    ),
    "DaemonSet": (
        ("spec.revisionHistoryLimit", 10),
        ("spec.minReadySeconds", 0),
        ("spec.updateStrategy.rollingUpdate.maxSurge", 0),
        ("spec.updateStrategy.rollingUpdate.maxUnavailable", 1),
        ("spec.updateStrategy.rollingUpdate", {}),
        ("spec.updateStrategy.type", "RollingUpdate"),
        ("spec.updateStrategy", {}),
        *((f"spec.template.{path}", value) for path, value in _TEMPLATE),
    ),
    "Job": tuple((f"spec.{path}", value) for path, value in _JOB),
    "CronJob": (
        ("spec.concurrencyPolicy", "Allow"),
        ("spec.suspend", False),
        ("spec.successfulJobsHistoryLimit", 3),
        ("spec.failedJobsHistoryLimit", 1),
        ("spec.jobTemplate.metadata.creationTimestamp", None),
        ("spec.jobTemplate.metadata", {}),
        *((f"spec.jobTemplate.spec.{path}", value) for path, value in _JOB),
    ),
    "Service": (
        ("spec.type", "ClusterIP"),
        ("spec.sessionAffinity", "None"),
        ("spec.internalTrafficPolicy", "Cluster"),
        ("spec.ipFamilyPolicy", "SingleStack"),
        ("spec.publishNotReadyAddresses", False),
        ("spec.ports[].protocol", "TCP"),
        ("spec.externalIPs", []),
    ),
    "PersistentVolumeClaim": tuple((f"spec.{path}", value) for path, value in _CLAIM),
    "Secret": (("type", "Opaque"), ("immutable", False), ("data", {})),
    "ConfigMap": (("immutable", False), ("data", {}), ("binaryData", {})),
    "Ingress": (("spec.tls", []),),
    "HorizontalPodAutoscaler": (("spec.minReplicas", 1),),
    "NetworkPolicy": tuple((f"spec.{side}[].ports[].protocol", "TCP") for side in ("ingress", "egress")),
    "HTTPRoute.gateway.networking.k8s.io": (
        ("spec.parentRefs[].group", "gateway.networking.k8s.io"),
        ("spec.parentRefs[].kind", "Gateway"),
        ("spec.rules[].backendRefs[].group", ""),
        ("spec.rules[].backendRefs[].kind", "Service"),
        ("spec.rules[].backendRefs[].weight", 1),
        ("spec.rules[].matches[].path.type", "PathPrefix"),
    ),
    **dict.fromkeys(("RoleBinding", "ClusterRoleBinding"), (("subjects[].apiGroup", ""),)),
    "ServiceAccount": (("secrets", []), ("imagePullSecrets", [])),
}
"""By kind."""


def drop_defaults(manifest: dict[str, Any], kind: str) -> None:
    """Take the defaults of the kind out of the manifest."""
    for path, value in DEFAULTS.get(kind, ()):
        *fields, last = path.split(".")
        for holder in values_at(manifest, fields):
            if (
                isinstance(holder, dict)
                and last in holder
                and holder[last] == value
                and isinstance(holder[last], bool) is isinstance(value, bool)
            ):
                del holder[last]
