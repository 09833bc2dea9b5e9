"""What controllers make for an object of ours and leave behind (design R6).

Told apart by uid: what was there when we looked, before our write, stays; what came since is ours to remove.
"""

from collections.abc import Mapping, Sequence

from kubemin.cluster.errors import NotFound
from kubemin.engine.objects.lists import Lister
from kubemin.spec.kind import Kind
from kubemin.spec.kinds import kind_of
from kubemin.spec.labels import WRITE_TOKEN
from kubemin.spec.objects import Manifest, ObjectRef

COPIES = "write tokens"
"""Key in an object's dependents: the uids of those that have a copy of a write token, each with that."""


async def uids_of_dependents(cluster: Lister, manifest: Manifest, live: Manifest | None) -> dict[str, list[str]]:
    """The uids, by kind, of what a controller might make for this object and is there already; and `COPIES`."""
    ref = ObjectRef.of(manifest)
    present = await _present(cluster, kind_of(ref.kind), manifest, ref.namespace, live, metadata_only=True)
    found = {kind: sorted(item["metadata"]["uid"] for item in objects) for kind, objects in present.items()}
    tokens = {
        item["metadata"]["uid"]: token
        for objects in present.values()
        for item in objects
        if (token := (item["metadata"].get("annotations") or {}).get(WRITE_TOKEN)) is not None
    }
    return {**found, COPIES: [f"{uid} {token}" for uid, token in sorted(tokens.items())]} if tokens else found


def former_copy(recorded: Mapping[str, Sequence[str]], item: Manifest) -> str | None:
    """The write token that a dependent had a copy of when its object's were recorded."""
    return dict(one.split(" ", 1) for one in recorded.get(COPIES, ())).get(item["metadata"]["uid"])


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
