"""Claims and volumes."""

import pytest

from controllers.conftest import World, claim, pod
from controllers.test_pods import is_ready
from kubesim.jsondata import Object
from kubesim.problems import Problem


def mounting(name: str = "one", claim_name: str = "data") -> Object:
    return pod(name, volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": claim_name}}])


async def bound(world: World, name: str = "data") -> Object:
    def check() -> Object | None:
        found = world.get("persistentvolumeclaims", name)
        return found if found is not None and found["status"].get("phase") == "Bound" else None

    return await world.until(check)


async def test_immediate_binding(world: World) -> None:
    made = world.create(claim())
    assert made["spec"]["storageClassName"] == "standard"
    found = await bound(world)
    assert found["metadata"]["finalizers"] == ["kubernetes.io/pvc-protection"]
    assert found["metadata"]["annotations"]["pv.kubernetes.io/bind-completed"] == "yes"
    assert found["status"] == {"phase": "Bound", "accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}}
    await world.settled()
    volume = world.get("persistentvolumes", found["spec"]["volumeName"], "")
    assert volume is not None
    assert volume["metadata"]["name"] == f"pvc-{found['metadata']['uid']}"
    assert volume["spec"]["claimRef"]["uid"] == found["metadata"]["uid"]
    assert volume["status"]["phase"] == "Bound"


async def test_wait_for_first_consumer(world: World) -> None:
    world.create(claim(storageClassName="wait"))
    await world.settled()
    found = world.get("persistentvolumeclaims", "data")
    assert found is not None
    assert found["status"]["phase"] == "Pending"
    assert "WaitForFirstConsumer" in world.events("data")
    world.create(mounting())
    await is_ready(world)
    found = await bound(world)
    assert found["metadata"]["annotations"]["volume.kubernetes.io/selected-node"] == "sim-node"


async def test_unknown_class(world: World) -> None:
    world.create(claim(storageClassName="none"))
    await world.settled()
    assert world.events("data") == {"ProvisioningFailed": 'storageclass.storage.k8s.io "none" not found'}


async def test_deleting_a_claim_deletes_its_volume(world: World) -> None:
    world.create(claim())
    await bound(world)
    world.delete("persistentvolumeclaims", "data")
    await world.until(lambda: world.get("persistentvolumeclaims", "data") is None)
    await world.settled()
    assert world.all("persistentvolumes", "") == []


async def test_a_claim_in_use_stays_until_the_pod_is_gone(world: World) -> None:
    world.create(claim())
    world.create(mounting())
    await is_ready(world)
    world.delete("persistentvolumeclaims", "data")
    await world.settled()
    found = world.get("persistentvolumeclaims", "data")
    assert found is not None
    assert "deletionTimestamp" in found["metadata"]
    world.delete("pods", "one")
    await world.until(lambda: world.get("persistentvolumeclaims", "data") is None)
    assert world.get("pods", "one") is None


async def test_growth(world: World) -> None:
    world.create(claim())
    await bound(world)
    world.merge("persistentvolumeclaims", "data", {"spec": {"resources": {"requests": {"storage": "2Gi"}}}})
    await world.until(
        lambda: (world.get("persistentvolumeclaims", "data") or {})["status"]["capacity"]["storage"] == "2Gi"
    )
    (volume,) = world.all("persistentvolumes", "")
    assert volume["spec"]["capacity"] == {"storage": "2Gi"}


async def test_growth_is_refused_where_the_class_cannot(world: World) -> None:
    world.create(claim(storageClassName="fixed"))
    await bound(world)
    with pytest.raises(Problem) as caught:
        world.merge("persistentvolumeclaims", "data", {"spec": {"resources": {"requests": {"storage": "2Gi"}}}})
    assert (caught.value.code, caught.value.reason) == (403, "Forbidden")


async def test_a_retained_volume_is_released(world: World) -> None:
    world.create(
        {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {"name": "keep"},
            "provisioner": "x/y",
            "reclaimPolicy": "Retain",
        }
    )
    world.create(claim(storageClassName="keep"))
    await bound(world)
    world.delete("persistentvolumeclaims", "data")
    await world.until(
        lambda: [volume["status"]["phase"] for volume in world.all("persistentvolumes", "")] == ["Released"]
    )


async def test_a_volume_made_by_hand(world: World) -> None:
    world.create(
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": "disk"},
            "spec": {
                "capacity": {"storage": "5Gi"},
                "accessModes": ["ReadWriteOnce"],
                "persistentVolumeReclaimPolicy": "Retain",
                "storageClassName": "",
                "hostPath": {"path": "/disk"},
            },
        }
    )
    world.create(claim(storageClassName=""))
    found = await bound(world)
    assert found["spec"]["volumeName"] == "disk"
    assert found["status"]["capacity"] == {"storage": "5Gi"}


async def test_a_claim_whose_volume_went_is_lost(world: World) -> None:
    world.create(claim())
    found = await bound(world)
    volume = world.get("persistentvolumes", found["spec"]["volumeName"], "")
    assert volume is not None
    world.registry.update(
        "persistentvolumes",
        "",
        volume["metadata"]["name"],
        {**volume, "metadata": {**volume["metadata"], "finalizers": []}},
        manager="test",
    )
    world.delete("persistentvolumes", volume["metadata"]["name"], "")
    await world.until(lambda: (world.get("persistentvolumeclaims", "data") or {})["status"]["phase"] == "Lost")
