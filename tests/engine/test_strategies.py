"""Strategies: the Pods of a component are replaced in turns, and its Service has ready Pods after each change."""

from typing import Any

import pytest

from kubemin.engine import ExecOptions
from kubemin.engine.entry.compute_thread import ComputeThread
from kubemin.engine.entry.diffs import Diffs
from kubemin.engine.entry.sources import Draft, Former, Restart
from kubemin.spec.issues import SpecError
from kubemin.spec.objects import ObjectRef
from kubemin.spec.states import PAUSE_KIND, Cleanup, JobStatus, TaskStatus
from kubemin.store import revisions
from tests.engine.instance import LIMITS, Instance, store, web
from tests.engine.serving import Client, asking
from tests.engine.test_holds import held_in
from tests.matrix import thinned

CANARY: dict[str, Any] = {"type": "canary", "steps": [{"weight": 20}, {"replicas": 3}]}
BLUE_GREEN: dict[str, Any] = {"type": "blue-green", "promote": True}
INGRESS = {
    "ingress": [
        {
            "ingressClassName": "nginx",
            "hosts": ["shop.example"],
            "routes": [{"path": "/", "backend": {"serviceName": "front"}}],
        }
    ]
}
SERVICE = "shop-front"
HOLDS = {"canary": ["canary 20 %", "canary 3 replicas"], "blue-green": ["green"]}


def front(image: str, strategy: Any = None, **more: Any) -> dict[str, Any]:
    properties = {"ports": [{"port": 80}], "hopelessAfter": 1}
    return web(
        "front", image, replicas=4, properties=properties, **({"strategy": strategy} if strategy else {}), **more
    )


async def deployed(instance: Instance, *parts: dict[str, Any]) -> str:
    """An application that is deployed."""
    app_id = await instance.save(parts)
    assert (await instance.settled(await instance.exec(app_id))).status is TaskStatus.COMPLETED
    return app_id


async def changed(instance: Instance, app_id: str, *parts: dict[str, Any]) -> str:
    """The run of another version of it."""
    await instance.save(parts, app_id=app_id)
    return await instance.exec(app_id)


async def images(instance: Instance) -> dict[str, tuple[str, int]]:
    """Image and replicas of each Deployment."""
    found = (await instance.cluster.list("Deployment")).items
    return {
        one["metadata"]["name"]: (one["spec"]["template"]["spec"]["containers"][0]["image"], one["spec"]["replicas"])
        for one in found
    }


def answered(client: Client) -> list[set[str]]:
    """What a client got, one after another; it got an answer after each change."""
    assert client.unanswered == []
    assert client.looks > 1
    return client.images


@pytest.mark.parametrize("strategy", [CANARY, BLUE_GREEN], ids=["canary", "blue-green"])
async def test_a_first_deploy_has_no_pods_to_replace_and_so_no_turns(instance: Instance, strategy: Any) -> None:
    async with instance.worker():
        task_id = await instance.exec(await instance.save([front("web:1", strategy)]))
        assert (await instance.settled(task_id)).status is TaskStatus.COMPLETED
    assert await images(instance) == {SERVICE: ("web:1", 4)}
    skipped = {job.info for job in await instance.jobs(task_id) if job.status is JobStatus.SKIPPED}
    assert skipped == {f"Deployment/default/{SERVICE}: it is not there yet"}


@pytest.mark.parametrize("strategy", [CANARY, BLUE_GREEN], ids=["canary", "blue-green"])
async def test_pods_that_stay_as_they_are_need_no_turns(instance: Instance, strategy: Any) -> None:
    async with instance.worker():
        app_id = await deployed(instance, front("web:1"))
        task_id = await changed(instance, app_id, {**front("web:1", strategy), "replicas": 5})
        assert (await instance.settled(task_id)).status is TaskStatus.COMPLETED
    assert await images(instance) == {SERVICE: ("web:1", 5)}
    skipped = {job.info for job in await instance.jobs(task_id) if job.status is JobStatus.SKIPPED}
    assert skipped == {f"Deployment/default/{SERVICE}: its Pods stay as they are"}


