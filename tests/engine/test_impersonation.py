"""What a task does going forward is done as whoever asked for it; what undoes it is done as KubeMin itself.

Under the rights of deploy/rbac.yaml and deploy/impersonation.yaml, and no others: a cluster that enforces RBAC.
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
from kubemin.dispatch import LocalDoorbell
from kubemin.engine import ExecOptions, TaskService
from kubemin.engine.entry.sources import Draft
from kubemin.signals import LocalHub, LocalSignals
from kubemin.spec.acting import Asker, Naming
from kubemin.spec.objects import ObjectRef
from kubemin.spec.reason_codes import ReasonCode
from kubemin.spec.states import Cleanup, ResourceState, TaskStatus
from kubemin.store import Database
from kubemin.store.tasks import Task
from kubesim.problems import Problem
from kubesim.resources import RESOURCES
from kubesim.server import SimServer
from tests.engine.instance import LIMITS, Instance, conf, secret, web
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
        return {ref: obj for ref, obj in seen.items() if ref.kind not in ("Role", "RoleBinding")}


@pytest.fixture
async def sim() -> AsyncIterator[SimServer]:
    async with SimServer(speed=50, authorize=True) as server:
        plurals = {resource.kind: resource.plural for resource in RESOURCES.values()}
        for file in ("rbac.yaml", "impersonation.yaml"):
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


async def test_rights_that_go_in_the_middle_leave_the_cluster_as_it_was(world: World) -> None:
    """The rollback needs none of them."""
    world.grant("ada", *ALL)
    app_id = await world.save([conf("settings", a="1"), web("api")])
    async with world.worker():
        assert (await world.settled((await world.run(app_id)).id)).status is TaskStatus.COMPLETED
        before = await world.snapshot()
        workflow = [{"name": one, "components": [one]} for one in ("settings", "api", "late")]
        parts = [conf("settings", a="2"), web("api", "api:never"), web("late")]
        await world.save(parts, app_id=app_id)
        task_id = (await world.run(app_id, preflight=False)).id

        async def changed() -> bool:
            rows = {row.ref.kind: row.state for row in await world.journal(task_id)}
            return rows.get("ConfigMap") is ResourceState.CHANGED

        await world.until(changed)
        world.revoke("ada")
        await world.service.cancel(app_id, task_id, "grace", "no")
        task = await world.settled(task_id)
    assert workflow
    assert (task.status, task.cleanup) == (TaskStatus.CANCELLED, Cleanup.DONE), task.cleanup_why
    assert differences(before, await world.snapshot()) == []
