"""Cron jobs and daemons, autoscalers, disruption budgets and network policies: deployed, put back, taken away."""

from typing import Any

import pytest

from kubemin.engine import ExecOptions
from kubemin.engine.entry.orphans import Orphans
from kubemin.engine.entry.sources import Posted, Restart
from kubemin.spec.application import parse_application
from kubemin.spec.limits import Limits
from kubemin.spec.objects import Manifest
from kubemin.spec.states import Cleanup, ResourceState, TaskStatus
from kubemin.store.tasks import Task
from kubesim.faults import RequestInfo
from tests.engine.instance import Instance, conf, web
from tests.waiting import until_true
from tests.writes import on_writes

Json = dict[str, Any]

PODS = {"metric": {"name": "rps"}, "target": {"type": "AverageValue", "averageValue": "5"}}
PLURALS = (
    "configmaps",
    "cronjobs",
    "daemonsets",
    "deployments",
    "horizontalpodautoscalers",
    "networkpolicies",
    "poddisruptionbudgets",
    "services",
)


def night(image: str = "dump:1", **properties: Any) -> Json:
    return {"name": "night", "type": "cronjob", "image": image, "properties": {"schedule": "0 3 1 1 *", **properties}}


def agent(image: str = "agent:1", **more: Any) -> Json:
    part = {"name": "agent", "type": "daemon", "image": image, "properties": {"ports": [{"port": 9100}]}, **more}
    return {**part, "traits": {"envFrom": [{"type": "config", "sourceName": "settings"}]}}


def scaled(image: str = "api:1", most: int = 5, **more: Any) -> Json:
    traits = {
        "hpa": {"maxReplicas": most, "metrics": [{"type": "Pods", "pods": PODS}]},
        "pdb": {"maxUnavailable": most},
        "networkPolicy": {"ingress": [{"from": [{"component": "agent"}], "ports": [{"port": most}]}]},
    }
    return web("api", image, traits=traits, **more)


FORMER = [conf("settings", LEVEL="a"), night(), agent(), scaled()]
CHANGED = [conf("settings", LEVEL="b"), night("dump:2", suspend=True), agent("agent:2"), scaled("api:2", 7)]
LATE = web("late", "late:never")


async def start(instance: Instance, *components: Json, **options: Any) -> str:
    application = parse_application({"name": "shop", "component": list(components)})
    return (await instance.service.run(Posted(application), ExecOptions(**options), "tester")).id


async def run(instance: Instance, *components: Json, **options: Any) -> Task:
    return await instance.settled(await start(instance, *components, **options))


async def cancel(instance: Instance, task_id: str) -> Task:
    await instance.service.cancel((await instance.task(task_id)).app_id, task_id, "ada", "no", None)
    return await instance.settled(task_id)


def found(instance: Instance, plural: str) -> dict[str, Manifest]:
    return {one["metadata"]["name"]: one for one in instance.sim.registry.scan(plural, "default")}


def everything(instance: Instance) -> Json:
    """The specs of all that somebody wrote."""
    return {
        f"{plural}/{name}": (one["metadata"]["labels"], one.get("spec"), one.get("data"))
        for plural in PLURALS
        for name, one in found(instance, plural).items()
        if one["metadata"].get("labels")
    }


def images(instance: Instance, component: str) -> set[str]:
    pods = instance.sim.registry.scan("pods", "default")
    mine = [pod for pod in pods if pod["metadata"]["labels"].get("app.kubernetes.io/name") == component]
    return {pod["spec"]["containers"][0]["image"] for pod in mine}