async def test_a_canary_grows_as_it_is_promoted_and_then_goes(instance: Instance) -> None:
    async with instance.worker():
        app_id = await deployed(instance, front("web:1"))
        with asking(instance.sim, SERVICE) as client:
            task_id = await changed(instance, app_id, front("web:2", CANARY))
            await held_in(instance, task_id, "canary 20 %")
            assert await images(instance) == {SERVICE: ("web:1", 4), f"{SERVICE}-canary": ("web:2", 1)}
            await instance.service.promote(task_id, "ada")
            await held_in(instance, task_id, "canary 3 replicas")
            assert await images(instance) == {SERVICE: ("web:1", 4), f"{SERVICE}-canary": ("web:2", 3)}
            await instance.service.promote(task_id, "ada")
            task = await instance.settled(task_id)
    assert (task.status, task.cleanup) == (TaskStatus.COMPLETED, Cleanup.DONE), task.reason
    assert await images(instance) == {SERVICE: ("web:2", 4)}
    assert answered(client) == [{"web:1"}, {"web:1", "web:2"}, {"web:2"}]
    replica_sets = (await instance.cluster.list("ReplicaSet")).items
    assert len(replica_sets) == 2, "those of the canary are gone"


async def test_blue_and_green_are_never_served_together(instance: Instance) -> None:
    async with instance.worker():
        app_id = await deployed(instance, front("web:1"))
        with asking(instance.sim, SERVICE) as client:
            task_id = await changed(instance, app_id, front("web:2", BLUE_GREEN))
            await held_in(instance, task_id, "green")
            assert await images(instance) == {SERVICE: ("web:1", 4), f"{SERVICE}-green": ("web:2", 4)}
            assert client.images == [{"web:1"}]
            await instance.service.promote(task_id, "ada")
            task = await instance.settled(task_id)
    assert (task.status, task.cleanup) == (TaskStatus.COMPLETED, Cleanup.DONE), task.reason
    assert await images(instance) == {SERVICE: ("web:2", 4)}
    assert answered(client) == [{"web:1"}, {"web:2"}]


async def test_a_canary_behind_nginx_gets_its_share_of_the_requests(instance: Instance) -> None:
    """Its Pods are those of a Service of its own; the component's has none of them."""
    strategy = {"type": "canary", "steps": [{"weight": 5}, {"weight": 50}]}
    ref = ObjectRef("Ingress", "default", f"{SERVICE}-canary")

    async def weight() -> tuple[str, str]:
        live = await instance.cluster.get(ref)
        path = live["spec"]["rules"][0]["http"]["paths"][0]
        weight = live["metadata"]["annotations"]["nginx.ingress.kubernetes.io/canary-weight"]
        return weight, path["backend"]["service"]["name"]

    async with instance.worker():
        app_id = await deployed(instance, front("web:1", traits=INGRESS))
        before = await instance.snapshot()
        task_id = await changed(instance, app_id, front("web:2", strategy, traits=INGRESS))
        await held_in(instance, task_id, "canary 5 %")
        with asking(instance.sim, SERVICE) as client, asking(instance.sim, f"{SERVICE}-canary") as canary:
            assert await weight() == ("5", f"{SERVICE}-canary")
            await instance.service.promote(task_id, "ada")
            await held_in(instance, task_id, "canary 50 %")
            assert await weight() == ("50", f"{SERVICE}-canary")
            assert (await images(instance))[f"{SERVICE}-canary"] == ("web:2", 4)
        assert answered(client) == [{"web:1"}]
        assert answered(canary) == [{"web:2"}]
        await instance.service.promote(task_id, "ada")
        assert (await instance.settled(task_id)).status is TaskStatus.COMPLETED
    after = await instance.snapshot()
    assert {ref for ref in after if ref.kind != "ReplicaSet"} == {ref for ref in before if ref.kind != "ReplicaSet"}


PHASES = [("canary", 0), ("canary", 1), ("canary", 2), ("blue-green", 0), ("blue-green", 1)]
"""Each wait, and the time after the last: then the workload itself gets the new template."""
STRATEGIES = {"canary": CANARY, "blue-green": BLUE_GREEN}
LATE = web("late", "late:never")
"""What keeps the last stage of a run from its end."""
BROKEN = web("broken", "broken:pull", properties={"ports": [{"port": 80}], "hopelessAfter": 1})


