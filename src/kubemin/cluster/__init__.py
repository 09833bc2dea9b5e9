"""The Kubernetes API: requests with exact outcomes, shared watches, and readiness."""

from kubemin.cluster.client import Cluster, Hook, Listing
from kubemin.cluster.errors import ClusterError
from kubemin.cluster.informers import Informers

__all__ = ["Cluster", "ClusterError", "Hook", "Informers", "Listing"]
