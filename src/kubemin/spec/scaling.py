"""How many Pods a component has, as its traits and its replicas say it together."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kubemin.spec.issues import Issue, IssueCode, WarningCode
from kubemin.spec.traits import Traits
from kubemin.spec.traits.container import ContainerTraits
from kubemin.spec.traits.pdb import is_count

if TYPE_CHECKING:
    from kubemin.spec.component import Component


def check_requests(traits: Traits, component: str, path: str) -> Iterator[Issue]:
    """An autoscaler that goes by a percentage of requests needs them of each container: else it never scales."""
    if traits.hpa is None:
        return
    containers: list[tuple[str, ContainerTraits]] = [(f'component "{component}"', traits)]
    containers += [(f'sidecar "{one.name or index}"', one.traits) for index, one in enumerate(traits.sidecar)]
    containers += [
        (f'init container "{one.name or index}"', one.traits)
        for index, one in enumerate(traits.init)
        if one.properties.restart_policy is not None  # it runs on
    ]
    for field in ("cpu", "memory"):
        lacking = [who for who, its in containers if its.resources is None or field not in its.resources.asked_for]
        if getattr(traits.hpa, field) is not None and lacking:
            message = (
                f'The autoscaler of component "{component}" goes by what its Pods use of the {field} that they '
                f"request: the trait resources of {', '.join(lacking)} has to say how much that is."
            )
            yield Issue(f"{path}.hpa.{field}", IssueCode.INVALID_TRAIT_CONFIG, message)


def scaling_warnings(component: "Component", path: str) -> Iterator[Issue]:
    """What is allowed, and probably not meant."""
    hpa, pdb, replicas = component.traits.hpa, component.traits.pdb, component.replicas
    if hpa is not None and replicas == 0:
        message = f'Component "{component.name}" begins with 0 replicas: its autoscaler does nothing while it has none.'
        yield Issue(f"{path}.replicas", WarningCode.AUTOSCALER_OFF, message)
    if pdb is None or not all(is_count(one) for one in (pdb.min_available, pdb.max_unavailable) if one is not None):
        return
    least = hpa.least if hpa is not None else replicas if isinstance(replicas, int) else None
    if pdb.never_lets_go(least):
        message = (
            f'The disruption budget of component "{component.name}" lets no Pod go, so that no node that has one can '
            "be drained: have more replicas, or allow that one is away."
        )
        yield Issue(f"{path}.traits.pdb", WarningCode.DISRUPTION_BUDGET_NEVER_LETS_GO, message)
