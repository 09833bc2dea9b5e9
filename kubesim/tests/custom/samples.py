"""Definitions of custom resources, with and without a server."""

from typing import Any

from kubesim.jsondata import Object, copy_json
from kubesim.registry import Registry

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
WIDGETS = "/apis/example.com/v1/namespaces/default/widgets"
KEY = "widgets.example.com"

FREE: Object = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
PORT: Object = {
    "type": "object",
    "required": ["name"],
    "properties": {"name": {"type": "string"}, "number": {"type": "integer", "default": 80}},
}
SPEC: Object = {
    "type": "object",
    "properties": {
        "size": {"type": "integer", "minimum": 0, "maximum": 9},
        "mode": {"type": "string", "enum": ["slow", "fast"], "default": "slow"},
        "ports": {
            "type": "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"],
            "items": PORT,
        },
        "tags": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
        "args": {"type": "array", "items": {"type": "string"}},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "whole": {
            "type": "object",
            "x-kubernetes-map-type": "atomic",
            "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
        },
        "free": FREE,
        "share": {"x-kubernetes-int-or-string": True},
        "maybe": {"type": "string", "nullable": True},
    },
}


def version(name: str = "v1", spec: Object | None = None, **fields: Any) -> Object:
    schema = {"type": "object", "properties": {"spec": copy_json(spec or SPEC), "status": copy_json(FREE)}}
    return {"name": name, "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}, **fields}


def definition(*versions: Object, plural: str = "widgets", kind: str = "Widget", **spec: Any) -> Object:
    """A definition in the group ``example.com``; with the status and scale subresources if no version is given."""
    scale = {"specReplicasPath": ".spec.size", "statusReplicasPath": ".status.size"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {"plural": plural, "kind": kind},
            "versions": list(versions) or [version(subresources={"status": {}, "scale": scale})],
            **spec,
        },
    }


def widget(name: str = "a", version: str = "v1", **fields: Any) -> Object:
    return {"apiVersion": f"example.com/{version}", "kind": "Widget", "metadata": {"name": name}, **copy_json(fields)}


def define(registry: Registry, made: Object) -> None:
    """Make a definition, and have it served at once."""
    stored = registry.create("customresourcedefinitions", "", made, manager="test")
    serve(registry, stored)


def serve(registry: Registry, stored: Object) -> None:
    names = stored["spec"]["names"]
    conditions = [{"type": kind, "status": "True", "reason": "Test"} for kind in ("NamesAccepted", "Established")]
    status = {**stored["status"], "acceptedNames": names, "conditions": conditions}
    name = stored["metadata"]["name"]
    registry.update(
        "customresourcedefinitions", "", name, {**stored, "status": status}, manager="test", subresource="status"
    )


def world(made: Object | None = None) -> Registry:
    """A cluster without controllers, where widgets are served, as a definition has them."""
    registry = Registry()
    registry.create("namespaces", "", {"metadata": {"name": "default"}}, manager="test")
    define(registry, made or definition())
    return registry
