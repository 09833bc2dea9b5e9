"""``resources``: requests and limits."""

from kubemin.render.context import Context
from kubemin.render.pod import Pod
from kubemin.spec.objects import Manifest
from kubemin.spec.traits.resources import Resources


def apply(resources: Resources, container: Manifest, _pod: Pod, _context: Context) -> None:
    """Set what ``container`` gets."""
    requests, limits = resources.amounts()
    if given := {key: amounts for key, amounts in (("requests", requests), ("limits", limits)) if amounts}:
        container["resources"] = given
