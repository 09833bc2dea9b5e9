"""Every kind that KubeMin knows, and all that it knows of each: one row a kind.

A kind is named by its group and kind. The name of a kind of this table is short (``Deployment``); any other kind is
named ``<kind>.<group>``, as ``kubectl`` does, so that an operator's ``Deployment`` is never taken for that of ``apps``.
"""

from collections.abc import Mapping
from typing import Any

from kubemin.spec.kind import Controller, Health, Kind, Written

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
_RBAC = "rbac.authorization.k8s.io"
_ROLE_NEVER_CHANGES = "its role never changes: name another binding, or delete this one first"

_TABLE = (
    Kind(
        name="Namespace",
        group="",
        version="v1",
        plural="namespaces",
        namespaced=False,
        written=Written(priority=-1, deleted=13, advice=""),
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
            priority=0,
            deleted=11,
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
            priority=0,
            deleted=12,
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
            priority=1,
            deleted=10,
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
        written=Written(priority=1, deleted=5, advice=""),
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
        written=Written(priority=1, deleted=6, advice=""),
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
        written=Written(priority=1, deleted=8, advice=""),
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
        written=Written(priority=2, deleted=7, advice=_ROLE_NEVER_CHANGES),
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
        written=Written(priority=2, deleted=9, advice=_ROLE_NEVER_CHANGES),
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
            priority=10,
            deleted=4,
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
            priority=10,
            deleted=1,
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
            priority=10,
            deleted=2,
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
            priority=10,
            deleted=3,
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
        written=Written(priority=10, deleted=0, advice=""),
        controller=None,
        health=Health.ADDRESS,
        large=False,
        secret=False,
        list_keys=_NO_LISTS,
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
        name="HorizontalPodAutoscaler",
        group="autoscaling",
        version="v2",
        plural="horizontalpodautoscalers",
        namespaced=True,
        written=None,
        controller=None,
        health=Health.NOTHING,
        large=False,
        secret=False,
        list_keys=_NO_LISTS,
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
"""The kinds that tasks write."""


class UnknownKind(LookupError):
    """The table has no such kind."""

    def __init__(self, name: str) -> None:
        super().__init__(f"KubeMin does not know the kind {name}")


def kind_of(name: str) -> Kind:
    """The row of a kind. Raises `UnknownKind`."""
    try:
        return KINDS[name]
    except KeyError:
        raise UnknownKind(name) from None


def kind_name(manifest: Mapping[str, Any]) -> str:
    """The name of a manifest's kind: short if the table has it, else with its group."""
    kind, group = str(manifest["kind"]), str(manifest["apiVersion"]).rpartition("/")[0]
    known = KINDS.get(kind)
    return kind if known is not None and known.group == group else f"{kind}.{group}".removesuffix(".")
