# ruff: noqa: RUF012  (Pydantic copies defaults)
"""Traits: one module each. To add one: write its module, give it a field in ``Traits`` and a line in ``TRAITS``.

(How it changes the manifests is the business of ``kubemin.render.traits``.)
"""

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

    rbac: list[Rbac] = []
    init: list[Init] = []
    sidecar: list[Sidecar] = []
    ingress: list[Ingress] = []
    share: Share | None = None


TRAITS = (
    *CONTAINER_TRAITS,
    Trait("rbac", rbac.check, rbac.made),
    Trait("init", init.check, init.made),
    Trait("sidecar", sidecar.check, sidecar.made),
    Trait("ingress", ingress.check, ingress.made),
    Trait("share", share.check, any_type=True),
)
"""In the order in which they are processed."""