async def test_policies_come_before_the_pods_and_all_of_it_is_ready(instance: Instance) -> None:
    written: list[str] = []

    def note(info: RequestInfo) -> None:
        written.append(info.resource)

    on_writes(instance.sim, note, verb="create")
    async with instance.worker():
        task = await run(instance, *FORMER)
    assert (task.status, task.reason) == (TaskStatus.COMPLETED, "")
    assert set(everything(instance)) == {
        "configmaps/settings",
        "cronjobs/shop-night",
        "daemonsets/shop-agent",
        "deployments/shop-api",
        "horizontalpodautoscalers/shop-api",
        "networkpolicies/shop-api",
        "poddisruptionbudgets/shop-api",
        "services/shop-agent",
        "services/shop-api",
    }
    assert written.index("networkpolicies") < written.index("deployments")
    assert images(instance, "agent") == {"agent:1"}, "the task has waited for the Pods"


async def test_a_cancelled_change_is_put_back_and_the_former_pods_run(instance: Instance) -> None:
    async with instance.worker():
        await run(instance, *FORMER)
        was = everything(instance)
        task_id = await start(instance, *CHANGED, LATE)
        await until_true(lambda: images(instance, "agent") == {"agent:2"} and images(instance, "late"))
        task = await cancel(instance, task_id)
        assert (task.status, task.cleanup, task.cleanup_why) == (TaskStatus.CANCELLED, Cleanup.DONE, "")
        assert everything(instance) == was
        assert images(instance, "agent") == {"agent:1"}
        assert await Orphans(instance.db, instance.cluster, Limits()).find() == []


async def test_a_first_run_that_is_cancelled_leaves_nothing(instance: Instance) -> None:
    async with instance.worker():
        was = everything(instance)
        task_id = await start(instance, *FORMER, LATE)
        await until_true(lambda: images(instance, "late") and images(instance, "agent"))
        job_of(instance, found(instance, "cronjobs")["shop-night"], "dump:never")
        await until_true(lambda: images(instance, "night"))
        assert (await cancel(instance, task_id)).cleanup is Cleanup.DONE
        assert everything(instance) == was
        assert list(instance.sim.registry.scan("jobs")) == list(instance.sim.registry.scan("pods")) == []


WRITES = 10
"""Objects that the task of the next test has written when it is cancelled: at most so many."""


@pytest.mark.parametrize(
    "number", [3, 7, *(pytest.param(n, marks=pytest.mark.proof) for n in range(1, WRITES) if n not in (3, 7))]
)
async def test_a_cancel_at_any_write_leaves_the_cluster_as_it_was(instance: Instance, number: int) -> None:
    async with instance.worker():
        await run(instance, *FORMER)
        was = everything(instance)
        task_id = await start(instance, *CHANGED, LATE)

        async def reached() -> bool | None:
            rows = await instance.journal(task_id)
            return len([row for row in rows if row.state is not ResourceState.INTENT]) >= number or None

        await instance.until(reached)
        task = await cancel(instance, task_id)
        assert (task.status, task.cleanup) == (TaskStatus.CANCELLED, Cleanup.DONE)
        assert everything(instance) == was
        assert images(instance, "agent") == {"agent:1"}


async def test_what_the_application_no_longer_has_goes_with_the_jobs_and_pods_of_it(instance: Instance) -> None:
    async with instance.worker():
        await run(instance, *FORMER)
        owner = found(instance, "cronjobs")["shop-night"]
        job_of(instance, owner, "dump:never")
        await until_true(lambda: images(instance, "night"))
        plain = {**web("api", "api:1")}
        task = await run(instance, conf("settings", LEVEL="a"), plain)
        assert (task.status, task.cleanup) == (TaskStatus.COMPLETED, Cleanup.DONE)
        assert set(everything(instance)) == {"configmaps/settings", "deployments/shop-api", "services/shop-api"}
        assert list(instance.sim.registry.scan("jobs")) == []
        assert images(instance, "night") == images(instance, "agent") == set()


def job_of(instance: Instance, owner: Manifest, image: str) -> None:
    """The Job that the schedule of a CronJob would have begun."""
    template = owner["spec"]["jobTemplate"]["spec"]
    template["template"]["spec"]["containers"][0]["image"] = image
    meta = owner["metadata"]
    of = {"apiVersion": "batch/v1", "kind": "CronJob", "name": meta["name"], "uid": meta["uid"], "controller": True}
    labels = owner["spec"]["jobTemplate"]["metadata"]["labels"]
    job = {"metadata": {"name": f"{meta['name']}-1", "labels": labels, "ownerReferences": [of]}, "spec": template}
    instance.sim.registry.create("jobs", "default", job, manager="kube-controller-manager")


