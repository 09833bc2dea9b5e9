"""How what applications share ends: with the last who has it, and as it was before the first, whoever goes when."""

from typing import Any

import pytest

from kubemin.engine import ExecOptions
from kubemin.engine.entry.sources import Posted
from kubemin.spec.application import parse_application
from kubemin.spec.ids import application_id
from kubemin.spec.labels import APP_ID
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.states import Cleanup, TaskStatus
from kubesim.faults import Fault
from tests.engine.instance import Instance, conf, web

REF = ObjectRef("ConfigMap", "default", "common")
LABELS = {"app.kubernetes.io/name": "theirs", "team": "shop"}


def common(strategy: str, **data: str) -> dict[str, Any]:
    return {**conf("common", **data), "traits": {"share": {"strategy": strategy}}}


async def runs(
    instance: Instance,
    name: str,
    *components: dict[str, Any],
    workflow: list[dict[str, Any]] | None = None,
    **options: Any,
) -> str:
    """A file of the application is applied; the task's id."""
    steps = {"workflow": workflow} if workflow else {}
    application = parse_application({"name": name, "component": list(components), **steps})
    return (await instance.service.run(Posted(application), ExecOptions(**options), "ada")).id


async def applied(instance: Instance, name: str, *components: dict[str, Any], **options: Any) -> None:
    await done(instance, await runs(instance, name, *components, **options))


async def deleted(instance: Instance, name: str, *, keep_resources: bool = False) -> None:
    app_id = application_id("default", name)
    await done(instance, (await instance.service.delete_application(app_id, "ada", keep_resources=keep_resources)).id)


async def done(instance: Instance, task_id: str) -> None:
    task = await instance.settled(task_id)
    assert task.status is TaskStatus.COMPLETED, task.reason
    assert task.cleanup in (Cleanup.NONE, Cleanup.DONE), task.cleanup_why


async def cleaned(instance: Instance, task_id: str) -> None:
    """An incomplete cleanup is tried once more, and is done then."""
    attempts = (await instance.task(task_id)).cleanup_attempts
    await instance.service.retry_cleanup(task_id)

    async def tried() -> Cleanup | None:
        task = await instance.task(task_id)
        return task.cleanup if task.cleanup is Cleanup.DONE or task.cleanup_attempts > attempts else None

    assert await instance.until(tried) is Cleanup.DONE, (await instance.task(task_id)).cleanup_why


async def live(instance: Instance) -> Manifest | None:
    found = (await instance.cluster.list("ConfigMap", "default")).items
    return next((obj for obj in found if obj["metadata"]["name"] == "common"), None)


async def belongs_to(instance: Instance, name: str) -> None:
    found = await live(instance)
    assert found is not None, f"{name} uses it"
    assert found["metadata"]["labels"][APP_ID] == application_id("default", name)


def somebodys(instance: Instance) -> Manifest:
    """What was there before any application."""
    metadata = {"name": "common", "namespace": "default", "labels": LABELS}
    theirs = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"theirs": "1"}}
    return instance.sim.registry.create("configmaps", "default", theirs, manager="kubectl")


NAMES = ["aa", "bb", "cc"]
ORDERS = [
    pytest.param(["aa", "bb", "cc"], marks=pytest.mark.proof),
    pytest.param(["cc", "bb", "aa"], marks=pytest.mark.proof),
    ["bb", "aa", "cc"],
    pytest.param(["bb", "cc", "aa"], marks=pytest.mark.proof),
]


@pytest.mark.parametrize("was_there", [False, True], ids=["made", "was there"])
@pytest.mark.parametrize("order", ORDERS, ids="-".join)
@pytest.mark.parametrize("goes_by", ["deletion", "a run without it"])
async def test_what_each_wrote_by_force_goes_with_the_last(
    instance: Instance, was_there: bool, order: list[str], goes_by: str
) -> None:
    if was_there:
        before = somebodys(instance)
    async with instance.worker():
        for number, name in enumerate(NAMES):
            await applied(instance, name, common("force", v=str(number)), conf(f"own-{name}", v="1"), adopt=was_there)
            await belongs_to(instance, name)
        users = list(NAMES)
        for name in order:
            users.remove(name)
            if goes_by == "deletion":
                await deleted(instance, name)
            else:
                await applied(instance, name, conf(f"own-{name}", v="1"))
            if users:
                found = await live(instance)
                assert found is not None
                assert found["metadata"]["labels"][APP_ID] in {application_id("default", one) for one in users}
                for user in users:  # it is still theirs to write, and of what others wrote nothing stays
                    await applied(instance, user, common("force", **{user: "1"}), conf(f"own-{user}", v="1"))
                    found = await live(instance)
                    assert found is not None
                    assert {name for name in found["data"] if name != "theirs"} == {user}
                    await belongs_to(instance, user)
        found = await live(instance)
        if not was_there:
            assert found is None
        else:
            assert found is not None
            assert found["metadata"]["uid"] == before["metadata"]["uid"]
            assert found["metadata"]["labels"] == LABELS


