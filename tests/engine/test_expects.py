"""A plan that is run as it was read: a run does what its preview showed, or writes nothing."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from kubemin.engine import ExecOptions
from kubemin.engine.entry.sources import Posted
from kubemin.engine.errors import PlanChanged
from kubemin.engine.expects import Expects
from kubemin.spec.application import parse_application
from kubemin.spec.reason_codes import ReasonCode
from kubemin.spec.states import TaskStatus
from kubemin.store.tasks import Task
from tests.engine.instance import Instance, conf, secret, web

PARTS = (conf("settings", a="1"), secret("keys", token="hush"), web("api"))
NEXT = (conf("settings", a="2"), secret("keys", token="other"), web("api"), conf("more", b="1"))
MERGE = "application/merge-patch+json"
Change = Callable[[Instance], object]


@pytest.fixture(autouse=True)
async def _worker(instance: Instance) -> AsyncIterator[None]:
    async with instance.worker():
        yield


def posted(*parts: dict[str, Any], **more: Any) -> Posted:
    return Posted(parse_application({"name": "shop", "component": list(parts), **more}))


async def planned(instance: Instance, *parts: dict[str, Any]) -> Expects:
    """As it comes back over the wire."""
    found = await instance.previews.of(posted(*parts), ExecOptions())
    return Expects.model_validate_json(found.expects.model_dump_json())


async def run(instance: Instance, expects: Expects | None, *parts: dict[str, Any], **more: Any) -> Task:
    task = await instance.service.run(posted(*parts, **more), ExecOptions(expects=expects), "ada")
    return await instance.settled(task.id)


async def test_what_was_read_is_run(instance: Instance) -> None:
    """First of a new application, whose configuration's key is not known when it is planned."""
    for parts in (PARTS, NEXT, NEXT):
        expects = await planned(instance, *parts)
        assert "hush" not in expects.model_dump_json()
        task = await run(instance, expects, *parts)
        assert task.status is TaskStatus.COMPLETED, task.reason


def edit(resource: str, name: str, body: dict[str, Any], **more: Any) -> Change:
    return lambda instance: instance.sim.registry.patch(resource, "default", name, MERGE, body, manager="ada", **more)


def delete(instance: Instance) -> None:
    instance.sim.registry.delete("configmaps", "default", "settings")


def make(instance: Instance, name: str = "more") -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "default"}}
    instance.sim.registry.create("configmaps", "default", body, manager="ada")


def make_again(instance: Instance) -> None:
    delete(instance)
    make(instance, "settings")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (edit("configmaps", "settings", {"data": {"a": "9"}}), "ConfigMap/default/settings was changed"),
        (edit("secrets", "keys", {"data": {"token": "eA=="}}), "Secret/default/keys was changed"),
        (edit("deployments", "shop-api", {"metadata": {"labels": {"a": "b"}}}), "Deployment/default/shop-api was cha"),
        (delete, "ConfigMap/default/settings is no longer there"),
        (make_again, "ConfigMap/default/settings was deleted and made again"),
        (make, "ConfigMap/default/more is there by now"),
    ],
)
async def test_what_changed_in_the_cluster_stops_it_before_the_first_write(
    instance: Instance, change: Change, said: str
) -> None:
    await run(instance, None, *PARTS)
    expects = await planned(instance, *NEXT)
    change(instance)
    before = list(instance.sim.registry.scan("configmaps"))
    task = await run(instance, expects, *NEXT)
    assert (task.status, task.reason_code) == (TaskStatus.FAILED, ReasonCode.PLAN_CHANGED)
    assert said in task.reason
    assert list(instance.sim.registry.scan("configmaps")) == before
    assert not await instance.journal(task.id)


async def test_what_only_the_status_says_is_no_change(instance: Instance) -> None:
    await run(instance, None, *PARTS)
    expects = await planned(instance, *NEXT)
    edit("deployments", "shop-api", {"status": {"observedGeneration": 77}}, subresource="status")(instance)
    task = await run(instance, expects, *NEXT)
    assert task.status is TaskStatus.COMPLETED, task.reason


async def test_another_application_is_refused_as_it_is_asked_for(instance: Instance) -> None:
    await run(instance, None, *PARTS)
    expects = await planned(instance, *PARTS)
    with pytest.raises(PlanChanged) as refused:
        await run(instance, expects, *NEXT)
    assert set(refused.value.changes) == {
        "ConfigMap/default/more is new",
        "ConfigMap/default/settings is to become something else",
        "Secret/default/keys is to become something else",
    }
    with pytest.raises(PlanChanged, match="settings is no longer in it"):
        await run(instance, expects, *PARTS[1:])
    steps = [{"name": f"step-{part['name']}", "components": [part["name"]]} for part in PARTS]
    with pytest.raises(PlanChanged, match="the workflow"):
        await run(instance, expects, *PARTS, workflow=steps)


async def test_another_revision_since_refuses_it(instance: Instance) -> None:
    """Also one that is deployed only while the run waits for its turn."""
    only = Expects(revision=0)
    await run(instance, only, *PARTS)
    with pytest.raises(PlanChanged, match="revision 1 is deployed, and it was nothing"):
        await run(instance, only, *PARTS)
    queued = [
        await instance.service.run(posted(*parts), ExecOptions(expects=Expects(revision=1)), "ada")
        for parts in (NEXT, PARTS)
    ]
    first, second = [await instance.settled(task.id) for task in queued]
    assert (first.status, second.status) == (TaskStatus.COMPLETED, TaskStatus.FAILED), first.reason
    assert second.reason_code == ReasonCode.PLAN_CHANGED
    assert "revision 2 is deployed, and it was revision 1" in second.reason
