"""OpenAPI documents: the operations and parameters that clients look for before they write, few schemas."""

import hashlib

from kubesim.catalog import GroupVersions
from kubesim.custom.resource import CustomResource
from kubesim.jsondata import Object, dump_json
from kubesim.resources import Resource

_JSON = "application/json"
_PROTOBUF = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
_TITLE, _VERSION = "Kubernetes", "v1.36.0"


def answer(path: str, accept: str | None, groups: GroupVersions) -> tuple[bytes, str] | None:
    """Body and content type for an OpenAPI path, or ``None`` if it is not one."""
    parts = [part for part in path.split("/") if part]
    if parts[:2] == ["openapi", "v2"]:
        # kubectl asks for protobuf, with the type spelled in either of two ways, and reads whatever comes as that.
        return (
            (_v2_protobuf(), _PROTOBUF)
            if "com.github.proto-openapi.spec.v2" in (accept or "")
            else (_v2(groups), _JSON)
        )
    if parts[:2] != ["openapi", "v3"]:
        return None
    if len(parts) == 2:
        return dump_json(
            {
                "paths": {
                    _key(group, version): {"serverRelativeURL": _url(group, version, groups)}
                    for group, version in groups
                }
            }
        ), _JSON
    for group, version in groups:
        if "/".join(parts[2:]) == _key(group, version):
            return dump_json(_v3(group, version, groups)), _JSON
    return None


def _key(group: str, version: str) -> str:
    return f"apis/{group}/{version}" if group else f"api/{version}"


def _url(group: str, version: str, groups: GroupVersions) -> str:
    digest = hashlib.sha256(dump_json(_v3(group, version, groups))).hexdigest().upper()
    return f"/openapi/v3/{_key(group, version)}?hash={digest}"


def _parameters() -> list[Object]:
    return [
        {"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": True}}
        for name in ("dryRun", "fieldManager", "fieldValidation", "force")
    ]


def _paths(resource: Resource) -> tuple[str, str]:
    collection = f"/{_key(resource.group, resource.version)}/"
    collection += f"namespaces/{{namespace}}/{resource.plural}" if resource.namespaced else resource.plural
    return collection, collection + "/{name}"


def _v3(group: str, version: str, groups: GroupVersions) -> Object:
    paths: Object = {}
    for resource in groups[group, version]:
        gvk = {"group": group, "version": version, "kind": resource.kind}
        collection, single = _paths(resource)
        operation = {"parameters": _parameters(), "responses": {}, "x-kubernetes-group-version-kind": gvk}
        paths[collection] = {"post": {**operation, "x-kubernetes-action": "post"}}
        paths[single] = {
            "put": {**operation, "x-kubernetes-action": "put"},
            "patch": {**operation, "x-kubernetes-action": "patch"},
        }
    return {
        "openapi": "3.0.0",
        "info": {"title": _TITLE, "version": _VERSION},
        "paths": paths,
        "components": {"schemas": _schemas(groups[group, version])},
    }


def _schemas(resources: tuple[Resource, ...]) -> Object:
    """The schemas of custom resources, as their definitions have them."""
    found: Object = {}
    for resource in resources:
        if isinstance(resource, CustomResource):
            gvk = {"group": resource.group, "version": resource.version, "kind": resource.kind}
            name = ".".join((*reversed(resource.group.split(".")), resource.version, resource.kind))
            found[name] = {**resource.schema, "x-kubernetes-group-version-kind": [gvk]}
    return found


def _v2(groups: GroupVersions) -> bytes:
    paths: Object = {}
    for (group, version), resources in groups.items():
        for resource in resources:
            gvk = {"group": group, "version": version, "kind": resource.kind}
            parameters = [
                {"name": name, "in": "query", "type": "string", "uniqueItems": True}
                for name in ("dryRun", "fieldManager", "fieldValidation", "force")
            ]
            operation = {"parameters": parameters, "responses": {}, "x-kubernetes-group-version-kind": gvk}
            collection, single = _paths(resource)
            paths[collection] = {"post": operation}
            paths[single] = {"put": operation, "patch": operation}
    info = {"title": _TITLE, "version": _VERSION}
    return dump_json({"swagger": "2.0", "info": info, "paths": paths, "definitions": {}})


def _v2_protobuf() -> bytes:
    """A Document of gnostic's ``openapi_v2`` that describes nothing: clients then leave the checks to the server."""
    info = _text(1, _TITLE.encode()) + _text(2, _VERSION.encode())
    return _text(1, b"2.0") + _text(2, info)


def _text(number: int, value: bytes) -> bytes:
    """A field of a protobuf message: a string, or a message, of less than 128 bytes."""
    return bytes([number << 3 | 2, len(value)]) + value
