"""Every kind that KubeMin knows, and all that it knows of each: one row a kind.

A kind is named by its group and kind. The name of a kind of this table is short (``Deployment``); any other kind is
named ``<kind>.<group>``, as ``kubectl`` does, so that an operator's ``Deployment`` is never taken for that of ``apps``.
Of such a kind only the API server knows how it is served (`kubemin.cluster.discovery`); all else is as `_other` says.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from kubemin.spec.kind import Controller, Health, Kind, Written

DEFINITION = "CustomResourceDefinition"

_POD_LISTS: Mapping[str, tuple[str, ...]] = {
    "containers": ("name",),
    "initContainers": ("name",),
    "ephemeralContainers": ("name",),
    "env": ("name",),
    "ports": ("containerPort", "protocol"),
    "volumes": ("name",),
    "volumeMounts": ("mountPath",),
    "volumeDevices": ("devicePath",),
    "imagePullSecrets": ("name",),
    "hostAliases": ("ip",),
    "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
    "resourceClaims": ("name",),
    "claims": ("name",),
    "schedulingGates": ("name",),
}
"""The lists of a Pod's spec, and of each kind that has a template of one."""

_NO_LISTS: Mapping[str, tuple[str, ...]] = {}
LAST = 20
"""The priority of kinds that the table does not have."""

_PRIORITIES: Mapping[str, int] = {
    "SealedSecret.bitnami.com": 0,
    "SecretStore.external-secrets.io": 2,
    "ClusterSecretStore.external-secrets.io": 2,
    "ExternalSecret.external-secrets.io": 3,
    "ClusterExternalSecret.external-secrets.io": 3,
}
"""Of those among them that become configuration: Pods that read it start only once it is there."""

_RBAC = "rbac.authorization.k8s.io"
_ROLE_NEVER_CHANGES = "its role never changes: name another binding, or delete this one first"

_WEBHOOK_LISTS: Mapping[str, tuple[str, ...]] = {"webhooks": ("name",), "matchConditions": ("name",)}


def _plain(
    name: str,
    group: str,
    plural: str,
    *,
    version: str = "v1",
    namespaced: bool = True,
    priority: int,
    deleted: int,
    own: bool = False,
    health: Health = Health.EXISTENCE,
    list_keys: Mapping[str, tuple[str, ...]] = _NO_LISTS,
) -> Kind:
    """A kind without Pods, of which the API server refuses no change."""
    return Kind(
        name=name,
        group=group,
        version=version,
        plural=plural,
        namespaced=namespaced,
        written=Written(own=own, priority=priority, deleted=deleted, advice=""),
        controller=None,
        health=health,
        large=False,
        secret=False,
        list_keys=list_keys,
    )


