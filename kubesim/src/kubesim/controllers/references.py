"""What a Pod's spec asks of ConfigMaps, Secrets and claims, and what the kubelet says when it is not there."""

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from kubesim.jsondata import Object

_KINDS = {"configmaps": "ConfigMap", "secrets": "Secret"}


@dataclass(frozen=True, slots=True)
class Need:
    """A ConfigMap or Secret, and a key in it, or all of it (``None``)."""

    plural: str
    name: str
    key: str | None = None
    optional: bool = False


Find = Callable[[str, str], Object | None]
"""Plural and name to the object in the Pod's namespace."""


def env_needs(container: Object) -> Iterator[Need]:
    """What a container's ``envFrom`` and ``env`` ask for."""
    for source in container.get("envFrom") or ():
        for field, plural in (("configMapRef", "configmaps"), ("secretRef", "secrets")):
            if ref := source.get(field):
                yield Need(plural, ref.get("name", ""), optional=bool(ref.get("optional")))
    for env in container.get("env") or ():
        value_from = env.get("valueFrom") or {}
        for field, plural in (("configMapKeyRef", "configmaps"), ("secretKeyRef", "secrets")):
            if ref := value_from.get(field):
                yield Need(plural, ref.get("name", ""), ref.get("key"), bool(ref.get("optional")))


def volume_needs(spec: Object) -> Iterator[tuple[str, Need]]:
    """What the volumes of a Pod ask for, with the volume's name."""
    for volume in spec.get("volumes") or ():
        sources = [volume, *((volume.get("projected") or {}).get("sources") or ())]
        for source in sources:
            for field, plural, name in (
                ("configMap", "configmaps", "name"),
                ("secret", "secrets", "secretName" if source is volume else "name"),
            ):
                if ref := source.get(field):
                    optional = bool(ref.get("optional"))
                    items = [item.get("key") for item in ref.get("items") or ()] or [None]
                    for key in items:
                        yield volume.get("name", ""), Need(plural, ref.get(name, ""), key, optional)


def mounted_claims(spec: Object) -> dict[str, str]:
    """The claims that a Pod mounts, by volume name."""
    return {
        volume.get("name", ""): claim.get("claimName", "")
        for volume in spec.get("volumes") or ()
        if (claim := volume.get("persistentVolumeClaim"))
    }


def containers(spec: Object) -> Iterator[Object]:
    """All containers of a Pod, the init containers first."""
    yield from spec.get("initContainers") or ()
    yield from spec.get("containers") or ()


def used_config(spec: Object) -> Iterator[Need]:
    """All that a Pod asks for, wherever in its spec."""
    for container in containers(spec):
        yield from env_needs(container)
    for _, need in volume_needs(spec):
        yield need


def env_problem(container: Object, namespace: str, find: Find) -> str | None:
    """Why the container's configuration cannot be made, in the kubelet's words; ``None`` if it can."""
    for need in env_needs(container):
        found = find(need.plural, need.name)
        if need.optional:
            continue
        if found is None:
            return f'{_KINDS[need.plural].lower()} "{need.name}" not found'
        if need.key is not None and need.key not in (found.get("data") or {}):
            return f"couldn't find key {need.key} in {_KINDS[need.plural]} {namespace}/{need.name}"
    return None


def environment(container: Object, find: Find) -> dict[str, str]:
    """The environment that a container starts with: ``envFrom`` in its order, then ``env``, which wins.

    Values are as written: no ``$(NAME)`` is replaced, and variables with a field of the Pod are left out. What is not
    there is left out, too: ``env_problem`` has said before whether it may be absent.
    """
    variables: dict[str, str] = {}
    for source in container.get("envFrom") or ():
        for field, plural in (("configMapRef", "configmaps"), ("secretRef", "secrets")):
            if ref := source.get(field):
                values = _values(plural, find(plural, ref.get("name", "")))
                variables |= {source.get("prefix", "") + key: value for key, value in values.items()}
    for env in container.get("env") or ():
        value_from = env.get("valueFrom")
        if value_from is None:
            variables[env["name"]] = env.get("value", "")
            continue
        for field, plural in (("configMapKeyRef", "configmaps"), ("secretKeyRef", "secrets")):
            if ref := value_from.get(field):
                values = _values(plural, find(plural, ref.get("name", "")))
                if ref.get("key") in values:
                    variables[env["name"]] = values[ref["key"]]
    return variables


def mount_problem(spec: Object, find: Find) -> str | None:
    """Why a volume cannot be mounted, in the kubelet's words; ``None`` if all can."""
    for volume, need in volume_needs(spec):
        if need.optional:
            continue
        found = find(need.plural, need.name)
        kind = _KINDS[need.plural].lower()
        prefix = f'MountVolume.SetUp failed for volume "{volume}" : '
        if found is None:
            return f'{prefix}{kind} "{need.name}" not found'
        if need.key is not None and need.key not in _keys(found):
            what = "configmap references" if kind == "configmap" else "references"
            return f"{prefix}{what} non-existent {'config' if kind == 'configmap' else 'secret'} key: {need.key}"
    return None


def _values(plural: str, found: Object | None) -> dict[str, str]:
    """What variables can be made of: of a ConfigMap no ``binaryData``, of a Secret what base64 stands for."""
    data: dict[str, str] = (found or {}).get("data") or {}
    if plural == "secrets":
        return {key: base64.b64decode(value).decode(errors="replace") for key, value in data.items()}
    return dict(data)


def _keys(obj: Object) -> set[str]:
    return {*(obj.get("data") or ()), *(obj.get("binaryData") or ())}
