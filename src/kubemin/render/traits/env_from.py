"""``envFrom``: all keys of a ConfigMap or Secret."""

from collections.abc import Sequence

from kubemin.render.context import Context
from kubemin.render.pod import Pod
from kubemin.spec.objects import Manifest
from kubemin.spec.traits.env_from import EnvFrom


def apply(sources: Sequence[EnvFrom], container: Manifest, _pod: Pod, _context: Context) -> None:
    """Add the sources to ``container``."""
    container["envFrom"] = [
        {"secretRef" if source.type == "secret" else "configMapRef": {"name": source.source_name}} for source in sources
    ]
