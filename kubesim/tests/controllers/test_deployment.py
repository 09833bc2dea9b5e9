"""Deployments: rollouts as `kubectl rollout status` sees them."""

import re

import pytest

from controllers.conftest import World, deployment
from kubesim.controllers.rollout import bounds
from kubesim.jsondata import Object


def condition(obj: Object | None, kind: str) -> tuple[str, str] | None:
    for found in (obj or {}).get("status", {}).get("conditions", []):
        if found["type"] == kind:
            return found["status"], found["reason"]
    return None


def is_rolled_out(obj: Object | None) -> bool:
    if obj is None:
        return False
    status, replicas = obj.get("status", {}), obj["spec"]["replicas"]
    return bool(
        status.get("observedGeneration", 0) >= obj["metadata"]["generation"]
        and status.get("updatedReplicas", 0) == replicas
        and status.get("replicas", 0) == replicas
        and status.get("availableReplicas", 0) == replicas
    )


async def rolled_out(world: World, name: str = "web") -> Object:
    def done() -> Object | None:
        found = world.get("deployments", name)
        return found if is_rolled_out(found) else None

    return await world.until(done)


async def test_rolls_out(world: World) -> None:
    world.create(deployment(replicas=3))
    found = await rolled_out(world)
    assert found["metadata"]["annotations"] == {"deployment.kubernetes.io/revision": "1"}
    assert condition(found, "Available") == ("True", "MinimumReplicasAvailable")
    assert condition(found, "Progressing") == ("True", "NewReplicaSetAvailable")
    assert found["status"]["terminatingReplicas"] == 0
    assert "unavailableReplicas" not in found["status"]
    (owned,) = world.all("replicasets")
    text = owned["metadata"]["labels"]["pod-template-hash"]
    assert owned["metadata"]["name"] == f"web-{text}"
    assert owned["spec"]["selector"]["matchLabels"] == {"app": "web", "pod-template-hash": text}
    assert owned["metadata"]["annotations"] == {
        "deployment.kubernetes.io/revision": "1",
        "deployment.kubernetes.io/desired-replicas": "3",
        "deployment.kubernetes.io/max-replicas": "4",
    }
    pods = world.all("pods")
    assert len(pods) == 3
    for pod in pods:
        assert re.fullmatch(rf"web-{text}-[a-z0-9]{{5}}", pod["metadata"]["name"])
        (owner,) = pod["metadata"]["ownerReferences"]
        assert (owner["kind"], owner["uid"]) == ("ReplicaSet", owned["metadata"]["uid"])
        assert owner["controller"] is owner["blockOwnerDeletion"] is True


async def test_annotations_are_copied_but_for_a_few(world: World) -> None:
    body = deployment()
    body["metadata"]["annotations"] = {
        "example.com/token": "token",
        "kubectl.kubernetes.io/last-applied-configuration": "{}",
    }
    world.create(body)
    await rolled_out(world)
    (owned,) = world.all("replicasets")
    assert owned["metadata"]["annotations"]["example.com/token"] == "token"
    assert "kubectl.kubernetes.io/last-applied-configuration" not in owned["metadata"]["annotations"]


async def test_a_removed_annotation_stays_on_the_replicaset(world: World) -> None:
    body = deployment()
    body["metadata"]["annotations"] = {"example.com/token": "token"}
    world.create(body)
    before = await rolled_out(world)
    world.merge("deployments", "web", {"metadata": {"annotations": {"example.com/token": None}}})
    found = await rolled_out(world)
    assert found["metadata"]["generation"] == before["metadata"]["generation"] + 1
    (owned,) = world.all("replicasets")
    assert owned["metadata"]["annotations"]["example.com/token"] == "token"