async def test_a_job_that_a_schedule_began_is_left_alone_by_a_run_that_is_put_back(instance: Instance) -> None:
    async with instance.worker():
        await run(instance, *FORMER)
        job_of(instance, found(instance, "cronjobs")["shop-night"], "dump:never")
        await until_true(lambda: images(instance, "night"))
        (before,) = found(instance, "jobs").values()
        task_id = await start(instance, *CHANGED, LATE)
        await until_true(lambda: images(instance, "late"))
        assert (await cancel(instance, task_id)).cleanup is Cleanup.DONE
        (after,) = found(instance, "jobs").values()
        assert after["metadata"]["uid"] == before["metadata"]["uid"]
        assert await Orphans(instance.db, instance.cluster, Limits()).find() == []


async def test_the_pods_of_a_daemon_start_again(instance: Instance) -> None:
    async with instance.worker():
        task = await run(instance, *FORMER)
        was = {pod["metadata"]["uid"] for pod in instance.sim.registry.scan("pods")}
        restarted = await instance.service.run(Restart(task.app_id, ["agent"]), ExecOptions(), "tester")
        assert (await instance.settled(restarted.id)).status is TaskStatus.COMPLETED
        again = [pod for pod in instance.sim.registry.scan("pods") if pod["metadata"]["uid"] not in was]
        assert {pod["spec"]["containers"][0]["image"] for pod in again} == {"agent:1"}
        await run(instance, conf("settings", LEVEL="b"), *FORMER[1:])
        newest = found(instance, "daemonsets")["shop-agent"]["spec"]["template"]["metadata"]["annotations"]
        assert newest["kubemin.io/config-digest"]


# --- replicas


def replicas(instance: Instance) -> int:
    number: int = found(instance, "deployments")["shop-api"]["spec"]["replicas"]
    return number


def scale(instance: Instance, number: int) -> None:
    body = {"spec": {"replicas": number}}
    instance.sim.registry.patch(
        "deployments",
        "default",
        "shop-api",
        "application/merge-patch+json",
        body,
        manager="kube-controller-manager",
        subresource="scale",
    )


async def test_with_the_trait_the_number_in_the_file_counts_at_creation(instance: Instance) -> None:
    async with instance.worker():
        task = await run(instance, scaled(replicas=2), agent(), conf("settings"))
        assert replicas(instance) == 2
        scale(instance, 4)
        task = await run(instance, scaled("api:2", replicas=3), agent(), conf("settings"))
        assert (task.status, replicas(instance)) == (TaskStatus.COMPLETED, 4)
        rows = await instance.jobs(task.id)
        assert not [row for row in rows if "spec.replicas stays" in (row.info or "")], "it is as the file wants it"


@pytest.mark.parametrize("then", ["complete", "cancelled"])
async def test_without_the_trait_the_file_decides_again(instance: Instance, then: str) -> None:
    """Also while the autoscaler is still there: it goes once the run is complete."""
    others = [agent(), conf("settings")]
    async with instance.worker():
        await run(instance, scaled(replicas=2), *others)
        scale(instance, 4)
        was = everything(instance)
        plain = web("api", "api:1", replicas=2)
        if then == "complete":
            await run(instance, plain, *others)
            assert replicas(instance) == 2
            assert found(instance, "horizontalpodautoscalers") == {}
        else:
            task_id = await start(instance, plain, *others, LATE)
            await until_true(lambda: replicas(instance) == 2 and images(instance, "late"))
            assert (await cancel(instance, task_id)).cleanup is Cleanup.DONE
            assert everything(instance) == was
            assert replicas(instance) == 4
