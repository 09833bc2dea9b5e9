"""Whether Pod templates are the same, told without holding them."""

import hashlib
from collections.abc import Mapping

import orjson

from kubemin.cluster.readiness.fields import mapping
from kubemin.spec.objects import Manifest

TEMPLATE_DIGEST = "templateDigest"
"""The field of ``spec`` in which a ReplicaSet has its template's digest once the template itself was left out."""
_HASH = "pod-template-hash"


def template_digest(item: Manifest) -> str:
    """Of the Pod template of a Deployment or ReplicaSet: the same where only what controllers add to it differs."""
    kept = mapping(item, "spec").get(TEMPLATE_DIGEST)
    return kept if isinstance(kept, str) else _digest(mapping(item, "spec", "template"))


def _digest(template: Mapping[str, object]) -> str:
    meta = {**mapping(template, "metadata")}
    meta["labels"] = {key: value for key, value in mapping(meta, "labels").items() if key != _HASH}
    meta.pop("creationTimestamp", None)  # null, or absent since 1.34
    return hashlib.sha256(orjson.dumps({**template, "metadata": meta}, option=orjson.OPT_SORT_KEYS)).hexdigest()
