"""The traits of one container, in the order in which they are applied."""

from collections.abc import Callable
from typing import Any

from kubemin.render.context import Context
from kubemin.render.pod import Pod
from kubemin.render.traits import env_from, envs, probes, resources, storage
from kubemin.spec.objects import Manifest
from kubemin.spec.traits.container import ContainerTraits

ContainerTrait = Callable[[Any, Manifest, Pod, Context], None]

CONTAINER_TRAITS: tuple[tuple[str, ContainerTrait], ...] = (
    ("storage", storage.apply),
    ("env_from", env_from.apply),
    ("envs", envs.apply),
    ("resources", resources.apply),
    ("probes", probes.apply),
)


def apply_container_traits(traits: ContainerTraits, container: Manifest, pod: Pod, context: Context) -> None:
    """Change ``container`` and ``pod`` as the traits ask for."""
    for field, apply in CONTAINER_TRAITS:
        value = getattr(traits, field)
        if value:
            apply(value, container, pod, context)
