"""What applications share (trait ``share``): made once, relied on only when it stays, and kept while it is used."""

from typing import Any

import pytest

from kubemin.dispatch import LocalDoorbell
from kubemin.engine import EngineSettings, ExecOptions, TaskService
from kubemin.engine.entry.partings import Parting
from kubemin.engine.entry.sources import Posted
from kubemin.signals import LocalSignals
from kubemin.spec.application import parse_application
from kubemin.spec.ids import application_id
from kubemin.spec.labels import APP_ID, PART_OF, SHARE_NAME
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.states import Cleanup, JobStatus, Purpose, ResourceState, TaskStatus
from kubesim.faults import Fault
from tests.engine.instance import LIMITS, Instance, conf, web


def shared(component: dict[str, Any], strategy: str = "default") -> dict[str, Any]:
    return {**component, "traits": {**component.get("traits", {}), "share": {"strategy": strategy}}}


async def app(instance: Instance, name: str, *components: dict[str, Any]) -> str:
    return await instance.save(components, name=name)


async def outcome(instance: Instance, task_id: str) -> tuple[TaskStatus, set[JobStatus]]:
    task = await instance.settled(task_id)
    return task.status, {job.status for job in await instance.jobs(task_id)}


async def deployments(instance: Instance) -> list[Manifest]:
    return (await instance.cluster.list("Deployment")).items


async def test_of_applications_deployed_at_once_one_makes_it(instance: Instance) -> None:
    parts = [shared(web("cache")), shared(conf("settings", a="1"))]
    apps = [await app(instance, f"shop-{number}", *parts) for number in range(4)]
    task_ids = [await instance.exec(one) for one in apps]
    async with instance.worker():
        ends = [await outcome(instance, task_id) for task_id in task_ids]
        again = [await outcome(instance, await instance.exec(one)) for one in apps]
    for found in (ends, again):
        assert {status for status, _ in found} == {TaskStatus.COMPLETED}
        made = [jobs for _, jobs in found if jobs == {JobStatus.COMPLETED}]
        assert (len(made), len([jobs for _, jobs in found if jobs == {JobStatus.SKIPPED}])) == (1, 3)
    assert len(await deployments(instance)) == 1


async def test_what_its_maker_rolls_back_nobody_relies_on(instance: Instance) -> None:
    first = await app(instance, "first", shared(web("cache", "web:never")))
    second = await app(instance, "second", shared(web("cache")))
    async with instance.worker():
        making = await instance.exec(first)

        async def made() -> bool:
            return bool(await deployments(instance))

        await instance.until(made)
        waiting = await instance.exec(second)

        async def waits() -> bool:
            return any(making in job.info for job in await instance.jobs(waiting))

        await instance.until(waits)
        await instance.service.cancel(first, making, "ada", "no")
        assert await outcome(instance, waiting) == (TaskStatus.COMPLETED, {JobStatus.COMPLETED})
    assert (await instance.task(making)).cleanup is Cleanup.DONE
    [left] = await deployments(instance)
    assert left["metadata"]["labels"]["kubemin.io/app-id"] == second


@pytest.mark.parametrize("how", ["delete", "keep", "drop"])
async def test_what_its_maker_lets_go_of_passes_to_who_uses_it(instance: Instance, how: str) -> None:
    """The receiver updates it from then on, and the last user's removal removes it."""
    parts = [shared(conf("common", a="1"))]
    first = await app(instance, "first", *parts, conf("own", a="1"))
    users = [await app(instance, name, *parts) for name in ("second", "third")]
    async with instance.worker():
        assert (await instance.settled(await instance.exec(first))).status is TaskStatus.COMPLETED
        for user in users:
            using = await instance.exec(user)
            assert await outcome(instance, using) == (TaskStatus.COMPLETED, {JobStatus.SKIPPED})
            [use] = await instance.journal(using)
            assert (use.purpose, use.state) == (Purpose.USE, ResourceState.OBSERVED)
        former = await common(instance)
        told = await foretold(instance, first, how)
        assert ([ref.name for ref in told.passes], "common" in str([*told.removes, *told.releases])) == (
            ["common"],
            False,
        )
        if how == "drop":
            await instance.save([conf("own", a="1")], app_id=first, name="first")
            removal = await instance.exec(first)
        else:
            removal = (await instance.service.delete_application(first, "ada", keep_resources=how == "keep")).id
        await done(instance, removal)
        kept = {row.purpose: row for row in await instance.journal(removal) if row.ref.name == "common"}
        why = "second uses it, and has it from now on"
        assert kept.pop(Purpose.HAND_OVER).state is ResourceState.RELEASED
        assert [(row.state, row.why) for row in kept.values()] == [(ResourceState.KEPT, why)]
        now = await common(instance)
        assert (now["metadata"]["uid"], now["data"]) == (former["metadata"]["uid"], {"a": "1"})
        own = {"kubemin.io/app-id": users[0], "app.kubernetes.io/part-of": "second"}
        assert own.items() <= now["metadata"]["labels"].items()
        assert first not in str(now["metadata"]["labels"])
        assert "kubemin.io/task-id" not in now["metadata"]["labels"]

        await instance.save([shared(conf("common", a="2"))], app_id=users[0], name="second")
        assert await outcome(instance, await instance.exec(users[0])) == (TaskStatus.COMPLETED, {JobStatus.COMPLETED})
        assert (await common(instance))["data"] == {"a": "2"}

        await done(instance, (await instance.service.delete_application(users[0], "ada")).id)
        assert (await common(instance))["metadata"]["labels"]["kubemin.io/app-id"] == users[1]
        await done(instance, (await instance.service.delete_application(users[1], "ada")).id)
        assert "common" not in {
            obj["metadata"]["name"] for obj in (await instance.cluster.list("ConfigMap", "default")).items
        }


