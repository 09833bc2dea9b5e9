"""Namespace: ready when it takes objects."""

from kubemin.cluster.readiness.fields import text
from kubemin.cluster.readiness.verdict import Verdict
from kubemin.spec.objects import Manifest


def namespace(item: Manifest) -> Verdict:
    """Active, or not yet, or no longer."""
    phase = text(item, "status", "phase")
    name = item["metadata"]["name"]
    if phase in {"", "Active"}:
        return Verdict("ready", f"Namespace {name} is active", 1)
    return Verdict("waiting", f"Namespace {name} is {phase}")
