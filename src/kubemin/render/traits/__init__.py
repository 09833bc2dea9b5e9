"""How traits change the manifests: one module each. To add one, write its ``apply`` and give it a line here."""

from collections.abc import Callable
from typing import Any

from kubemin.render.context import Context
from kubemin.render.pod import Pod
from kubemin.render.traits import expose, ingress, network_policy, rbac
from kubemin.render.traits.container import apply_container_traits
from kubemin.render.traits.containers import apply_init, apply_sidecar
from kubemin.render.traits.scaling import apply_hpa, apply_pdb

PodTrait = Callable[[Any, Pod, Context], None]

POD_TRAITS: tuple[tuple[str, PodTrait], ...] = (
    ("rbac", rbac.apply),
    ("init", apply_init),
    ("sidecar", apply_sidecar),
    ("ingress", ingress.apply),
    ("expose", expose.apply),
    ("hpa", apply_hpa),
    ("pdb", apply_pdb),
    ("network_policy", network_policy.apply),
)
"""After the traits of the component's own container. ``share`` only labels (``Context.object_labels``)."""


def apply_traits(pod: Pod, context: Context) -> None:
    """Change the Pod, and add objects beside it, as the component's traits ask for."""
    traits = context.component.traits
    apply_container_traits(traits, pod.container, pod, context)
    for field, apply in POD_TRAITS:
        value = getattr(traits, field)
        if value:
            apply(value, pod, context)
