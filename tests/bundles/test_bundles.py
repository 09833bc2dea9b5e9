"""Each bundle is deployed; whenever that is stopped, by a cancel or by the death of its worker, all is as it was."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from kubemin.engine import ExecOptions
from kubemin.engine.entry.sources import Posted
from kubemin.spec.application import Application, parse_application
from kubemin.spec.objects import Manifest
from kubemin.spec.states import Cleanup, Purpose, TaskStatus
from kubemin.store.tasks import Task
from kubesim.faults import RequestInfo
from tests.bundles.bundles import BUNDLES, LIMITS, Bundle, component
from tests.engine.child import Point, Script, run_child
from tests.engine.instance import PATIENT, Instance
from tests.proof.compare import how, lacking, normal
from tests.writes import on_writes

DRAWS = 6
"""How many writes are drawn for each bundle at which its run is stopped."""
_OF_CONTROLLERS = ("pods", "events", "endpoints", "endpointslices", "persistentvolumes", "leases")


def drawn(*daily: str) -> list[Any]:
    """Bundles and draws for `make proof`; for `make test` the first draw of the bundles named."""
    return [
        pytest.param(
            BUNDLES[name],
            draw,
            id=f"{name}-{draw}",
            marks=[] if draw == 0 and name in daily else [pytest.mark.proof],
        )
        for name in BUNDLES
        for draw in range(DRAWS)
    ]


def everything(instance: Instance) -> dict[str, Manifest]:
    """All that people, KubeMin and operators wrote, as it is compared."""
    registry = instance.sim.registry
    return {
        f"{resource.key} {one['metadata'].get('namespace', '')}/{one['metadata']['name']}": normal(one)
        for resource in registry.catalog.resources.values()
        if resource.key not in _OF_CONTROLLERS
        for one in registry.scan(resource.key)
    }


def differences(before: dict[str, Manifest], after: dict[str, Manifest]) -> list[str]:
    """What is not as it was, for a person to read."""
    return [
        *(f"{name} is gone" for name in before if name not in after),
        *(f"{name} is new" for name in after if name not in before),
        *(
            f"{name}: {how(before[name], after[name])}"
            for name in before
            if after.get(name, before[name]) != before[name]
        ),
    ]


def application_of(*parts: dict[str, Any]) -> Application:
    return parse_application({"name": "bundle", "component": list(parts)}, LIMITS)


async def start(instance: Instance, *parts: dict[str, Any]) -> Task:
    return await instance.service.run(Posted(application_of(*parts)), ExecOptions(), "ada")


def prepare(instance: Instance, bundle: Bundle) -> None:
    """The server may do what the bundle asks for, and the cluster has who acts on its custom resources."""
    for operator in bundle.operators:
        instance.sim.controllers.operate(operator)
    instance.service._limits = LIMITS


async def deployed(instance: Instance, bundle: Bundle) -> Task:
    prepare(instance, bundle)
    task = await start(instance, component(bundle.name, bundle.manifests))
    return await instance.settled(task.id)


class Stopped:
    """Cancels a run when it sends its nth write, from 1."""

    def __init__(self, instance: Instance, number: int) -> None:
        self._instance = instance
        self._number = number
        self.task: Task | None = None
        self.writes = 0
        on_writes(instance.sim, self._count)

    async def _count(self, _: RequestInfo) -> None:
        self.writes += 1
        if self.writes == self._number:
            assert self.task is not None
            await self._instance.service.cancel(self.task.app_id, self.task.id, "ada", "no", None)

    async def run(self, application: Application) -> Task:
        """Run it. No cancel comes too late: it is recorded before that write is sent on."""
        self.task = await self._instance.service.run(Posted(application), ExecOptions(), "ada")
        async with self._instance.worker(PATIENT):
            return await self._instance.settled(self.task.id)


_EVERYDAY = ("database-operator", "ci-runner", "web-shop")


@pytest.mark.parametrize(
    "name", [name if name in _EVERYDAY else pytest.param(name, marks=pytest.mark.proof) for name in BUNDLES]
)
async def test_a_bundle_is_deployed(instance: Instance, name: str) -> None:
    bundle = BUNDLES[name]
    async with instance.worker(PATIENT):
        task = await deployed(instance, bundle)
        assert (task.status, task.reason) == (TaskStatus.COMPLETED, "")
        for operator in bundle.operators:
            for one in instance.sim.registry.scan(operator.resource):
                assert one["status"]["conditions"][0]["status"] == "True", "the task has waited for its controller"
    assert incomplete(instance, bundle.manifests) == []


@pytest.mark.parametrize(("bundle", "draw"), drawn("certificate-manager", "ci-runner"))
async def test_a_first_run_that_is_cancelled_leaves_nothing(instance: Instance, bundle: Bundle, draw: int) -> None:
    prepare(instance, bundle)
    before = everything(instance)
    number = Random(f"first {bundle.name} {draw}").randint(1, len(bundle.manifests))
    task = await Stopped(instance, number).run(application_of(component(bundle.name, bundle.manifests)))
    assert (task.status, task.cleanup, task.cleanup_why) == (TaskStatus.CANCELLED, Cleanup.DONE, "")
    assert differences(before, everything(instance)) == []


@pytest.mark.parametrize(("bundle", "draw"), drawn("database-operator", "message-broker"))
async def test_an_update_that_is_cancelled_leaves_what_was_there(instance: Instance, bundle: Bundle, draw: int) -> None:
    async with instance.worker(PATIENT):
        await deployed(instance, bundle)
    await instance.sim.controllers.settled()
    before = everything(instance)
    changed = sum(one not in bundle.manifests for one in bundle.changed)
    number = Random(f"update {bundle.name} {draw}").randint(1, changed)
    task = await Stopped(instance, number).run(application_of(component(bundle.name, bundle.changed)))
    await instance.sim.controllers.settled()
    assert (task.status, task.cleanup, task.cleanup_why) == (TaskStatus.CANCELLED, Cleanup.DONE, "")
    assert set(differences(before, everything(instance))) <= {
        f"{name} is gone" for name in await former(instance, task)
    }


async def former(instance: Instance, task: Task) -> list[str]:
    """The Jobs of hooks that made room for those of the task: it names them, as they are not brought back."""
    rows = await instance.journal(task.id)
    return [f"jobs {row.ref.namespace}/{row.ref.name}" for row in rows if row.purpose is Purpose.REMOVE]


ANY = "*"
KILLED = -9


async def run_killed(instance: Instance, script: Script, *, cancel_at: Point | None, kill_at: Point) -> Task:
    """Run the task in a process that dies at a point, if it comes there; then in another one that goes on."""
    if await run_child(replace(script, cancel_at=cancel_at, kill_at=kill_at)) == KILLED:
        engine = create_engine(script.database)
        with engine.begin() as connection:  # what time would do
            connection.execute(text("UPDATE tasks SET lease_expires_at = 1 WHERE lease_expires_at IS NOT NULL"))
        engine.dispose()
        assert await run_child(script) == 0
    await instance.sim.controllers.settled()
    return await instance.task(script.task_id)


def incomplete(instance: Instance, manifests: Sequence[Manifest]) -> list[str]:
    """What the manifests say and the cluster does not; a hook may be gone once it has done its work."""
    found = list[str]()
    for one in manifests:
        if "helm.sh/hook" in one["metadata"].get("annotations", {}):
            continue
        live = live_object(instance, one)
        said = {key: value for key, value in one.items() if key not in ("metadata", "stringData")}
        missing = ["is missing"] if live is None else lacking(said, live)
        found += [f"{one['kind']}/{one['metadata']['name']}: {each}" for each in missing]
    return found


def live_object(instance: Instance, manifest: Manifest) -> Manifest | None:
    registry, meta = instance.sim.registry, manifest["metadata"]
    resource = registry.catalog.kind(manifest["apiVersion"], manifest["kind"])
    assert resource is not None, f"no {manifest['kind']} is served"
    return registry.peek(resource.key, meta.get("namespace", "default") if resource.namespaced else "", meta["name"])


def script_of(instance: Instance, folder: Path, task: Task) -> Script:
    url = f"sqlite:///{folder}/kubemin.db"
    return Script(url, instance.sim.url, task.app_id, task.id, str(folder / "points"))


@pytest.mark.parametrize(("bundle", "draw"), drawn("log-collector"))
async def test_another_worker_goes_on_where_one_was_killed(
    instance: Instance, tmp_path: Path, bundle: Bundle, draw: int
) -> None:
    """Over a former version, of which an object has gone."""
    async with instance.worker(PATIENT):
        await deployed(instance, bundle)
    await instance.sim.controllers.settled()
    task = await start(instance, component(bundle.name, bundle.changed))
    number = Random(f"kill {bundle.name} {draw}").randint(1, 4 * len(bundle.manifests))
    task = await run_killed(instance, script_of(instance, tmp_path, task), cancel_at=None, kill_at=Point(ANY, number))
    assert (task.status, task.cleanup) == (TaskStatus.COMPLETED, Cleanup.DONE)
    assert incomplete(instance, bundle.changed) == []
    (dropped,) = [one for one in bundle.manifests if (one["kind"], one["metadata"]["name"]) == bundle.dropped]
    assert live_object(instance, dropped) is None


@pytest.mark.parametrize(("bundle", "draw"), drawn("ingress-controller"))
async def test_another_worker_puts_back_where_one_was_killed(
    instance: Instance, tmp_path: Path, bundle: Bundle, draw: int
) -> None:
    prepare(instance, bundle)
    before = everything(instance)
    task = await start(instance, component(bundle.name, bundle.manifests))
    random, count = Random(f"put back {bundle.name} {draw}"), len(bundle.manifests)
    task = await run_killed(
        instance,
        script_of(instance, tmp_path, task),
        cancel_at=Point("call:create:*:before", random.randint(1, count)),
        kill_at=Point(ANY, random.randint(1, 2 * count)),
    )
    assert (task.status, task.cleanup, task.cleanup_why) == (TaskStatus.CANCELLED, Cleanup.DONE, "")
    assert differences(before, everything(instance)) == []
