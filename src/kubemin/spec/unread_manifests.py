"""Manifests of an application that is not read yet: their bounds, YAML text, kinds that only the cluster knows."""

from collections.abc import Collection, Mapping
from typing import Any

from kubemin.spec.kinds import KINDS, kind_name
from kubemin.spec.manifest_shape import is_object
from kubemin.spec.manifests import each, flattened, scopes
from kubemin.spec.text import Bounds, ParseError, parse

MAX_MANIFEST_VALUES = 500_000
MAX_MANIFEST_DEPTH = 128
"""Of all manifests of an application. Definitions of custom resources are large and deep."""


def without_manifests(data: object) -> tuple[object, list[object]]:
    """Unread input without the manifests in it, and these: they have bounds of their own."""
    parts = data.get("component") if isinstance(data, dict) else None
    if not isinstance(data, dict) or not isinstance(parts, list):
        return data, []
    rest: list[object] = []
    found: list[object] = []
    for part in parts:
        properties = part.get("properties") if isinstance(part, dict) else None
        if isinstance(properties, dict) and "manifests" in properties:
            found.append(properties["manifests"])
            part = {**part, "properties": {key: value for key, value in properties.items() if key != "manifests"}}
        rest.append(part)
    return {**data, "component": rest}, found


def with_documents(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """The unread application with YAML text of components as manifests; text that is no YAML stays."""
    parts = data.get("component")
    if not isinstance(parts, list) or not any(_yaml_of(part) for part in parts):
        return data
    bounds = Bounds()
    return {**data, "component": [_with_documents(part, bounds) for part in parts]}


def _with_documents(part: Any, bounds: Bounds) -> Any:
    if not (text := _yaml_of(part)):
        return part
    properties = part["properties"]
    given = properties.get("manifests") or []
    try:
        found = parse(text, bounds=bounds)
    except ParseError:  # who reads the application says where
        return part
    if not isinstance(given, list):
        return part
    rest = {key: value for key, value in properties.items() if key != "yaml"}
    return {**part, "properties": {**rest, "manifests": [*given, *found]}}


def _yaml_of(part: Any) -> str:
    properties = part.get("properties") if isinstance(part, dict) else None
    text = properties.get("yaml") if isinstance(properties, dict) else None
    return text if isinstance(text, str) else ""


def unplaced_kinds(data: Mapping[str, Any]) -> set[str]:
    """The kinds in an unread application of which only the cluster knows whether their objects are in a namespace."""
    found: set[str] = set()
    known = set(scopes(_given(data)))
    for _, one in flattened(_given(data), ""):
        if _is_unplaced(one):
            found.add(kind_name(one))
    return found - known


def marked_as_cluster_scoped(data: Mapping[str, Any], kinds: Collection[str]) -> dict[str, Any]:
    """The unread application, in which objects of these kinds say that they are in no namespace."""

    def marked(one: Any) -> Any:
        if _is_unplaced(one) and kind_name(one) in kinds:
            return {**one, "metadata": {**one["metadata"], "namespace": ""}}
        return one

    parts = []
    for part in data["component"]:
        properties = part.get("properties") if isinstance(part, dict) else None
        if isinstance(properties, dict) and isinstance(properties.get("manifests"), list):
            part = {**part, "properties": {**properties, "manifests": each(properties["manifests"], marked)}}
        parts.append(part)
    return {**data, "component": parts}


def _given(data: Mapping[str, Any]) -> list[Any]:
    _, found = without_manifests(data)
    return [one for manifests in found if isinstance(manifests, list) for one in manifests]


def _is_unplaced(one: Any) -> bool:
    return is_object(one) and "namespace" not in one["metadata"] and kind_name(one) not in KINDS