@pytest.mark.parametrize(("wait", "how"), thinned(PHASES, [TaskStatus.CANCELLED, TaskStatus.TIMEOUT]))
async def test_whatever_ends_it_the_former_version_is_back(
    instance: Instance, wait: tuple[str, int], how: TaskStatus
) -> None:
    way, phase = wait
    async with instance.worker():
        app_id = await deployed(instance, front("web:1"))
        before = await instance.snapshot()
        with asking(instance.sim, SERVICE) as client:
            timed_out = how is TaskStatus.TIMEOUT
            strategy = impatient(way, phase) if timed_out else STRATEGIES[way]
            await instance.save([front("web:2", strategy), LATE], app_id=app_id)
            task_id = await instance.exec(app_id, ExecOptions(no_activity_seconds=STILL if timed_out else None))
            for name in HOLDS[way][:phase]:
                await held_in(instance, task_id, name)
                await instance.service.promote(task_id, "ada")
            if phase < len(HOLDS[way]) and timed_out:
                pass  # nobody promotes it
            elif phase < len(HOLDS[way]):
                await held_in(instance, task_id, HOLDS[way][phase])
            else:
                await instance.until(lambda: begun(instance))
            if how is TaskStatus.CANCELLED:
                await instance.service.cancel(app_id, task_id, "ada", "enough")
            task = await instance.settled(task_id)
    assert (task.status, task.cleanup) == (how, Cleanup.DONE), (task.reason, task.cleanup_why)
    assert await instance.snapshot() == before
    assert answered(client)[-1] == {"web:1"}


STILL = 1.5
"""How long nothing may move, in seconds: on a busy machine the time before counts, too, if the whole run is limited."""


def impatient(way: str, phase: int) -> Any:
    """The strategy, whose wait number ``phase`` has little time."""
    limit = {"timeoutSeconds": 0.2}
    if way == "blue-green":
        return BLUE_GREEN | limit if phase == 0 else BLUE_GREEN
    return {**CANARY, "steps": [step | limit if place == phase else step for place, step in enumerate(CANARY["steps"])]}


FORMER = ["rolling", "recreate", "canary", "blue-green"]
ENDS = [TaskStatus.COMPLETED, TaskStatus.CANCELLED, TaskStatus.FAILED, TaskStatus.TIMEOUT]
NEXT: dict[str, Any] = {
    "rolling": "rolling",
    "canary": {"type": "canary", "steps": [{"weight": 50, "seconds": 0.01}]},
    "blue-green": "blue-green",
}


def changes() -> list[Any]:
    """From each strategy to each that serves all the time, and each end; two of them every day.

    Not from recreate to rolling: the former version is put back as it was deployed, and says that its Pods come when
    all others are gone.
    """
    daily = [("recreate", "blue-green", TaskStatus.FAILED), ("rolling", "rolling", TaskStatus.CANCELLED)]
    every = [(former, way, end) for former in FORMER for way in NEXT for end in ENDS]
    left = [one for one in every if one[:2] != ("recreate", "rolling")]
    return [pytest.param(*one, marks=() if one in daily else pytest.mark.proof, id="-".join(one)) for one in left]


@pytest.mark.parametrize(("former", "way", "end"), changes())
async def test_the_service_has_ready_pods_all_the_time(
    instance: Instance, former: str, way: str, end: TaskStatus
) -> None:
    """Also where a run ends only after the workload itself got its new template."""
    more = {TaskStatus.COMPLETED: [], TaskStatus.FAILED: [BROKEN]}.get(end, [LATE])
    async with instance.worker():
        app_id = await deployed(instance, front("web:1", former))
        before = await instance.snapshot()
        with asking(instance.sim, SERVICE) as client:
            await instance.save([front("web:2", NEXT[way]), *more], app_id=app_id)
            limit = STILL if end is TaskStatus.TIMEOUT else None
            task_id = await instance.exec(app_id, ExecOptions(no_activity_seconds=limit))
            if end is TaskStatus.CANCELLED:
                await instance.until(lambda: begun(instance))
                await instance.service.cancel(app_id, task_id, "ada", "enough")
            task = await instance.settled(task_id)
    assert task.status is end, task.reason
    assert task.cleanup in (Cleanup.DONE, Cleanup.NONE), task.cleanup_why
    if end is not TaskStatus.COMPLETED:
        assert await instance.snapshot() == before
    assert answered(client)[-1] == {"web:2" if end is TaskStatus.COMPLETED else "web:1"}


async def begun(instance: Instance) -> bool:
    """Whether the workload itself has the new template."""
    return (await images(instance))[SERVICE][0] == "web:2"


