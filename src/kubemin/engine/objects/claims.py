"""Volume claims of an application: they hold data, so they are never deleted by the way (design R11)."""

from collections.abc import Collection, Iterable

from kubemin.engine.objects.lists import Lister
from kubemin.engine.objects.ownership import application_of, terminating
from kubemin.engine.objects.rollout import ordinals
from kubemin.spec.labels import APP_ID
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
