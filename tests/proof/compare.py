"""Two objects side by side: without what only counts up, without what controllers report."""

from typing import Any

from kubemin.engine.objects.diff import changed_paths
from kubemin.spec.labels import MANAGER, TASK_ID, WRITE_TOKEN
from kubemin.spec.objects import Manifest

_COUNTERS = ("resourceVersion", "generation", "managedFields", "deletionGracePeriodSeconds")
_BY_CONTROLLERS = (
    "deployment.kubernetes.io/",
    "pv.kubernetes.io/",
    "volume.kubernetes.io/",
    "volume.beta.kubernetes.io/",
)
_CONTROLLERS = ("kube-controller-manager", "kubelet", "kube-scheduler")
_MARKS = (f"f:{WRITE_TOKEN}", f"f:{TASK_ID}")


def normal(obj: Manifest) -> Manifest:
    """An object without what only counts up, and without what controllers report."""
    meta = {key: value for key, value in obj["metadata"].items() if key not in _COUNTERS}
    annotations = {
        key: value for key, value in meta.pop("annotations", {}).items() if not key.startswith(_BY_CONTROLLERS)
    }
    if annotations:
        meta["annotations"] = annotations
    meta["owners"] = _owners(obj)
    body = {key: value for key, value in obj.items() if key not in ("metadata", "status")}
    if obj["kind"] == "ControllerRevision":
        body.pop("revision", None)
    if obj["kind"] == "PersistentVolumeClaim":  # bound when its controller comes to it
        body["spec"] = {key: value for key, value in body["spec"].items() if key != "volumeName"}
    return {**body, "metadata": meta}


def essence(obj: Manifest) -> Manifest:
    """What an apply decides about an object: without identity, marks of the task, and what is assigned at random."""
    shown = normal(obj)
    meta = {key: value for key, value in shown["metadata"].items() if key not in ("uid", "creationTimestamp")}
    for key, mark in (("annotations", WRITE_TOKEN), ("labels", TASK_ID)):
        kept = {name: value for name, value in meta.pop(key, {}).items() if name != mark}
        if kept:
            meta[key] = kept
    owners = {who: [field for field in fields if not field.endswith(_MARKS)] for who, fields in meta["owners"].items()}
    meta["owners"] = {who: fields for who, fields in owners.items() if fields}
    if obj["kind"] == "Service":
        spec = {key: value for key, value in shown["spec"].items() if key not in ("clusterIP", "clusterIPs")}
        if "ports" in spec:
            spec["ports"] = [{key: value for key, value in one.items() if key != "nodePort"} for one in spec["ports"]]
        shown = {**shown, "spec": spec}
    return {**shown, "metadata": meta}


def _owners(obj: Manifest) -> dict[str, list[str]]:
    """By manager and operation, the fields it owns. Our own count together: the engine turns one into the other."""
    owners: dict[str, set[str]] = {}
    for entry in obj["metadata"].get("managedFields") or []:
        if entry.get("subresource") == "status" or entry["manager"] in _CONTROLLERS:
            continue
        who = " ".join([entry["manager"], entry.get("subresource", ""), entry["operation"]])
        owners.setdefault(MANAGER if entry["manager"] == MANAGER else who, set()).update(_fields(entry["fieldsV1"], ""))
    return {who: sorted(fields) for who, fields in owners.items() if fields}


def _fields(tree: dict[str, Any], path: str) -> set[str]:
    found: set[str] = set()
    for key, below in tree.items():
        if key != "." and (below or key != "f:annotations"):  # left empty where the claim was the only one
            found |= _fields(below, f"{path}/{key}") or {f"{path}/{key}"}
    return found


def how(was: Manifest, now: Manifest) -> str:
    """In what two normal objects differ, for people."""
    paths = changed_paths(was, now)
    for key in was["metadata"].keys() | now["metadata"].keys():
        one, two = was["metadata"].get(key), now["metadata"].get(key)
        if key == "owners":
            paths += [
                f"fields of {who}: lost {sorted(lost)}, got {sorted(got)}"
                for who in one.keys() | two.keys()
                if (lost := set(one.get(who, [])) - set(two.get(who, [])))
                | (got := set(two.get(who, [])) - set(one.get(who, [])))
            ]
        elif one != two and key not in ("labels", "annotations"):
            paths.append(f"metadata.{key}: {one} became {two}")
    return ", ".join(paths) or f"{was} became {now}"


def lacking(wanted: Any, live: Any, path: str = "") -> list[str]:
    """What a manifest says and the live object does not."""
    if isinstance(wanted, dict) and isinstance(live, dict):
        found = []
        for key, value in wanted.items():
            below = f"{path}.{key}" if path else key
            if key not in live:
                if value not in ({}, [], None, ""):
                    found.append(f"{below} is missing")
            else:
                found += lacking(value, live[key], below)
        return found
    if isinstance(wanted, list) and isinstance(live, list) and len(wanted) == len(live):
        return [one for place, item in enumerate(wanted) for one in lacking(item, live[place], f"{path}[{place}]")]
    return [] if wanted == live else [f"{path} is {live!r}, not {wanted!r}"]
