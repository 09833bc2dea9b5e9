"""Traits: one module each. To add one: write its module, give it a field in ``Traits`` and a line in ``TRAITS``.

(How it changes the manifests is the business of ``kubemin.render.traits``.)
"""

from pydantic import Field

from kubemin.spec.component_types import REPLICATED, SERVING
from kubemin.spec.traits import expose, hpa, ingress, init, network_policy, pdb, rbac, share, sidecar
from kubemin.spec.traits.container import CONTAINER_TRAITS, ContainerTraits, Trait
from kubemin.spec.traits.expose import Expose
from kubemin.spec.traits.hpa import Hpa
from kubemin.spec.traits.ingress import Ingress
from kubemin.spec.traits.init import Init
from kubemin.spec.traits.network_policy import NetworkPolicy
from kubemin.spec.traits.pdb import Pdb
from kubemin.spec.traits.rbac import Rbac
from kubemin.spec.traits.share import Share
from kubemin.spec.traits.sidecar import Sidecar

__all__ = ["TRAITS", "Trait", "Traits"]


class Traits(ContainerTraits):
    """What a component has beyond its image: storage, probes, routes and the like."""

    rbac: list[Rbac] = Field(default=[], description="service accounts and their rights")
    init: list[Init] = Field(default=[], description="containers that run before")
    sidecar: list[Sidecar] = Field(default=[], description="containers that run beside")
    ingress: list[Ingress] = Field(default=[], description="routes from outside")
    expose: Expose | None = Field(default=None, description="where it is reached, by an Ingress or a Gateway's route")
    hpa: Hpa | None = Field(default=None, description="an autoscaler decides about the replicas")
    pdb: Pdb | None = Field(default=None, description="how many Pods can be spared while nodes are drained")
    network_policy: NetworkPolicy | None = Field(default=None, description="who may reach the Pods, and whom they may")
    share: Share | None = Field(default=None, description="objects that several applications have")


TRAITS = (
    *CONTAINER_TRAITS,
    Trait("rbac", rbac.check, rbac.made),
    Trait("init", init.check, init.made),
    Trait("sidecar", sidecar.check, sidecar.made),
    Trait("ingress", ingress.check, ingress.made),
    Trait("expose", expose.check, expose.made, types=SERVING),
    Trait("hpa", hpa.check, hpa.made, types=REPLICATED),
    Trait("pdb", pdb.check, pdb.made, types=REPLICATED),
    Trait("network_policy", network_policy.check, network_policy.made),
    Trait("share", share.check, any_type=True),
)
"""In the order in which they are processed."""
