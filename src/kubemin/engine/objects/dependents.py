"""What controllers make for an object of ours and leave behind (design R6).

Told apart by uid: what was there when we looked, before our write, stays; what came since is ours to remove.
"""

from collections.abc import Sequence

from kubemin.cluster.errors import NotFound
from kubemin.engine.objects.lists import Lister
from kubemin.spec.kind import Kind
from kubemin.spec.kinds import kind_of
from kubemin.spec.objects import Manifest, ObjectRef


async def uids_of_dependents(cluster: Lister, manifest: Manifest, live: Manifest | None) -> dict[str, list[str]]:
    """The uids, by kind, of what a controller might make for this object and is there already."""
    ref = ObjectRef.of(manifest)
    present = await _present(cluster, kind_of(ref.kind), manifest, ref.namespace, live, metadata_only=True)
    return {kind: sorted(item["metadata"]["uid"] for item in objects) for kind, objects in present.items()}


async def dependents(cluster: Lister, ref: ObjectRef, manifest: Manifest, owner: Manifest | None) -> list[Manifest]:
    """What there is now of what a controller may make for the object. Raises `ClusterError`."""
    named = {**manifest, "metadata": {"name": ref.name}}
    present = await _present(cluster, kind_of(ref.kind), named, ref.namespace, owner)
    return [item for objects in present.values() for item in objects]


def pvc_name_prefixes(manifest: Manifest) -> list[str]:
    """The prefixes ``<template>-<statefulset>-`` of the PVCs that a StatefulSet's templates make."""
    templates = manifest.get("spec", {}).get("volumeClaimTemplates") or []
    return [f"{template['metadata']['name']}-{manifest['metadata']['name']}-" for template in templates]


async def _present(
    cluster: Lister,
    kind: Kind,
    manifest: Manifest,
    namespace: str,
    owner: Manifest | None,
    *,
    metadata_only: bool = False,
) -> dict[str, list[Manifest]]:
    present: dict[str, list[Manifest]] = {}
    for made in kind.controller.leaves if kind.controller else ():
        if made == "PersistentVolumeClaim":  # nothing but its name ties it to its StatefulSet
            if prefixes := pvc_name_prefixes(manifest):
                items = await _list(cluster, made, namespace, metadata_only)
                present[made] = [item for item in items if _is_of_template(item, prefixes)]
        elif owner is not None:
            uid = owner["metadata"]["uid"]
            items = await _list(cluster, made, namespace, metadata_only)
            present[made] = [item for item in items if _is_owned(item, uid)]
    return present


def _is_owned(item: Manifest, uid: str) -> bool:
    return any(ref["uid"] == uid for ref in item["metadata"].get("ownerReferences") or [])


def _is_of_template(pvc: Manifest, prefixes: Sequence[str]) -> bool:
    prefix, dash, ordinal = pvc["metadata"]["name"].rpartition("-")
    return prefix + dash in prefixes and ordinal.isdigit()


async def _list(cluster: Lister, kind: str, namespace: str, metadata_only: bool) -> list[Manifest]:
    try:
        return (await cluster.list(kind, namespace, metadata_only=metadata_only)).items
    except NotFound:
        return []
