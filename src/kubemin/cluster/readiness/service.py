"""Service: ready when it exists; one of type LoadBalancer when it has an address."""

from kubemin.cluster.readiness.fields import mapping
from kubemin.cluster.readiness.verdict import Verdict
from kubemin.spec.objects import Manifest


def service(item: Manifest) -> Verdict:
    """Whether clients inside the cluster, or outside of it for a load balancer, have an address to use."""
    name = item["metadata"]["name"]
    if mapping(item, "spec").get("type") == "LoadBalancer" and not mapping(item, "status", "loadBalancer").get(
        "ingress"
    ):
        return Verdict("waiting", f"Service {name} waits for the address of its load balancer")
    return Verdict("ready", f"Service {name} exists", 1)
