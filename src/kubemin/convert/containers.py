"""From a container of a Pod to what the own format says of one. A field more is a line in `PROPERTIES` or `TRAITS`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kubemin.convert.normal import refers
from kubemin.convert.taking import StaysError, as_is, no_counterpart, nothing_left, part, parts, taken
from kubemin.spec.objects import Manifest
from kubemin.spec.traits.probes import PROBE_TYPES

Refer = Callable[[str, str], str]
"""From kind and name of an object in the Pod's namespace to the name by which the application knows it."""
_AMOUNTS = {"cpu": "cpu", "memory": "memory", "nvidia.com/gpu": "gpu"}


@dataclass(slots=True)
class TakenContainer:
    """A container in the own format: what it runs, and its traits."""

    name: str
    image: str
    properties: Manifest = field(default_factory=dict)
    traits: Manifest = field(default_factory=dict)
    ports: list[Manifest] = field(default_factory=list)


def container(
    manifest: Manifest, volumes: Mapping[str, Manifest], refer: Refer, marks: Mapping[str, bool], path: str
) -> TakenContainer:
    """Take a reduced container apart. ``volumes``: by name, what `storage` says of each; ``marks``: of variables.

    Raises `StaysError`.
    """
    rest = dict(manifest)
    found = TakenContainer(str(rest.pop("name", "")), str(rest.pop("image", "")))
    found.ports = parts(rest, "ports", path)
    mounts = parts(rest, "volumeMounts", path)
    if mounts:
        found.traits["storage"] = [_mount(one, volumes, f"{path}.volumeMounts[{n}]") for n, one in enumerate(mounts)]
        names = [one["name"] for one in found.traits["storage"]]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise StaysError(f"{path} mounts the volume {twice} at two places")
    _take_variables(rest, found, refer, marks, path)
    found.properties |= taken(rest, PROPERTIES, path)
    found.traits |= taken(rest, TRAITS, path)
    probes = [{"type": kind, **part(rest, f"{kind}Probe", path)} for kind in PROBE_TYPES if f"{kind}Probe" in rest]
    if probes:
        found.traits["probes"] = probes
    nothing_left(rest, path)
    return found


def _mount(mount: Manifest, volumes: Mapping[str, Manifest], path: str) -> Manifest:
    rest = dict(mount)
    name = rest.pop("name", None)
    if name not in volumes:
        raise StaysError(f"{path} mounts the volume {name}, which the Pod does not have")
    found = {**volumes[name], "mountPath": rest.pop("mountPath", "")}
    found |= {field: rest.pop(field) for field in ("subPath", "readOnly") if field in rest}
    nothing_left(rest, path)
    return found


def _take_variables(rest: Manifest, found: TakenContainer, refer: Refer, marks: Mapping[str, bool], path: str) -> None:
    variables = parts(rest, "env", path)
    ordered = refers(variables)
    for number, variable in enumerate(variables):
        here = f"{path}.env[{number}]"
        name, source = str(variable.get("name")), variable.get("valueFrom")
        if source is None and not ordered and name not in marks:
            found.properties.setdefault("env", {})[name] = variable.get("value", "")
            continue
        value = {"static": variable.get("value", "")} if source is None else _source(source, refer, here)
        said = {"sensitive": marks[name]} if name in marks else {}
        found.traits.setdefault("envs", []).append({"name": name, "valueFrom": value, **said})
    sources = parts(rest, "envFrom", path)
    if sources:
        found.traits["envFrom"] = [_all_keys(one, refer, f"{path}.envFrom[{n}]") for n, one in enumerate(sources)]


_KEYS = {"secretKeyRef": ("secret", "Secret"), "configMapKeyRef": ("config", "ConfigMap")}
_KNOWN = frozenset({*_KEYS, "fieldRef"})
_REFS = {"secretRef": ("secret", "Secret"), "configMapRef": ("config", "ConfigMap")}


def _source(source: Manifest, refer: Refer, path: str) -> Manifest:
    rest = {key: dict(value) if key in _KNOWN else value for key, value in source.items()}
    for key, (word, kind) in _KEYS.items():
        if ref := rest.pop(key, None):
            found = {"name": refer(kind, str(ref.pop("name", ""))), "key": ref.pop("key", "")}
            nothing_left({**rest, **ref}, f"{path}.valueFrom.{key}")
            return {word: found}
    if ref := rest.pop("fieldRef", None):
        found_field = ref.pop("fieldPath", "")
        nothing_left({**rest, **ref}, f"{path}.valueFrom.fieldRef")
        return {"field": found_field}
    raise no_counterpart(*(f"{path}.valueFrom.{key}" for key in rest))


def _all_keys(source: Manifest, refer: Refer, path: str) -> Manifest:
    rest = dict(source)
    for key, (word, kind) in _REFS.items():
        if key in rest:
            ref = part(rest, key, path)
            name = refer(kind, str(ref.pop("name", "")))
            nothing_left({**rest, **ref}, f"{path}.{key}")
            return {"type": word, "sourceName": name}
    raise no_counterpart(path)


def _resources(value: Any, path: str) -> Manifest:
    rest: Manifest = dict(value)
    limits, requests = part(rest, "limits", path), part(rest, "requests", path)
    nothing_left(rest, path)
    if limits == requests and limits.keys() <= _AMOUNTS.keys():
        return {"resources": {_AMOUNTS[name]: str(amount) for name, amount in limits.items()}}
    sides = {"requests": requests, "limits": limits}
    found = {side: {name: str(one) for name, one in amounts.items()} for side, amounts in sides.items() if amounts}
    return {"resources": found}


Taker = Callable[[Any, str], Manifest]

PROPERTIES: Mapping[str, Taker] = {
    name: as_is(name)
    for name in (
        *("command", "args", "workingDir", "imagePullPolicy", "lifecycle", "securityContext"),
        "restartPolicy",  # of init containers
    )
}
"""What a container runs: a field of Kubernetes, and what stands for it in the properties."""

TRAITS: Mapping[str, Taker] = {"resources": _resources}
