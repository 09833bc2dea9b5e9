"""The scale subresource: replicas, seen as an object of their own."""

from typing import Any

from kubesim.custom.resource import CustomResource, dig
from kubesim.decoding import check_name, typed
from kubesim.jsondata import Object, copy_json
from kubesim.problems import modified, precondition_failed
from kubesim.resources import Resource


def scale_of(resource: Resource, obj: Object) -> Object:
    """The ``Scale`` of a workload."""
    meta = obj["metadata"]
    fields = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    if isinstance(resource, CustomResource) and (paths := resource.scale) is not None:
        replicas, current = dig(obj, paths.spec) or 0, dig(obj, paths.status) or 0
        selector = dig(obj, paths.selector) if paths.selector else ""
    else:
        replicas, current = obj["spec"].get("replicas", 0), obj.get("status", {}).get("replicas", 0)
        selector = _selector_text(resource, obj["spec"].get("selector") or {})
    status: dict[str, Any] = {"replicas": current}
    if selector:
        status["selector"] = selector
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {field: meta[field] for field in fields if field in meta},
        "spec": {"replicas": replicas} if replicas else {},
        "status": status,
    }


def _selector_text(resource: Resource, selector: Object) -> str:
    if resource.key == "replicationcontrollers":
        return ",".join(f"{key}={value}" for key, value in sorted(selector.items()))
    terms = [f"{key}={value}" for key, value in sorted((selector.get("matchLabels") or {}).items())]
    for expression in selector.get("matchExpressions") or ():
        key, operator, values = expression["key"], expression["operator"], expression.get("values") or []
        if operator in ("In", "NotIn"):
            terms.append(f"{key} {operator.lower()} ({','.join(sorted(values))})")
        else:
            terms.append(key if operator == "Exists" else f"!{key}")
    return ",".join(terms)


def apply_scale(resource: Resource, live: Object, scale: Object) -> Object:
    """The workload with the replicas of a ``Scale``, whose uid and version must fit if it has them."""
    meta = typed(scale, "metadata", dict, "Scale") or {}
    spec = typed(scale, "spec", dict, "Scale") or {}
    check_name({"name": live["metadata"]["name"], **meta}, live["metadata"]["name"])
    if (uid := meta.get("uid")) and uid != live["metadata"]["uid"]:
        key = (live["metadata"].get("namespace", ""), live["metadata"]["name"])
        raise precondition_failed(resource, key, "UID", uid, live["metadata"]["uid"])
    if (version := meta.get("resourceVersion")) and version != live["metadata"]["resourceVersion"]:
        raise modified(resource, live["metadata"]["name"])
    new: Object = copy_json(live)
    custom = resource.scale if isinstance(resource, CustomResource) else None
    *above, last = custom.spec if custom is not None else ("spec", "replicas")
    place = new
    for part in above:
        place = place.setdefault(part, {})
    place[last] = typed(spec, "replicas", int, "ScaleSpec") or 0
    return new
