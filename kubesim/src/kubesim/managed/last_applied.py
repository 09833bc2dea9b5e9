"""From client-side to server-side apply: what the annotation of ``kubectl apply`` says, kubectl may take.

Only for the field manager that kubectl uses, and only while the object has the annotation.
"""

import json
from typing import Any

from kubesim.admit.schema import Struct
from kubesim.managed.config_check import check_config
from kubesim.managed.sets import FieldSet, difference
from kubesim.managed.walk import compare, declared
from kubesim.problems import Problem

__all__ = ["KUBECTL", "annotate", "client_side_fields"]

Object = dict[str, Any]

KUBECTL = "kubectl"
ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration"
_MAX_ANNOTATIONS = 256 * 1024


def client_side_fields(schema: Struct, live: Object) -> FieldSet:
    """The fields that are as kubectl applied them last on the client's side; none without a usable annotation."""
    text = (live.get("metadata", {}).get("annotations") or {}).get(ANNOTATION)
    try:
        last = json.loads(text or "null")
        if not isinstance(last, dict) or any(last.get(field) != live[field] for field in ("apiVersion", "kind")):
            return {}
        check_config(schema, last)
    except (ValueError, Problem):
        return {}
    changed, removed = compare(schema, last, live)
    return difference(difference(declared(schema, last) or {}, changed), removed)


def annotate(merged: Object, config: Object) -> None:
    """Bring the annotation, if there is one, up to what is applied now, in place."""
    annotations = merged["metadata"].get("annotations")
    if not annotations or not annotations.get(ANNOTATION):
        return
    applied = dict(config)
    metadata = applied["metadata"] = dict(config.get("metadata") or {})
    if metadata.get("annotations"):
        metadata["annotations"] = {key: value for key, value in metadata["annotations"].items() if key != ANNOTATION}
    text = json.dumps(applied, separators=(",", ":"), sort_keys=True, ensure_ascii=False) + "\n"
    others = sum(len(key.encode()) + len(value.encode()) for key, value in annotations.items() if key != ANNOTATION)
    if others + len(ANNOTATION) + len(text.encode()) <= _MAX_ANNOTATIONS:
        annotations[ANNOTATION] = text
    else:
        del annotations[ANNOTATION]
