"""One form for all manifests that mean the same: without defaults, and without what the API server writes."""

import base64
import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any

from kubemin.convert.defaults import drop_defaults
from kubemin.spec.kinds import KINDS, kind_name
from kubemin.spec.labels import CONFIG_DIGEST, FENCE, LABELS, RELEASED_FROM, RESTARTED_AT, WRITE_TOKEN
from kubemin.spec.manifests import pod_template
from kubemin.spec.objects import Manifest
from kubemin.spec.quantity import parse_quantity

_OF_OTHERS = frozenset(
    {
        "kubectl.kubernetes.io/last-applied-configuration",
        "deployment.kubernetes.io/revision",
        "meta.helm.sh/release-name",
        "meta.helm.sh/release-namespace",
        "pv.kubernetes.io/bind-completed",
        "pv.kubernetes.io/bound-by-controller",
        "volume.kubernetes.io/storage-provisioner",
        "volume.beta.kubernetes.io/storage-provisioner",
        *(CONFIG_DIGEST, FENCE, RELEASED_FROM, RESTARTED_AT, WRITE_TOKEN),
    }
)
"""Annotations in which tools and controllers note what they did: they are written anew by whoever needs them."""
_OF_CONTROLLERS = frozenset({"kubernetes.io/pvc-protection", "foregroundDeletion", "orphan"})
"""Finalizers that nobody writes."""
_LABEL_FIELD = re.compile(r"metadata\.labels\['([^']+)'\]")
_GIVEN = ("name", "namespace", "labels", "annotations", "finalizers", "ownerReferences")


def cleaned(manifest: Manifest) -> Manifest:
    """The manifest as somebody would have written it: without what the API server, controllers and tools put there."""
    found: Manifest = copy.deepcopy(manifest)
    found.pop("status", None)
    found["metadata"] = _given(found["metadata"])
    if (template := pod_template(found)) is not None and isinstance(template.get("metadata"), dict):
        template["metadata"] = _given(template["metadata"])
    if kind_name(found) == "Service" and isinstance(spec := found.get("spec"), dict):
        _forget_assigned(spec)
    return found


def _given(meta: Manifest) -> Manifest:
    found = {key: value for key, value in meta.items() if key in _GIVEN and value not in (None, {}, [])}
    if isinstance(annotations := found.get("annotations"), dict):
        found["annotations"] = {key: value for key, value in annotations.items() if key not in _OF_OTHERS}
    if isinstance(finalizers := found.get("finalizers"), list):
        found["finalizers"] = [one for one in finalizers if one not in _OF_CONTROLLERS]
    return {key: value for key, value in found.items() if value not in ({}, [])}


def _forget_assigned(spec: Manifest) -> None:
    """Addresses that the cluster has chosen: another cluster would refuse them."""
    if spec.get("clusterIP") != "None":
        for field in ("clusterIP", "clusterIPs"):
            spec.pop(field, None)
    elif spec.get("clusterIPs") == ["None"]:
        del spec["clusterIPs"]
    if spec.get("ipFamilyPolicy", "SingleStack") == "SingleStack":
        spec.pop("ipFamilies", None)


_BY_CPU = {
    "type": "Resource",
    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}},
}
"""By what an autoscaler goes that does not say so."""


def reduced(manifest: Manifest) -> Manifest:
    """The manifest without anything that could be left out of it. ``metadata`` stays."""
    found: Manifest = _without_none(cleaned(manifest))
    kind = kind_name(found)
    if (template := pod_template(found)) is not None:
        _reduce_pod(template.get("spec"))
    if kind == "Service":
        for port in _dicts(found.get("spec"), "ports"):
            if port.get("targetPort") == port.get("port"):
                port.pop("targetPort", None)
    if kind == "HorizontalPodAutoscaler" and isinstance(spec := found.get("spec"), dict) and not spec.get("metrics"):
        spec["metrics"] = [copy.deepcopy(_BY_CPU)]
    if kind == "NetworkPolicy" and isinstance(spec := found.get("spec"), dict):
        spec.setdefault("policyTypes", ["Ingress", *(["Egress"] if "egress" in spec else [])])
        for field, type_ in (("ingress", "Ingress"), ("egress", "Egress")):
            if type_ in spec["policyTypes"]:
                spec.setdefault(field, [])
    if kind == "Secret" and isinstance(texts := found.get("stringData"), dict):
        encoded = {key: base64.b64encode(str(text).encode()).decode() for key, text in texts.items()}
        found["data"] = {**(found.get("data") or {}), **encoded}
        del found["stringData"]
    drop_defaults(found, kind)
    return found


def _reduce_pod(pod: Any) -> None:
    if not isinstance(pod, dict):
        return
    if pod.get("serviceAccount") == pod.get("serviceAccountName"):
        pod.pop("serviceAccount", None)
    for container in (*_dicts(pod, "initContainers"), *_dicts(pod, "containers")):
        policy = container.pop("imagePullPolicy", None) or _default_policy(str(container.get("image", "")))
        if policy != "IfNotPresent":
            container["imagePullPolicy"] = policy
        resources = container.get("resources")
        if isinstance(resources, dict) and isinstance(resources.get("limits"), dict):
            resources["requests"] = {**resources["limits"], **(resources.get("requests") or {})}


