"""The resources that the simulated cluster serves, and how the API server treats each."""

from collections.abc import Mapping
from dataclasses import dataclass

READ_WRITE = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource as discovery shows it, with the flags of its strategy in the real API server."""

    group: str
    version: str
    plural: str
    kind: str
    singular: str
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: tuple[str, ...] = ()
    generation: bool = False
    """``metadata.generation`` is 1 at creation and counts changes of the spec."""
    create_on_put: bool = False
    """A PUT to an absent name creates it."""
    unconditional_update: bool = True
    """A PUT without a resourceVersion is accepted."""
    returns_deleted: bool = False
    """DELETE answers with the object, not with a Status."""
    orphan_by_default: bool = False
    """DELETE without a propagation policy orphans the dependents."""
    orphans: bool = True
    """Takes part in garbage collection."""
    verbs: tuple[str, ...] = READ_WRITE
    selectable: frozenset[str] = frozenset()
    """Fields that a custom resource's field selectors may name, beside name and namespace."""

    @property
    def key(self) -> str:
        """Its name in storage, controllers and tests: the plural, of a custom one the qualified name."""
        return self.plural

    @property
    def list_kind(self) -> str:
        """The kind of a list."""
        return f"{self.kind}List"

    @property
    def api_version(self) -> str:
        """``apps/v1``, or ``v1`` for the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """The name in messages: ``deployments.apps``, or ``pods`` for the core group."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def qualified_kind(self) -> str:
        """The kind in messages: ``Deployment.apps``, or ``Pod``."""
        return f"{self.kind}.{self.group}" if self.group else self.kind


_RBAC = "rbac.authorization.k8s.io"

