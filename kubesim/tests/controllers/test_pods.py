"""Pods: the image decides, and what is missing is named as the kubelet and the scheduler name it."""

import pytest

from controllers.conftest import World, claim, pod
from kubesim.controllers.fates import Fate, fate_of
from kubesim.jsondata import Object


def waiting(obj: Object | None, index: int = 0, field: str = "containerStatuses") -> str | None:
    runs = (obj or {}).get("status", {}).get(field) or []
    found = runs[index]["state"].get("waiting") if len(runs) > index else None
    return found["reason"] if found else None


def ready(obj: Object | None) -> bool:
    conditions = (obj or {}).get("status", {}).get("conditions", [])
    return any(found["type"] == "Ready" and found["status"] == "True" for found in conditions)


async def is_ready(world: World, name: str = "one") -> Object:
    def check() -> Object | None:
        found = world.get("pods", name)
        return found if ready(found) else None

    return await world.until(check)


async def is_waiting(world: World, reason: str, name: str = "one", field: str = "containerStatuses") -> Object:
    def check() -> Object | None:
        found = world.get("pods", name)
        return found if waiting(found, field=field) == reason else None

    return await world.until(check)


def run(found: Object, index: int = 0) -> Object:
    status: Object = found["status"]["containerStatuses"][index]
    return status


@pytest.mark.parametrize(
    ("image", "ends", "fate"),
    [
        ("nginx:1.27", False, Fate("ready")),
        ("app:never", False, Fate("never")),
        ("app:slow-30", False, Fate("slow", 30)),
        ("app:crash", False, Fate("crash")),
        ("app:pull", False, Fate("pull")),
        ("app:fail", False, Fate("ready")),
        ("app:1", True, Fate("done")),
        ("app:slow-5", True, Fate("done", 5)),
        ("app:fail", True, Fate("fail")),
        ("app:crash", True, Fate("fail")),
        ("app:never", True, Fate("never")),
    ],
)
def test_fates(image: str, ends: bool, fate: Fate) -> None:
    assert fate_of(image, ends=ends) == fate


async def test_a_pod_runs(world: World) -> None:
    world.create(pod())
    found = await is_ready(world)
    status = found["status"]
    assert (status["phase"], found["spec"]["nodeName"]) == ("Running", "sim-node")
    assert {condition["type"]: condition["status"] for condition in status["conditions"]} == dict.fromkeys(
        ("PodScheduled", "PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady"), "True"
    )
    assert status["podIP"] == status["podIPs"][0]["ip"]
    assert run(found)["started"] is True
    assert "running" in run(found)["state"]
    await world.settled()
    assert set(world.events("one")) == {"Scheduled", "Pulled", "Created", "Started"}


async def test_never_ready(world: World) -> None:
    world.create(pod(image="app:never"))
    await world.until(lambda: (world.get("pods", "one") or {}).get("status", {}).get("phase") == "Running")
    await world.settled()
    found = world.get("pods", "one")
    assert not ready(found)
    assert "Unhealthy" in world.events("one")


async def test_slow(world: World) -> None:
    world.create(pod(image="app:slow-20"))
    await world.until(lambda: (world.get("pods", "one") or {}).get("status", {}).get("phase") == "Running")
    assert not ready(world.get("pods", "one"))
    await is_ready(world)


async def test_crash(world: World) -> None:
    world.create(pod(image="app:crash"))
    found = await is_waiting(world, "CrashLoopBackOff")
    assert run(found)["restartCount"] == 1
    assert run(found)["lastState"]["terminated"]["exitCode"] == 1
    assert run(found)["lastState"]["terminated"]["reason"] == "Error"
    assert "back-off 10s restarting failed container=main" in run(found)["state"]["waiting"]["message"]
    assert found["status"]["phase"] == "Running"
    await world.until(lambda: run(world.get("pods", "one") or found)["restartCount"] >= 2)
    assert "BackOff" in world.events("one")
    log = world.controllers.log("default", "one", "main", previous=True)
    assert log is not None
    assert "simulated crash" in log


