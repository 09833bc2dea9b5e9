"""The Kubernetes kinds that KubeMin writes, and how an object is named."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

Manifest = dict[str, Any]
"""A Kubernetes object as JSON: what is sent to and comes back from the API server."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind as the API server serves it. ``api_version`` is ``group/version``, or ``v1`` for the core group."""

    kind: str
    api_version: str
    plural: str
    namespaced: bool = True

    @property
    def path(self) -> str:
        """The URL prefix below which the kind lies: ``/api/v1`` or ``/apis/<group>/<version>``."""
        return f"/{'apis' if '/' in self.api_version else 'api'}/{self.api_version}"


KINDS: Mapping[str, Kind] = {
    kind.kind: kind
    for kind in (
        Kind("Namespace", "v1", "namespaces", namespaced=False),
        Kind("ConfigMap", "v1", "configmaps"),
        Kind("Secret", "v1", "secrets"),
        Kind("PersistentVolumeClaim", "v1", "persistentvolumeclaims"),
        Kind("ServiceAccount", "v1", "serviceaccounts"),
        Kind("Service", "v1", "services"),
        Kind("Pod", "v1", "pods"),
        Kind("Event", "v1", "events"),
        Kind("Role", "rbac.authorization.k8s.io/v1", "roles"),
        Kind("RoleBinding", "rbac.authorization.k8s.io/v1", "rolebindings"),
        Kind("ClusterRole", "rbac.authorization.k8s.io/v1", "clusterroles", namespaced=False),
        Kind("ClusterRoleBinding", "rbac.authorization.k8s.io/v1", "clusterrolebindings", namespaced=False),
        Kind("Deployment", "apps/v1", "deployments"),
        Kind("StatefulSet", "apps/v1", "statefulsets"),
        Kind("ReplicaSet", "apps/v1", "replicasets"),
        Kind("ControllerRevision", "apps/v1", "controllerrevisions"),
        Kind("Job", "batch/v1", "jobs"),
        Kind("Ingress", "networking.k8s.io/v1", "ingresses"),
    )
}
"""Every kind that KubeMin reads or writes, by name. Known here, so that no discovery request is needed."""


@dataclass(frozen=True, slots=True, order=True)
class ObjectRef:
    """Names one object. ``namespace`` is empty for cluster-scoped kinds."""

    kind: str
    namespace: str
    name: str

    @classmethod
    def of(cls, manifest: Mapping[str, Any]) -> Self:
        """The reference of a manifest whose ``kind`` and ``metadata.name`` are set."""
        meta = manifest["metadata"]
        return cls(manifest["kind"], meta.get("namespace", ""), meta["name"])

    @property
    def api_version(self) -> str:
        """``apps/v1`` and the like."""
        return KINDS[self.kind].api_version

    def __str__(self) -> str:
        return "/".join(part for part in (self.kind, self.namespace, self.name) if part)
