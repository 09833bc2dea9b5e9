"""Services with a load balancer of the cloud."""

import pytest

from controllers.conftest import World
from kubesim.controllers.loadbalancers import CLEANUP
from kubesim.jsondata import Object


def service(name: str = "web", **spec: object) -> Object:
    body = {"type": "LoadBalancer", "ports": [{"port": 80}], **spec}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": body}


def addresses(found: Object) -> list[str]:
    return [one["ip"] for one in found["status"]["loadBalancer"].get("ingress", ())]


async def test_each_has_an_address_and_a_finalizer_that_goes_with_it(world: World) -> None:
    world.create(service())
    world.create(service("two"))
    await world.settled()
    found = [world.get("services", name) for name in ("web", "two")]
    assert all(one and one["metadata"]["finalizers"] == [CLEANUP] for one in found)
    assert len({address for one in found if one for address in addresses(one)}) == 2
    world.delete("services", "web")
    await world.settled()
    assert world.get("services", "web") is None


async def test_another_type_gives_it_back(world: World) -> None:
    world.create(service(externalTrafficPolicy="Local"))
    await world.settled()
    balanced = world.get("services", "web")
    assert balanced is not None
    assert balanced["spec"]["healthCheckNodePort"] not in {port["nodePort"] for port in balanced["spec"]["ports"]}
    world.merge("services", "web", {"spec": {"type": "ClusterIP", "externalTrafficPolicy": None}})
    await world.settled()
    plain = world.get("services", "web")
    assert plain is not None
    assert not addresses(plain)
    assert "finalizers" not in plain["metadata"]
    assert "healthCheckNodePort" not in plain["spec"]


@pytest.mark.parametrize("field", [{"type": "NodePort"}, {"loadBalancerClass": "example.org/other"}])
async def test_others_have_none(world: World, field: Object) -> None:
    world.create(service(**field))
    await world.settled()
    found = world.get("services", "web")
    assert found is not None
    assert not addresses(found)
    assert "finalizers" not in found["metadata"]
