"""The defaults that the API server fills in, a function a kind."""

import base64
from collections.abc import Callable
from typing import Any

from kubesim.admit.decode import decode, decode_schema
from kubesim.admit.pod_defaults import default_pod, default_pod_template
from kubesim.admit.services import is_external

__all__ = ["default"]

Object = dict[str, Any]


def default(kind: str, obj: Object) -> None:
    """Decode the object and fill in its defaults, in place. Raises Problem 400 for a value of the wrong type."""
    decode(kind, obj)
    fill = _DEFAULTS.get(kind)
    if fill is not None:
        fill(obj)


def _deployment(obj: Object) -> None:
    spec = obj["spec"]
    spec.setdefault("replicas", 1)
    strategy = spec["strategy"]
    if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", "25%")
        rolling.setdefault("maxSurge", "25%")
    spec.setdefault("revisionHistoryLimit", 10)
    spec.setdefault("progressDeadlineSeconds", 600)
    default_pod_template(spec["template"])


def _replica_set(obj: Object) -> None:
    obj["spec"].setdefault("replicas", 1)
    default_pod_template(obj["spec"]["template"])


def _replication_controller(obj: Object) -> None:
    spec = obj["spec"]
    spec.setdefault("replicas", 1)
    template = spec.get("template")
    if template is not None:
        labels = template["metadata"].get("labels")
        if labels:
            spec.setdefault("selector", dict(labels))
            obj["metadata"].setdefault("labels", dict(labels))
        default_pod_template(template)


def _daemon_set(obj: Object) -> None:
    spec = obj["spec"]
    strategy = spec["updateStrategy"]
    if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", 1)
        rolling.setdefault("maxSurge", 0)
    spec.setdefault("revisionHistoryLimit", 10)
    default_pod_template(spec["template"])


def _stateful_set(obj: Object) -> None:
    spec = obj["spec"]
    spec.setdefault("podManagementPolicy", "OrderedReady")
    strategy = spec["updateStrategy"]
    if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
        strategy.setdefault("rollingUpdate", {}).setdefault("partition", 0)
    retention = spec.setdefault("persistentVolumeClaimRetentionPolicy", {})
    retention.setdefault("whenDeleted", "Retain")
    retention.setdefault("whenScaled", "Retain")
    spec.setdefault("replicas", 1)
    spec.setdefault("revisionHistoryLimit", 10)
    for claim in spec.get("volumeClaimTemplates", ()):
        claim.setdefault("apiVersion", "v1")
        claim.setdefault("kind", "PersistentVolumeClaim")
        _claim(claim)
    default_pod_template(spec["template"])


def _job_spec(spec: Object) -> None:
    if "completions" not in spec and "parallelism" not in spec:
        spec["completions"] = 1
    spec.setdefault("parallelism", 1)
    spec.setdefault("backoffLimit", 2147483647 if "backoffLimitPerIndex" in spec else 6)
    spec.setdefault("completionMode", "NonIndexed")
    spec.setdefault("suspend", False)

    policy = spec.get("podFailurePolicy")
    spec.setdefault("podReplacementPolicy", "TerminatingOrFailed" if policy is None else "Failed")
    default_pod_template(spec["template"])


def _job(obj: Object) -> None:
    spec = obj["spec"]
    labels = spec["template"]["metadata"].get("labels")
    if labels and not obj["metadata"].get("labels"):
        obj["metadata"]["labels"] = labels  # the same map, as on the server: ``complete`` tells by that
    _job_spec(spec)


def _cron_job(obj: Object) -> None:
    spec = obj["spec"]
    spec.setdefault("concurrencyPolicy", "Allow")
    spec.setdefault("suspend", False)
    spec.setdefault("successfulJobsHistoryLimit", 3)
    spec.setdefault("failedJobsHistoryLimit", 1)
    default_pod_template(spec["jobTemplate"]["spec"]["template"])


def _service(obj: Object) -> None:
    spec = obj["spec"]
    kind = spec.setdefault("type", "ClusterIP")
    if spec.setdefault("sessionAffinity", "None") == "ClientIP":
        config = spec.setdefault("sessionAffinityConfig", {})
        config.setdefault("clientIP", {}).setdefault("timeoutSeconds", 10800)
    else:
        spec.pop("sessionAffinityConfig", None)
    for port in spec.get("ports", ()):
        port.setdefault("protocol", "TCP")
        if port["targetPort"] in (0, ""):
            port["targetPort"] = port["port"]
    if is_external(spec):
        spec.setdefault("externalTrafficPolicy", "Cluster")
    if kind == "LoadBalancer":
        spec.setdefault("allocateLoadBalancerNodePorts", True)
    if kind != "ExternalName":
        spec.setdefault("internalTrafficPolicy", "Cluster")


def _secret(obj: Object) -> None:
    obj.setdefault("type", "Opaque")
    plain = obj.pop("stringData", None)
    if plain:
        data = obj.setdefault("data", {})
        for key, value in plain.items():
            data[key] = base64.b64encode(value.encode()).decode()


def _claim(obj: Object) -> None:
    obj["spec"].setdefault("volumeMode", "Filesystem")
    obj["status"].setdefault("phase", "Pending")


def _volume(obj: Object) -> None:
    spec = obj["spec"]
    spec.setdefault("volumeMode", "Filesystem")
    spec.setdefault("persistentVolumeReclaimPolicy", "Retain")
    obj["status"].setdefault("phase", "Pending")
    if "hostPath" in spec:
        spec["hostPath"].setdefault("type", "")