@pytest.mark.parametrize("way", STRATEGIES)
@pytest.mark.parametrize("image", ["web:pull", "web:2"], ids=["the new version", "another component"])
async def test_what_fails_is_put_back(instance: Instance, way: str, image: str) -> None:
    async with instance.worker():
        app_id = await deployed(instance, front("web:1"))
        before = await instance.snapshot()
        strategy = {"type": "canary", "steps": [{"weight": 50, "seconds": 0.01}]} if way == "canary" else way
        with asking(instance.sim, SERVICE) as client:
            task_id = await changed(instance, app_id, front(image, strategy), BROKEN)
            task = await instance.settled(task_id)
    assert (task.status, task.cleanup) == (TaskStatus.FAILED, Cleanup.DONE), (task.reason, task.cleanup_why)
    assert await instance.snapshot() == before
    assert answered(client)[-1] == {"web:1"}


@pytest.mark.parametrize("failing", [False, True])
async def test_recreate_has_never_pods_of_two_versions(instance: Instance, failing: bool) -> None:
    def both(strategy: Any, number: int) -> list[dict[str, Any]]:
        return [front(f"web:{number}", strategy), store("db", f"db:{number}", strategy=strategy, replicas=2)]

    mixed: list[Any] = []

    def look(_event: str, obj: Any, _old: Any) -> None:
        if obj["kind"] == "Pod":
            pods = list(instance.sim.registry.scan("pods", "default"))
            found = {pod["spec"]["containers"][0]["image"] for pod in pods}
            mixed.extend(name for name in ("web", "db") if {f"{name}:1", f"{name}:2"} <= found)

    async with instance.worker():
        app_id = await deployed(instance, *both("rolling", 1))
        before = await instance.snapshot()
        instance.sim.registry.subscribe(look)
        task_id = await changed(instance, app_id, *both("recreate", 2), *([BROKEN] if failing else []))
        task = await instance.settled(task_id)
        assert mixed == [] or failing
        if failing:
            assert (task.status, task.cleanup) == (TaskStatus.FAILED, Cleanup.DONE), task.cleanup_why
            assert await instance.snapshot() == before
            return
        assert task.status is TaskStatus.COMPLETED, task.reason
        assert (await images(instance))[SERVICE] == ("web:2", 4)
        # And back: the strategy is that of the file, whatever it was.
        task = await instance.settled(await changed(instance, app_id, *both("rolling", 1)))
        assert task.status is TaskStatus.COMPLETED, task.reason
    live = await instance.cluster.get(ObjectRef("Deployment", "default", SERVICE))
    assert live["spec"]["strategy"]["type"] == "RollingUpdate"


async def test_a_weight_counts_from_the_replicas_that_are_there(instance: Instance) -> None:
    strategy = {"type": "canary", "steps": [{"weight": 20}]}
    async with instance.worker():
        app_id = await deployed(instance, front("web:1") | {"replicas": "auto"})
        await instance.cluster.patch(ObjectRef("Deployment", "default", SERVICE), {"spec": {"replicas": 9}})
        task_id = await changed(instance, app_id, front("web:2", strategy) | {"replicas": "auto"})
        await held_in(instance, task_id, "canary 20 %")
        assert (await images(instance)) == {SERVICE: ("web:1", 9), f"{SERVICE}-canary": ("web:2", 3)}
        await instance.service.promote(task_id, "ada")
        assert (await instance.settled(task_id)).status is TaskStatus.COMPLETED
    assert await images(instance) == {SERVICE: ("web:2", 9)}


async def test_the_strategy_of_a_run_wins_where_it_can(instance: Instance) -> None:
    def both(number: int) -> list[dict[str, Any]]:
        return [front(f"web:{number}", CANARY), store("db", f"db:{number}")]

    async with instance.worker():
        app_id = await deployed(instance, *both(1))
        await instance.save(both(2), app_id=app_id)
        task_id = await instance.exec(app_id, ExecOptions.model_validate({"strategy": "blue-green"}))
        task = await instance.settled(task_id)
        assert task.status is TaskStatus.COMPLETED, task.reason
        assert {job.object_name for job in await instance.jobs(task_id) if job.component == "front"} == {
            f"{SERVICE}-green",
            SERVICE,
        }
        # Only named, it is that of the component, with its steps.
        await instance.save(both(3), app_id=app_id)
        task_id = await instance.exec(app_id, ExecOptions.model_validate({"strategy": "canary"}))
        await held_in(instance, task_id, "canary 20 %")
        await instance.service.cancel(app_id, task_id, "ada", "enough")
        await instance.settled(task_id)
    async with instance.db.read() as tx:
        kept = [one for number in (3, 2, 1) if (one := await revisions.get(tx, app_id, number)) is not None]
    assert [(one.number, one.strategy) for one in kept] == [(3, "canary"), (2, "blue-green"), (1, "canary")]
    assert all(one.spec["component"][0]["strategy"] == CANARY for one in kept), "the file is as it was posted"


