"""Admission: what depends on other objects than the one that is written."""

from kubesim.admit.quantity import quantity_value
from kubesim.custom.resource import CustomResource
from kubesim.jsondata import Object
from kubesim.problems import forbidden, not_found
from kubesim.resources import RESOURCES, Resource
from kubesim.storage import Storage

_IMMORTAL = frozenset({"default", "kube-system", "kube-public"})


def admit_create(storage: Storage, resource: Resource, namespace: str, name: str, obj: Object) -> None:
    """Refuse what may not be made there, and add what admission plugins add, in place."""
    if resource.namespaced:
        space = storage.shelf("namespaces").find("", namespace)
        if space is None:
            raise not_found(RESOURCES["namespaces"], namespace)
        if "deletionTimestamp" in space.obj["metadata"]:
            raise forbidden(
                resource,
                name,
                f"unable to create new content in namespace {namespace} because it is being terminated",
                causes=[
                    {
                        "reason": "NamespaceTerminating",
                        "message": f"namespace {namespace} is being terminated",
                        "field": "metadata.namespace",
                    }
                ],
            )
    if isinstance(resource, CustomResource) and resource.terminating:
        raise forbidden(resource, name, "create not allowed while custom resource definition is terminating")
    if resource.key in _PROTECTION:
        finalizers = obj["metadata"].setdefault("finalizers", [])
        if (finalizer := _PROTECTION[resource.key]) not in finalizers:
            finalizers.append(finalizer)
    if resource.key == "persistentvolumeclaims":
        _default_class(storage, obj)
    elif resource.key == "pods":
        _service_account(storage, resource, namespace, name, obj)


_PROTECTION = {
    "persistentvolumeclaims": "kubernetes.io/pvc-protection",
    "persistentvolumes": "kubernetes.io/pv-protection",
}
_DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"


def _default_class(storage: Storage, claim: Object) -> None:
    if claim.get("spec", {}).get("storageClassName") is not None:
        return
    for entry in storage.shelf("storageclasses").scan():
        meta = entry.obj["metadata"]
        if (meta.get("annotations") or {}).get(_DEFAULT_CLASS) == "true":
            claim["spec"]["storageClassName"] = meta["name"]
            return


def _service_account(storage: Storage, resource: Resource, namespace: str, name: str, pod: Object) -> None:
    """Let a Pod run as a ServiceAccount of its namespace. The default one may be a moment late there."""
    account = pod["spec"].setdefault("serviceAccountName", "default")
    pod["spec"]["serviceAccount"] = account
    if account != "default" and storage.shelf("serviceaccounts").find(namespace, account) is None:
        missing = f'serviceaccount "{account}" not found'
        raise forbidden(resource, name, f"error looking up service account {namespace}/{account}: {missing}")


def admit_update(storage: Storage, resource: Resource, new: Object, old: Object) -> None:
    """Refuse a change, valid in itself, that the cluster cannot make: a claim grows only if its class lets it."""
    if resource.key != "persistentvolumeclaims":
        return
    before, after = (obj["spec"].get("resources", {}).get("requests", {}).get("storage", "0") for obj in (old, new))
    if quantity_value(str(after)) <= quantity_value(str(before)):
        return
    entry = storage.shelf("storageclasses").find("", old["spec"].get("storageClassName") or "")
    if entry is None or not entry.obj.get("allowVolumeExpansion"):
        raise forbidden(
            resource,
            old["metadata"]["name"],
            "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must "
            "support resize",
        )


def admit_delete(resource: Resource, name: str) -> None:
    """Refuse to delete what the cluster cannot be without."""
    if resource.key == "namespaces" and name in _IMMORTAL:
        raise forbidden(resource, name, "this namespace may not be deleted")
