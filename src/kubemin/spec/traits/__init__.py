"""Traits: one module each. To add one: write its module, give it a field in ``Traits`` and a line in ``TRAITS``.

(How it changes the manifests is the business of ``kubemin.render.traits``.)
"""

from pydantic import Field

from kubemin.spec.traits import ingress, init, rbac, share, sidecar
from kubemin.spec.traits.container import CONTAINER_TRAITS, ContainerTraits, Trait
from kubemin.spec.traits.ingress import Ingress
from kubemin.spec.traits.init import Init
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
    share: Share | None = Field(default=None, description="objects that several applications have")


TRAITS = (
    *CONTAINER_TRAITS,
    Trait("rbac", rbac.check, rbac.made),
    Trait("init", init.check, init.made),
    Trait("sidecar", sidecar.check, sidecar.made),
    Trait("ingress", ingress.check, ingress.made),
    Trait("share", share.check, any_type=True),
)
"""In the order in which they are processed."""