async def test_update_keeps_the_old_replicaset_and_never_has_too_few_or_too_many(world: World) -> None:
    world.create(deployment(replicas=4))
    await rolled_out(world)
    seen: list[tuple[int, int]] = []

    def look(kind: str, obj: Object, old: Object | None) -> None:
        if obj["kind"] == "ReplicaSet":
            sets = world.all("replicasets")
            pods = sum(found["spec"]["replicas"] for found in sets)
            seen.append((pods, sum(found["status"].get("availableReplicas", 0) for found in sets)))

    world.registry.subscribe(look)
    world.merge("deployments", "web", {"spec": {"template": {"spec": {"dnsPolicy": "Default"}}}})
    found = await rolled_out(world)
    await world.settled()
    assert max(pods for pods, _ in seen) == 5
    assert min(available for _, available in seen) >= 3
    assert found["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "2"
    sizes = {
        owned["metadata"]["annotations"]["deployment.kubernetes.io/revision"]: owned["spec"]["replicas"]
        for owned in world.all("replicasets")
    }
    assert sizes == {"1": 0, "2": 4}


async def test_back_to_an_older_template_reuses_its_replicaset(world: World) -> None:
    world.create(deployment())
    await rolled_out(world)
    (first,) = world.all("replicasets")
    image = {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "app:2"}]}}}}
    world.merge("deployments", "web", image)
    await rolled_out(world)
    image["spec"]["template"]["spec"]["containers"][0]["image"] = "app:1"
    world.merge("deployments", "web", image)
    found = await rolled_out(world)
    assert found["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "3"
    again = world.get("replicasets", first["metadata"]["name"])
    assert again is not None
    assert again["metadata"]["uid"] == first["metadata"]["uid"]
    assert again["metadata"]["annotations"]["deployment.kubernetes.io/revision-history"] == "1"
    assert len(world.all("replicasets")) == 2


async def test_a_bad_update_leaves_the_old_pods_serving(world: World) -> None:
    world.create(deployment(replicas=4, progressDeadlineSeconds=60))
    await rolled_out(world)
    image = {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "app:never"}]}}}}
    world.merge("deployments", "web", image)

    def timed_out() -> Object | None:
        found = world.get("deployments", "web")
        return found if condition(found, "Progressing") == ("False", "ProgressDeadlineExceeded") else None

    found = await world.until(timed_out)
    assert condition(found, "Available") == ("True", "MinimumReplicasAvailable")
    assert found["status"]["availableReplicas"] == 3
    assert found["status"]["updatedReplicas"] == 2
    image["spec"]["template"]["spec"]["containers"][0]["image"] = "app:1"
    world.merge("deployments", "web", image)
    found = await rolled_out(world)
    assert condition(found, "Progressing") == ("True", "NewReplicaSetAvailable")


async def test_never_ready_runs_out_of_time(world: World) -> None:
    world.create(deployment(image="app:never", progressDeadlineSeconds=30))
    await world.until(
        lambda: condition(world.get("deployments", "web"), "Progressing") == ("False", "ProgressDeadlineExceeded")
    )
    found = world.get("deployments", "web")
    assert condition(found, "Available") == ("False", "MinimumReplicasUnavailable")
    assert found is not None
    assert found["status"]["unavailableReplicas"] == 1


async def test_scale(world: World) -> None:
    world.create(deployment(replicas=1))
    await rolled_out(world)
    for replicas in (4, 0, 2):
        world.merge("deployments", "web", {"spec": {"replicas": replicas}})
        await rolled_out(world)
        await world.settled()
        assert len(world.all("pods")) == replicas
    assert len(world.all("replicasets")) == 1


async def test_scale_in_the_middle_of_a_rollout_is_spread(world: World) -> None:
    world.create(deployment(replicas=4))
    await rolled_out(world)
    image = {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "app:never"}]}}}}
    world.merge("deployments", "web", image)
    await world.settled()
    world.merge("deployments", "web", {"spec": {"replicas": 8}})
    await world.settled()
    sizes = sorted(found["spec"]["replicas"] for found in world.all("replicasets"))
    assert sum(sizes) == 10
    assert sizes[0] > 2


async def test_recreate_waits_until_the_old_pods_are_gone(world: World) -> None:
    world.create(deployment(replicas=2, strategy={"type": "Recreate"}))
    await rolled_out(world)
    old = set(world.names("pods"))
    mixed: list[set[str]] = []

    def look(kind: str, obj: Object, before: Object | None) -> None:
        names = set(world.names("pods"))
        if names & old and names - old:
            mixed.append(names)

    world.registry.subscribe(look)
    world.merge("deployments", "web", {"spec": {"template": {"spec": {"dnsPolicy": "Default"}}}})
    await rolled_out(world)
    assert mixed == []
    assert not set(world.names("pods")) & old


async def test_paused(world: World) -> None:
    world.create(deployment())
    await rolled_out(world)
    world.merge("deployments", "web", {"spec": {"paused": True}})
    world.merge("deployments", "web", {"spec": {"template": {"spec": {"dnsPolicy": "Default"}}}})
    await world.settled()
    assert len(world.all("replicasets")) == 1
    assert condition(world.get("deployments", "web"), "Progressing") == ("Unknown", "DeploymentPaused")
    world.merge("deployments", "web", {"spec": {"paused": False}})
    await world.until(lambda: len(world.all("replicasets")) == 2)
    await rolled_out(world)


