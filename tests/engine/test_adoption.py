"""What is there is looked at before the first request; a stranger's object is adopted when asked for, or refused."""

import asyncio
from typing import Any

import pytest

from kubemin.engine import ExecOptions
from kubemin.engine.errors import JobFailed
from kubemin.engine.objects.lists import Lists
from kubemin.engine.objects.live import read_many
from kubemin.spec.labels import APP_ID
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.states import Cleanup, ResourceState, TaskStatus
from kubesim.faults import Fault, RequestInfo
from tests.engine.held import APP, Held, config_map, essence, owners
from tests.engine.instance import QUICK, Instance, conf, web
from tests.engine.test_points import differences
from tests.writes import on_writes

SETTINGS = ObjectRef("ConfigMap", "default", "settings")
CREATE, CHANGE = "create", "apply"


def theirs(instance: Instance | Held, manager: str = "helm", **metadata: Any) -> Manifest:
    """Somebody else's ConfigMap of the name that the application has."""
    obj = {"metadata": {"name": "settings", **metadata}, "data": {"a": "theirs", "b": "theirs"}}
    return instance.sim.registry.create("configmaps", "default", obj, manager=manager)


def writes(instance: Instance, *, dry_run: bool | None = False) -> list[str]:
    """Fills with the writes that reach the server from now on."""
    seen: list[str] = []

    def note(info: RequestInfo) -> None:
        seen.append(f"{info.verb} {info.resource}/{info.name}")

    on_writes(instance.sim, note, dry_run=dry_run)
    return seen


async def run(instance: Instance, app_id: str, **options: Any) -> tuple[str, Any]:
    task_id = await instance.exec(app_id, ExecOptions(**options))
    async with instance.worker():
        return task_id, await instance.settled(task_id)


async def stuck(instance: Instance, **hard: str) -> None:
    """A quota that is full with what is there."""
    spec = {"hard": {name.replace("__", "/").replace("_", "."): count for name, count in hard.items()}}
    instance.sim.registry.create(
        "resourcequotas", "default", {"metadata": {"name": "full"}, "spec": spec}, manager="admin"
    )
    await instance.sim.controllers.settled()


@pytest.mark.parametrize("preflight", [True, False], ids=["asked", "not-asked"])
async def test_a_full_quota_does_not_keep_an_application_from_being_deployed_again(
    instance: Instance, preflight: bool
) -> None:
    """Trap 30: a POST is refused by the quota before it is said that the object is there."""
    app_id = await instance.save([conf("settings", a="1"), web("api")])
    _, first = await run(instance, app_id)
    assert first.status is TaskStatus.COMPLETED, first.reason
    await stuck(instance, count__deployments_apps="1", services="1", count__configmaps="2")
    await instance.save([conf("settings", a="2"), web("api", "web:2")], app_id=app_id)
    task_id, task = await run(instance, app_id, preflight=preflight)
    assert task.status is TaskStatus.COMPLETED, task.reason
    states = {row.ref.kind: row.state for row in await instance.journal(task_id)}
    changed = {"ConfigMap": ResourceState.CHANGED, "Deployment": ResourceState.CHANGED}
    assert states == {**changed, "Service": ResourceState.OBSERVED}
    dry, _ = await run(instance, app_id, dry_run=True)
    assert {job.info for job in await instance.jobs(dry)} == {"no change"}


@pytest.mark.parametrize("preflight", [True, False], ids=["asked", "not-asked"])
async def test_a_policy_that_denies_creation_does_not_keep_from_an_update(instance: Instance, preflight: bool) -> None:
    app_id = await instance.save([conf("settings", a="1"), web("api")])
    await run(instance, app_id)
    instance.sim.faults.add(Fault("deny", verb="create", times=None, code=403, message="nothing new on Fridays"))
    await instance.save([conf("settings", a="2"), web("api")], app_id=app_id)
    seen = writes(instance, dry_run=None)
    _, task = await run(instance, app_id, preflight=preflight)
    assert task.status is TaskStatus.COMPLETED, task.reason
    assert (await instance.snapshot())[SETTINGS]["data"] == {"a": "2"}
    assert not [one for one in seen if one.startswith(CREATE)]


