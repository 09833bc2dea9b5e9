"""Volume claims of an application: they hold data, so they are never deleted by the way (design R11)."""

from collections.abc import Collection, Iterable

from kubemin.engine.objects.lists import Lister
from kubemin.engine.objects.ownership import application_of, terminating
from kubemin.engine.objects.readers import is_finished
from kubemin.engine.objects.rollout import ordinals
from kubemin.spec.labels import APP_ID, OF_CLAIM_TEMPLATES, PART_OF
from kubemin.spec.objects import Manifest, ObjectRef

PVC = "PersistentVolumeClaim"
HOLDS_DATA = "holds data: kept"
"""Why a volume claim stays."""


async def template_claims(cluster: Lister, app_id: str, stores: Collection[ObjectRef]) -> list[Manifest]:
    """The volume claims that the controllers of these StatefulSets made, or will use. Raises `ClusterError`.

    They have the application's label, which is in the StatefulSet's templates, and its name in theirs.
    """
    found: list[Manifest] = []
    for namespace in sorted({ref.namespace for ref in stores}):
        names = [ref.name for ref in stores if ref.namespace == namespace]
        items = (await cluster.list(PVC, namespace, labels=f"{APP_ID}={app_id}")).items
        found += [item for item in items if is_of_store(item["metadata"]["name"], names) and not terminating(item)]
    return found


def is_of_store(claim: str, stores: Iterable[str]) -> bool:
    """Whether this is the name of a volume claim of one of these StatefulSets: ``<template>-<name>-<ordinal>``."""
    before, _, ordinal = claim.rpartition("-")
    return ordinal.isdigit() and any(before.endswith(f"-{name}") for name in stores)


def with_claim_labels_of(live: Manifest, manifest: Manifest) -> Manifest:
    """The manifest, whose volume claim templates have those of our labels that the object's have.

    They can never be changed: a StatefulSet that somebody else made is adopted without them.
    """
    templates = (manifest.get("spec") or {}).get("volumeClaimTemplates")
    if not templates or ObjectRef.of(manifest).kind != "StatefulSet":
        return manifest
    there = {one["metadata"]["name"]: one for one in (live.get("spec") or {}).get("volumeClaimTemplates") or ()}
    fitted = [_with_our_labels_of(there[name], one) if (name := _name(one)) in there else one for one in templates]
    return {**manifest, "spec": {**manifest["spec"], "volumeClaimTemplates": fitted}}


def _with_our_labels_of(there: Manifest, template: Manifest) -> Manifest:
    meta = {key: value for key, value in template["metadata"].items() if key != "labels"}
    labels = {
        key: value for key, value in (template["metadata"].get("labels") or {}).items() if key not in OF_CLAIM_TEMPLATES
    }
    labels |= {
        key: value for key, value in (there["metadata"].get("labels") or {}).items() if key in OF_CLAIM_TEMPLATES
    }
    return {**template, "metadata": {**meta, **({"labels": dict(sorted(labels.items()))} if labels else {})}}


def _name(template: Manifest) -> str:
    return str((template.get("metadata") or {}).get("name"))


def goes_with_its_claims(store: Manifest) -> bool:
    """Whether the cluster deletes the volume claims with the StatefulSet, as somebody has set it; we never do."""
    return _retention(store, "whenDeleted") == "Delete"


def shrinks_with_its_claims(store: Manifest) -> bool:
    """Whether the cluster deletes the volume claims of Pods that the StatefulSet no longer has; we never set that."""
    return _retention(store, "whenScaled") == "Delete"


def _retention(store: Manifest, when: str) -> object:
    return ((store.get("spec") or {}).get("persistentVolumeClaimRetentionPolicy") or {}).get(when)


def is_in_use(claim: str, store: Manifest) -> bool:
    """Whether the StatefulSet, as it is now, has a Pod that uses the volume claim."""
    return is_of_store(claim, [store["metadata"]["name"]]) and int(claim.rpartition("-")[2]) in ordinals(store)


async def user_of(cluster: Lister, ref: ObjectRef, app_id: str) -> str | None:
    """The StatefulSet of the application that uses the volume claim. Raises `ClusterError`."""
    for store in (await cluster.list("StatefulSet", ref.namespace)).items:
        if is_in_use(ref.name, store) and application_of(store) in (app_id, None) and not terminating(store):
            return str(ObjectRef.of(store))
    return None


async def other_user_of(cluster: Lister, ref: ObjectRef, app_id: str | None) -> str | None:
    """A Pod of another application that uses the volume claim, which it may only name. Raises `ClusterError`.

    Where the claim went it would stay until that Pod ends, and then the other's data would be gone.
    """
    labels = APP_ID if app_id is None else f"{APP_ID},{APP_ID}!={app_id}"
    for pod in (await cluster.list("Pod", ref.namespace, labels=labels)).items:
        volumes = pod["spec"].get("volumes") or ()
        names = {(volume.get("persistentVolumeClaim") or {}).get("claimName") for volume in volumes}
        if ref.name in names and not (terminating(pod) or is_finished(pod)):
            owner = pod["metadata"]["labels"].get(PART_OF) or application_of(pod)
            return f"{ObjectRef.of(pod)} of application {owner}"
    return None
