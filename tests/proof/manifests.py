"""What components of the type ``manifests`` bring: custom resources with their definition, a ClusterRole, others."""

import copy
from collections.abc import Iterable, Iterator, Sequence

from kubemin.spec.kinds import KINDS
from kubemin.spec.limits import Grant, Limits
from kubemin.spec.objects import Manifest, ObjectRef
from kubesim import Operator
from kubesim.registry import Registry
from tests.proof import served

_PODS = Grant(("",), ("pods",), ("get", "list"))
LIMITS = Limits(allow_cluster_kinds="*", allow_any_rights=True, rbac_cluster=(_PODS,))
DEFINITION = "CustomResourceDefinition"
CUSTOM = "Custom"
"""By this a script names the kind of a component's custom resource."""

EXTRAS = {"definition": (DEFINITION, CUSTOM), "role": ("ClusterRole",), "before": ("Job",), "after": ("Secret",)}
"""What else a component may bring, by the name of an extra: the kinds. ``before`` and ``after`` are hooks of Helm's."""

_GROUP = "proof.example.com"
_APPS, _NAMES = ("shop", "other"), "abcdefghijkl"
_MODELLED = [kind for kind in KINDS if kind not in ("Event", "Pod", "PersistentVolume", "ResourceQuota")]


def of(app: str, name: str, version: int, extras: Sequence[str]) -> list[Manifest]:
    """The manifests of a version of a component. No other application has objects of these names."""
    data = {"version": str(version), f"only-{version}": "x"}
    made: list[Manifest] = [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"{app}-{name}-plain"}, "data": data}
    ]
    if "definition" in extras:
        made += [_definition(app, name, version), _custom(app, name, version)]
    if "role" in extras:
        rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"][:version]}]
        api_version = "rbac.authorization.k8s.io/v1"
        meta = {"name": f"{app}-{name}"}
        made.append({"apiVersion": api_version, "kind": "ClusterRole", "metadata": meta, "rules": rules})
    for extra, when in (("before", "pre"), ("after", "post")):
        if extra in extras:
            made += _hook(app, name, version, when)
    return made


def kinds_of(extras: Sequence[str]) -> Iterator[str]:
    """The kinds of these, beside the first, as a script names them."""
    for extra in extras:
        yield from EXTRAS[extra]


def _hook(app: str, name: str, version: int, when: str) -> Iterator[Manifest]:
    """A Job before all else, or what is made after it and is gone when the run is complete."""
    annotations = {"helm.sh/hook": f"{when}-install,{when}-upgrade", "helm.sh/hook-weight": str(version)}
    meta = {"name": f"{app}-{name}-{when}", "annotations": annotations}
    pod = {"restartPolicy": "Never", "containers": [{"name": "hook", "image": f"hook:v{version}"}]}
    if when == "pre":
        yield {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": {"template": {"spec": pod}}}
        return
    annotations["helm.sh/hook-delete-policy"] = "hook-succeeded"
    yield {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "stringData": {"version": str(version)}}


def kind_in_script(manifest: Manifest) -> str:
    """By what a script names the kind."""
    return CUSTOM if manifest["apiVersion"] == f"{_GROUP}/v1" else str(manifest["kind"])


def resource_key(kind: str) -> str:
    """By what the simulated cluster has the objects of a kind."""
    known = KINDS.get(kind)
    name, _, group = kind.partition(".")
    return known.plural if known is not None else f"{name.lower()}s.{group}"


def is_custom(ref: ObjectRef) -> bool:
    """Whether the object is a custom resource of these."""
    return ref.kind.endswith(f".{_GROUP}")


def defines(definition: ObjectRef, kind: str) -> bool:
    """Whether the definition defines the kind."""
    return definition.kind == DEFINITION and definition.name == resource_key(kind)


def operators() -> list[Operator]:
    """What says of each custom resource that it is ready."""
    return [*(Operator(key, seconds=5) for key in _custom_keys()), *served.OPERATORS]


def stored(registry: Registry, ref: ObjectRef) -> Manifest | None:
    """The object, also where its kind is not served."""
    return registry.peek(resource_key(ref.kind), ref.namespace, ref.name)


def snapshot(registry: Registry) -> dict[ObjectRef, Manifest]:
    """All objects that people, KubeMin or controllers made, but Pods and Events."""
    keys = [*(KINDS[kind].plural for kind in _MODELLED), *_custom_keys(), *served.KEYS]
    entries = (entry for key in keys for entry in registry.storage.shelf(key).scan())
    return {ObjectRef.of(entry.obj): copy.deepcopy(entry.obj) for entry in entries}


def define(registry: Registry, definitions: Iterable[Manifest]) -> None:
    """Let a cluster that is only asked serve what these define."""
    for one in definitions:
        registry.storage.put("customresourcedefinitions", ("", one["metadata"]["name"]), copy.deepcopy(one))


def _kind(app: str, name: str) -> str:
    return f"{app.capitalize()}{name.upper()}"


def _custom_keys() -> Iterator[str]:
    return (resource_key(f"{_kind(app, name)}.{_GROUP}") for app in _APPS for name in _NAMES)


def _custom(app: str, name: str, version: int) -> Manifest:
    ports = [{"name": "fixed", "port": version}, {"name": f"v{version}", "port": 1}]
    spec = {"size": version, "ports": ports, "tags": ["all", f"v{version}"]}
    return {"apiVersion": f"{_GROUP}/v1", "kind": _kind(app, name), "metadata": {"name": name}, "spec": spec}


def _definition(app: str, name: str, version: int) -> Manifest:
    kind = _kind(app, name)
    port = {"name": {"type": "string"}, "port": {"type": "integer", "default": 80}}
    ports = {
        "type": "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["name"],
        "items": {"type": "object", "required": ["name"], "properties": port},
    }
    tags = {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}}
    spec = {"size": {"type": "integer"}, "mode": {"type": "string", "default": "slow"}, "ports": ports, "tags": tags}
    status = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    schema = {
        "type": "object",
        "description": f"Version {version}.",
        "properties": {"spec": {"type": "object", "properties": spec}, "status": status},
    }
    served = {"name": "v1", "served": True, "storage": True, "subresources": {"status": {}}}
    names = {"plural": f"{kind.lower()}s", "singular": kind.lower(), "kind": kind, "listKind": f"{kind}List"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": DEFINITION,
        "metadata": {"name": f"{kind.lower()}s.{_GROUP}"},
        "spec": {
            "group": _GROUP,
            "scope": "Namespaced",
            "names": names,
            "versions": [{**served, "schema": {"openAPIV3Schema": schema}}],
        },
    }