async def test_what_is_absent_and_may_not_be_created_is_refused_with_the_answer(instance: Instance) -> None:
    instance.sim.faults.add(Fault("deny", verb="create", times=None, code=403, message="nothing new on Fridays"))
    before = await instance.snapshot()
    _, task = await run(instance, await instance.save([conf("settings", a="1")]), preflight=False)
    assert task.status is TaskStatus.FAILED
    assert "nothing new on Fridays" in task.reason
    assert differences(before, await instance.snapshot()) == []


@pytest.mark.parametrize("preflight", [True, False], ids=["asked", "not-asked"])
async def test_strangers_objects_stop_the_run_by_name_before_any_write(instance: Instance, preflight: bool) -> None:
    theirs(instance, labels={"app.kubernetes.io/managed-by": "Helm", "team": "theirs"})
    app_id = await instance.save([conf("settings", a="1"), conf("other", a="1"), web("api")])
    seen, before = writes(instance), await instance.snapshot()
    task_id, task = await run(instance, app_id, preflight=preflight)
    assert (task.status, task.cleanup) == (TaskStatus.FAILED, Cleanup.NONE)
    assert task.reason == (
        "refused before anything was written: ConfigMap/default/settings is there already and is not this "
        "application's, labelled as managed by Helm, its fields are set by helm: "
        "pass adopt: true (--adopt) to take it over, or give the component another objectName"
    )
    assert (seen, await instance.journal(task_id)) == ([], [])
    assert differences(before, await instance.snapshot()) == []


ADOPTS: list[dict[str, Any]] = [{"option": True}, {"component": True}, {"setting": True}]


@pytest.mark.parametrize("by", ADOPTS, ids=lambda by: next(iter(by)))
async def test_what_is_adopted_is_put_back_with_its_owners(instance: Instance, by: dict[str, bool]) -> None:
    before = theirs(instance)
    part = conf("settings", a="ours") | ({"adopt": True} if "component" in by else {})
    app_id = await instance.save([part, web("late", "late:never")])
    settings = QUICK.model_copy(update={"adopt": by.get("setting", False)})
    options = ExecOptions(adopt=by.get("option"), timeout_seconds=1)
    task_id = await instance.exec(app_id, options)
    async with instance.worker(settings):
        task = await instance.settled(task_id)
    assert (task.status, task.cleanup) == (TaskStatus.TIMEOUT, Cleanup.DONE), (task.reason, task.cleanup_why)
    (row,) = [row for row in await instance.journal(task_id) if row.ref == SETTINGS]
    assert row.state is ResourceState.RESTORED
    assert row.before is not None
    assert row.before["data"] == before["data"]
    after = instance.sim.registry.get("configmaps", "default", "settings")
    assert essence(after) == essence(before)
    assert owners(after) == owners(before)


async def test_a_component_that_does_not_adopt_is_heard_before_the_run(instance: Instance) -> None:
    theirs(instance)
    app_id = await instance.save([conf("settings", a="1") | {"adopt": False}])
    _, task = await run(instance, app_id, adopt=True)
    assert "--adopt" in task.reason


@pytest.mark.parametrize("adopt", [True, False])
async def test_what_has_a_controller_is_never_adopted(instance: Instance, adopt: bool) -> None:
    owner = {"apiVersion": "v1", "kind": "Widget", "name": "maker", "uid": "u", "controller": True}
    theirs(instance, ownerReferences=[owner])
    seen = writes(instance)
    _, task = await run(instance, await instance.save([conf("settings", a="1")]), adopt=adopt)
    assert "controlled by Widget/maker" in task.reason
    assert "--adopt" not in task.reason
    assert [one for one in seen if "settings" in one] == []


async def test_another_application_s_object_is_never_adopted(instance: Instance) -> None:
    await run(instance, await instance.save([conf("settings", a="1")], name="first"))
    task_id, task = await run(instance, await instance.save([conf("settings", a="2")], name="second"), adopt=True)
    assert "belongs to another application (first, id" in task.reason
    assert await instance.journal(task_id) == []


