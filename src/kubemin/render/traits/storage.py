"""``storage``: volumes, mounts, claims."""

from collections.abc import Sequence

from kubemin.render.context import Context
from kubemin.render.pod import Pod
from kubemin.spec.component_types import STORE
from kubemin.spec.objects import Manifest
from kubemin.spec.traits import storage as spec
from kubemin.spec.traits.storage import Storage

FILE_MODE = 0o644


def apply(storages: Sequence[Storage], container: Manifest, pod: Pod, context: Context) -> None:
    """Mount the volumes into ``container``; make those that the Pod does not have yet."""
    for storage in storages:
        if storage.name not in pod.volumes:
            pod.volumes[storage.name] = _volume(storage, pod, context)
        mount: Manifest = {"name": storage.name, "mountPath": storage.mounted_at}
        if storage.sub_path:
            mount["subPath"] = storage.sub_path
        if storage.read_only:
            mount["readOnly"] = True
        container.setdefault("volumeMounts", []).append(mount)


def _volume(storage: Storage, pod: Pod, context: Context) -> Manifest:
    match storage.type:
        case spec.EPHEMERAL:
            source: Manifest = {"emptyDir": {}}
        case spec.CONFIG:
            source = {"configMap": {"name": context.referred("ConfigMap", storage.source), "defaultMode": FILE_MODE}}
        case spec.SECRET:
            source = {"secret": {"secretName": context.referred("Secret", storage.source), "defaultMode": FILE_MODE}}
        case spec.HOST:
            source = {"hostPath": {"path": storage.host_path}}
        case _:
            source = {"persistentVolumeClaim": {"claimName": _claim(storage, pod, context)}}
    return {"name": storage.name, **source}


def _claim(storage: Storage, pod: Pod, context: Context) -> str:
    """Name of the claim behind a persistent volume, which is made on the way unless another component makes it."""
    kind = "PersistentVolumeClaim"
    if not storage.creates and (own := context.application.referred(kind, context.namespace, storage.source)):
        return own
    spec_: Manifest = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": storage.size}}}
    if storage.storage_class:
        spec_["storageClassName"] = storage.storage_class
    if not storage.creates:
        made = context.manifest("PersistentVolumeClaim", storage.source, {"spec": spec_})
        pod.claims.setdefault(storage.source, made)
        return storage.source
    if context.component.type == STORE:
        # Templates cannot be changed later, not even their labels.
        metadata = {"name": storage.name, "labels": context.stable_labels()}
        pod.claim_templates.append(
            {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec_}
        )
        return storage.name
    name = context.name("PersistentVolumeClaim", storage.name)
    pod.objects.append(context.manifest("PersistentVolumeClaim", name, {"spec": spec_}))
    return name
