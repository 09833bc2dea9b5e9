"""``envs``: single environment variables."""

from collections.abc import Sequence

from kubemin.render.context import Context
from kubemin.render.pod import Pod, variable
from kubemin.spec.objects import Manifest
from kubemin.spec.traits.envs import Env


def apply(envs: Sequence[Env], container: Manifest, _pod: Pod, context: Context) -> None:
    """Add the variables to ``container``, in the order given: one may refer to those before it, as ``$(NAME)``."""
    container.setdefault("env", []).extend(_variable(env, context) for env in envs)


def _variable(env: Env, context: Context) -> Manifest:
    source = env.value_from
    if source.secret:
        ref = {"name": context.referred("Secret", source.secret.name), "key": source.secret.key}
        return {"name": env.name, "valueFrom": {"secretKeyRef": ref}}
    if source.config:
        ref = {"name": context.referred("ConfigMap", source.config.name), "key": source.config.key}
        return {"name": env.name, "valueFrom": {"configMapKeyRef": ref}}
    if source.field:
        return {"name": env.name, "valueFrom": {"fieldRef": {"fieldPath": source.field}}}
    return variable(env.name, source.static or "")
