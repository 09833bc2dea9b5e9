"""StatefulSets: names and volumes that stay, one Pod at a time."""

import pytest

from controllers.conftest import World, claim, stateful
from controllers.test_pods import ready
from kubesim.jsondata import Object


async def settled_at(world: World, replicas: int, name: str = "db") -> Object:
    """As `kubectl rollout status` and `kubectl scale` would wait for it."""

    def check() -> Object | None:
        found = world.get("statefulsets", name)
        if found is None:
            return None
        status = found.get("status", {})
        done = (
            status.get("observedGeneration", 0) >= found["metadata"]["generation"]
            and status.get("replicas", 0) == status.get("readyReplicas", 0) == replicas
            and status.get("updatedReplicas", 0) == replicas
            and status["currentRevision"] == status["updateRevision"]
        )
        return found if done else None

    return await world.until(check)


def image(name: str) -> Object:
    return {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": name}]}}}}


async def test_pods_come_in_order(world: World) -> None:
    made: list[str] = []

    def look(kind: str, obj: Object, old: Object | None) -> None:
        if kind == "ADDED" and obj["kind"] == "Pod":
            assert all(ready(pod) for pod in world.all("pods") if pod["metadata"]["name"] != obj["metadata"]["name"])
            made.append(obj["metadata"]["name"])

    world.registry.subscribe(look)
    world.create(stateful(replicas=3))
    found = await settled_at(world, 3)
    assert made == ["db-0", "db-1", "db-2"]
    assert found["status"]["availableReplicas"] == 3
    pod = world.get("pods", "db-1")
    assert pod is not None
    labels = pod["metadata"]["labels"]
    assert labels["statefulset.kubernetes.io/pod-name"] == "db-1"
    assert labels["apps.kubernetes.io/pod-index"] == "1"
    assert labels["controller-revision-hash"] == found["status"]["updateRevision"]
    assert (pod["spec"]["hostname"], pod["spec"]["subdomain"]) == ("db-1", "db")


async def test_claims_have_no_owner_and_stay(world: World) -> None:
    body = stateful(replicas=2)
    body["metadata"]["labels"] = {"example.com/task-id": "t"}
    body["spec"]["volumeClaimTemplates"][0]["metadata"]["labels"] = {"tier": "data"}
    world.create(body)
    await settled_at(world, 2)
    claims = world.all("persistentvolumeclaims")
    assert [found["metadata"]["name"] for found in claims] == ["data-db-0", "data-db-1"]
    for found in claims:
        meta = found["metadata"]
        assert "ownerReferences" not in meta
        assert meta["labels"] == {"app": "db", "tier": "data"}
        assert {entry["manager"] for entry in meta["managedFields"]} == {"kube-controller-manager"}
    world.merge("statefulsets", "db", {"spec": {"replicas": 0}})
    await settled_at(world, 0)
    world.delete("statefulsets", "db")
    await world.settled()
    assert world.names("persistentvolumeclaims") == ["data-db-0", "data-db-1"]


async def test_scale_down_takes_the_highest_first(world: World) -> None:
    world.create(stateful(replicas=3))
    await settled_at(world, 3)
    gone: list[str] = []
    world.registry.subscribe(
        lambda kind, obj, old: (
            gone.append(obj["metadata"]["name"]) if (kind, obj["kind"]) == ("DELETED", "Pod") else None
        )
    )
    world.merge("statefulsets", "db", {"spec": {"replicas": 1}})
    await settled_at(world, 1)
    assert gone == ["db-2", "db-1"]


async def test_scale_up_reuses_the_claims(world: World) -> None:
    world.create(stateful(replicas=2))
    await settled_at(world, 2)
    before = world.get("persistentvolumeclaims", "data-db-1")
    for replicas in (1, 2):
        world.merge("statefulsets", "db", {"spec": {"replicas": replicas}})
        await settled_at(world, replicas)
    after = world.get("persistentvolumeclaims", "data-db-1")
    assert before is not None
    assert after is not None
    assert before["metadata"]["uid"] == after["metadata"]["uid"]


async def test_rolling_update_goes_down_from_the_top(world: World) -> None:
    world.create(stateful(replicas=3))
    first = await settled_at(world, 3)
    made = world.heard("ADDED", "Pod")
    world.merge("statefulsets", "db", image("app:2"))
    second = await settled_at(world, 3)
    assert made == ["db-2", "db-1", "db-0"]
    assert second["status"]["updateRevision"] != first["status"]["updateRevision"]
    assert len(world.all("controllerrevisions")) == 2
    world.merge("statefulsets", "db", image("app:1"))
    third = await settled_at(world, 3)
    assert third["status"]["updateRevision"] == first["status"]["updateRevision"]
    numbers = {found["metadata"]["name"]: found["revision"] for found in world.all("controllerrevisions")}
    assert numbers == {first["status"]["updateRevision"]: 3, second["status"]["updateRevision"]: 2}


async def test_partition(world: World) -> None:
    body = stateful(replicas=3, updateStrategy={"type": "RollingUpdate", "rollingUpdate": {"partition": 2}})
    world.create(body)
    await settled_at(world, 3)
    world.merge("statefulsets", "db", image("app:2"))

    def images() -> list[str]:
        return [pod["spec"]["containers"][0]["image"] for pod in world.all("pods")]

    await world.until(lambda: images() == ["app:1", "app:1", "app:2"])
    await world.settled()
    assert images() == ["app:1", "app:1", "app:2"]
    found = world.get("statefulsets", "db")
    assert found is not None
    assert found["status"]["currentRevision"] != found["status"]["updateRevision"]
    world.delete("pods", "db-0")
    await world.settled()
    assert images() == ["app:1", "app:1", "app:2"]


async def test_a_broken_update_waits_for_somebody_to_delete_the_pod(world: World) -> None:
    """The known issue of ordered StatefulSets: going back is not enough, the broken Pod has to be deleted."""
    world.create(stateful(replicas=2))
    await settled_at(world, 2)
    world.merge("statefulsets", "db", image("app:pull"))
    await world.until(lambda: not ready(world.get("pods", "db-1")) and world.get("pods", "db-1"))
    await world.settled()
    assert ready(world.get("pods", "db-0"))
    world.merge("statefulsets", "db", image("app:1"))
    await world.settled()
    broken = world.get("pods", "db-1")
    assert broken is not None
    assert broken["spec"]["containers"][0]["image"] == "app:pull"
    world.delete("pods", "db-1")
    await settled_at(world, 2)


async def test_on_delete(world: World) -> None:
    world.create(stateful(replicas=1, updateStrategy={"type": "OnDelete"}))
    await settled_at(world, 1)
    world.merge("statefulsets", "db", image("app:2"))
    await world.settled()
    assert world.all("pods")[0]["spec"]["containers"][0]["image"] == "app:1"
    world.delete("pods", "db-0")
    await world.until(lambda: [pod["spec"]["containers"][0]["image"] for pod in world.all("pods")] == ["app:2"])


async def test_parallel(world: World) -> None:
    world.create(stateful(replicas=3, image="app:never", podManagementPolicy="Parallel"))
    await world.until(lambda: len(world.all("pods")) == 3)


async def test_an_ordered_one_stops_at_a_pod_that_is_not_ready(world: World) -> None:
    world.create(stateful(replicas=3, image="app:never"))
    await world.until(lambda: world.all("pods"))
    await world.settled()
    assert world.names("pods") == ["db-0"]
    assert world.names("persistentvolumeclaims") == ["data-db-0"]


@pytest.mark.parametrize(("deleted", "scaled"), [("Delete", "Retain"), ("Retain", "Delete")])
async def test_retention_policy(world: World, deleted: str, scaled: str) -> None:
    policy = {"whenDeleted": deleted, "whenScaled": scaled}
    world.create(stateful(replicas=2, persistentVolumeClaimRetentionPolicy=policy))
    await settled_at(world, 2)
    world.merge("statefulsets", "db", {"spec": {"replicas": 1}})
    await settled_at(world, 1)
    await world.settled()
    kept = ["data-db-0"] if scaled == "Delete" else ["data-db-0", "data-db-1"]
    assert world.names("persistentvolumeclaims") == kept
    world.delete("statefulsets", "db")
    await world.settled()
    assert world.names("persistentvolumeclaims") == ([] if deleted == "Delete" else kept)


async def test_revisions_carry_the_annotations(world: World) -> None:
    body = stateful()
    body["metadata"]["annotations"] = {"example.com/token": "token"}
    world.create(body)
    await settled_at(world, 1)
    (revision,) = world.all("controllerrevisions")
    assert revision["metadata"]["annotations"] == {"example.com/token": "token"}
    assert revision["metadata"]["ownerReferences"][0]["kind"] == "StatefulSet"


async def test_history_limit(world: World) -> None:
    world.create(stateful(revisionHistoryLimit=1))
    for number in range(2, 6):
        await settled_at(world, 1)
        world.merge("statefulsets", "db", image(f"app:{number}"))
    await settled_at(world, 1)
    await world.settled()
    assert sorted(found["revision"] for found in world.all("controllerrevisions")) == [4, 5]


async def test_orphaned_pods_are_adopted_again(world: World) -> None:
    world.create(stateful(replicas=2))
    await settled_at(world, 2)
    uids = [pod["metadata"]["uid"] for pod in world.all("pods")]
    world.delete("statefulsets", "db", propagation="Orphan")
    await world.until(lambda: world.get("statefulsets", "db") is None)
    await world.settled()
    again = world.create(stateful(replicas=2))
    await settled_at(world, 2)
    await world.settled()
    pods = world.all("pods")
    assert [pod["metadata"]["uid"] for pod in pods] == uids
    assert {pod["metadata"]["ownerReferences"][0]["uid"] for pod in pods} == {again["metadata"]["uid"]}


async def test_a_pod_deleted_in_the_middle_of_an_update_comes_back_updated(world: World) -> None:
    world.create(stateful(replicas=3))
    await settled_at(world, 3)
    world.merge("statefulsets", "db", image("app:slow-3000"))
    await world.until(lambda: not ready(world.get("pods", "db-2")) and world.get("pods", "db-2"))
    world.delete("pods", "db-0")

    def again() -> bool:
        found = world.get("pods", "db-0")
        return found is not None and "deletionTimestamp" not in found["metadata"]

    await world.until(again)
    first = world.get("pods", "db-0")
    assert first is not None
    assert first["spec"]["containers"][0]["image"] == "app:slow-3000"
    await settled_at(world, 3)


async def test_claims_of_an_earlier_set_of_the_name_are_left_alone(world: World) -> None:
    policy = {"whenDeleted": "Delete", "whenScaled": "Retain"}
    stale = {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "name": "db",
        "uid": "00000000-0000-0000-0000-000000000000",
        "controller": True,
    }
    world.create({**claim("data-db-0"), "metadata": {"name": "data-db-0", "finalizers": ["example.com/wait"]}})
    world.merge("persistentvolumeclaims", "data-db-0", {"metadata": {"ownerReferences": [stale]}})
    world.create(stateful(persistentVolumeClaimRetentionPolicy=policy))
    await world.settled()
    found = world.get("persistentvolumeclaims", "data-db-0")
    assert found is not None
    assert found["metadata"]["ownerReferences"] == [stale]
    assert "deletionTimestamp" in found["metadata"]