_TABLE = (
    Kind(
        name="Namespace",
        group="",
        version="v1",
        plural="namespaces",
        namespaced=False,
        written=Written(own=True, priority=-1, deleted=18, advice=""),
        controller=None,
        health=Health.NOTHING,
        large=False,
        secret=False,
        list_keys=_NO_LISTS,
    ),
    Kind(
        name="ConfigMap",
        group="",
        version="v1",
        plural="configmaps",
        namespaced=True,
        written=Written(
            own=True,
            priority=0,
            deleted=16,
            advice="it is marked immutable: give the component another name, or delete the ConfigMap first",
        ),
        controller=None,
        health=Health.EXISTENCE,
        large=True,
        secret=False,
        list_keys=_NO_LISTS,
    ),
    Kind(
        name="Secret",
        group="",
        version="v1",
        plural="secrets",
        namespaced=True,
        written=Written(
            own=True,
            priority=0,
            deleted=17,
            advice=(
                "it is marked immutable, or of another type: "
                "give the component another name, or delete the Secret first"
            ),
        ),
        controller=None,
        health=Health.EXISTENCE,
        large=True,
        secret=True,
        list_keys=_NO_LISTS,
    ),
    Kind(
        name="PersistentVolumeClaim",
        group="",
        version="v1",
        plural="persistentvolumeclaims",
        namespaced=True,
        written=Written(
            own=True,
            priority=1,
            deleted=15,
            advice=(
                "of a claim only the size changes, only upwards, and only where its storage class allows it: "
                "ask for what it has, or name a new volume"
            ),
        ),
        controller=None,
        health=Health.NOTHING,
        large=False,
        secret=False,
        list_keys=_NO_LISTS,
    ),
    Kind(
        name="ServiceAccount",
        group="",
        version="v1",
        plural="serviceaccounts",
        namespaced=True,
        written=Written(own=True, priority=1, deleted=9, advice=""),
        controller=None,
        health=Health.NOTHING,
        large=False,
        secret=False,
        list_keys={"secrets": ("name",)},
    ),
    Kind(
        name="Role",
        group=_RBAC,
        version="v1",
        plural="roles",
        namespaced=True,
        written=Written(own=True, priority=1, deleted=10, advice=""),
        controller=None,
        health=Health.NOTHING,
        large=False,
        secret=False,
        list_keys=_NO_LISTS,
    ),
    Kind(
        name="ClusterRole",
        group=_RBAC,
        version="v1",
        plural="clusterroles",
        namespaced=False,
        written=Written(own=True, priority=1, deleted=12, advice=""),
        controller=None,
        health=Health.NOTHING,
        large=False,
        secret=False,
        list_keys=_NO_LISTS,
    ),
    Kind(
        name="RoleBinding",
        group=_RBAC,
        version="v1",
        plural="rolebindings",
        namespaced=True,
        written=Written(own=True, priority=2, deleted=11, advice=_ROLE_NEVER_CHANGES),
        controller=None,
        health=Health.NOTHING,
        large=False,
        secret=False,
        list_keys=_NO_LISTS,
    ),
    Kind(
        name="ClusterRoleBinding",
        group=_RBAC,
        version="v1",
        plural="clusterrolebindings",
        namespaced=False,
        written=Written(own=True, priority=2, deleted=13, advice=_ROLE_NEVER_CHANGES),
        controller=None,
        health=Health.NOTHING,
        large=False,
        secret=False,
        list_keys=_NO_LISTS,
    ),
    Kind(
        name="Service",
        group="",
        version="v1",
        plural="services",
        namespaced=True,
        written=Written(
            own=True,
            priority=10,
            deleted=8,
            advice="its address never changes: delete the Service first, or give the component another name",
        ),
        controller=None,
        health=Health.ADDRESS,
        large=False,
        secret=False,
        list_keys={"ports": ("port", "protocol")},
    ),
    Kind(
        name="Deployment",
        group="apps",
        version="v1",
        plural="deployments",
        namespaced=True,
        written=Written(
            own=True,
            priority=10,
            deleted=4,
            advice="its selector never changes: give the component another name, or delete the Deployment first",
        ),
        controller=Controller(told_by=("ReplicaSet", "Pod"), leaves=("ReplicaSet",), history="ReplicaSet"),
        health=Health.READINESS,
        large=False,
        secret=False,
        list_keys=_POD_LISTS,
    ),
    Kind(
        name="StatefulSet",
        group="apps",
        version="v1",
        plural="statefulsets",
        namespaced=True,
        written=Written(
            own=True,
            priority=10,
            deleted=5,
            advice=(
                "of a StatefulSet only replicas, template and update strategy change: "
                "keep its volumes (size, class and name), or delete the StatefulSet but not its Pods "
                "(kubectl delete statefulset {name} -n {namespace} --cascade=orphan) and run again; "
                "its claims and their data stay as they are"
            ),
        ),
        controller=Controller(
            told_by=("Pod",), leaves=("PersistentVolumeClaim", "ControllerRevision"), history="ControllerRevision"
        ),
        health=Health.READINESS,
        large=False,
        secret=False,
        list_keys=_POD_LISTS,
    ),
    Kind(
        name="Job",
        group="batch",
        version="v1",
        plural="jobs",
        namespaced=True,
        written=Written(
            own=True,
            priority=10,
            deleted=7,
            advice="a Job's spec never changes, and this one is not as the application has it: delete it first",
        ),
        controller=Controller(told_by=("Pod",), leaves=(), history=None),
        health=Health.READINESS,
        large=False,
        secret=False,
        list_keys=_POD_LISTS,
    ),
    Kind(
        name="Ingress",
        group="networking.k8s.io",
        version="v1",
        plural="ingresses",
        namespaced=True,
        written=Written(own=True, priority=10, deleted=0, advice=""),
        controller=None,
        health=Health.ADDRESS,
        large=False,
        secret=False,
        list_keys=_NO_LISTS,
    ),
    Kind(
        name="DaemonSet",
        group="apps",
        version="v1",
        plural="daemonsets",
        namespaced=True,
        written=Written(
            own=True,
            priority=10,
            deleted=6,
            advice="its selector never changes: give it another name, or delete the DaemonSet first",
        ),
        controller=Controller(told_by=("Pod",), leaves=("ControllerRevision",), history="ControllerRevision"),
        health=Health.READINESS,
        large=False,
        secret=False,
        list_keys=_POD_LISTS,
    ),
    Kind(
        name="CronJob",
        group="batch",
        version="v1",
        plural="cronjobs",
        namespaced=True,
        written=Written(own=True, priority=10, deleted=3, advice=""),
        controller=Controller(told_by=("Job", "Pod"), leaves=(), history=None),
        health=Health.EXISTENCE,
        large=False,
        secret=False,
        list_keys=_POD_LISTS,
    ),
    _plain(
        "HorizontalPodAutoscaler",
        "autoscaling",
        "horizontalpodautoscalers",
        version="v2",
        own=True,
        priority=10,
        deleted=1,
        health=Health.NOTHING,
    ),
    _plain(
        "PodDisruptionBudget",
        "policy",
        "poddisruptionbudgets",
        own=True,
        priority=10,
        deleted=2,
        health=Health.NOTHING,
    ),
    _plain(
        "NetworkPolicy",
        "networking.k8s.io",
        "networkpolicies",
        own=True,
        priority=0,
        deleted=14,
        health=Health.NOTHING,
    ),
    _plain("ResourceQuota", "", "resourcequotas", priority=0, deleted=19),
    _plain("LimitRange", "", "limitranges", priority=0, deleted=20),
    _plain("PriorityClass", "scheduling.k8s.io", "priorityclasses", namespaced=False, priority=-1, deleted=21),
    _plain("StorageClass", "storage.k8s.io", "storageclasses", namespaced=False, priority=-1, deleted=22),
    _plain("IngressClass", "networking.k8s.io", "ingressclasses", namespaced=False, priority=-1, deleted=23),
    _plain("PersistentVolume", "", "persistentvolumes", namespaced=False, priority=0, deleted=24),
    _plain(
        "ValidatingWebhookConfiguration",
        "admissionregistration.k8s.io",
        "validatingwebhookconfigurations",
        namespaced=False,
        priority=15,
        deleted=25,
        list_keys=_WEBHOOK_LISTS,
    ),
    _plain(
        "MutatingWebhookConfiguration",
        "admissionregistration.k8s.io",
        "mutatingwebhookconfigurations",
        namespaced=False,
        priority=15,
        deleted=26,
        list_keys=_WEBHOOK_LISTS,
    ),
    _plain(
        "APIService",
        "apiregistration.k8s.io",
        "apiservices",
        namespaced=False,
        priority=15,
        deleted=27,
        health=Health.READINESS,
    ),
    _plain(
        DEFINITION,
        "apiextensions.k8s.io",
        "customresourcedefinitions",
        namespaced=False,
        priority=-1,
        deleted=28,
        health=Health.READINESS,
    ),
    Kind(
        name="ReplicaSet",
        group="apps",
        version="v1",
        plural="replicasets",
        namespaced=True,
        written=None,
        controller=Controller(told_by=("Pod",), leaves=(), history=None),
        health=Health.NOTHING,
        large=False,
        secret=False,
        list_keys=_POD_LISTS,
    ),
    Kind(
        name="ControllerRevision",
        group="apps",
        version="v1",
        plural="controllerrevisions",
        namespaced=True,
        written=None,
        controller=None,
        health=Health.NOTHING,
        large=False,
        secret=False,
        list_keys=_NO_LISTS,
    ),
    Kind(
        name="Pod",
        group="",
        version="v1",
        plural="pods",
        namespaced=True,
        written=None,
        controller=None,
        health=Health.NOTHING,
        large=False,
        secret=False,
        list_keys=_POD_LISTS,
    ),
    Kind(
        name="Event",
        group="",
        version="v1",
        plural="events",
        namespaced=True,
        written=None,
        controller=None,
        health=Health.NOTHING,
        large=False,
        secret=False,
        list_keys=_NO_LISTS,
    ),
)

