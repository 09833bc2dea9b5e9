"""Definitions of custom resources that applications may have objects of: the fields of them that are written here."""

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]

TEXT: Json = {"type": "string"}
NUMBER: Json = {"type": "integer"}
ANYTHING: Json = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


def fields(*required: str, **properties: Json) -> Json:
    return {"type": "object", "properties": properties, **({"required": list(required)} if required else {})}


def many(items: Json) -> Json:
    return {"type": "array", "items": items, "x-kubernetes-list-type": "atomic"}


def defaulting(schema: Json, value: Any) -> Json:
    return {**schema, "default": value}


def definition(kind: str, group: str, spec: Mapping[str, Any], version: str = "v1") -> Json:
    plural = f"{kind.lower()}s"
    schema = {"type": "object", "properties": {"spec": spec, "status": ANYTHING}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{plural}.{group}",
            "annotations": {"api-approved.kubernetes.io": "https://example.com/approved"},
        },
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": plural, "singular": kind.lower(), "kind": kind, "listKind": f"{kind}List"},
            "versions": [
                {
                    "name": version,
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "schema": {"openAPIV3Schema": schema},
                }
            ],
        },
    }


_GROUP = "gateway.networking.k8s.io"
_PARENT = fields(
    "name",
    group=defaulting(TEXT, _GROUP),
    kind=defaulting(TEXT, "Gateway"),
    name=TEXT,
    namespace=TEXT,
    sectionName=TEXT,
    port=NUMBER,
)
_BACKEND = fields(
    "name",
    group=defaulting(TEXT, ""),
    kind=defaulting(TEXT, "Service"),
    name=TEXT,
    port=NUMBER,
    weight=defaulting(NUMBER, 1),
)
_PATH = fields(type={**TEXT, "enum": ["Exact", "PathPrefix", "RegularExpression"]}, value=TEXT)
HTTP_ROUTE = definition(
    "HTTPRoute",
    _GROUP,
    fields(
        parentRefs=many(_PARENT),
        hostnames=many(TEXT),
        rules=many(fields(matches=many(fields(path=_PATH)), backendRefs=many(_BACKEND))),
    ),
)

_REMOTE = fields("key", key=TEXT, property=TEXT, version=TEXT, conversionStrategy=defaulting(TEXT, "Default"))
EXTERNAL_SECRET = definition(
    "ExternalSecret",
    "external-secrets.io",
    fields(
        refreshInterval=defaulting(TEXT, "1h"),
        secretStoreRef=fields(name=TEXT, kind={**TEXT, "enum": ["SecretStore", "ClusterSecretStore"]}),
        target=fields(
            name=TEXT,
            creationPolicy=defaulting({**TEXT, "enum": ["Owner", "Orphan", "Merge", "None"]}, "Owner"),
            deletionPolicy=defaulting(TEXT, "Retain"),
            template=fields(type=TEXT),
        ),
        data=many(fields("secretKey", "remoteRef", secretKey=TEXT, remoteRef=_REMOTE)),
        dataFrom=many(ANYTHING),
    ),
)