async def test_an_object_of_an_application_that_nobody_knows_is_a_stranger_s(instance: Instance) -> None:
    first = await instance.save([conf("settings", a="1")], name="first")
    await run(instance, first)
    async with instance.worker():
        await instance.settled((await instance.service.delete_application(first, "ada", keep_resources=True)).id)
    app_id = await instance.save([conf("settings", a="2")], name="second")
    instance.sim.registry.patch(
        "configmaps",
        "default",
        "settings",
        "application/merge-patch+json",
        {"metadata": {"labels": {APP_ID: "z" * 24}}},
        manager="someone",
    )
    _, task = await run(instance, app_id)
    assert "which this server does not know" in task.reason
    assert "--adopt" in task.reason
    _, task = await run(instance, app_id, adopt=True)
    assert task.status is TaskStatus.COMPLETED, task.reason
    assert (await instance.snapshot())[SETTINGS]["data"] == {"a": "2"}


async def test_our_label_counts_whoever_wrote_the_object(instance: Instance) -> None:
    """The database was lost, say, or somebody made it anew from an export: the same file goes on with what is there."""
    app_id = await instance.save([conf("settings", a="ours")])
    theirs(instance, labels={APP_ID: app_id})
    _, task = await run(instance, app_id)
    assert task.status is TaskStatus.COMPLETED, task.reason


async def test_the_preview_says_the_same_as_the_run(instance: Instance) -> None:
    theirs(instance)
    parts = [conf("settings", a="ours"), conf("fresh", a="1")]
    refused = (await instance.preview(parts)).preview_jobs
    adopts = (await instance.preview(parts, adopt=True)).preview_jobs
    app_id = await instance.save(parts)
    _, task = await run(instance, app_id)
    (why,) = [str(one) for one in refused.values() if one.verb == "refused"]
    assert task.reason == f"refused before anything was written: {why}"
    dry, _ = await run(instance, app_id, adopt=True, dry_run=True)
    said = {job.info.splitlines()[0] for job in await instance.jobs(dry)}
    assert said == {"would adopt: its fields are set by helm", "would create"}
    assert sorted(one.verb for one in adopts.values()) == ["adopt", "create"]
    task_id, _ = await run(instance, app_id, adopt=True)
    assert {row.ref.name: row.why for row in await instance.journal(task_id)} == {
        "settings": "adopted: its fields are set by helm",
        "fresh": "",
    }


@pytest.mark.parametrize("adopt", [True, False])
async def test_an_object_that_appears_after_the_look(held: Held, adopt: bool) -> None:
    """The POST finds it; then it is a stranger's like any other."""
    before = theirs(held)
    if adopt:
        await held.ensure(config_map(a="1"), adopt=True, snapshot={SETTINGS: None})
    else:
        with pytest.raises(JobFailed, match="not this application's"):
            await held.ensure(config_map(a="1"), adopt=False, snapshot={SETTINGS: None})
    assert await held.roll_back() == []
    after = await held.look(config_map())
    assert after is not None
    assert essence(after) == essence(before | {"apiVersion": "v1", "kind": "ConfigMap"})


async def test_a_post_that_is_refused_while_the_object_appears_goes_on_by_apply(held: Held) -> None:
    theirs(held)
    held.sim.faults.add(Fault("deny", verb="create", times=None, message="nothing new"))
    changed = await held.ensure(config_map(a="1"), snapshot={SETTINGS: None})
    assert changed["data"] == {"a": "1", "b": "theirs"}
    assert [row.state for row in held.journal.resources.values()] == [ResourceState.CHANGED]


@pytest.mark.parametrize("change", ["edited", "deleted", "made anew"])
async def test_an_old_look_does_no_harm(held: Held, change: str) -> None:
    """What was looked at is not what is there: it is looked at again, and that is the ``before``."""
    made = await held.ensure(config_map(a="1"))
    later = await held.next_task()
    registry = held.sim.registry
    if change == "edited":
        body = {"data": {"b": "since"}}
        registry.patch("configmaps", "default", "settings", "application/merge-patch+json", body, manager="someone")
    else:
        registry.delete("configmaps", "default", "settings")
    if change == "made anew":
        theirs(held)
    before = await held.look(made)
    await later.ensure(config_map(a="2"), snapshot={SETTINGS: made})
    assert await later.roll_back() == []
    after = await held.look(made)
    assert (after and essence(after)) == (before and essence(before))


