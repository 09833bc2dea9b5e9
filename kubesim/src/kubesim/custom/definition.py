"""From a CustomResourceDefinition to the resources that it defines."""

import re

from kubesim.custom.formats import is_known
from kubesim.custom.resource import CustomResource, ScalePaths
from kubesim.custom.shaping import parts
from kubesim.jsondata import Object

__all__ = ["CLEANUP", "DEFINITIONS", "definition_advice", "is_true", "priority", "resources_of"]

DEFINITIONS = "customresourcedefinitions"
CLEANUP = "customresourcecleanup.apiextensions.k8s.io"
"""The finalizer of a definition whose objects have to go first."""

_VERSION = re.compile(r"v(\d+)(?:(alpha|beta)(\d+))?")


def is_true(definition: Object, kind: str) -> bool:
    """Whether a definition's condition of that type is true."""
    conditions = (definition.get("status") or {}).get("conditions") or ()
    return any(found["type"] == kind and found["status"] == "True" for found in conditions)


def resources_of(definition: Object) -> tuple[CustomResource, ...]:
    """A resource for each version, served or not; none before the names are accepted."""
    if not (is_true(definition, "NamesAccepted") or is_true(definition, "Established")):
        return ()
    spec = definition["spec"]
    return tuple(_resource(definition, version) for version in spec["versions"])


def _resource(definition: Object, version: Object) -> CustomResource:
    spec = definition["spec"]
    names = {**spec["names"], **definition["status"]["acceptedNames"]}
    extras = version.get("subresources") or {}
    stored = next(each["name"] for each in spec["versions"] if each["storage"])
    going = "deletionTimestamp" in definition["metadata"] or is_true(definition, "Terminating")
    return CustomResource(
        spec["group"],
        version["name"],
        spec["names"]["plural"],
        names["kind"],
        names.get("singular", ""),
        namespaced=spec["scope"] == "Namespaced",
        short_names=tuple(names.get("shortNames") or ()),
        categories=tuple(names.get("categories") or ()),
        subresources=tuple(name for name in ("status", "scale") if extras.get(name) is not None),
        generation=True,
        unconditional_update=False,
        selectable=frozenset(each["jsonPath"].removeprefix(".") for each in version.get("selectableFields") or ()),
        schema=(version.get("schema") or {}).get("openAPIV3Schema") or {},
        stored=f"{spec['group']}/{stored}",
        versions=frozenset(f"{spec['group']}/{each['name']}" for each in spec["versions"]),
        listed_as=names.get("listKind") or f"{names['kind']}List",
        scale=_scale(extras.get("scale")),
        columns=tuple(version.get("additionalPrinterColumns") or ()),
        served=version["served"],
        terminating=going,
        listed=is_true(definition, "Established"),
        warning=_warning(spec, version),
    )


def _scale(scale: Object | None) -> ScalePaths | None:
    if scale is None:
        return None
    names = ("specReplicasPath", "statusReplicasPath", "labelSelectorPath")
    return ScalePaths(*(tuple(part for part in scale.get(name, "").split(".") if part) for name in names))


def _warning(spec: Object, version: Object) -> str:
    if not version.get("deprecated"):
        return ""
    text = f"{spec['group']}/{version['name']} {spec['names']['kind']} is deprecated"
    newer = [each["name"] for each in spec["versions"] if each["served"] and not each.get("deprecated")]
    newer = [name for name in newer if priority(name) > priority(version["name"])]
    if newer:
        text += f"; use {spec['group']}/{max(newer, key=priority)} {spec['names']['kind']}"
    return version.get("deprecationWarning") or text


def priority(version: str) -> tuple[int, int, int]:
    """Greater for a version that clients prefer: v2, v1, v1beta2, v1beta1, v1alpha1, then all others."""
    match = _VERSION.fullmatch(version)
    if match is None:
        return (0, 0, 0)
    return ({"alpha": 1, "beta": 2}.get(match[2], 3), int(match[1]), int(match[3] or 0))


def definition_advice(new: Object, old: Object | None) -> list[str]:
    """What the server warns of in a definition: formats that it does not know, and that were not there before."""
    before = set() if old is None else _unknown_formats(old)
    return [f'unrecognized format "{name}"' for name in sorted(_unknown_formats(new) - before)]


def _unknown_formats(definition: Object) -> set[str]:
    schemas = ((version.get("schema") or {}).get("openAPIV3Schema") or {} for version in definition["spec"]["versions"])
    found = [part for schema in schemas for part in parts(schema) if part.get("format")]
    return {part["format"] for part in found if not is_known(part["format"], part.get("type", ""))}
