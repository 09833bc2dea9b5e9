"""What a task does going forward is done as whoever asked for it; what undoes it is done as KubeMin itself.

Under the rights of deploy/rbac.yaml and of one of the files for impersonation, and no others: a cluster that enforces
RBAC.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubemin.cluster import Cluster
from kubemin.cluster.answers import ApiResponse
from kubemin.cluster.errors import CallerForbidden
from kubemin.cluster.requests import Request
from kubemin.cluster.transport import ActingTransport
from kubemin.dispatch import LocalDoorbell
from kubemin.engine import ExecOptions, TaskService
from kubemin.engine.entry.cluster_services import ClusterServices
from kubemin.engine.entry.pod_logs import Wanted
from kubemin.engine.entry.sources import Draft, Posted
from kubemin.signals import LocalHub, LocalSignals
from kubemin.spec.acting import Asker, CannotActAs, Naming
from kubemin.spec.application import parse_application
from kubemin.spec.objects import ObjectRef
from kubemin.spec.reason_codes import ReasonCode
from kubemin.spec.states import Cleanup, TaskStatus
from kubemin.store import Database
from kubemin.store.tasks import Task
from kubesim.faults import Fault
from kubesim.problems import Problem
from kubesim.resources import RESOURCES
from kubesim.server import SimServer
from tests.engine.instance import LIMITS, Instance, conf, secret, store, web
from tests.engine.test_holds import held_in
from tests.engine.test_hooks import hook, job
from tests.engine.test_manifests import LIMITS as MANIFEST_LIMITS
from tests.engine.test_manifests import manifests
from tests.engine.test_points import differences
from tests.waiting import PATIENCE

ROOT = Path(__file__).parents[2]
GROUP = "rbac.authorization.k8s.io"
ADA = Asker("ada", ("developers",))
USUAL = ("get", "list", "create", "update", "patch", "delete")


@dataclass
class World(Instance):
    """An instance, and what an administrator of its cluster does."""

    admin: Cluster = None  # type: ignore[assignment]

    def grant(self, name: str, *rules: tuple[str, str, str], subject: tuple[str, str] = ("User", "ada")) -> None:
        """Give a user or group these rights in the namespace: group, resources and verbs, several with commas."""
        self.revoke(name)
        told = [{"apiGroups": [g], "resources": r.split(","), "verbs": v.split(",")} for g, r, v in rules]
        registry = self.sim.registry
        registry.create("roles", "default", {"metadata": {"name": name}, "rules": told}, manager="kubectl")
        bound = {"apiGroup": GROUP, "kind": "Role", "name": name}
        subjects = [{"kind": subject[0], "name": subject[1], "apiGroup": GROUP}]
        binding = {"metadata": {"name": name}, "roleRef": bound, "subjects": subjects}
        registry.create("rolebindings", "default", binding, manager="kubectl")

    def revoke(self, name: str) -> None:
        """Take them away."""
        for plural in ("rolebindings", "roles"):
            with contextlib.suppress(Problem):
                self.sim.registry.delete(plural, "default", name)

    async def run(self, app_id: str, asker: Asker = ADA, **options: Any) -> Task:
        """Ask for a run as somebody."""
        return await self.service.run(Draft(app_id), ExecOptions(**options), asker.name, asker=asker)

    async def snapshot(self) -> dict[ObjectRef, Any]:
        """As an administrator sees it, without what the test itself grants."""
        seen = await Instance(self.db, self.sim, self.admin, self.service).snapshot()
        return {ref: obj for ref, obj in seen.items() if not ref.kind.startswith(("Role", "ClusterRole"))}


PLAIN, CONSTRAINED = "impersonation.yaml", "impersonation-constrained.yaml"
both = pytest.mark.parametrize("sim", [PLAIN, CONSTRAINED], indirect=True)


@pytest.fixture
async def sim(request: pytest.FixtureRequest) -> AsyncIterator[SimServer]:
    async with SimServer(speed=50, authorize=True) as server:
        plurals = {resource.kind: resource.plural for resource in RESOURCES.values()}
        for file in ("rbac.yaml", getattr(request, "param", PLAIN)):
            for item in yaml.safe_load_all((ROOT / "deploy" / file).read_text()):
                namespace = item["metadata"].get("namespace", "")
                server.registry.create(plurals[item["kind"]], namespace, item, manager="kubectl")
        yield server


@asynccontextmanager
async def connected(sim: SimServer, file: Path, token: str | None, naming: Naming | None) -> AsyncIterator[Cluster]:
    await asyncio.to_thread(file.write_text, sim.kubeconfig(token))
    connection = await Cluster.connect(kubeconfig=str(file), context=None, timeout=PATIENCE, naming=naming)
    yield connection
    await connection.aclose()


@pytest.fixture
async def world(db: Database, sim: SimServer, tmp_path: Path) -> AsyncIterator[World]:
    hub = LocalHub()
    naming = Naming()
    service = TaskService(db, LocalSignals(hub), LocalDoorbell(), LIMITS, namings={"default": naming})
    token = sim.account_token("kubemin", "kubemin")
    async with (
        connected(sim, tmp_path / "account", token, naming) as cluster,
        connected(sim, tmp_path / "admin", None, None) as admin,
    ):
        yield World(db, sim, cluster, service, hub, admin=admin)


ALL = (("", "configmaps,secrets,services,persistentvolumeclaims", ",".join(USUAL)), ("apps", "*", ",".join(USUAL)))


@both
async def test_who_may_deploys_and_removes(world: World) -> None:
    empty = await world.snapshot()
    world.grant("ada", *ALL)
    app_id = await world.save([conf("settings", a="1"), secret("keys", token="t"), web("api")])
    async with world.worker():
        task = await world.settled((await world.run(app_id)).id)
        assert task.status is TaskStatus.COMPLETED, task.reason
        assert task.acting_as == {"user": "ada", "groups": ["developers"]}
        removal = await world.service.delete_application(app_id, "ada", asker=ADA)
        task = await world.settled(removal.id)
    assert task.status is TaskStatus.COMPLETED, task.reason
    assert differences(empty, await world.snapshot()) == []


async def test_the_rights_of_a_group_are_those_of_its_members(world: World) -> None:
    world.grant("developers", *ALL, subject=("Group", "developers"))
    app_id = await world.save([conf("settings", a="1")])
    async with world.worker():
        task = await world.settled((await world.run(app_id)).id)
        assert task.status is TaskStatus.COMPLETED, task.reason
        task = await world.settled((await world.run(app_id, Asker("grace"))).id)
    assert (task.status, task.reason_code) == (TaskStatus.FAILED, ReasonCode.RIGHTS)
    assert 'User "grace" cannot' in task.reason


async def test_who_may_not_is_refused_before_the_first_write(world: World) -> None:
    empty = await world.snapshot()
    world.grant("ada", ("", "configmaps,services", ",".join(USUAL)), ("apps", "deployments", "get,list"))
    app_id = await world.save([conf("settings", a="1"), web("api")])
    async with world.worker():
        task = await world.settled((await world.run(app_id)).id)
    assert (task.status, task.reason_code, task.cleanup) == (TaskStatus.FAILED, ReasonCode.RIGHTS, Cleanup.NONE)
    assert task.reason.startswith("refused before anything was written: Cannot create Deployment/default/shop-api:")
    lacking = 'User "ada" cannot create resource "deployments" in API group "apps" in the namespace "default"'
    assert lacking in task.reason
    assert await world.journal(task.id) == []
    assert differences(empty, await world.snapshot()) == []


HELD = [{"name": "settings"}, {"name": "approve", "type": "pause"}, {"name": "api"}]


async def held(world: World) -> tuple[str, str, dict[ObjectRef, Any]]:
    """An update that has changed a ConfigMap and waits before the rest: application, task, and what was before."""
    world.grant("ada", *ALL)
    app_id = await world.save([conf("settings", a="1"), web("api")], workflow=HELD)
    task_id = (await world.run(app_id)).id
    async with world.worker():
        await held_in(world, task_id, "approve")
        await world.service.promote(task_id, "grace")
        assert (await world.settled(task_id)).status is TaskStatus.COMPLETED
    before = await world.snapshot()
    await world.save([conf("settings", a="2"), web("api", "api:2")], app_id=app_id)
    return app_id, (await world.run(app_id)).id, before


async def test_rights_that_go_in_the_middle_leave_the_cluster_as_it_was(world: World) -> None:
    """What goes on is refused. The rollback needs none of them; nor does who promotes."""
    _, task_id, before = await held(world)
    async with world.worker():
        await held_in(world, task_id, "approve")
        world.revoke("ada")
        await world.service.promote(task_id, "grace")
        task = await world.settled(task_id)
    assert (task.status, task.reason_code) == (TaskStatus.FAILED, ReasonCode.RIGHTS), task.reason
    assert 'User "ada" cannot patch resource "' in task.reason
    assert (task.cleanup, task.cleanup_why) == (Cleanup.DONE, "")
    assert differences(before, await world.snapshot()) == []


@pytest.mark.proof
async def test_a_cancel_needs_no_right_in_the_cluster(world: World) -> None:
    app_id, task_id, before = await held(world)
    async with world.worker():
        await held_in(world, task_id, "approve")
        world.revoke("ada")
        await world.service.cancel(app_id, task_id, "grace", "no")
        task = await world.settled(task_id)
    assert (task.status, task.cleanup) == (TaskStatus.CANCELLED, Cleanup.DONE), task.cleanup_why
    assert differences(before, await world.snapshot()) == []


async def test_who_takes_a_task_over_goes_on_as_the_same_caller(world: World) -> None:
    """Groups are those of when it was asked for, and settings those of its worker do not matter."""
    _, task_id, before = await held(world)
    async with world.worker():
        await held_in(world, task_id, "approve")
    users: set[str] = set()
    sent = ActingTransport.send

    async def noted(self: ActingTransport, request: Request) -> ApiResponse:
        users.update({self._identity.user, *self._identity.groups} if request.is_write else ())
        return await sent(self, request)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ActingTransport, "send", noted)
        world.cluster.naming = None
        async with world.worker(name="another"):
            await world.service.promote(task_id, "grace")
            task = await world.settled(task_id)
    assert (task.status, task.lease_epoch) == (TaskStatus.COMPLETED, 2), task.reason
    assert users == {"ada", "developers"}
    assert before.keys() <= (await world.snapshot()).keys()


async def test_a_step_that_may_fail_is_put_back_without_the_callers_rights(world: World) -> None:
    world.grant("ada", ("", "configmaps,services", ",".join(USUAL)), ("apps", "deployments", "get,list"))
    steps = [{"name": "settings"}, {"name": "api", "onFailure": "continue"}]
    app_id = await world.save([conf("settings", a="1"), web("api")], workflow=steps)
    async with world.worker():
        task = await world.settled((await world.run(app_id, preflight=False)).id)
    assert task.status is TaskStatus.COMPLETED, task.reason
    found = {str(ref) for ref in await world.snapshot() if "shop" in ref.name or ref.name == "settings"}
    assert found == {"ConfigMap/default/settings"}


async def test_what_a_run_would_remove_is_asked_about_before_its_first_write(world: World) -> None:
    world.grant("ada", *ALL)
    app_id = await world.save([conf("settings", a="1"), conf("more", a="1")])
    async with world.worker():
        assert (await world.settled((await world.run(app_id)).id)).status is TaskStatus.COMPLETED
        before = await world.snapshot()
        world.grant("ada", ("", "configmaps", "get,list,create,update,patch"))
        await world.save([conf("settings", a="2")], app_id=app_id)
        services = ClusterServices(world.db, world.cluster, LIMITS).asked_by(ADA)
        for preview in (
            services.previews.of(Draft(app_id), ExecOptions()),
            services.previews.of_deletion(app_id, keep_resources=False, delete_volumes=False),
        ):
            with pytest.raises(CallerForbidden, match="Cannot delete ConfigMap/default/more"):
                await preview
        task = await world.settled((await world.run(app_id)).id)
        assert (task.status, task.reason_code, task.cleanup) == (TaskStatus.FAILED, ReasonCode.RIGHTS, Cleanup.NONE)
        assert task.reason.startswith("refused before anything was removed: Cannot delete ConfigMap/default/more:")
        assert differences(before, await world.snapshot()) == []
        removal = await world.service.delete_application(app_id, "ada", asker=ADA)
        task = await world.settled(removal.id)
        assert (task.status, task.reason_code) == (TaskStatus.FAILED, ReasonCode.RIGHTS)
        assert all(name in task.reason for name in ("ConfigMap/default/more", "ConfigMap/default/settings"))
        assert differences(before, await world.snapshot()) == []
        world.grant("ada", *ALL)
        task = await world.settled((await world.run(app_id)).id)
    assert (task.status, task.cleanup) == (TaskStatus.COMPLETED, Cleanup.DONE), task.cleanup_why
    assert "more" not in {ref.name for ref in await world.snapshot()}


@pytest.mark.proof
async def test_what_was_adopted_is_released_by_who_may_write_it(world: World) -> None:
    world.grant("ada", *ALL)
    theirs = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"b": "2"}}
    world.sim.registry.create("configmaps", "default", theirs, manager="kubectl")
    app_id = await world.save([conf("settings", a="1")])
    async with world.worker():
        task = await world.settled((await world.run(app_id, adopt=True)).id)
        assert task.status is TaskStatus.COMPLETED, task.reason
        world.grant("ada", ("", "configmaps", "get,list,delete,patch"))
        removal = await world.service.delete_application(app_id, "ada", asker=ADA)
        task = await world.settled(removal.id)
        assert (task.status, task.reason_code) == (TaskStatus.FAILED, ReasonCode.RIGHTS)
        assert 'cannot update resource "configmaps"' in task.reason
        world.grant("ada", ("", "configmaps", "get,list,update"))
        removal = await world.service.delete_application(app_id, "ada", asker=ADA)
        task = await world.settled(removal.id)
    assert task.status is TaskStatus.COMPLETED, task.reason
    assert "labels" not in (await world.admin.get(ObjectRef("ConfigMap", "default", "settings")))["metadata"]


@pytest.mark.proof
async def test_a_hook_is_made_anew_by_who_may_delete_that_of_the_former_run(world: World) -> None:
    world.grant("ada", *ALL, ("batch", "jobs", ",".join(USUAL)))
    world.service._limits = MANIFEST_LIMITS
    async with world.worker():
        app_id = await world.save(
            [manifests("kind", hook(job("migrate"), "pre-install,pre-upgrade"))], limits=MANIFEST_LIMITS
        )
        assert (await world.settled((await world.run(app_id)).id)).status is TaskStatus.COMPLETED
        world.grant("ada", *ALL, ("batch", "jobs", "get,list,create,update,patch"))
        before = await world.snapshot()
        task = await world.settled((await world.run(app_id)).id)
        assert (task.status, task.reason_code, task.cleanup) == (TaskStatus.FAILED, ReasonCode.RIGHTS, Cleanup.NONE)
        assert 'cannot delete resource "jobs"' in task.reason
        assert differences(before, await world.snapshot()) == []
        world.grant("ada", *ALL, ("batch", "jobs", ",".join(USUAL)))
        assert (await world.settled((await world.run(app_id)).id)).status is TaskStatus.COMPLETED


@pytest.mark.proof
async def test_data_is_deleted_only_for_who_may_delete_it(world: World) -> None:
    world.grant("ada", *ALL)
    app_id = await world.save([store("db")])
    async with world.worker():
        task = await world.settled((await world.run(app_id)).id)
        assert task.status is TaskStatus.COMPLETED, task.reason
        before = await world.snapshot()
        world.grant("ada", ("", "services,secrets", ",".join(USUAL)), ("apps", "*", ",".join(USUAL)))
        removal = await world.service.delete_application(app_id, "ada", delete_volumes=True, asker=ADA)
        task = await world.settled(removal.id)
        assert (task.status, task.reason_code) == (TaskStatus.FAILED, ReasonCode.RIGHTS)
        assert 'cannot delete resource "persistentvolumeclaims"' in task.reason
        assert differences(before, await world.snapshot()) == []
        removal = await world.service.delete_application(app_id, "ada", asker=ADA)
        task = await world.settled(removal.id)
    assert task.status is TaskStatus.COMPLETED, task.reason
    assert "PersistentVolumeClaim" in {ref.kind for ref in await world.snapshot()}


async def test_an_account_that_may_not_impersonate_says_so(world: World) -> None:
    world.grant("ada", *ALL)
    world.sim.registry.delete("clusterrolebindings", "", "kubemin-impersonate")
    app_id = await world.save([conf("settings", a="1")])
    async with world.worker():
        task = await world.settled((await world.run(app_id)).id)
    assert (task.status, task.reason_code, task.cleanup) == (TaskStatus.FAILED, ReasonCode.RIGHTS, Cleanup.NONE)
    assert "its own account lacks the right to impersonate (deploy/impersonation.yaml" in task.reason
    assert 'User "system:serviceaccount:kubemin:kubemin" cannot impersonate' in task.reason


@pytest.mark.proof
async def test_the_right_to_impersonate_may_go_in_the_middle(world: World) -> None:
    _, task_id, before = await held(world)
    async with world.worker():
        await held_in(world, task_id, "approve")
        world.sim.registry.delete("clusterrolebindings", "", "kubemin-impersonate")
        await world.service.promote(task_id, "grace")
        task = await world.settled(task_id)
    assert (task.status, task.cleanup) == (TaskStatus.FAILED, Cleanup.DONE), task.cleanup_why
    assert "lacks the right to impersonate" in task.reason
    assert differences(before, await world.snapshot()) == []


async def test_a_task_that_says_nobody_is_not_done_as_kubemin(world: World) -> None:
    """It was asked for while nobody was acted as; the setting has come since."""
    service = TaskService(world.db, LocalSignals(world.hub), LocalDoorbell(), LIMITS)
    app_id = await world.save([conf("settings", a="1")])
    task_id = (await service.run(Draft(app_id), ExecOptions(), "ada", asker=ADA)).id
    async with world.worker():
        task = await world.settled(task_id)
    assert (task.status, task.reason_code, task.cleanup) == (TaskStatus.FAILED, ReasonCode.RIGHTS, Cleanup.NONE)
    assert "KUBEMIN_IMPERSONATION" in task.reason
    with pytest.raises(CannotActAs, match="nobody says who asks"):
        await world.service.run(Draft(app_id), ExecOptions(), "ada")
    with pytest.raises(CannotActAs):
        await world.service.delete_application(app_id, "ada")


async def test_a_namespace_is_made_by_who_may_make_one(world: World) -> None:
    world.grant("ada", *ALL)
    application = {"name": "shop", "namespace": "fresh", "component": [conf("settings", a="1")]}
    before = await world.snapshot()
    posted = Posted(parse_application(application))
    options = ExecOptions(create_namespace=True)
    async with world.worker():
        task = await world.settled((await world.service.run(posted, options, "ada", asker=ADA)).id)
    assert (task.status, task.reason_code, task.cleanup) == (TaskStatus.FAILED, ReasonCode.RIGHTS, Cleanup.DONE)
    assert 'User "ada" cannot create resource "namespaces"' in task.reason
    assert differences(before, await world.snapshot()) == []


async def test_a_preview_shows_what_the_caller_may_read(world: World) -> None:
    world.grant("ada", *ALL)
    app_id = await world.save([conf("settings", a="1")])
    services = ClusterServices(world.db, world.cluster, LIMITS)
    async with world.worker():
        assert (await world.settled((await world.run(app_id)).id)).status is TaskStatus.COMPLETED
    posted = Posted(parse_application({"name": "shop", "component": [conf("settings", a="2")]}))
    (seen,) = (await services.asked_by(ADA).previews.of(posted, ExecOptions())).preview_jobs.values()
    assert (seen.verb, seen.changes) == ("change", ("data.a: 1 → 2",))
    assert await services.asked_by(ADA).diffs.between(app_id, "current", "live") == []
    world.revoke("ada")
    (refused,) = (await services.asked_by(ADA).previews.of(posted, ExecOptions())).preview_jobs.values()
    assert (refused.verb, refused.code) == ("refused", ReasonCode.RIGHTS)
    assert "data.a" not in str(refused)
    with pytest.raises(CallerForbidden, match='User "ada" cannot get resource "configmaps"'):
        await services.asked_by(ADA).diffs.between(app_id, "current", "live")
    with pytest.raises(CallerForbidden, match='User "ada" cannot list resource "pods"'):
        await services.asked_by(ADA).pod_logs.read(Wanted(app_id, "default"))


async def test_who_only_looks_needs_no_right_to_write(world: World) -> None:
    world.grant("ada", *ALL)
    world.grant("viewer", ("", "configmaps,pods,pods/log", "get,list"), subject=("User", "grace"))
    app_id = await world.save([conf("settings", a="1"), web("api")])
    services = ClusterServices(world.db, world.cluster, LIMITS).asked_by(Asker("grace"))
    async with world.worker():
        assert (await world.settled((await world.run(app_id)).id)).status is TaskStatus.COMPLETED
        lines = await services.pod_logs.read(Wanted(app_id, "default"))
    assert [line for line in lines if not line.note]


WRITES = 8
"""Of the update below, with those of its pre-flight."""
_daily = [pytest.param(number, marks=() if number in (0, 5) else pytest.mark.proof) for number in range(WRITES)]


@pytest.mark.parametrize("lost", [False, True], ids=["refused", "its answer lost"])
@pytest.mark.parametrize("number", _daily)
async def test_rights_may_go_at_any_request(number: int, lost: bool, world: World) -> None:
    """Before the request of this number, or once it has landed without an answer: all of it goes through, or none."""
    world.grant("ada", *ALL)
    app_id = await world.save([conf("settings", a="1"), secret("keys", token="t"), web("api")])
    async with world.worker():
        assert (await world.settled((await world.run(app_id)).id)).status is TaskStatus.COMPLETED
    before = await world.snapshot()
    parts = [conf("settings", a="2"), secret("keys", token="u"), web("api", "api:2"), conf("more", a="1")]
    await world.save(parts, app_id=app_id)
    begun = 0

    async def hook(point: str) -> None:
        nonlocal begun
        begins = point.endswith(":before")
        begun += begins
        if lost and begins and begun == number + 1:
            world.sim.faults.add(Fault("drop", verb="write", when="after"))
        elif begun > number and begins is not lost:
            world.revoke("ada")

    world.cluster._hook = hook
    task_id = (await world.run(app_id)).id
    async with world.worker():
        task = await world.settled(task_id)
    world.cluster._hook = None
    if task.status is TaskStatus.COMPLETED:
        assert "more" in {ref.name for ref in await world.snapshot()}
    else:
        assert (task.status, task.reason_code, task.cleanup) == (TaskStatus.FAILED, ReasonCode.RIGHTS, Cleanup.DONE)
        assert differences(before, await world.snapshot()) == []