def _default_policy(image: str) -> str:
    name = image.rpartition("/")[2]
    latest = name.endswith(":latest") or not (":" in name or "@" in name)
    return "Always" if latest else "IfNotPresent"


def comparable(manifest: Manifest) -> Manifest:
    """`reduced`, where also order and spelling that mean nothing are the same; without ``metadata`` and KubeMin's own.

    The selectors of workloads and Services are left out: what they select is another question.
    """
    found = reduced(manifest)
    kind = kind_name(found)
    del found["metadata"]
    spec = found.get("spec")
    if isinstance(spec, dict):
        if kind in ("Deployment", "StatefulSet", "DaemonSet", "Service"):
            spec.pop("selector", None)
        if kind == "PodDisruptionBudget":
            spec.pop("selector", None)
        if kind == "NetworkPolicy":
            spec.pop("podSelector", None)
        if kind == "CronJob":
            (spec["jobTemplate"].get("metadata") or {}).pop("labels", None)
            if not spec["jobTemplate"].get("metadata"):
                spec["jobTemplate"].pop("metadata", None)
        for claim in _dicts(spec, "volumeClaimTemplates"):
            claim["metadata"] = {"name": claim["metadata"].get("name")}
    if (template := pod_template(found)) is not None:
        template["annotations"] = (template.pop("metadata", None) or {}).get("annotations") or {}
        _sort_pod(template["spec"])
    if kind == "Ingress" and isinstance(spec, dict):
        spec["rules"] = _by_host(_dicts(spec, "rules"))
    if kind == "Secret":
        found.setdefault("data", {})
    spelled: Manifest = _spelled(found)
    return spelled


def _sort_pod(pod: Manifest) -> None:
    if "volumes" in pod:
        pod["volumes"].sort(key=lambda one: str(one.get("name")))
    for container in (*_dicts(pod, "initContainers"), *_dicts(pod, "containers")):
        if "volumeMounts" in container:
            container["volumeMounts"].sort(key=lambda one: str(one.get("mountPath")))
        if "env" in container and not refers(container["env"]):
            container["env"].sort(key=lambda one: str(one.get("name")))


def refers(variables: list[Manifest]) -> bool:
    """Whether one variable is made of others, or is there twice: their order means something then."""
    names = [one.get("name") for one in variables]
    return len(set(map(str, names))) < len(names) or any("$(" in str(one.get("value", "")) for one in variables)


def _by_host(rules: list[Manifest]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for rule in rules:
        found.setdefault(str(rule.get("host") or ""), []).extend((rule.get("http") or {}).get("paths") or [])
    return found


def _spelled(value: Any, key: str = "") -> Any:
    """Each amount in one spelling: ``0.5`` and ``500m`` are one."""
    if isinstance(value, dict):
        amounts = key in ("requests", "limits")
        return {name: _amount(one) if amounts else _spelled(one, name) for name, one in value.items()}
    return [_spelled(one) for one in value] if isinstance(value, list) else value


def _amount(value: Any) -> Any:
    found = parse_quantity(str(value)) if isinstance(value, str | int | float) else None
    return value if found is None else str(found.normalize())


def foreign_labels(labels: Mapping[str, Any] | None) -> dict[str, Any]:
    """The labels that KubeMin does not set itself."""
    return {key: value for key, value in (labels or {}).items() if key not in LABELS}


def own_labels(labels: Mapping[str, Any] | None) -> dict[str, Any]:
    """The labels that KubeMin sets itself."""
    return {key: value for key, value in (labels or {}).items() if key in LABELS}


def difference(before: Any, after: Any, path: str = "") -> str | None:
    """The first place where two comparable manifests differ; None where they are the same."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in (*before, *(one for one in after if one not in before)):
            here = f"{path}.{key}" if path else str(key)
            if key not in before or key not in after:
                return here
            if found := difference(before[key], after[key], here):
                return found
        return None
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        found_in = (
            difference(one, other, f"{path}[{n}]") for n, (one, other) in enumerate(zip(before, after, strict=True))
        )
        return next((found for found in found_in if found), None)
    return None if before == after and isinstance(before, bool) is isinstance(after, bool) else path


def _dicts(holder: Any, field: str) -> list[Manifest]:
    found = holder.get(field) if isinstance(holder, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_none(one) for key, one in value.items() if one is not None}
    return [_without_none(one) for one in value] if isinstance(value, list) else value


def of_pods_alone(kind: str) -> bool:
    """Whether all that objects of this kind select are Pods; those of operators may select anything."""
    return kind in KINDS or kind == "PodMonitor.monitoring.coreos.com"


def selected_keys(value: Any, key: str = "") -> Iterator[str]:
    """The keys of labels by which something in the manifest selects objects."""
    if isinstance(value, dict):
        if key in ("matchLabels", "selector", "podSelector") and all(isinstance(one, str) for one in value.values()):
            yield from value
        if key == "matchExpressions" and isinstance(value.get("key"), str):
            yield value["key"]
        for name, one in value.items():
            yield from selected_keys(one, name)
    elif isinstance(value, list):
        for one in value:
            yield from selected_keys(one, key)
    elif key == "fieldPath" and isinstance(value, str):
        yield from _LABEL_FIELD.findall(value)
    elif key == "matchLabelKeys" and isinstance(value, str):
        yield value
