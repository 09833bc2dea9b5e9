"""``resources``: requests and limits, which are equal."""

from kubemin.render.context import Context
from kubemin.render.pod import Pod
from kubemin.spec.objects import Manifest
from kubemin.spec.traits.resources import Resources


def apply(resources: Resources, container: Manifest, _pod: Pod, _context: Context) -> None:
    """Set what ``container`` gets."""
    amounts = {"cpu": resources.cpu, "memory": resources.memory, "nvidia.com/gpu": resources.gpu}
    given = {name: amount for name, amount in amounts.items() if amount is not None}
    if given:
        container["resources"] = {"requests": given, "limits": dict(given)}
