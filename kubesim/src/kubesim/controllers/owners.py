"""Owners and what they own: selectors, ownerReferences, adoption, and objects made from a template."""

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from kubesim.controllers.hub import Hub
from kubesim.controllers.view import controller_of, is_deleting
from kubesim.jsondata import Object, copy_json

# Letters that cannot spell a word, as the API server's names use them.
_SAFE = "bcdfghjklmnpqrstvwxz2456789"


def selects(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """Whether a label selector object matches. No selector matches nothing, an empty one everything."""
    if selector is None:
        return False
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    return all(_expression(term, labels) for term in selector.get("matchExpressions") or ())


def _expression(term: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, operator, values = term.get("key"), term.get("operator"), term.get("values") or ()
    if operator == "In":
        return labels.get(str(key)) in values
    if operator == "NotIn":
        return labels.get(str(key)) not in values
    if operator == "Exists":
        return key in labels
    return key not in labels


def reference(owner: Object, *, controller: bool = True) -> Object:
    """The ownerReference that names ``owner``."""
    ref = {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
    }
    return {**ref, "controller": True, "blockOwnerDeletion": True} if controller else ref


def claim(hub: Hub, owner: Object, plural: str, *, fits: Callable[[Object], bool] = lambda child: True) -> list[Object]:
    """The owner's children, after orphans that match were adopted and those that match no longer were let go."""
    meta = owner["metadata"]
    selector = owner["spec"].get("selector")
    mine: list[Object] = []
    for child in hub.view.controlled(meta["uid"], plural):
        if selects(selector, child["metadata"].get("labels") or {}):
            mine.append(child)
        elif not is_deleting(owner):
            hub.update(plural, _without_owner(child, meta["uid"]))
    if is_deleting(owner):
        return mine
    for child in hub.view.uncontrolled(plural, meta["namespace"]):
        if not is_deleting(child) and selects(selector, child["metadata"].get("labels") or {}) and fits(child):
            owners = [*(child["metadata"].get("ownerReferences") or ()), reference(owner)]
            mine.append(hub.update(plural, with_meta(child, ownerReferences=owners)))
    return mine


def orphans_of_interest(hub: Hub, plural: str, child: Object) -> list[Object]:
    """The owners of a resource, in the child's namespace, that would adopt it."""
    if controller_of(child) is not None:
        return []
    labels = child["metadata"].get("labels") or {}
    owners = hub.view.all(plural, child["metadata"]["namespace"])
    return [owner for owner in owners if selects(owner["spec"].get("selector"), labels)]


def with_meta(obj: Object, **fields: Any) -> Object:
    """The object with other metadata fields; an empty one is dropped."""
    meta = {**obj["metadata"], **fields}
    return {**obj, "metadata": {key: value for key, value in meta.items() if value not in ([], {}, None)}}


def _without_owner(obj: Object, uid: str) -> Object:
    owners = [owner for owner in obj["metadata"].get("ownerReferences") or () if owner["uid"] != uid]
    return with_meta(obj, ownerReferences=owners)


def pod_from(template: Object, owner: Object, *, labels: Mapping[str, str] | None = None) -> Object:
    """A Pod as the owner's template describes it. Named by the owner unless the caller gives it a name."""
    source = template.get("metadata") or {}
    meta: Object = {
        "generateName": f"{owner['metadata']['name']}-",
        "namespace": owner["metadata"]["namespace"],
        "labels": {**(source.get("labels") or {}), **(labels or {})},
        "ownerReferences": [reference(owner)],
    }
    for field in ("annotations", "finalizers"):
        if source.get(field):
            meta[field] = copy_json(source[field])
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": copy_json(template["spec"])}


def safe_hash(value: Any, collisions: int = 0) -> str:
    """Ten letters that tell two values apart, in the alphabet of generated names."""
    text = json.dumps([value, collisions] if collisions else value, sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(text.encode()).digest()
    return "".join(_SAFE[byte % len(_SAFE)] for byte in digest[:10])
