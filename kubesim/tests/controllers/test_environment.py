"""A container reads its environment when it starts, and never again: what is written later reaches the next one."""

import base64

import pytest

from controllers.conftest import World, deployment, pod
from controllers.test_pods import is_ready, is_waiting, run
from kubesim.jsondata import Object


def config(kind: str, name: str = "conf", **data: str) -> Object:
    """A ConfigMap, or a Secret with the same values."""
    values = (
        data if kind == "ConfigMap" else {key: base64.b64encode(one.encode()).decode() for key, one in data.items()}
    )
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, "data": values}


def reads(**container: object) -> Object:
    """A Pod whose container asks for that."""
    body = pod()
    body["spec"]["containers"][0] |= container
    return body


def all_of(kind: str) -> Object:
    return {"envFrom": [{"configMapRef" if kind == "ConfigMap" else "secretRef": {"name": "conf"}}]}


def one_of(kind: str) -> Object:
    field = "configMapKeyRef" if kind == "ConfigMap" else "secretKeyRef"
    return {"env": [{"name": "LEVEL", "valueFrom": {field: {"name": "conf", "key": "LEVEL"}}}]}


def environment(world: World, name: str = "one") -> dict[str, str]:
    found = world.get("pods", name)
    assert found is not None
    return world.controllers.environment_of(found["metadata"]["uid"]).get("main", {})


@pytest.mark.parametrize("kind", ["ConfigMap", "Secret"])
@pytest.mark.parametrize("way", [all_of, one_of])
async def test_what_changes_later_is_not_read(world: World, kind: str, way: object) -> None:
    assert callable(way)
    world.create(config(kind, LEVEL="a"))
    world.create(reads(**way(kind)))
    await is_ready(world)
    new = config(kind, LEVEL="b")
    plural = "configmaps" if kind == "ConfigMap" else "secrets"
    world.merge(plural, "conf", {"data": new["data"]})
    await world.settled()
    assert environment(world) == {"LEVEL": "a"}
    world.create({**reads(**way(kind)), "metadata": {"name": "two"}})
    await is_ready(world, "two")
    assert (environment(world), environment(world, "two")) == ({"LEVEL": "a"}, {"LEVEL": "b"})
    world.delete(plural, "conf")
    await world.settled()
    assert environment(world, "two") == {"LEVEL": "b"}


async def test_it_is_read_when_the_container_starts_not_when_the_pod_is_made(world: World) -> None:
    world.create(reads(**all_of("ConfigMap")))
    await is_waiting(world, "CreateContainerConfigError")
    assert environment(world) == {}
    world.create(config("ConfigMap", LEVEL="late"))
    await is_ready(world)
    assert environment(world) == {"LEVEL": "late"}


async def test_each_restart_reads_again(world: World) -> None:
    world.create(config("ConfigMap", LEVEL="a"))
    body = reads(**all_of("ConfigMap"))
    body["spec"]["containers"][0]["image"] = "app:crash"
    world.create(body)
    await is_waiting(world, "CrashLoopBackOff")
    assert environment(world) == {"LEVEL": "a"}
    world.merge("configmaps", "conf", {"data": {"LEVEL": "b"}})
    await world.until(lambda: environment(world) == {"LEVEL": "b"})


async def test_a_container_that_is_restarted_reads_again_in_the_same_pod(world: World) -> None:
    world.create(config("ConfigMap", LEVEL="a"))
    body = reads(**all_of("ConfigMap"))
    body["spec"]["containers"].append({**body["spec"]["containers"][0], "name": "other"})
    body["spec"]["initContainers"] = [{**body["spec"]["containers"][0], "name": "side", "restartPolicy": "Always"}]
    world.create(body)
    uid = (await is_ready(world))["metadata"]["uid"]
    world.merge("configmaps", "conf", {"data": {"LEVEL": "b"}})
    await world.settled()
    for container in ("main", "side"):
        world.controllers.restart("default", "one", container)
    await world.until(lambda: run(world.get("pods", "one") or {})["restartCount"])
    found = await is_ready(world)
    assert found["metadata"]["uid"] == uid
    read = {name: variables["LEVEL"] for name, variables in world.controllers.environment_of(uid).items()}
    assert read == {"main": "b", "side": "b", "other": "a"}
    assert run(found)["lastState"]["terminated"]["exitCode"] == 1


