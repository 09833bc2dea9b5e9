"""Tables: what ``kubectl get`` prints."""

from collections.abc import Mapping, Sequence
from typing import Any

from kubemin.sim.jsondata import Object
from kubemin.sim.resources import Resource


def partial(obj: Object, version: str) -> Object:
    """``PartialObjectMetadata`` of an object."""
    return {"kind": "PartialObjectMetadata", "apiVersion": f"meta.k8s.io/{version}", "metadata": obj["metadata"]}


def metadata_list(objects: Sequence[Object], meta: Object, version: str) -> Object:
    """``PartialObjectMetadataList``."""
    return {
        "kind": "PartialObjectMetadataList",
        "apiVersion": f"meta.k8s.io/{version}",
        "metadata": meta,
        "items": [partial(obj, version) for obj in objects],
    }


def render(
    resource: Resource,
    objects: Sequence[Object],
    meta: Object,
    query: Mapping[str, str],
    version: str,
    *,
    headers: bool = True,
    bookmark: Object | None = None,
) -> Object:
    """A ``Table``."""
    rows: list[dict[str, Any]] = [
        {"cells": [obj["metadata"]["name"], ""], "object": partial(obj, version)} for obj in objects
    ]
    return {
        "kind": "Table",
        "apiVersion": f"meta.k8s.io/{version}",
        "metadata": meta,
        "columnDefinitions": [],
        "rows": rows,
    }
