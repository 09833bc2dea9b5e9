"""The Kubernetes API: requests whose outcome is told exactly, shared watches, and readiness."""

from kubemin.cluster.client import Cluster, Listing, Probe
from kubemin.cluster.errors import ClusterError
from kubemin.cluster.informers import Informers

__all__ = ["Cluster", "ClusterError", "Informers", "Listing", "Probe"]
