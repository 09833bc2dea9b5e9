"""A component's ``pod``: as Kubernetes has it, with what the component itself is meant by."""

from typing import Any

from kubemin.render.context import Context
from kubemin.spec.objects import Manifest

_NOT_KEPT = ("hostNetwork", "hostPID", "hostIPC")
"""Fields that the API server does not keep where they are false."""
_TERMS = "DuringSchedulingIgnoredDuringExecution"


def pod_fields(context: Context) -> Manifest:
    """The fields of the Pod's spec. Where it is spread, or kept together or apart, the component's Pods are meant."""
    spec = context.component.properties.pod.kept()
    spec.pop("annotations", None)
    for name in _NOT_KEPT:
        if spec.get(name) is False:
            del spec[name]
    for secret in spec.get("imagePullSecrets", ()):
        secret["name"] = context.referred("Secret", secret["name"])
    if account := spec.get("serviceAccountName"):
        spec["serviceAccountName"] = context.referred("ServiceAccount", account)
    for constraint in spec.get("topologySpreadConstraints", ()):
        _select(constraint, context)
    affinity = spec.get("affinity", {})
    for kind in (affinity.get("podAffinity", {}), affinity.get("podAntiAffinity", {})):
        for term in kind.get(f"required{_TERMS}", ()):
            _select(term, context)
        for weighted in kind.get(f"preferred{_TERMS}", ()):
            _select(weighted["podAffinityTerm"], context)
    return spec


def _select(term: dict[str, Any], context: Context) -> None:
    """Without a selector Kubernetes would mean no Pod at all."""
    term.setdefault("labelSelector", {"matchLabels": context.selector()})
