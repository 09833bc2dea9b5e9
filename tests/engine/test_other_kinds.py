"""Components with objects of kinds that the cluster may lack: routes of the Gateway API, external secrets."""

import asyncio
from contextlib import nullcontext
from functools import partial
from typing import Any

from kubemin.engine import ComponentWatch, ExecOptions
from kubemin.engine.entry.orphans import Orphans
from kubemin.engine.entry.sources import Posted
from kubemin.spec.application import parse_application
from kubemin.spec.limits import Limits
from kubemin.spec.objects import Manifest
from kubemin.spec.states import Cleanup, TaskStatus
from kubemin.store.tasks import Task
from kubesim.controllers.operators import Operator
from tests.definitions import EXTERNAL_SECRET, HTTP_ROUTE
from tests.engine.instance import Instance, comparable, web
from tests.waiting import until_true

Json = dict[str, Any]

ROUTES, SECRETS = "httproutes.gateway.networking.k8s.io", "externalsecrets.external-secrets.io"


def front(via: str = "gateway", host: str = "a.example") -> Json:
    how = {"parentRefs": [{"name": "public"}]} if via == "gateway" else {"className": "nginx"}
    return web("front", traits={"expose": {"via": via, "hosts": [host], **how}})


def login(key: str = "shop/one") -> Json:
    external = {"store": {"name": "vault"}, "data": {"PASSWORD": {"key": key}}}
    return {"name": "login", "type": "secret", "properties": {"external": external}}


def plain() -> Json:
    return {"name": "login", "type": "secret", "properties": {"secret": {"PASSWORD": "p"}}}


def reader(image: str = "api:1") -> Json:
    return web("api", image, traits={"envFrom": [{"type": "secret", "sourceName": "login"}]})


LATE = web("late", "late:never")


def accepted(route: Manifest) -> Manifest:
    """What a Gateway's controller says of a route, for each of its parents."""
    seen = route["metadata"]["generation"]
    said = [
        {"type": kind, "status": "True", "reason": kind, "message": "", "observedGeneration": seen}
        for kind in ("Accepted", "ResolvedRefs")
    ]
    return {"parents": [{"parentRef": one, "conditions": said} for one in route["spec"]["parentRefs"]]}