async def test_a_crashing_pod_is_never_ready(world: World) -> None:
    seen: list[bool] = []
    world.registry.subscribe(lambda kind, obj, old: seen.append(ready(obj)) if obj["kind"] == "Pod" else None)
    world.create(pod(image="app:crash"))
    await is_waiting(world, "CrashLoopBackOff")
    assert not any(seen)


async def test_pull(world: World) -> None:
    reasons: list[str | None] = []
    world.registry.subscribe(lambda kind, obj, old: reasons.append(waiting(obj)) if obj["kind"] == "Pod" else None)
    world.create(pod(image="app:pull"))
    found = await is_waiting(world, "ImagePullBackOff")
    assert "ErrImagePull" in reasons
    assert found["status"]["phase"] == "Pending"
    assert 'Back-off pulling image "app:pull"' in run(found)["state"]["waiting"]["message"]
    assert run(found)["restartCount"] == 0


ENV_FROM = {"envFrom": [{"configMapRef": {"name": "conf"}}]}
ENV_KEY = {"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "conf", "key": "a"}}}]}


@pytest.mark.parametrize(
    ("container", "kind", "message"),
    [
        (ENV_FROM, "ConfigMap", 'configmap "conf" not found'),
        (ENV_KEY, "Secret", 'secret "conf" not found'),
    ],
)
async def test_missing_config_is_named_and_waited_for(world: World, container: Object, kind: str, message: str) -> None:
    body = pod()
    body["spec"]["containers"][0] |= container
    world.create(body)
    found = await is_waiting(world, "CreateContainerConfigError")
    assert run(found)["state"]["waiting"]["message"] == message
    assert found["status"]["phase"] == "Pending"
    world.create({"apiVersion": "v1", "kind": kind, "metadata": {"name": "conf"}, "data": {"a": "YQ=="}})
    await is_ready(world)


async def test_a_missing_key_is_named(world: World) -> None:
    body = pod()
    body["spec"]["containers"][0] |= {
        "env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "conf", "key": "a"}}}]
    }
    world.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "conf"}, "data": {"b": "1"}})
    world.create(body)
    found = await is_waiting(world, "CreateContainerConfigError")
    assert run(found)["state"]["waiting"]["message"] == "couldn't find key a in ConfigMap default/conf"
    world.merge("configmaps", "conf", {"data": {"a": "1"}})
    await is_ready(world)


async def test_what_is_optional_may_be_missing(world: World) -> None:
    body = pod(volumes=[{"name": "v", "secret": {"secretName": "none", "optional": True}}])
    body["spec"]["containers"][0] |= {"envFrom": [{"configMapRef": {"name": "none", "optional": True}}]}
    world.create(body)
    await is_ready(world)


async def test_a_missing_volume_source_keeps_the_pod_creating(world: World) -> None:
    world.create(pod(volumes=[{"name": "v", "configMap": {"name": "conf"}}]))
    found = await is_waiting(world, "ContainerCreating")
    await world.settled()
    assert world.events("one")["FailedMount"] == (
        'MountVolume.SetUp failed for volume "v" : configmap "conf" not found'
    )
    assert "podIP" not in found["status"]
    world.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "conf"}, "data": {}})
    await is_ready(world)


def unschedulable(obj: Object | None) -> str | None:
    for found in (obj or {}).get("status", {}).get("conditions", []):
        if found["type"] == "PodScheduled" and found.get("reason") == "Unschedulable":
            return str(found["message"])
    return None


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"nodeSelector": {"disk": "ssd"}}, "1 node(s) didn't match Pod's node affinity/selector"),
        (
            {"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "none"}}]},
            'persistentvolumeclaim "none" not found',
        ),
    ],
)
async def test_unschedulable(world: World, spec: Object, message: str) -> None:
    world.create(pod(**spec))
    text = await world.until(lambda: unschedulable(world.get("pods", "one")))
    assert text == (
        f"0/1 nodes are available: {message}. "
        "preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."
    )
    await world.settled()
    assert world.events("one") == {"FailedScheduling": text}
    found = world.get("pods", "one")
    assert found is not None
    assert found["status"]["phase"] == "Pending"


