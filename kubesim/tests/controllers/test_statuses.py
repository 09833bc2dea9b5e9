"""What the controllers of budgets and API services say in a status."""

from typing import Any

import pytest

from kubesim.jsondata import Object

from .conftest import World, template


def deployment(replicas: int) -> Object:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "template": template(),
        },
    }


@pytest.mark.parametrize(
    ("spec", "desired", "allowed"),
    [({"minAvailable": 2}, 2, 2), ({"maxUnavailable": 1}, 3, 1), ({"minAvailable": "100%"}, 4, 0)],
)
async def test_a_budget_counts_its_pods(world: World, spec: dict[str, Any], desired: int, allowed: int) -> None:
    world.create(deployment(4))
    budget = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "web"}}
    made = world.create({**budget, "spec": {"selector": {"matchLabels": {"app": "web"}}, **spec}})
    await world.settled()
    status = (world.get("poddisruptionbudgets", "web") or {})["status"]
    assert (status["currentHealthy"], status["expectedPods"]) == (4, 4)
    assert (status["desiredHealthy"], status["disruptionsAllowed"]) == (desired, allowed)
    assert status["observedGeneration"] == made["metadata"]["generation"]
    assert status["conditions"][0]["status"] == ("True" if allowed else "False")


async def test_an_api_service_is_available_with_its_service(world: World) -> None:
    body: Object = {"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService"}
    spec = {"version": "v1", "groupPriorityMinimum": 100, "versionPriority": 10}
    world.create({**body, "metadata": {"name": "v1.local.example.com"}, "spec": {**spec, "group": "local.example.com"}})
    behind = {"group": "far.example.com", "service": {"namespace": "default", "name": "web"}}
    world.create({**body, "metadata": {"name": "v1.far.example.com"}, "spec": {**spec, **behind}})
    await world.settled()

    def said(name: str) -> tuple[str, str]:
        (found,) = (world.get("apiservices", name, "") or {})["status"]["conditions"]
        return found["status"], found["reason"]

    assert said("v1.local.example.com") == ("True", "Local")
    assert said("v1.far.example.com") == ("False", "ServiceNotFound")
    service = {"selector": {"app": "web"}, "ports": [{"port": 443}]}
    world.create({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": service})
    await world.settled()
    assert said("v1.far.example.com") == ("False", "MissingEndpoints")
    world.create(deployment(1))
    await world.settled()
    assert said("v1.far.example.com") == ("True", "Passed")
