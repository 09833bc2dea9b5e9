"""What controllers make for an object of ours and leave behind (design R6).

Told apart by uid: what was there when we looked, before our write, stays; what came since is ours to remove.
"""

from kubemin.cluster import Cluster
from kubemin.cluster.errors import NotFound
from kubemin.spec.objects import Manifest, ObjectRef


async def uids_of_dependents(cluster: Cluster, manifest: Manifest, live: Manifest | None) -> dict[str, list[str]]:
    """The uids, by kind, of what a controller might make for this object and is there already."""
    found: dict[str, list[str]] = {}
    for kind, objects in (await _present(cluster, manifest, live)).items():
        found[kind] = sorted(item["metadata"]["uid"] for item in objects)
    return found


async def dependents(cluster: Cluster, ref: ObjectRef, manifest: Manifest, owner: Manifest | None) -> list[Manifest]:
    """What there is now of what a controller may make for the object. Raises `ClusterError`."""
    named = {**manifest, "kind": ref.kind, "metadata": {"name": ref.name, "namespace": ref.namespace}}
    present = await _present(cluster, named, owner)
    return [item for objects in present.values() for item in objects]


def pvc_name_prefixes(manifest: Manifest) -> list[str]:
    """The prefixes ``<template>-<statefulset>-`` of the claims that a StatefulSet's templates make."""
    templates = manifest.get("spec", {}).get("volumeClaimTemplates") or []
    return [f"{template['metadata']['name']}-{manifest['metadata']['name']}-" for template in templates]


async def _present(cluster: Cluster, manifest: Manifest, owner: Manifest | None) -> dict[str, list[Manifest]]:
    kind, namespace = manifest["kind"], manifest["metadata"].get("namespace", "")
    present: dict[str, list[Manifest]] = {}
    if kind == "StatefulSet" and (prefixes := pvc_name_prefixes(manifest)):
        present["PersistentVolumeClaim"] = [
            item
            for item in await _list(cluster, "PersistentVolumeClaim", namespace)
            if any(_is_ordinal(item["metadata"]["name"], prefix) for prefix in prefixes)
        ]
    if owner is not None and kind in ("Deployment", "StatefulSet"):
        history = "ReplicaSet" if kind == "Deployment" else "ControllerRevision"
        uid = owner["metadata"]["uid"]
        present[history] = [
            item
            for item in await _list(cluster, history, namespace)
            if any(ref["uid"] == uid for ref in item["metadata"].get("ownerReferences") or [])
        ]
    return present


async def _list(cluster: Cluster, kind: str, namespace: str) -> list[Manifest]:
    try:
        return (await cluster.list(kind, namespace)).items
    except NotFound:
        return []


def _is_ordinal(name: str, prefix: str) -> bool:
    return name.startswith(prefix) and name[len(prefix) :].isdigit()
