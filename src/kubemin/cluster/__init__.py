"""The Kubernetes API: requests whose outcome is told exactly, shared watches, and readiness."""

from kubemin.cluster.client import Cluster, Hook, Listing
from kubemin.cluster.errors import ClusterError
from kubemin.cluster.informers import Informers

__all__ = ["Cluster", "ClusterError", "Hook", "Informers", "Listing"]
