"""Who says how many Pods a workload has: its file, or an autoscaler."""

from collections.abc import Iterable, Iterator
from typing import Any

from kubemin.spec.labels import MANAGER
from kubemin.spec.objects import Manifest, ObjectRef

_SCALER = "HorizontalPodAutoscaler"
_WORKLOADS = ("Deployment", "StatefulSet")


def scaled(manifests: Iterable[Manifest]) -> set[ObjectRef]:
    """The workloads that the autoscalers among these have as their target."""
    return {
        ObjectRef(one["spec"]["scaleTargetRef"]["kind"], one["metadata"]["namespace"], _target(one))
        for one in manifests
        if one["kind"] == _SCALER
    }


def _target(scaler: Manifest) -> str:
    return str(scaler["spec"]["scaleTargetRef"]["name"])


def ways(manifest: Manifest, base: Manifest | None, by: set[ObjectRef], perhaps: set[ObjectRef]) -> Iterator[Manifest]:
    """What may be applied to ``base`` of a manifest: with its own number, or with the one that is there.

    ``by``: what the autoscalers scale that come with it; ``perhaps``: what others may have scaled when it was applied.
    """
    spec = manifest.get("spec") or {}
    if base is None or manifest["kind"] not in _WORKLOADS:
        yield manifest
        return
    ref = ObjectRef.of(manifest)
    left = "replicas" not in spec or ref in by
    if not left:
        yield manifest
    if left or ref in perhaps:
        kept = {key: value for key, value in spec.items() if key != "replicas"}
        yield {**manifest, "spec": {**kept, **({"replicas": base["spec"]["replicas"]} if _is_ours(base) else {})}}


def _is_ours(workload: Manifest) -> bool:
    """Whether the number is KubeMin's."""
    entries: list[dict[str, Any]] = workload["metadata"].get("managedFields") or []
    ours = [entry for entry in entries if entry["manager"] == MANAGER and not entry.get("subresource")]
    return any("f:replicas" in entry["fieldsV1"].get("f:spec", {}) for entry in ours)


def without_number(manifest: Manifest, by: set[ObjectRef]) -> Manifest:
    """The same; of what these autoscalers scale nobody knows the number."""
    if manifest["kind"] not in _WORKLOADS or ObjectRef.of(manifest) not in by:
        return manifest
    return {**manifest, "spec": {key: value for key, value in manifest["spec"].items() if key != "replicas"}}