KINDS: Mapping[str, Kind] = {kind.name: kind for kind in _TABLE}
"""By name."""

WRITTEN: Mapping[str, Written] = {kind.name: kind.written for kind in _TABLE if kind.written is not None}
"""The kinds of the table that tasks write."""

OWN = frozenset(name for name, facts in WRITTEN.items() if facts.own)
"""Those that components make by themselves."""


@lru_cache(maxsize=1024)
def _other(name: str) -> Kind:
    """What holds of every kind that the table does not have.

    It is written after all others, as it may be a custom resource: its definition and its controller come first. Only
    what Pods cannot start without comes before these.
    """
    _, _, group = name.partition(".")
    return Kind(
        name=name,
        group=group,
        version="",
        plural="",
        namespaced=True,
        written=Written(own=False, priority=_PRIORITIES.get(name, LAST), deleted=0, advice=""),
        controller=None,
        health=Health.READINESS,
        large=False,
        secret=False,
        list_keys=_NO_LISTS,
    )


def kind_of(name: str) -> Kind:
    """All that is known of a kind."""
    return KINDS.get(name) or _other(name)


def written(name: str) -> Written:
    """Facts of a kind that a task writes."""
    facts = kind_of(name).written
    assert facts is not None, f"no task writes a {name}"
    return facts


def kind_name(manifest: Mapping[str, Any]) -> str:
    """The name of a manifest's kind: short if the table has it, else with its group."""
    kind, group = str(manifest["kind"]), str(manifest["apiVersion"]).rpartition("/")[0]
    known = KINDS.get(kind)
    return kind if known is not None and known.group == group else f"{kind}.{group}".removesuffix(".")
