"""Jobs."""

from typing import Any

import pytest

from controllers.conftest import World
from kubesim.jsondata import Object


def job(image: str = "task:1", policy: str = "Never", **spec: Any) -> Object:
    template = {"spec": {"restartPolicy": policy, "containers": [{"name": "main", "image": image}]}}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "task"},
        "spec": {"template": template, **spec},
    }


async def ended(world: World) -> tuple[str, str, Object]:
    def check() -> tuple[str, str, Object] | None:
        found = world.get("jobs", "task")
        for condition in (found or {}).get("status", {}).get("conditions", []):
            if condition["type"] in ("Complete", "Failed") and found is not None:
                return condition["type"], condition["reason"], found["status"]
        return None

    return await world.until(check)


async def test_completes(world: World) -> None:
    world.create(job())
    kind, reason, status = await ended(world)
    assert (kind, reason) == ("Complete", "CompletionsReached")
    assert status["succeeded"] == 1
    assert "failed" not in status
    assert status["completionTime"]
    (pod,) = world.all("pods")
    assert pod["status"]["phase"] == "Succeeded"
    assert pod["metadata"]["name"].startswith("task-")
    assert pod["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 0
    owner = pod["metadata"]["ownerReferences"][0]
    assert (owner["kind"], owner["controller"]) == ("Job", True)


async def test_fails_after_its_last_try(world: World) -> None:
    world.create(job("task:fail", backoffLimit=2))
    kind, reason, status = await ended(world)
    assert (kind, reason, status["failed"]) == ("Failed", "BackoffLimitExceeded", 3)
    assert [pod["status"]["phase"] for pod in world.all("pods")] == ["Failed"] * 3
    assert "BackoffLimitExceeded" in world.events("task")


async def test_on_failure_restarts_in_the_pod(world: World) -> None:
    world.create(job("task:crash", policy="OnFailure", backoffLimit=2))
    kind, reason, _ = await ended(world)
    assert (kind, reason) == ("Failed", "BackoffLimitExceeded")
    await world.until(lambda: world.all("pods") == [])


async def test_completions_and_parallelism(world: World) -> None:
    most = 0

    def look(event: str, obj: Object, old: Object | None) -> None:
        nonlocal most
        if obj["kind"] == "Job":
            most = max(most, obj.get("status", {}).get("active", 0))

    world.registry.subscribe(look)
    world.create(job(completions=5, parallelism=2))
    kind, _, status = await ended(world)
    assert (kind, status["succeeded"], most) == ("Complete", 5, 2)
    assert len(world.all("pods")) == 5


async def test_deadline(world: World) -> None:
    world.create(job("task:never", activeDeadlineSeconds=20))
    kind, reason, _ = await ended(world)
    assert (kind, reason) == ("Failed", "DeadlineExceeded")


async def test_suspended(world: World) -> None:
    world.create(job(suspend=True))
    await world.settled()
    assert world.all("pods") == []
    world.merge("jobs", "task", {"spec": {"suspend": False}})
    assert (await ended(world))[0] == "Complete"


async def test_time_to_live(world: World) -> None:
    world.create(job(ttlSecondsAfterFinished=10))
    await ended(world)
    await world.until(lambda: world.get("jobs", "task") is None)
    await world.settled()
    assert world.all("pods") == []


async def test_deleting_a_job_in_the_background_takes_its_pods(world: World) -> None:
    world.create(job("task:never"))
    await world.until(lambda: world.all("pods"))
    world.delete("jobs", "task", propagation="Background")
    await world.until(lambda: not world.all("pods"))


async def test_a_running_pod_that_is_deleted_is_made_again(world: World) -> None:
    world.create(job("task:never"))
    (first,) = await world.until(lambda: world.names("pods"))
    await world.settled()
    world.delete("pods", first)
    await world.until(lambda: world.names("pods") and first not in world.names("pods"))


@pytest.mark.parametrize(
    ("decided", "end", "spec"),
    [
        ("SuccessCriteriaMet", "Complete", {"completions": 1, "parallelism": 2}),
        ("FailureTarget", "Failed", {"activeDeadlineSeconds": 20}),
    ],
)
async def test_it_has_ended_once_its_pods_have(world: World, decided: str, end: str, spec: Object) -> None:
    """Before, a condition says how it will end, and that stays. A finalizer keeps a Pod that is being deleted."""
    made = world.create(job("task:never" if end == "Failed" else "task:1", suspend=True, **spec))
    uid = made["metadata"]["uid"]
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": "task", "uid": uid, "controller": True}
    held = {"name": "held", "finalizers": ["example.com/held"], "ownerReferences": [owner]}
    pod = {"restartPolicy": "Never", "containers": [{"name": "main", "image": "task:never"}]}
    world.create({"apiVersion": "v1", "kind": "Pod", "metadata": held, "spec": pod})
    await world.settled()
    world.merge("jobs", "task", {"spec": {"suspend": False}})

    def status() -> Object:
        found: Object = (world.get("jobs", "task") or {})["status"]
        return found

    def kinds() -> list[str]:
        return [one["type"] for one in status().get("conditions", []) if one["status"] == "True"]

    await world.until(lambda: decided in kinds())
    await world.settled()
    assert end not in kinds()
    assert status()["terminating"] == 1
    assert "completionTime" not in status()
    world.merge("pods", "held", {"metadata": {"finalizers": None}})
    await world.until(lambda: end in kinds())
    assert decided in kinds()
    assert ("completionTime" in status()) == (end == "Complete")