@pytest.mark.parametrize("landed", [True, False])
async def test_what_a_predecessor_created_is_known_by_its_token(held: Held, landed: bool) -> None:
    """A worker died without the answer to its POST; the successor's snapshot says that nothing is there, or is old."""
    lost = Fault("drop", verb="create", resource="configmaps", when="after" if landed else "before", times=None)
    armed = held.sim.faults.add(lost)
    tracker = held.tracker()
    with pytest.raises(Exception, match="unknown"):
        await tracker.create(config_map(a="1"), {})
    held.sim.faults.remove(armed)
    successor = await held.successor()
    await successor.ensure(config_map(a="1"), adopt=False, snapshot={SETTINGS: None})
    assert [row.state for row in successor.journal.resources.values()] == [ResourceState.CREATED]
    assert await successor.roll_back() == []
    assert await held.look(config_map()) is None


@pytest.mark.parametrize("others", [0, 600], ids=["few", "more than a page"])
async def test_a_look_sees_what_has_our_label_and_what_has_not(held: Held, others: int) -> None:
    """By few requests: those do not grow with the number of names that nobody has."""
    for number in range(others):
        held.sim.registry.create("services", "default", _service(f"other-{number}"), manager="someone")
    held.sim.registry.create("services", "default", _service("theirs"), manager="someone")
    held.sim.registry.create("services", "default", _service("ours", {APP_ID: APP}), manager="kubemin")
    names = ["ours", "theirs", *(f"absent-{number}" for number in range(30))]
    asked: list[str] = []
    held.sim.faults.add(Fault("call", verb="read", times=None, call=lambda info: asked.append(info.verb)))
    found = await read_many(held.cluster, [ObjectRef("Service", "default", name) for name in names], APP)
    assert {ref.name for ref, obj in found.items() if obj is not None} == {"ours", "theirs"}
    assert len(found) == len(names)
    assert asked.count("list") == 2
    assert asked.count("get") == (31 if others else 1)


async def test_where_a_watch_shows_nothing_of_the_application_only_names_are_listed(held: Held) -> None:
    """The watch may be behind: what is there all the same is found, for a GET each."""
    held.sim.registry.create("services", "default", _service("ours", {APP_ID: APP}), manager="kubemin")
    asked: list[str] = []
    held.sim.faults.add(Fault("call", verb="read", times=None, call=lambda info: asked.append(info.verb)))
    refs = [ObjectRef("Service", "default", name) for name in ("ours", *(f"absent-{n}" for n in range(9)))]
    found = await read_many(held.cluster, refs, APP, has_none=lambda kind, app_id: (kind, app_id) == ("Service", APP))
    assert [ref.name for ref, obj in found.items() if obj is not None] == ["ours"]
    assert asked == ["list", "get"]


async def test_jobs_that_list_the_same_at_once_make_one_request(held: Held) -> None:
    """Who comes later makes another: what was there when it asked is in its answer."""
    asked: list[str] = []
    held.sim.faults.add(Fault("call", verb="read", times=None, call=lambda info: asked.append(info.verb)))
    lists = Lists(held.cluster)
    await asyncio.gather(*(lists.list("Service", "default") for _ in range(9)))
    assert asked == ["list"]
    held.sim.registry.create("services", "default", _service("new"), manager="someone")
    assert [item["metadata"]["name"] for item in (await lists.list("Service", "default")).items] == ["new"]


def _service(name: str, labels: dict[str, str] | None = None) -> Manifest:
    return {"metadata": {"name": name, "labels": labels or {}}, "spec": {"ports": [{"port": 80}]}}


@pytest.mark.parametrize("allowed", ["", "ci-*"])
async def test_rights_of_others_are_adopted_only_where_a_setting_names_them(instance: Instance, allowed: str) -> None:
    """Pods under somebody else's account have whatever rights that has."""
    account = {"metadata": {"name": "ci-deployer"}}
    instance.sim.registry.create("serviceaccounts", "default", account, manager="admin")
    rule = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}
    app_id = await instance.save([web("api", traits={"rbac": [{"serviceAccount": "ci-deployer", "rules": [rule]}]})])
    seen = writes(instance)
    async with instance.worker(QUICK.model_copy(update={"allow_rbac_names": allowed})):
        task = await instance.settled(await instance.exec(app_id, ExecOptions(adopt=True)))
    if allowed:
        assert task.status is TaskStatus.COMPLETED, task.reason
    else:
        assert "ServiceAccount/default/ci-deployer is there already" in task.reason
        assert "KUBEMIN_ALLOW_RBAC_NAMES" in task.reason
        assert seen == []
