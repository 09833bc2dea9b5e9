"""Tables: what ``kubectl get`` prints, and the metadata-only views."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from kubesim.columns import Column, columns_of
from kubesim.jsondata import Object
from kubesim.problems import bad_request
from kubesim.resources import Resource


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
    now: datetime,
    *,
    headers: bool = True,
) -> Object:
    """A ``Table`` of objects. ``headers`` is false for all but the first event of a watch."""
    columns = columns_of(resource)
    include = query.get("includeObject", "Metadata") or "Metadata"
    if include not in ("Metadata", "Object", "None"):
        raise bad_request(
            f'Unable to convert to Table as requested: includeObject: Invalid value: "{include}": must be "Metadata", '
            '"Object", "None", or empty'
        )
    rows: list[Object] = []
    for obj in objects:
        row: Object = {"cells": [column.cell(obj, now) for column in columns]}
        if include == "Object":
            row["object"] = obj
        elif include == "Metadata":
            row["object"] = partial(obj, version)
        rows.append(row)
    return {
        "kind": "Table",
        "apiVersion": f"meta.k8s.io/{version}",
        "metadata": meta,
        "columnDefinitions": [_definition(column) for column in columns] if headers else [],
        "rows": rows,
    }


def bookmark(obj: Object, version: str) -> Object:
    """A watch's bookmark as a ``Table`` of one empty row."""
    return {
        "kind": "Table",
        "apiVersion": f"meta.k8s.io/{version}",
        "metadata": {"resourceVersion": obj["metadata"]["resourceVersion"]},
        "columnDefinitions": [],
        "rows": [{"cells": [], "object": partial(obj, version)}],
    }


def _definition(column: Column) -> Object:
    return {
        "name": column.name,
        "type": column.type,
        "format": "name" if column.name == "Name" else "",
        "description": "",
        "priority": column.priority,
    }