@pytest.mark.parametrize("gives_up", [False, True], ids=["tried again", "given up"])
@pytest.mark.parametrize("first", ["maker", "user"])
async def test_what_its_maker_could_not_take_back_goes_with_the_last(
    instance: Instance, gives_up: bool, first: str
) -> None:
    """The maker's run has failed, and its rollback could not delete it; meanwhile another application uses it."""
    async with instance.worker():
        stuck = instance.sim.faults.add(Fault("status", verb="delete", resource="configmaps", times=None, code=403))
        failed = await runs(
            instance, "maker", common("default", v="1"), web("bad", "web:pull"), hopeless_after_seconds=0.01
        )
        task = await instance.settled(failed)
        assert (task.status, task.cleanup) == (TaskStatus.FAILED, Cleanup.INCOMPLETE)
        await applied(instance, "user", common("default", v="1"))
        instance.sim.faults.remove(stuck)
        if gives_up:
            await instance.service.abandon_cleanup(failed, "ada", "enough")
        else:
            await cleaned(instance, failed)
        assert await live(instance) is not None, "it is used"
        for name in (first, "user" if first == "maker" else "maker"):
            await deleted(instance, name)
            if name == "maker":
                assert (await live(instance) is not None) is (first == "maker")
        assert await live(instance) is None


@pytest.mark.parametrize("goes_by", ["deletion", "keeping", "a run without it"])
@pytest.mark.parametrize("third", [False, True], ids=["two", "three"])
@pytest.mark.parametrize("ends_first", ["maker", "receiver"])
async def test_what_passes_to_one_that_goes_is_not_left_behind(
    instance: Instance, goes_by: str, third: bool, ends_first: str
) -> None:
    """It was decided to whom it passes, and the request that says so did not land; then its receiver goes."""
    async with instance.worker():
        await applied(instance, "maker", common("default", v="1"), conf("own", v="1"))
        for name in ("receiver", "third") if third else ("receiver",):
            await applied(instance, name, common("default", v="1"), conf(f"own-{name}", v="1"))
        stuck = instance.sim.faults.add(Fault("status", verb="update", resource="configmaps", times=None, code=403))
        passing = await runs(instance, "maker", conf("own", v="1"))
        task = await instance.settled(passing)
        assert (task.status, task.cleanup) == (TaskStatus.COMPLETED, Cleanup.INCOMPLETE)
        if ends_first == "maker":
            instance.sim.faults.remove(stuck)
            await cleaned(instance, passing)
            await belongs_to(instance, "receiver")
        elif third or goes_by == "keeping":  # what is not deleted is written, too
            instance.sim.faults.remove(stuck)
        if goes_by == "a run without it":
            await applied(instance, "receiver", conf("own-receiver", v="1"))
        else:
            await deleted(instance, "receiver", keep_resources=goes_by == "keeping")
        if ends_first != "maker":
            await instance.sim.faults.clear()
            await cleaned(instance, passing)
        if third:
            await belongs_to(instance, "third")
            await deleted(instance, "third")
        found = await live(instance)
        if goes_by == "keeping" and not third:
            assert found is not None
            assert APP_ID not in found["metadata"].get("labels", {})
        else:
            assert found is None


@pytest.mark.parametrize("third", [False, True], ids=["two", "three"])
@pytest.mark.parametrize("strategy", ["default", "force"])
async def test_what_passes_to_a_run_that_does_not_complete_goes_on(
    instance: Instance, strategy: str, third: bool
) -> None:
    """Its maker goes while the run is under way that would use it, or has written over it."""
    async with instance.worker():
        await applied(instance, "maker", common(strategy, v="1"))
        if third:
            await applied(instance, "third", common("default", v="1"), conf("own-third", v="1"))
        coming = await runs(instance, "receiver", common(strategy, v="2"), web("slow", "web:never"))

        async def at_work() -> bool:
            rows = await instance.journal(coming)
            return any(row.ref.kind == "Deployment" for row in rows)

        await instance.until(at_work)
        await deleted(instance, "maker")
        assert await live(instance) is not None, "a run is under way that has it"
        await instance.service.cancel(application_id("default", "receiver"), coming, "ada", "no")
        task = await instance.settled(coming)
        assert (task.status, task.cleanup) == (TaskStatus.CANCELLED, Cleanup.DONE), task.cleanup_why
        if third:
            await belongs_to(instance, "third")
            await deleted(instance, "third")
        assert await live(instance) is None


async def test_who_writes_over_what_a_run_makes_waits_until_that_stays(instance: Instance) -> None:
    """Else both would take back what the other one has written, and one would bring it back."""
    async with instance.worker():
        making = await runs(instance, "maker", common("force", v="1"), web("slow", "web:never"))

        async def made() -> bool:
            return await live(instance) is not None

        await instance.until(made)
        coming = await runs(
            instance, "other", common("force", v="2"), web("bad", "web:pull"), hopeless_after_seconds=0.2
        )

        async def waits() -> bool:
            return any(making in job.info for job in await instance.jobs(coming))

        await instance.until(waits)
        await instance.service.cancel(application_id("default", "maker"), making, "ada", "no")
        assert (await instance.settled(making)).cleanup is Cleanup.DONE
        assert (await instance.settled(coming)).cleanup is Cleanup.DONE
        assert await live(instance) is None