def _namespace(obj: Object) -> None:
    obj["status"].setdefault("phase", "Active")
    name = obj["metadata"].get("name")
    if name:
        obj["metadata"].setdefault("labels", {})["kubernetes.io/metadata.name"] = name


def _role_binding(obj: Object) -> None:
    role = obj["roleRef"]
    role["apiGroup"] = role["apiGroup"] or "rbac.authorization.k8s.io"
    for subject in obj.get("subjects", ()):
        if subject["kind"] in ("User", "Group"):
            subject.setdefault("apiGroup", "rbac.authorization.k8s.io")


def _limit_range(obj: Object) -> None:
    for limit in obj["spec"]["limits"] or ():
        if limit["type"] == "Container":
            limits = {**limit.get("max", {}), **limit.get("default", {})}
            requests = {**limit.get("min", {}), **limits, **limit.get("defaultRequest", {})}
            if limits:
                limit["default"] = limits
            if requests:
                limit["defaultRequest"] = requests


def _endpoints(obj: Object) -> None:
    for subset in obj.get("subsets", ()):
        for port in subset.get("ports", ()):
            port.setdefault("protocol", "TCP")


def _endpoint_slice(obj: Object) -> None:
    for port in obj["ports"] or ():
        port.setdefault("name", "")
        port.setdefault("protocol", "TCP")


def _storage_class(obj: Object) -> None:
    obj.setdefault("reclaimPolicy", "Delete")
    obj.setdefault("volumeBindingMode", "Immediate")


def _network_policy(obj: Object) -> None:
    spec = obj["spec"]
    if "policyTypes" not in spec:
        spec["policyTypes"] = ["Ingress", "Egress"] if "egress" in spec else ["Ingress"]
    for rule in (*spec.get("ingress", ()), *spec.get("egress", ())):
        for port in rule.get("ports", ()):
            port.setdefault("protocol", "TCP")


def _autoscaler(obj: Object) -> None:
    spec = obj["spec"]
    spec.setdefault("minReplicas", 1)
    if "metrics" not in spec:
        target = {"type": "Utilization", "averageUtilization": 80}
        spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]


def _definition(obj: Object) -> None:
    spec, status = obj["spec"], obj["status"]
    names = spec["names"]
    if not names.get("singular"):
        names["singular"] = names["kind"].lower()
    if not names.get("listKind") and names["kind"]:
        names["listKind"] = f"{names['kind']}List"
    conversion = spec.setdefault("conversion", {"strategy": "None"})
    _service_port((conversion.get("webhook") or {}).get("clientConfig") or {})
    names_stored = [version["name"] for version in spec["versions"] or () if version["storage"]]
    status["storedVersions"] = status["storedVersions"] or names_stored[:1] or None
    for version in spec["versions"] or ():
        if (schema := (version.get("schema") or {}).get("openAPIV3Schema")) is not None:
            _tidy(schema)


def _tidy(schema: Object) -> None:
    """Respell the parts of a schema that may also be something else than one: the decoder leaves these alone."""
    parts = [schema[name] for name in ("items", "additionalProperties") if isinstance(schema.get(name), dict)]
    for part in parts:
        decode_schema(part)
    lists = (part for name in ("allOf", "anyOf", "oneOf") for part in schema.get(name) or ())
    for part in (*parts, *lists, *(schema.get("properties") or {}).values(), *filter(None, (schema.get("not"),))):
        _tidy(part)


def _service_port(client: Object) -> None:
    if "service" in client:
        client["service"].setdefault("port", 443)


def _webhooks(obj: Object) -> None:
    for webhook in obj.get("webhooks") or ():
        webhook.setdefault("failurePolicy", "Fail")
        webhook.setdefault("matchPolicy", "Equivalent")
        webhook.setdefault("namespaceSelector", {})
        webhook.setdefault("objectSelector", {})
        webhook.setdefault("timeoutSeconds", 10)
        if obj["kind"] == "MutatingWebhookConfiguration":
            webhook.setdefault("reinvocationPolicy", "Never")
        for rule in webhook.get("rules") or ():
            rule.setdefault("scope", "*")
        _service_port(webhook["clientConfig"])


def _api_service(obj: Object) -> None:
    _service_port(obj["spec"])


def _priority_class(obj: Object) -> None:
    obj.setdefault("preemptionPolicy", "PreemptLowerPriority")


_DEFAULTS: dict[str, Callable[[Object], None]] = {
    "APIService": _api_service,
    "CronJob": _cron_job,
    "CustomResourceDefinition": _definition,
    "DaemonSet": _daemon_set,
    "Deployment": _deployment,
    "Endpoints": _endpoints,
    "EndpointSlice": _endpoint_slice,
    "HorizontalPodAutoscaler": _autoscaler,
    "ClusterRoleBinding": _role_binding,
    "Job": _job,
    "LimitRange": _limit_range,
    "MutatingWebhookConfiguration": _webhooks,
    "Namespace": _namespace,
    "NetworkPolicy": _network_policy,
    "PersistentVolume": _volume,
    "PersistentVolumeClaim": _claim,
    "Pod": default_pod,
    "PriorityClass": _priority_class,
    "ReplicaSet": _replica_set,
    "ReplicationController": _replication_controller,
    "RoleBinding": _role_binding,
    "Secret": _secret,
    "Service": _service,
    "StatefulSet": _stateful_set,
    "StorageClass": _storage_class,
    "ValidatingWebhookConfiguration": _webhooks,
}
