"""The shape that Kubernetes wants of what is looked at here: maps, lists of maps, texts. All else is compared whole."""

from collections.abc import Iterator, Mapping
from typing import Any

from kubemin.spec.kinds import kind_name
from kubemin.spec.objects import Manifest

MAP, MAPS, TEXT, TEXTS, NUMBER = "a map", "a list of maps", "a text", "a list of texts", "a whole number"

_KEY_OF = ("configMapKeyRef", "secretKeyRef", "fieldRef", "resourceFieldRef", "fileKeyRef")
_ALL_OF = ("configMapRef", "secretRef")
_SOURCES = ("emptyDir", "configMap", "secret", "hostPath", "persistentVolumeClaim")
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_CONTAINER: Mapping[str, str] = {
    "name": TEXT,
    "image": TEXT,
    "ports": MAPS,
    "ports[].name": TEXT,
    "ports[].containerPort": NUMBER,
    "env": MAPS,
    "env[].name": TEXT,
    "env[].value": TEXT,
    "env[].valueFrom": MAP,
    **{f"env[].valueFrom.{key}": MAP for key in _KEY_OF},
    **{f"env[].valueFrom.{key}.name": TEXT for key in _KEY_OF},
    "envFrom": MAPS,
    **{f"envFrom[].{key}": MAP for key in _ALL_OF},
    **{f"envFrom[].{key}.name": TEXT for key in _ALL_OF},
    "resources": MAP,
    "resources.limits": MAP,
    "resources.requests": MAP,
    "volumeMounts": MAPS,
    "volumeMounts[].name": TEXT,
    **dict.fromkeys(_PROBES, MAP),
}
_POD: Mapping[str, str] = {
    "": MAP,
    **dict.fromkeys(("containers", "initContainers"), MAPS),
    **{f"{kind}[].{path}": shape for kind in ("containers", "initContainers") for path, shape in _CONTAINER.items()},
    "volumes": MAPS,
    "volumes[].name": TEXT,
    **{f"volumes[].{source}": MAP for source in _SOURCES},
    "imagePullSecrets": MAPS,
    "imagePullSecrets[].name": TEXT,
    "serviceAccountName": TEXT,
}
_TEMPLATE: Mapping[str, str] = {
    "": MAP,
    "metadata": MAP,
    "metadata.labels": MAP,
    "metadata.annotations": MAP,
    **{f"spec.{path}".rstrip("."): shape for path, shape in _POD.items()},
}
_SELECTOR: Mapping[str, str] = {"": MAP, "matchLabels": MAP, "matchExpressions": MAPS}
_CLAIM: Mapping[str, str] = {"": MAP, "resources": MAP, "resources.limits": MAP, "resources.requests": MAP}


def _under(path: str, shapes: Mapping[str, str]) -> dict[str, str]:
    return {f"{path}.{inner}".rstrip("."): shape for inner, shape in shapes.items()}


_WORKLOAD = {"spec": MAP, **_under("spec.template", _TEMPLATE), **_under("spec.selector", _SELECTOR)}
SHAPES: Mapping[str, Mapping[str, str]] = {
    "Deployment": {**_WORKLOAD, "spec.strategy": MAP},
    "DaemonSet": _WORKLOAD,
    "StatefulSet": {
        **_WORKLOAD,
        "spec.serviceName": TEXT,
        "spec.volumeClaimTemplates": MAPS,
        "spec.volumeClaimTemplates[].metadata": MAP,
        "spec.volumeClaimTemplates[].metadata.name": TEXT,
        **_under("spec.volumeClaimTemplates[].spec", _CLAIM),
    },
    "Job": _WORKLOAD,
    "CronJob": {
        "spec": MAP,
        "spec.jobTemplate": MAP,
        "spec.jobTemplate.metadata": MAP,
        "spec.jobTemplate.spec": MAP,
        **_under("spec.jobTemplate.spec.template", _TEMPLATE),
        **_under("spec.jobTemplate.spec.selector", _SELECTOR),
    },
    "Service": {
        "spec": MAP,
        "spec.selector": MAP,
        "spec.ports": MAPS,
        "spec.ports[].port": NUMBER,
        "spec.ports[].name": TEXT,
    },
    "Ingress": {
        "spec": MAP,
        "spec.tls": MAPS,
        "spec.tls[].secretName": TEXT,
        "spec.rules": MAPS,
        "spec.rules[].host": TEXT,
        "spec.rules[].http": MAP,
        "spec.rules[].http.paths": MAPS,
        "spec.rules[].http.paths[].backend": MAP,
        "spec.rules[].http.paths[].backend.service": MAP,
        "spec.rules[].http.paths[].backend.service.name": TEXT,
        "spec.rules[].http.paths[].backend.service.port": MAP,
        "spec.rules[].http.paths[].backend.service.port.name": TEXT,
        "spec.rules[].http.paths[].backend.service.port.number": NUMBER,
    },
    "HorizontalPodAutoscaler": {"spec": MAP, "spec.scaleTargetRef": MAP, "spec.metrics": MAPS},
    "PodDisruptionBudget": {"spec": MAP, **_under("spec.selector", _SELECTOR)},
    "NetworkPolicy": {
        "spec": MAP,
        **_under("spec.podSelector", _SELECTOR),
        "spec.policyTypes": TEXTS,
        "spec.ingress": MAPS,
        "spec.egress": MAPS,
    },
    "HTTPRoute.gateway.networking.k8s.io": {
        "spec": MAP,
        "spec.parentRefs": MAPS,
        "spec.hostnames": TEXTS,
        "spec.rules": MAPS,
        "spec.rules[].matches": MAPS,
        "spec.rules[].matches[].path": MAP,
        "spec.rules[].matches[].path.type": TEXT,
        "spec.rules[].backendRefs": MAPS,
        "spec.rules[].backendRefs[].name": TEXT,
    },
    "ConfigMap": {"data": MAP},
    "Secret": {"data": MAP, "stringData": MAP},
    **{
        kind: {"subjects": MAPS, "subjects[].name": TEXT, "roleRef": MAP, "roleRef.name": TEXT}
        for kind in ("RoleBinding", "ClusterRoleBinding")
    },
    **{kind: {"rules": MAPS} for kind in ("Role", "ClusterRole")},
    "PersistentVolumeClaim": _under("spec", _CLAIM),
}
"""By kind and path; ``[]`` is each item of a list."""


def wrong_shape(manifest: Manifest) -> str | None:
    """The first place that has another shape than it should, and what should be there; None if there is none."""
    for path, shape in SHAPES.get(kind_name(manifest), {}).items():
        for value in values_at(manifest, path.split(".")):
            if value is not None and not _is(value, shape):
                return f"{path} is not {shape}"
    return None


def values_at(value: Any, fields: list[str]) -> Iterator[Any]:
    """What stands at the end of the path, in which ``[]`` is each item of a list; None where nothing does."""
    if not fields:
        yield value
        return
    field, *rest = fields
    name = field.removesuffix("[]")
    found = value.get(name) if isinstance(value, dict) else None
    if name == field:
        yield from values_at(found, rest)
    else:
        for item in found if isinstance(found, list) else ():
            yield from values_at(item, rest)


def _is(value: Any, shape: str) -> bool:
    if shape == MAPS:
        return isinstance(value, list) and all(isinstance(one, dict) for one in value)
    if shape == TEXTS:
        return isinstance(value, list) and all(isinstance(one, str) for one in value)
    if shape == MAP:
        return isinstance(value, dict) and all(isinstance(key, str) for key in value)
    return isinstance(value, str) if shape == TEXT else isinstance(value, int) and not isinstance(value, bool)
