"""What a server's settings allow an application to ask for."""

from dataclasses import dataclass
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


class LimitSettings(BaseModel):
    """The bounds that a server can be told. The defaults are the careful ones."""

    model_config = ConfigDict(frozen=True)

    max_components: int = Field(default=500, ge=1)
    allow_host_path: bool = False
    allow_private_urls: bool = False


class Limits(LimitSettings):
    """Bounds on an application."""

    max_steps: int = 500
    rbac_namespaced: tuple[Grant, ...] = NAMESPACED_GRANTS
    rbac_cluster: tuple[Grant, ...] = ()

    @classmethod
    def of(cls, settings: LimitSettings) -> Self:
        """The limits that the settings say."""
        return cls(**{name: getattr(settings, name) for name in LimitSettings.model_fields})
