"""Namespace: ready when it takes objects."""

from kubemin.cluster.readiness.fields import mapping
from kubemin.cluster.readiness.verdict import Verdict
from kubemin.spec.objects import Manifest


def namespace(item: Manifest) -> Verdict:
    """Active, or not yet, or no longer."""
    phase = mapping(item, "status").get("phase")
    name = item["metadata"]["name"]
    if phase in {None, "", "Active"}:
        return Verdict("ready", f"Namespace {name} is active", 1)
    return Verdict("waiting", f"Namespace {name} is {phase}")