async def test_what_does_not_run_is_not_restarted(world: World) -> None:
    body = reads()
    body["spec"]["containers"][0]["image"] = "app:pull"
    world.create(body)
    await is_waiting(world, "ImagePullBackOff")
    for name, container in (("nobody", "main"), ("one", "nobody"), ("one", "main")):
        with pytest.raises(LookupError):
            world.controllers.restart("default", name, container)


async def test_a_restart_waits_for_what_is_gone(world: World) -> None:
    world.create(config("ConfigMap", LEVEL="a"))
    body = reads(**all_of("ConfigMap"))
    body["spec"]["containers"][0]["image"] = "app:crash"
    world.create(body)
    await is_waiting(world, "CrashLoopBackOff")
    world.delete("configmaps", "conf")
    found = await is_waiting(world, "CreateContainerConfigError")
    assert run(found)["state"]["waiting"]["message"] == 'configmap "conf" not found'
    world.create(config("ConfigMap", LEVEL="b"))
    await is_waiting(world, "CrashLoopBackOff")
    assert environment(world) == {"LEVEL": "b"}


async def test_what_wins(world: World) -> None:
    """Of two sources the later one, and ``env`` over all; a prefix goes before every key."""
    world.create(config("ConfigMap", A="1", B="1", C="1"))
    world.create(config("Secret", B="2", C="2"))
    sources = [
        {"configMapRef": {"name": "conf"}},
        {"secretRef": {"name": "conf"}},
        {"prefix": "X_", "configMapRef": {"name": "conf"}},
        {"secretRef": {"name": "absent", "optional": True}},
    ]
    optional = {"configMapKeyRef": {"name": "conf", "key": "absent", "optional": True}}
    env: list[Object] = [
        {"name": "C", "value": "3"},
        {"name": "D", "valueFrom": optional},
        {"name": "E", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
    ]
    world.create(reads(envFrom=sources, env=env))
    await is_ready(world)
    assert environment(world) == {"A": "1", "B": "2", "C": "3", "X_A": "1", "X_B": "1", "X_C": "1"}


async def test_a_key_of_binary_data_is_no_variable(world: World) -> None:
    world.create({**config("ConfigMap", A="1"), "binaryData": {"LEVEL": "YQ=="}})
    world.create(reads(**one_of("ConfigMap")))
    found = await is_waiting(world, "CreateContainerConfigError")
    assert run(found)["state"]["waiting"]["message"] == "couldn't find key LEVEL in ConfigMap default/conf"


async def test_the_pods_of_a_workload_keep_what_each_has_read(world: World) -> None:
    world.create(config("ConfigMap", LEVEL="a"))
    body = deployment(replicas=2)
    body["spec"]["template"]["spec"]["containers"][0] |= all_of("ConfigMap")
    world.create(body)

    def levels() -> list[str]:
        found = [world.controllers.environment_of(one["metadata"]["uid"]) for one in world.all("pods")]
        return sorted(one["main"]["LEVEL"] for one in found if one)

    await world.until(lambda: levels() == ["a", "a"])
    world.merge("configmaps", "conf", {"data": {"LEVEL": "b"}})
    world.merge("deployments", "web", {"spec": {"replicas": 3}})
    await world.until(lambda: levels() == ["a", "a", "b"])


async def test_of_a_pod_that_is_not_there_nothing_is_known(world: World) -> None:
    assert world.controllers.environment_of("nobody") == {}