@pytest.mark.parametrize("since", ["nothing", "dry run", "another component", "failed", "without it"])
async def test_only_a_run_without_it_ends_a_use(instance: Instance, since: str) -> None:
    """Whatever else the user has run since, what it uses stays when its maker goes."""
    part, other = shared(conf("common", a="1")), conf("other", a="1")
    maker, user = await app(instance, "maker", part), await app(instance, "user", part, other)
    async with instance.worker():
        for one in (maker, user):
            assert (await instance.settled(await instance.exec(one))).status is TaskStatus.COMPLETED
        more: dict[str, Any] = {"component": [part, other]}
        options, ends = ExecOptions(dry_run=since == "dry run"), TaskStatus.COMPLETED
        match since:
            case "another component":
                steps = [{"name": "one", "components": ["other"]}]
                more = {"component": [part, conf("other", a="2")], "workflow": steps}
            case "failed":
                more = {"component": [part, web("bad", "web:pull")]}
                options, ends = ExecOptions(hopeless_after_seconds=0.01), TaskStatus.FAILED
            case "without it":
                more = {"component": [other]}
        if since != "nothing":
            application = parse_application({"name": "user", **more})
            task = await instance.service.run(Posted(application), options, "ada")
            assert (await instance.settled(task.id)).status is ends
        await done(instance, (await instance.service.delete_application(maker, "ada")).id)
        left = {obj["metadata"]["name"] for obj in (await instance.cluster.list("ConfigMap", "default")).items}
    assert ("common" in left) is (since != "without it")


async def test_of_two_that_go_at_once_none_leaves_it_behind(instance: Instance) -> None:
    """The second has read what it has to remove before the first passes the object to it."""
    parts = [shared(conf("common", a="1"))]
    first, second = await app(instance, "first", *parts), await app(instance, "second", *parts, web("slow"))
    async with instance.worker():
        for one in (first, second):
            await done(instance, await instance.exec(one))
        held = instance.sim.faults.add(Fault("hold", verb="delete", resource="deployments", when="before"))
        other = await instance.service.delete_application(second, "ada")
        await held.struck()  # by now it has read what it has
        await done(instance, (await instance.service.delete_application(first, "ada")).id)
        await held.release()
        await done(instance, other.id)
    assert "common" not in {
        obj["metadata"]["name"] for obj in (await instance.cluster.list("ConfigMap", "default")).items
    }


async def foretold(instance: Instance, app_id: str, how: str) -> Parting:
    """What a plan, or a deletion that only tells, says becomes of what the application has."""
    if how != "drop":
        return await instance.previews.of_deletion(app_id, keep_resources=how == "keep", delete_volumes=False)
    return (await instance.preview([conf("own", a="1")], "first")).parting


async def common(instance: Instance) -> Manifest:
    return await instance.cluster.get(ObjectRef("ConfigMap", "default", "common"))


async def done(instance: Instance, task_id: str) -> None:
    task = await instance.settled(task_id)
    assert task.status is TaskStatus.COMPLETED, task.reason
    assert task.cleanup in (Cleanup.NONE, Cleanup.DONE), task.cleanup_why


async def test_who_comes_while_it_is_being_deleted_makes_it_anew(instance: Instance) -> None:
    first = await app(instance, "first", shared(conf("common", a="1")))
    second = await app(instance, "second", shared(conf("common", a="1")))
    async with instance.worker():
        assert (await instance.settled(await instance.exec(first))).status is TaskStatus.COMPLETED
        [former] = (await instance.cluster.list("ConfigMap", "default", labels="kubemin-share-name=default")).items
        held = instance.sim.faults.add(Fault("hold", verb="delete", resource="configmaps", when="before"))
        removal = await instance.service.delete_application(first, "ada")
        await held.struck()
        coming = await instance.exec(second)

        async def waits() -> bool:
            return any(removal.id in job.info for job in await instance.jobs(coming))

        await instance.until(waits)
        await held.release()
        assert await outcome(instance, coming) == (TaskStatus.COMPLETED, {JobStatus.COMPLETED})
        assert (await instance.settled(removal.id)).status is TaskStatus.COMPLETED
    [now] = (await instance.cluster.list("ConfigMap", "default", labels="kubemin-share-name=default")).items
    assert now["metadata"]["uid"] != former["metadata"]["uid"]
    assert now["metadata"]["labels"]["kubemin.io/app-id"] == second


