"""Claims and volumes: a volume for each claim, and protection of what is in use."""

from kubesim.admit.quantity import quantity_value
from kubesim.controllers.hub import Controller, Key
from kubesim.controllers.owners import with_meta
from kubesim.controllers.scheduler import SELECTED_NODE
from kubesim.controllers.view import is_deleting, obj_phase
from kubesim.jsondata import Object
from kubesim.storage import EventType

CLAIM_PROTECTION = "kubernetes.io/pvc-protection"
VOLUME_PROTECTION = "kubernetes.io/pv-protection"
BIND_COMPLETED = "pv.kubernetes.io/bind-completed"
BOUND_BY_CONTROLLER = "pv.kubernetes.io/bound-by-controller"
PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
_PROVISIONERS = ("volume.beta.kubernetes.io/storage-provisioner", "volume.kubernetes.io/storage-provisioner")
_COMPONENT = "persistentvolume-controller"


class VolumeController(Controller):
    """Syncs claims by ``claim``, namespace and name, and volumes by ``volume`` and name."""

    watches = ("persistentvolumeclaims", "persistentvolumes", "pods", "storageclasses")

    def changed(self, event: EventType, plural: str, obj: Object, old: Object | None) -> None:
        meta = obj["metadata"]
        if plural == "persistentvolumeclaims":
            self.enqueue("claim", meta["namespace"], meta["name"])
            volume = obj["spec"].get("volumeName")
            if volume:
                self.enqueue("volume", volume)
        elif plural == "persistentvolumes":
            self.enqueue("volume", meta["name"])
            claim = (obj.get("spec") or {}).get("claimRef")
            if claim:
                self.enqueue("claim", claim.get("namespace", ""), claim.get("name", ""))
            else:
                self._enqueue_unbound()
        elif plural == "storageclasses":
            self._enqueue_unbound()
        elif event == "DELETED":
            for volume in obj["spec"].get("volumes") or ():
                if claim := volume.get("persistentVolumeClaim"):
                    self.enqueue("claim", meta["namespace"], claim.get("claimName", ""))

    def sync(self, key: Key) -> None:
        if key[0] == "volume":
            volume = self.view.get("persistentvolumes", "", key[1])
            if volume is not None:
                self._sync_volume(volume)
            return
        claim = self.view.get("persistentvolumeclaims", key[1], key[2])
        if claim is None:
            return
        if is_deleting(claim):
            self._release(claim)
        elif CLAIM_PROTECTION not in (claim["metadata"].get("finalizers") or ()):
            finalizers = [*(claim["metadata"].get("finalizers") or ()), CLAIM_PROTECTION]
            self.hub.update("persistentvolumeclaims", with_meta(claim, finalizers=finalizers))
        elif claim["spec"].get("volumeName"):
            self._complete(claim)
        else:
            self._find(claim)

    def _enqueue_unbound(self) -> None:
        for claim in self.view.all("persistentvolumeclaims"):
            if obj_phase(claim) != "Bound":
                self.enqueue("claim", claim["metadata"]["namespace"], claim["metadata"]["name"])

    # --- claims

    def _release(self, claim: Object) -> None:
        """A claim that a Pod on a node still names stays; else nothing protects it any more."""
        meta = claim["metadata"]
        users = self.view.users("persistentvolumeclaims", meta["namespace"], meta["name"])
        finalizers = meta.get("finalizers") or []
        if CLAIM_PROTECTION in finalizers and not any(pod["spec"].get("nodeName") for pod in users):
            left = [finalizer for finalizer in finalizers if finalizer != CLAIM_PROTECTION]
            self.hub.update("persistentvolumeclaims", with_meta(claim, finalizers=left))

    def _find(self, claim: Object) -> None:
        """Find or make a volume for a claim that has none."""
        name = claim["spec"].get("storageClassName") or ""
        volume = next((found for found in self.view.all("persistentvolumes") if _fits(found, claim)), None)
        if volume is not None:
            self._bind(claim, volume)
            return
        if not name:
            self._event(
                claim,
                "Normal",
                "FailedBinding",
                "no persistent volumes available for this claim and no storage class is set",
            )
            return
        found = self.view.get("storageclasses", "", name)
        if found is None:
            self._event(claim, "Warning", "ProvisioningFailed", f'storageclass.storage.k8s.io "{name}" not found')
            return
        annotations = dict(claim["metadata"].get("annotations") or {})
        if found.get("volumeBindingMode") == "WaitForFirstConsumer" and SELECTED_NODE not in annotations:
            self._event(
                claim,
                "Normal",
                "WaitForFirstConsumer",
                "waiting for first consumer to be created before binding",
            )
            return
        wanted = {**annotations, **dict.fromkeys(_PROVISIONERS, found["provisioner"])}
        if annotations != wanted:
            claim = self.hub.update("persistentvolumeclaims", with_meta(claim, annotations=wanted))
        self._bind(claim, self._provision(claim, found))

    def _provision(self, claim: Object, storage_class: Object) -> Object:
        meta, spec = claim["metadata"], claim["spec"]
        name = f"pvc-{meta['uid']}"
        existing = self.view.get("persistentvolumes", "", name)
        if existing is not None:
            return existing
        volume = {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": name, "annotations": {PROVISIONED_BY: storage_class["provisioner"]}},
            "spec": {
                "capacity": {"storage": _asked(claim)},
                "accessModes": list(spec.get("accessModes") or ()),
                "claimRef": _claim_ref(claim),
                "persistentVolumeReclaimPolicy": storage_class.get("reclaimPolicy", "Delete"),
                "storageClassName": storage_class["metadata"]["name"],
                "volumeMode": spec.get("volumeMode", "Filesystem"),
                "hostPath": {"path": f"/var/sim/{name}", "type": "DirectoryOrCreate"},
            },
        }
        made = self.hub.create("persistentvolumes", volume)
        self._event(claim, "Normal", "ProvisioningSucceeded", f"Successfully provisioned volume {name}")
        return made

    def _bind(self, claim: Object, volume: Object) -> None:
        if not (volume["spec"].get("claimRef") or {}).get("uid"):
            spec = {**volume["spec"], "claimRef": _claim_ref(claim)}
            annotations = {**(volume["metadata"].get("annotations") or {}), BOUND_BY_CONTROLLER: "yes"}
            self.hub.update("persistentvolumes", {**with_meta(volume, annotations=annotations), "spec": spec})
        annotations = dict(claim["metadata"].get("annotations") or {})
        annotations |= {BIND_COMPLETED: "yes", BOUND_BY_CONTROLLER: "yes"}
        spec = {**claim["spec"], "volumeName": volume["metadata"]["name"]}
        self.hub.update("persistentvolumeclaims", {**with_meta(claim, annotations=annotations), "spec": spec})

    def _complete(self, claim: Object) -> None:
        """Say that a claim is bound, or that its volume is lost; grow it when it asks for more."""
        status = claim.get("status") or {}
        volume = self.view.get("persistentvolumes", "", claim["spec"]["volumeName"])
        ref = (volume["spec"].get("claimRef") or {}) if volume is not None else {}
        if volume is not None and ref.get("uid") in (None, "") and _may_bind(ref, claim):
            self._bind(claim, volume)
            return
        if volume is None or ref.get("uid") != claim["metadata"]["uid"]:
            if BIND_COMPLETED in (claim["metadata"].get("annotations") or {}):
                self.hub.set_status("persistentvolumeclaims", claim, {"phase": "Lost"})
            return
        have = volume["spec"]["capacity"]["storage"]
        if quantity_value(_asked(claim)) > quantity_value(have):
            have = _asked(claim)
            spec = {**volume["spec"], "capacity": {**volume["spec"]["capacity"], "storage": have}}
            self.hub.update("persistentvolumes", {**volume, "spec": spec})
        self.hub.set_status(
            "persistentvolumeclaims",
            claim,
            {
                **status,
                "phase": "Bound",
                "accessModes": list(volume["spec"].get("accessModes") or ()),
                "capacity": {"storage": have},
            },
        )

    # --- volumes

    def _sync_volume(self, volume: Object) -> None:
        meta = volume["metadata"]
        ref = volume["spec"].get("claimRef")
        claim = self.view.get("persistentvolumeclaims", ref["namespace"], ref["name"]) if ref else None
        bound = claim is not None and ref is not None and ref.get("uid") == claim["metadata"]["uid"]
        if is_deleting(volume):
            finalizers = meta.get("finalizers") or []
            if VOLUME_PROTECTION in finalizers and not bound:
                left = [finalizer for finalizer in finalizers if finalizer != VOLUME_PROTECTION]
                self.hub.update("persistentvolumes", with_meta(volume, finalizers=left))
            return
        if ref is None or not ref.get("uid"):
            phase = "Available"
        elif bound:
            phase = "Bound"
        elif volume["spec"].get("persistentVolumeReclaimPolicy") == "Delete":
            self.hub.delete("persistentvolumes", volume)
            return
        else:
            phase = "Released"
        status = volume.get("status") or {}
        if status.get("phase") != phase:
            changed = {**status, "phase": phase, "lastPhaseTransitionTime": self.hub.now()}
            self.hub.set_status("persistentvolumes", volume, changed)

    def _event(self, claim: Object, kind: str, reason: str, message: str) -> None:
        self.hub.recorder.record(claim, kind, reason, message, component=_COMPONENT)


