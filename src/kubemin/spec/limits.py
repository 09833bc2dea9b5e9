"""What a server's settings allow an application to ask for."""

import re
from dataclasses import dataclass
from fnmatch import translate
from functools import lru_cache
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

READ = ("get", "list", "watch")


@dataclass(frozen=True, slots=True)
class Grant:
    """Verbs on resources that an ``rbac`` trait may grant. ``*`` allows everything of its column.

    ``urls`` are non-resource URLs; they only matter cluster-wide.
    """

    groups: tuple[str, ...]
    resources: tuple[str, ...]
    verbs: tuple[str, ...]
    urls: tuple[str, ...] = ()


NAMESPACED_GRANTS = (
    Grant(("",), ("pods", "pods/log", "services", "endpoints", "configmaps", "events", "persistentvolumeclaims"), READ),
    Grant(("apps",), ("deployments", "statefulsets", "daemonsets", "replicasets"), READ),
    Grant(("batch",), ("jobs", "cronjobs"), READ),
    Grant(("networking.k8s.io",), ("ingresses",), READ),
    Grant(("discovery.k8s.io",), ("endpointslices",), READ),
    Grant(("events.k8s.io",), ("events",), READ),
    Grant(("coordination.k8s.io",), ("leases",), (*READ, "create", "update", "patch", "delete")),
)
"""What a workload may be given in its own namespace unless settings say otherwise: reading the common kinds, for
service discovery, and leases, for leader election. No Secrets, no exec, no workload changes, no RBAC objects."""


PLATFORM_NAMESPACES = "kube-*"
"""Namespaces that Kubernetes itself runs in."""

OWN_NAMESPACE = "kubemin"
"""Where `deploy/rbac.yaml` puts KubeMin."""


class LimitSettings(BaseModel):
    """The bounds that a server can be told. The defaults are the careful ones.

    Lists are texts for `listed`. What an ``allow_`` setting does not name is refused.
    """

    model_config = ConfigDict(frozen=True)

    guess_secrets: bool = True
    """Values of environment variables that look like secrets, by name or value, are masked in diffs, previews, plans,
    logs and evidence. Those that are marked `sensitive` are masked always.
    """
    max_components: int = Field(default=500, ge=1)
    """Most components of an application."""
    allow_host_path: bool = False
    """Applications may mount paths of the node."""
    allow_private_urls: bool = False
    """`config.url` may lead to addresses that are not public, such as private ones and loopback."""
    own_namespace: str = OWN_NAMESPACE
    """Where KubeMin itself runs: reserved. In a Pod the default is the Pod's namespace."""
    reserved_namespaces: str = ""
    """Further namespaces that applications may not use, beside `kube-*` and KubeMin's own."""
    allow_namespaces: str = ""
    """Reserved namespaces that applications may use all the same."""
    allow_force_namespaces: str = ""
    """Reserved namespaces in which `share: force` may write over the objects of others."""
    allow_rbac_namespaces: str = ""
    """Namespaces in which an `rbac` trait may grant rights, beside that of the component and that of the application.
    """
    allow_rbac_names: str = ""
    """Names of accounts, roles and bindings that an `rbac` trait may use although they are Kubernetes' or KubeMin's
    own, and of others' that it may adopt.
    """
    allow_any_rights: bool = False
    """Roles and ClusterRoles of components of the type `manifests` may grant whatever KubeMin's own account may grant.
    """
    allow_annotations: str = ""
    """Keys of annotations and labels that are refused otherwise."""
    allow_probe_hosts: str = ""
    """Hosts that probes, and the hooks of `lifecycle`, may ask instead of the Pod."""
    allow_privileged: str = ""
    """What Pods may have although the Pod Security Standard `baseline` forbids it: `hostNetwork`, `hostPID`, `hostIPC`,
    `hostPort`, `hostProcess`, `privileged`, `capabilities.NET_ADMIN` and the like, `sysctls.NAME`, `procMount`,
    `seLinuxOptions`, `seccompProfile`, `appArmorProfile`; `*` for all of these.
    """
    allow_service_accounts: str = ""
    """Names of ServiceAccounts under which Pods may run although the application does not make them."""
    allow_addresses: str = ""
    """Where objects of the type `manifests` may lead requests by addresses of their own choice: `externalIPs`, which
    take others' requests (CVE-2020-8554); `ExternalName`, `Endpoints`, `EndpointSlice`, which lead an Ingress
    controller past its namespace (CVE-2021-25740); `*` for all of these.
    """
    allow_cluster_kinds: str = ""
    """Cluster-scoped kinds that components of the type `manifests` may bring: `Namespace`, and `<kind>.<group>` for
    those that Kubernetes does not have itself, such as `ClusterIssuer.cert-manager.io`.
    """


class Limits(LimitSettings):
    """Bounds on an application."""

    max_steps: int = 500
    clusters: frozenset[str] | None = None
    """The clusters that the server knows; None where that is not known."""
    rbac_namespaced: tuple[Grant, ...] = NAMESPACED_GRANTS
    rbac_cluster: tuple[Grant, ...] = ()

    def is_reserved(self, namespace: str) -> bool:
        """Whether a namespace is Kubernetes' own, KubeMin's own, or one that a setting keeps for others."""
        return listed(namespace, f"{PLATFORM_NAMESPACES},{self.own_namespace},{self.reserved_namespaces}")

    @classmethod
    def of(cls, settings: LimitSettings) -> Self:
        """The limits that the settings say."""
        return cls(**{name: getattr(settings, name) for name in LimitSettings.model_fields})


def listed(name: str, patterns: str) -> bool:
    """Whether a setting names it: names separated by commas, in which ``*`` stands for anything."""
    return _compiled(patterns).match(name) is not None


@lru_cache(maxsize=64)
def _compiled(patterns: str) -> re.Pattern[str]:
    given = [translate(pattern.strip()) for pattern in patterns.split(",") if pattern.strip()]
    return re.compile("|".join(given) if given else r"(?!)")