_ALL: tuple[Resource, ...] = (
    Resource(
        "",
        "v1",
        "namespaces",
        "Namespace",
        "namespace",
        namespaced=False,
        short_names=("ns",),
        subresources=("status", "finalize"),
        verbs=("create", "delete", "get", "list", "patch", "update", "watch"),
    ),
    Resource("", "v1", "nodes", "Node", "node", namespaced=False, short_names=("no",), subresources=("status",)),
    Resource(
        "",
        "v1",
        "pods",
        "Pod",
        "pod",
        short_names=("po",),
        categories=("all",),
        subresources=("status", "log"),
        generation=True,
        returns_deleted=True,
    ),
    Resource(
        "",
        "v1",
        "services",
        "Service",
        "service",
        short_names=("svc",),
        categories=("all",),
        subresources=("status",),
        create_on_put=True,
        returns_deleted=True,
    ),
    Resource("", "v1", "endpoints", "Endpoints", "endpoints", short_names=("ep",), create_on_put=True),
    Resource("", "v1", "configmaps", "ConfigMap", "configmap", short_names=("cm",)),
    Resource("", "v1", "secrets", "Secret", "secret"),
    Resource(
        "",
        "v1",
        "persistentvolumeclaims",
        "PersistentVolumeClaim",
        "persistentvolumeclaim",
        short_names=("pvc",),
        subresources=("status",),
        returns_deleted=True,
    ),
    Resource(
        "",
        "v1",
        "persistentvolumes",
        "PersistentVolume",
        "persistentvolume",
        namespaced=False,
        short_names=("pv",),
        subresources=("status",),
        returns_deleted=True,
    ),
    Resource(
        "", "v1", "serviceaccounts", "ServiceAccount", "serviceaccount", short_names=("sa",), returns_deleted=True
    ),
    Resource("", "v1", "events", "Event", "event", short_names=("ev",), create_on_put=True, orphans=False),
    Resource(
        "",
        "v1",
        "resourcequotas",
        "ResourceQuota",
        "resourcequota",
        short_names=("quota",),
        subresources=("status",),
        returns_deleted=True,
    ),
    Resource("", "v1", "limitranges", "LimitRange", "limitrange", short_names=("limits",), create_on_put=True),
    Resource(
        "",
        "v1",
        "replicationcontrollers",
        "ReplicationController",
        "replicationcontroller",
        short_names=("rc",),
        categories=("all",),
        subresources=("status", "scale"),
        generation=True,
        orphan_by_default=True,
    ),
    Resource(
        "apps",
        "v1",
        "deployments",
        "Deployment",
        "deployment",
        short_names=("deploy",),
        categories=("all",),
        subresources=("status", "scale"),
        generation=True,
    ),
    Resource(
        "apps",
        "v1",
        "replicasets",
        "ReplicaSet",
        "replicaset",
        short_names=("rs",),
        categories=("all",),
        subresources=("status", "scale"),
        generation=True,
    ),
    Resource(
        "apps",
        "v1",
        "statefulsets",
        "StatefulSet",
        "statefulset",
        short_names=("sts",),
        categories=("all",),
        subresources=("status", "scale"),
        generation=True,
    ),
    Resource(
        "apps",
        "v1",
        "daemonsets",
        "DaemonSet",
        "daemonset",
        short_names=("ds",),
        categories=("all",),
        subresources=("status",),
        generation=True,
    ),
    Resource("apps", "v1", "controllerrevisions", "ControllerRevision", "controllerrevision"),
    Resource(
        "batch",
        "v1",
        "jobs",
        "Job",
        "job",
        categories=("all",),
        subresources=("status",),
        generation=True,
        orphan_by_default=True,
    ),
    Resource(
        "batch",
        "v1",
        "cronjobs",
        "CronJob",
        "cronjob",
        short_names=("cj",),
        categories=("all",),
        subresources=("status",),
        generation=True,
    ),
    Resource(
        "networking.k8s.io",
        "v1",
        "ingresses",
        "Ingress",
        "ingress",
        short_names=("ing",),
        subresources=("status",),
        generation=True,
    ),
    Resource(
        "networking.k8s.io",
        "v1",
        "networkpolicies",
        "NetworkPolicy",
        "networkpolicy",
        short_names=("netpol",),
        generation=True,
    ),
    Resource(
        "networking.k8s.io", "v1", "ingressclasses", "IngressClass", "ingressclass", namespaced=False, generation=True
    ),
    Resource(_RBAC, "v1", "roles", "Role", "role", create_on_put=True),
    Resource(_RBAC, "v1", "rolebindings", "RoleBinding", "rolebinding", create_on_put=True),
    Resource(_RBAC, "v1", "clusterroles", "ClusterRole", "clusterrole", namespaced=False, create_on_put=True),
    Resource(
        _RBAC,
        "v1",
        "clusterrolebindings",
        "ClusterRoleBinding",
        "clusterrolebinding",
        namespaced=False,
        create_on_put=True,
    ),
    Resource(
        "storage.k8s.io", "v1", "storageclasses", "StorageClass", "storageclass", namespaced=False, short_names=("sc",)
    ),
    Resource(
        "autoscaling",
        "v2",
        "horizontalpodautoscalers",
        "HorizontalPodAutoscaler",
        "horizontalpodautoscaler",
        short_names=("hpa",),
        categories=("all",),
        subresources=("status",),
    ),
    Resource(
        "policy",
        "v1",
        "poddisruptionbudgets",
        "PodDisruptionBudget",
        "poddisruptionbudget",
        short_names=("pdb",),
        subresources=("status",),
        generation=True,
        unconditional_update=False,
    ),
    Resource("coordination.k8s.io", "v1", "leases", "Lease", "lease", create_on_put=True, unconditional_update=False),
    Resource("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice", "endpointslice", generation=True),
    Resource(
        "scheduling.k8s.io",
        "v1",
        "priorityclasses",
        "PriorityClass",
        "priorityclass",
        namespaced=False,
        short_names=("pc",),
    ),
    Resource(
        "admissionregistration.k8s.io",
        "v1",
        "validatingwebhookconfigurations",
        "ValidatingWebhookConfiguration",
        "validatingwebhookconfiguration",
        namespaced=False,
        categories=("api-extensions",),
        generation=True,
    ),
    Resource(
        "admissionregistration.k8s.io",
        "v1",
        "mutatingwebhookconfigurations",
        "MutatingWebhookConfiguration",
        "mutatingwebhookconfiguration",
        namespaced=False,
        categories=("api-extensions",),
        generation=True,
    ),
    Resource(
        "apiregistration.k8s.io",
        "v1",
        "apiservices",
        "APIService",
        "apiservice",
        namespaced=False,
        categories=("api-extensions",),
        subresources=("status",),
    ),
    Resource(
        "apiextensions.k8s.io",
        "v1",
        "customresourcedefinitions",
        "CustomResourceDefinition",
        "customresourcedefinition",
        namespaced=False,
        short_names=("crd", "crds"),
        categories=("api-extensions",),
        subresources=("status",),
        generation=True,
        unconditional_update=False,
    ),
)

EVENTS_K8S_IO = Resource(
    "events.k8s.io",
    "v1",
    "events",
    "Event",
    "event",
    short_names=("ev",),
    create_on_put=True,
    orphans=False,
    verbs=tuple(verb for verb in READ_WRITE if verb != "patch"),
)
"""The same events, in the group that newer clients write to. Stored as core events."""

RESOURCES: Mapping[str, Resource] = {resource.plural: resource for resource in _ALL}
"""Every resource by plural. ``events`` is the core one."""

BY_KIND: Mapping[str, Resource] = {resource.kind: resource for resource in _ALL}

BY_PATH: Mapping[tuple[str, str, str], Resource] = {
    (resource.group, resource.version, resource.plural): resource for resource in (*_ALL, EVENTS_K8S_IO)
}
"""Every resource by group, version and plural, as a URL names it."""

GROUP_VERSIONS: Mapping[tuple[str, str], tuple[Resource, ...]] = {
    group_version: tuple(
        resource for (group, version, _), resource in BY_PATH.items() if (group, version) == group_version
    )
    for group_version in dict.fromkeys((group, version) for group, version, _ in BY_PATH)
}
"""The resources of each group and version, in the order of discovery."""
