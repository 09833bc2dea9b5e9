"""What a cluster has before anybody asks: a node, and classes of storage."""

from kubesim.jsondata import Object, stamp, utc_now
from kubesim.registry import Registry

NODE = "sim-node"
_PROVISIONER = "sim.storage/volumes"
_ROOM = {"cpu": "64", "memory": "256Gi", "ephemeral-storage": "1Ti", "pods": "10000"}


def seed(registry: Registry) -> None:
    """Make the node and the storage classes, unless they are there."""
    if registry.peek("nodes", "", NODE) is None:
        registry.create("nodes", "", _node(), manager="kubelet")
        registry.update("nodes", "", NODE, _node(), manager="kubelet", subresource="status")
    for storage_class in (
        _storage_class("standard", "Immediate", default=True, expandable=True),
        _storage_class("fixed", "Immediate", default=False, expandable=False),
        _storage_class("wait", "WaitForFirstConsumer", default=False, expandable=False),
    ):
        if registry.peek("storageclasses", "", storage_class["metadata"]["name"]) is None:
            registry.create("storageclasses", "", storage_class, manager="kubesim")


def _node() -> Object:
    now = stamp(utc_now())
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": NODE,
            "labels": {
                "kubernetes.io/arch": "amd64",
                "kubernetes.io/hostname": NODE,
                "kubernetes.io/os": "linux",
            },
        },
        "spec": {"podCIDR": "10.244.0.0/16", "podCIDRs": ["10.244.0.0/16"]},
        "status": {
            "addresses": [{"type": "InternalIP", "address": "10.0.0.1"}, {"type": "Hostname", "address": NODE}],
            "capacity": dict(_ROOM),
            "allocatable": dict(_ROOM),
            "conditions": [
                {
                    "type": "Ready",
                    "status": "True",
                    "reason": "KubeletReady",
                    "message": "kubelet is posting ready status",
                    "lastHeartbeatTime": now,
                    "lastTransitionTime": now,
                }
            ],
            "nodeInfo": {
                "architecture": "amd64",
                "bootID": "",
                "containerRuntimeVersion": "containerd://2.1.0",
                "kernelVersion": "6.12.0",
                "kubeProxyVersion": "",
                "kubeletVersion": "v1.36.0",
                "machineID": "",
                "operatingSystem": "linux",
                "osImage": "simulated",
                "systemUUID": "",
            },
        },
    }


def _storage_class(name: str, binding: str, *, default: bool, expandable: bool) -> Object:
    meta: Object = {"name": name}
    if default:
        meta["annotations"] = {"storageclass.kubernetes.io/is-default-class": "true"}
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": meta,
        "provisioner": _PROVISIONER,
        "reclaimPolicy": "Delete",
        "volumeBindingMode": binding,
        "allowVolumeExpansion": expandable,
    }