async def test_history_limit(world: World) -> None:
    world.create(deployment(revisionHistoryLimit=1))
    for number in range(4):
        await rolled_out(world)
        image = {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": f"app:v{number}"}]}}}}
        world.merge("deployments", "web", image)
    await rolled_out(world)
    await world.settled()
    revisions = sorted(
        owned["metadata"]["annotations"]["deployment.kubernetes.io/revision"] for owned in world.all("replicasets")
    )
    assert revisions == ["4", "5"]


async def test_a_deployment_adopts_what_it_selects(world: World) -> None:
    world.create(deployment())
    await rolled_out(world)
    (owned,) = world.all("replicasets")
    pods = world.names("pods")
    world.delete("deployments", "web", propagation="Orphan")
    await world.until(lambda: world.get("deployments", "web") is None)
    await world.settled()
    assert world.names("replicasets") == [owned["metadata"]["name"]]
    assert "ownerReferences" not in world.all("replicasets")[0]["metadata"]
    again = world.create(deployment())
    await rolled_out(world)
    (adopted,) = world.all("replicasets")
    assert adopted["metadata"]["uid"] == owned["metadata"]["uid"]
    assert adopted["metadata"]["ownerReferences"][0]["uid"] == again["metadata"]["uid"]
    assert world.names("pods") == pods


@pytest.mark.parametrize(
    ("replicas", "surge", "unavailable", "expected"),
    [
        (4, "25%", "25%", (1, 1)),
        (1, "25%", "25%", (1, 0)),
        (3, 0, 0, (0, 1)),
        (2, 1, 5, (1, 2)),
        (10, "33%", "33%", (4, 3)),
    ],
)
def test_bounds(replicas: int, surge: int | str, unavailable: int | str, expected: tuple[int, int]) -> None:
    rolling = {"maxSurge": surge, "maxUnavailable": unavailable}
    found = bounds({"spec": {"replicas": replicas, "strategy": {"rollingUpdate": rolling}}})
    assert (found.surge, found.unavailable) == expected


async def test_a_deleted_pod_comes_again(world: World) -> None:
    world.create(deployment(replicas=2))
    await rolled_out(world)
    (first, second) = world.names("pods")
    world.delete("pods", first)
    await world.until(lambda: first not in world.names("pods") and len(world.names("pods")) == 2)
    assert second in world.names("pods")
    await rolled_out(world)


async def test_a_pod_of_another_hash_is_let_go_and_another_takes_its_place(world: World) -> None:
    """It keeps the labels of its template, so a Service goes on selecting it."""
    ports = [{"port": 80}]
    world.create({"kind": "Service", "metadata": {"name": "web"}, "spec": {"selector": {"app": "web"}, "ports": ports}})
    world.create(deployment(replicas=1))
    await rolled_out(world)
    (name,) = world.names("pods")

    def endpoints() -> set[str]:
        found = [one for found in world.all("endpointslices") for one in found["endpoints"] or ()]
        return {one["targetRef"]["name"] for one in found if one["conditions"]["ready"]}

    await world.until(lambda: endpoints() == {name})
    world.merge("pods", name, {"metadata": {"labels": {"pod-template-hash": "let-go"}}})
    await world.until(lambda: len(world.names("pods")) == 2)
    found = await rolled_out(world)
    released = world.get("pods", name)
    assert released is not None
    assert "ownerReferences" not in released["metadata"]
    assert found["status"]["availableReplicas"] == 1
    await world.until(lambda: endpoints() == set(world.names("pods")))
    (other,) = set(world.names("pods")) - {name}
    world.delete("pods", name)
    await world.until(lambda: endpoints() == {other})
    await world.settled()
    assert world.names("pods") == [other]


async def test_min_ready_seconds(world: World) -> None:
    world.create(deployment(minReadySeconds=20))
    await world.until(lambda: (world.get("deployments", "web") or {}).get("status", {}).get("readyReplicas") == 1)
    found = world.get("deployments", "web")
    assert found is not None
    assert "availableReplicas" not in found["status"]
    await rolled_out(world)


async def test_writes_are_the_controller_managers(world: World) -> None:
    world.create(deployment())
    found = await rolled_out(world)
    entries = {(entry["manager"], entry.get("subresource", "")) for entry in found["metadata"]["managedFields"]}
    assert entries == {("test", ""), ("kube-controller-manager", "status")}
    (pod,) = world.all("pods")
    entries = {(entry["manager"], entry.get("subresource", "")) for entry in pod["metadata"]["managedFields"]}
    assert entries == {("kube-controller-manager", ""), ("kubelet", "status")}


async def test_nonsense_in_the_annotations_does_no_harm(world: World) -> None:
    world.create(deployment(replicas=2))
    await rolled_out(world)
    (owned,) = world.names("replicasets")
    names = ("revision", "desired-replicas", "max-replicas")
    nonsense = {"metadata": {"annotations": {f"deployment.kubernetes.io/{name}": "²x" for name in names}}}
    world.merge("replicasets", owned, nonsense)
    world.merge("deployments", "web", nonsense)
    world.merge("deployments", "web", {"spec": {"replicas": 3}})
    await rolled_out(world)