def fetched(secret: Manifest) -> list[Manifest]:
    """The Secret that the operator makes."""
    target = secret["spec"]["target"]["name"]
    data = {one["secretKey"]: "cA==" for one in secret["spec"]["data"]}
    labels = secret["metadata"]["labels"]  # it copies them
    return [{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": target, "labels": labels}, "data": data}]


def serve(instance: Instance) -> None:
    """The definitions of both kinds, and controllers for them."""
    for defined in (HTTP_ROUTE, EXTERNAL_SECRET):
        instance.sim.registry.create("customresourcedefinitions", "", defined, manager="ada")
    instance.sim.controllers.operate(Operator(ROUTES, reconcile=accepted))
    instance.sim.controllers.operate(Operator(SECRETS, seconds=20, children=fetched))


async def start(instance: Instance, *components: Json, **options: Any) -> str:
    steps = [{"name": "all", "components": [part["name"] for part in components]}]  # one after another
    application = parse_application({"name": "shop", "component": list(components), "workflow": steps})
    return (await instance.service.run(Posted(application), ExecOptions(**options), "tester")).id


async def run(instance: Instance, *components: Json, **options: Any) -> Task:
    return await instance.settled(await start(instance, *components, **options))


async def cancel(instance: Instance, task_id: str) -> Task:
    await instance.service.cancel((await instance.task(task_id)).app_id, task_id, "ada", "no", None)
    return await instance.settled(task_id)


def everything(instance: Instance) -> Json:
    plurals = ("deployments", "services", "ingresses", "secrets", ROUTES, SECRETS)
    return {
        f"{plural.partition('.')[0]}/{one['metadata']['name']}": comparable(one)
        for plural in plurals
        for one in instance.sim.registry.scan(plural, "default")
    }


def started(instance: Instance, image: str) -> bool:
    pods = instance.sim.registry.scan("pods", "default")
    return any(pod["spec"]["containers"][0]["image"] == image for pod in pods)


def is_as_it_was(instance: Instance, was: object) -> bool:
    return everything(instance) == was


async def test_a_kind_that_the_cluster_does_not_serve_is_refused_before_anything_is_written(instance: Instance) -> None:
    async with instance.worker():
        for part, kind in ((front(), "HTTPRoute.gateway"), (login(), "ExternalSecret.external-secrets")):
            task = await run(instance, part, web("other"))
            assert task.status is TaskStatus.FAILED
            assert "refused before anything was written" in (task.reason or "")
            assert f"does not serve the kind {kind}" in (task.reason or "")
    assert list(instance.sim.registry.scan("deployments")) == []


async def test_from_an_ingress_to_a_gateway_and_back(instance: Instance) -> None:
    serve(instance)
    async with instance.worker():
        await run(instance, front("ingress"))
        assert set(everything(instance)) == {"deployments/shop-front", "services/shop-front", "ingresses/shop-front"}
        was = everything(instance)
        task_id = await start(instance, front("gateway"), LATE)
        await until_true(lambda: started(instance, "late:never"))
        assert (await cancel(instance, task_id)).cleanup is Cleanup.DONE
        assert everything(instance) == was
        task = await run(instance, front("gateway"))
        assert (task.status, task.cleanup) == (TaskStatus.COMPLETED, Cleanup.DONE)
        assert "httproutes/shop-front" in everything(instance)
        assert "ingresses/shop-front" not in everything(instance)
        was = everything(instance)
        task_id = await start(instance, front("gateway", "b.example"), LATE)
        await until_true(lambda: "b.example" in str(everything(instance)["httproutes/shop-front"]))
        assert (await cancel(instance, task_id)).cleanup is Cleanup.DONE
        assert everything(instance) == was
        await run(instance, web("front"))
    assert set(everything(instance)) == {"deployments/shop-front", "services/shop-front"}


async def test_the_hosts_of_a_route_are_told_as_addresses(instance: Instance) -> None:
    serve(instance)
    async with instance.worker() as engine:
        task = await run(instance, front("gateway"))
        components = ComponentWatch(instance.db, lambda: nullcontext(engine.informers["default"]))
        watch = asyncio.create_task(components.run())

        async def told() -> bool | None:
            health = (await components.states(task.app_id)).get("front")
            return True if health is not None and ("HTTPRoute", "a.example") in health.links else None

        await instance.until(told)
        watch.cancel()


async def test_pods_start_once_the_secret_is_there_and_it_goes_with_its_owner(instance: Instance) -> None:
    serve(instance)
    async with instance.worker():
        task = await run(instance, login(), reader())
        assert (task.status, task.reason) == (TaskStatus.COMPLETED, "")
        assert {"externalsecrets/shop-login", "secrets/shop-login-external"} <= set(everything(instance))
        was = everything(instance)
        assert await Orphans(instance.db, instance.cluster, Limits()).find() == []
        task_id = await start(instance, login("shop/two"), reader("api:2"), LATE)
        await until_true(lambda: started(instance, "late:never"))
        assert (await cancel(instance, task_id)).cleanup is Cleanup.DONE
        assert everything(instance) == was
        task = await run(instance, web("api"))
        assert (task.status, task.cleanup) == (TaskStatus.COMPLETED, Cleanup.DONE)
        await until_true(lambda: set(everything(instance)) == {"deployments/shop-api", "services/shop-api"})


async def test_between_values_and_references_no_secret_is_lost(instance: Instance) -> None:
    """Whichever way, and also where the run is put back: each has a Secret of its own."""
    serve(instance)
    async with instance.worker():
        for former, later in ((plain(), login()), (login(), plain())):
            await run(instance, former, reader())
            was = everything(instance)
            task_id = await start(instance, later, reader(), LATE)
            await until_true(lambda: started(instance, "late:never"))
            assert (await cancel(instance, task_id)).cleanup is Cleanup.DONE
            await until_true(partial(is_as_it_was, instance, was))
            task = await run(instance, later, reader())
            assert (task.status, task.cleanup) == (TaskStatus.COMPLETED, Cleanup.DONE)


async def test_a_secret_that_the_operator_would_take_over_is_refused(instance: Instance) -> None:
    """It would go with the ExternalSecret, and so when the run is put back."""
    serve(instance)
    theirs = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "shop-login-external"}, "data": {"a": "cA=="}}
    instance.sim.registry.create("secrets", "default", theirs, manager="ada")
    async with instance.worker():
        task = await run(instance, login(), reader())
        assert task.status is TaskStatus.FAILED
        assert "Secret/default/shop-login-external is there already" in (task.reason or "")
        assert set(everything(instance)) == {"secrets/shop-login-external"}


async def test_a_plan_knows_the_secret_that_the_operator_will_make(instance: Instance) -> None:
    serve(instance)
    preview = await instance.preview([login(), reader()])
    assert [one.verb for one in preview.preview_jobs.values()] == ["create"] * 3
    assert [warning for one in preview.preview_jobs.values() for warning in one.warnings] == []
