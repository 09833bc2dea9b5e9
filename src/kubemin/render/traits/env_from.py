"""``envFrom``: all keys of a ConfigMap or Secret."""

from collections.abc import Sequence

from kubemin.render.context import Context
from kubemin.render.pod import Pod
from kubemin.spec.objects import Manifest
from kubemin.spec.traits.env_from import EnvFrom


def apply(sources: Sequence[EnvFrom], container: Manifest, _pod: Pod, context: Context) -> None:
    """Add the sources to ``container``."""
    container["envFrom"] = [_source(source, context) for source in sources]


def _source(source: EnvFrom, context: Context) -> Manifest:
    if source.type == "secret":
        return {"secretRef": {"name": context.referred("Secret", source.source_name)}}
    return {"configMapRef": {"name": context.referred("ConfigMap", source.source_name)}}
