"""``probes``: liveness, readiness, startup."""

from collections.abc import Sequence

from kubemin.render.context import Context
from kubemin.render.pod import Pod
from kubemin.spec.objects import Manifest
from kubemin.spec.traits.probes import Probe


def apply(probes: Sequence[Probe], container: Manifest, _pod: Pod, _context: Context) -> None:
    """Add the probes to ``container``; the fields are Kubernetes' own."""
    for probe in probes:
        body = probe.dump()
        container[f"{body.pop('type')}Probe"] = body
