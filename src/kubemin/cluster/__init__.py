"""The Kubernetes API: requests whose outcome is told exactly, shared watches, and readiness."""

from kubemin.cluster.client import Cluster, Listing, Probe
from kubemin.cluster.errors import ClusterError

__all__ = ["Cluster", "ClusterError", "Listing", "Probe"]