async def test_too_big_for_the_node(world: World) -> None:
    body = pod()
    body["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "1000"}}
    world.create(body)
    text = await world.until(lambda: unschedulable(world.get("pods", "one")))
    assert "1 Insufficient cpu" in text
    assert "1 No preemption victims found for incoming pod" in text


async def test_a_node_that_fits_later(world: World) -> None:
    world.create(pod(nodeSelector={"disk": "ssd"}))
    await world.until(lambda: unschedulable(world.get("pods", "one")))
    world.merge("nodes", "sim-node", {"metadata": {"labels": {"disk": "ssd"}}}, namespace="")
    await is_ready(world)


async def test_a_claim_that_comes_later(world: World) -> None:
    world.create(pod(volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]))
    await world.until(lambda: unschedulable(world.get("pods", "one")))
    world.create(claim())
    await is_ready(world)


async def test_init_containers_run_one_after_another(world: World) -> None:
    inits = [{"name": "first", "image": "init:1"}, {"name": "second", "image": "init:slow-5"}]
    phases: list[tuple[str, ...]] = []

    def look(kind: str, obj: Object, old: Object | None) -> None:
        if obj["kind"] == "Pod":
            status = obj.get("status", {})
            runs = [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]
            phases.append(tuple(next(iter(found["state"])) for found in runs))

    world.registry.subscribe(look)
    world.create(pod(initContainers=inits))
    found = await is_ready(world)
    assert [entry["ready"] for entry in found["status"]["initContainerStatuses"]] == [True, True]
    assert list(dict.fromkeys(phases))[-3:] == [
        ("running", "waiting", "waiting"),
        ("terminated", "running", "waiting"),
        ("terminated", "terminated", "running"),
    ]


async def test_a_failing_init_container(world: World) -> None:
    world.create(pod(initContainers=[{"name": "init", "image": "init:crash"}]))
    found = await is_waiting(world, "CrashLoopBackOff", field="initContainerStatuses")
    assert waiting(found) == "PodInitializing"
    assert found["status"]["phase"] == "Pending"
    initialized = next(entry for entry in found["status"]["conditions"] if entry["type"] == "Initialized")
    assert (initialized["status"], initialized["reason"]) == ("False", "ContainersNotInitialized")


async def test_a_sidecar_starts_first_and_stays(world: World) -> None:
    world.create(pod(initContainers=[{"name": "side", "image": "side:1", "restartPolicy": "Always"}]))
    found = await is_ready(world)
    assert "running" in found["status"]["initContainerStatuses"][0]["state"]


async def test_deletion_takes_its_moment(world: World) -> None:
    world.create(pod())
    await is_ready(world)
    gone = world.delete("pods", "one")
    assert gone["metadata"]["deletionGracePeriodSeconds"] == 30
    assert world.get("pods", "one") is not None
    await world.until(lambda: world.get("pods", "one") is None)
    assert "Killing" in world.events("one")


async def test_an_unscheduled_pod_goes_at_once(world: World) -> None:
    world.create(pod(nodeSelector={"disk": "ssd"}))
    await world.until(lambda: unschedulable(world.get("pods", "one")))
    world.delete("pods", "one")
    assert world.get("pods", "one") is None


async def test_a_pod_of_the_same_name_starts_anew(world: World) -> None:
    world.create(pod(image="app:never"))
    await world.settled()
    world.delete("pods", "one", grace=0)
    world.create(pod())
    await is_ready(world)


async def test_what_others_write_into_the_status_is_put_right(world: World) -> None:
    world.create(pod())
    found = await is_ready(world)
    world.merge("pods", "one", {"status": {"phase": "Failed"}}, subresource="status")
    await world.until(lambda: (world.get("pods", "one") or found)["status"]["phase"] == "Running")