async def test_nothing_is_made_of_what_is_left_to_others(instance: Instance) -> None:
    task_id = await instance.exec(await app(instance, "shop", shared(conf("common", a="1"), "ignore")))
    async with instance.worker():
        assert await outcome(instance, task_id) == (TaskStatus.COMPLETED, {JobStatus.SKIPPED})
    assert await instance.journal(task_id) == []


async def goes(instance: Instance, app_id: str) -> None:
    """The application is deleted, with all that it has."""
    await done(instance, (await instance.service.delete_application(app_id, "ada")).id)


async def applied(instance: Instance, name: str, *components: dict[str, Any], only: str = "") -> None:
    """A file is applied; ``only`` its workflow's one component is brought then."""
    steps = {"workflow": [{"name": "one", "components": [only]}]} if only else {}
    application = parse_application({"name": name, "component": list(components), **steps})
    await done(instance, (await instance.service.run(Posted(application), ExecOptions(), "ada")).id)


async def names(instance: Instance, kind: str) -> set[str]:
    return {obj["metadata"]["name"] for obj in (await instance.cluster.list(kind, "default")).items}


@pytest.mark.parametrize("since", ["runs of all", "runs of others"])
async def test_what_is_handed_over_stays_shared_whatever_is_left_of_its_receiver_s_plan(
    instance: Instance, since: str
) -> None:
    """By then the receiver has run more often than revisions are kept; the next user is served all the same."""
    settings = EngineSettings(keep_revisions=2)
    instance.service = TaskService(instance.db, LocalSignals(instance.hub), LocalDoorbell(), LIMITS, settings)
    part = shared(conf("common", a="1"))
    async with instance.worker():
        for name in ("maker", "user", "third"):
            await applied(instance, name, part, conf(f"{name}-own", a="1"))
        for number in range(4):
            own = conf("user-own", a=str(number))
            await applied(instance, "user", part, own, only="user-own" if since == "runs of others" else "")
        maker, user, third = (application_id("default", name) for name in ("maker", "user", "third"))
        await goes(instance, maker)
        now = await common(instance)
        assert now["metadata"]["labels"][SHARE_NAME] == "default"
        assert (now["metadata"]["labels"][APP_ID], now["metadata"]["labels"][PART_OF]) == (user, "user")
        await applied(instance, "third", part, conf("third-own", a="2"))  # it goes on using it
        await goes(instance, user)
        assert (await common(instance))["metadata"]["labels"][APP_ID] == third


@pytest.mark.parametrize("passes", ["before", "meanwhile"])
async def test_what_passed_to_an_application_stays_as_long_as_it_uses_it(instance: Instance, passes: str) -> None:
    """It has another name than the component that uses it, and is none of the objects of the application's file."""
    maker = await app(instance, "maker", shared(conf("common", a="1")))
    parts = [shared(conf("settings", a="1")), web("own")]
    user = await app(instance, "user", *parts)
    async with instance.worker():
        await done(instance, await instance.exec(maker))
        held = instance.sim.faults.add(Fault("hold", verb="create", resource="deployments", when="before"))
        using = await instance.exec(user)
        await held.struck()
        if passes == "meanwhile":
            await goes(instance, maker)
        await held.release()
        await done(instance, using)
        if passes == "before":
            await goes(instance, maker)
        assert (await common(instance))["metadata"]["labels"][APP_ID] == user
        other = [*parts[:1], web("own", "web:2")]
        steps = [{"name": "one", "components": ["own"]}]
        told = await instance.preview(other, "user", workflow=steps)
        assert told.parting.removes == ()
        await applied(instance, "user", *other, only="own")
        assert "common" in await names(instance, "ConfigMap")
        assert "settings" not in await names(instance, "ConfigMap")
        await applied(instance, "user", *other)  # it makes its own, and does without what it used
        assert {"settings", "common"} & await names(instance, "ConfigMap") == {"settings"}


async def test_a_use_ends_with_a_run_that_makes_its_own_under_the_same_name(instance: Instance) -> None:
    maker, user = await app(instance, "maker", shared(web("cache"))), await app(instance, "user", shared(web("cache")))
    async with instance.worker():
        for one in (maker, user):
            await done(instance, await instance.exec(one))
        assert await names(instance, "Deployment") == {"maker-cache"}
        await applied(instance, "user", web("cache"))
        await goes(instance, maker)
        assert await names(instance, "Deployment") == {"user-cache"}


async def test_who_uses_it_keeps_it_also_where_its_maker_shares_it_no_more(instance: Instance) -> None:
    maker, user = await app(instance, "maker", shared(web("cache"))), await app(instance, "user", shared(web("cache")))
    async with instance.worker():
        for one in (maker, user):
            await done(instance, await instance.exec(one))
        await applied(instance, "maker", web("cache"))
        [before] = await deployments(instance)
        assert SHARE_NAME not in before["metadata"]["labels"]
        await goes(instance, maker)
        [now] = await deployments(instance)
        assert now["metadata"]["uid"] == before["metadata"]["uid"]
        assert {APP_ID: user, SHARE_NAME: "default"}.items() <= now["metadata"]["labels"].items()
        await goes(instance, user)
        assert await deployments(instance) == []