@pytest.mark.parametrize(
    ("own", "of_run"), [("recreate", "blue-green"), ("recreate", "rolling"), ("rolling", "recreate")]
)
async def test_a_run_s_strategy_is_the_run_s_alone(instance: Instance, own: str, of_run: str) -> None:
    """Afterwards the cluster has what the revision says: the same file without it changes nothing."""
    async with instance.worker():
        app_id = await deployed(instance, front("web:1", own))
        await instance.save([front("web:2", own)], app_id=app_id)
        task_id = await instance.exec(app_id, ExecOptions.model_validate({"strategy": of_run}))
        task = await instance.settled(task_id)
        assert task.status is TaskStatus.COMPLETED, task.reason
        assert await images(instance) == {SERVICE: ("web:2", 4)}
        live = await instance.cluster.get(ObjectRef("Deployment", "default", SERVICE))
        assert live["spec"]["strategy"]["type"] == {"recreate": "Recreate", "rolling": "RollingUpdate"}[own]
        assert await Diffs(instance.db, instance.cluster, LIMITS, ComputeThread()).between(app_id, 2, "live") == []


@pytest.mark.parametrize("source", ["rollback", "restart"])
async def test_going_back_and_starting_again_wait_for_nobody(instance: Instance, source: str) -> None:
    """Unless the run itself asks for it; a component that is recreated never has Pods of two versions."""
    async with instance.worker():
        app_id = await deployed(instance, front("web:1", CANARY), front2("one:1"))
        task = await instance.service.run(Draft(app_id), ExecOptions(), "ada")
        await instance.settled(task.id)
        of = Former(app_id, 1) if source == "rollback" else Restart(app_id)
        task = await instance.service.run(of, ExecOptions(), "ada")
        task = await instance.settled(task.id)
        assert task.status is TaskStatus.COMPLETED, task.reason
        assert not [job for job in await instance.jobs(task.id) if job.kind == PAUSE_KIND]
        live = await instance.cluster.get(ObjectRef("Deployment", "default", "shop-one"))
        assert live["spec"]["strategy"] == {"type": "Recreate"}


def front2(image: str) -> dict[str, Any]:
    return web("one", image, strategy="recreate")


async def test_a_strategy_that_no_component_can_have_is_refused(instance: Instance) -> None:
    app_id = await instance.save([store("db")])
    for wanted, field in (("canary", "strategy"), ({"type": "canary", "steps": [{}]}, "strategy.steps[0].weight")):
        with pytest.raises(SpecError) as caught:
            await instance.exec(app_id, ExecOptions.model_validate({"strategy": wanted}))
        assert [issue.field for issue in caught.value.issues] == [field]


async def test_a_run_s_strategy_may_make_no_object_that_another_component_makes(instance: Instance) -> None:
    app_id = await instance.save([front("web:1"), web("front-canary")])
    with pytest.raises(SpecError, match="would both make the Deployment shop-front-canary"):
        await instance.exec(app_id, ExecOptions.model_validate({"strategy": "canary"}))


async def test_the_plan_tells_which_turns_there_will_be(instance: Instance) -> None:
    async with instance.worker():
        first = await instance.preview([front("web:1", CANARY)])
        await deployed(instance, front("web:1"))
        same = await instance.preview([front("web:1", CANARY)])
        new = await instance.preview([front("web:2", CANARY)])
    verbs = [[one.verb for _, one in sorted(preview.preview_jobs.items())] for preview in (first, same, new)]
    assert verbs == [
        ["skip", "skip", "create", "create"],
        ["skip", "skip", "same", "same"],
        ["create", "create", "same", "change"],
    ]