def _asked(claim: Object) -> str:
    return str(((claim["spec"].get("resources") or {}).get("requests") or {}).get("storage", "0"))


def _claim_ref(claim: Object) -> Object:
    meta = claim["metadata"]
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "namespace": meta["namespace"],
        "name": meta["name"],
        "uid": meta["uid"],
        "resourceVersion": meta["resourceVersion"],
    }


def _may_bind(ref: Object, claim: Object) -> bool:
    meta = claim["metadata"]
    return not ref or (ref.get("namespace"), ref.get("name")) == (meta["namespace"], meta["name"])


def _fits(volume: Object, claim: Object) -> bool:
    """Whether a volume that somebody made by hand can serve the claim."""
    spec, wanted = volume["spec"], claim["spec"]
    ref = spec.get("claimRef") or {}
    if is_deleting(volume) or ref.get("uid") or not _may_bind(ref, claim):
        return False
    return (
        spec.get("storageClassName", "") == (wanted.get("storageClassName") or "")
        and set(wanted.get("accessModes") or ()) <= set(spec.get("accessModes") or ())
        and spec.get("volumeMode", "Filesystem") == wanted.get("volumeMode", "Filesystem")
        and quantity_value(spec["capacity"]["storage"]) >= quantity_value(_asked(claim))
    )
