"""Who decides how many replicas there are: the file, unless an autoscaler lives (finding 5, trap 33)."""

from typing import Any

import pytest

from kubemin.engine import ExecOptions
from kubemin.engine.deploy.replicas import Autoscalers
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.states import TaskStatus
from kubesim.faults import Fault, RequestInfo
from tests.engine.held import Held, config_map, deployment, stateful_set
from tests.engine.instance import Instance, store, web

KINDS = {"Deployment": ("deployments", deployment), "StatefulSet": ("statefulsets", stateful_set)}
BOTH = pytest.mark.parametrize("kind", list(KINDS))
MERGE = "application/merge-patch+json"


def scale(held: Held, kind: str, name: str, replicas: int, manager: str = "kubectl") -> None:
    body = {"spec": {"replicas": replicas}}
    held.sim.registry.patch(KINDS[kind][0], "default", name, MERGE, body, manager=manager, subresource="scale")


def autoscaler(held: Held, kind: str, name: str, *, group: str = "apps", **meta: Any) -> None:
    target = {"apiVersion": f"{group}/v1", "kind": kind, "name": name}
    made = {"metadata": {"name": "hpa", **meta}, "spec": {"maxReplicas": 9, "scaleTargetRef": target}}
    held.sim.registry.create("horizontalpodautoscalers", "default", made, manager="ada")


def made(kind: str, replicas: int | None, **more: Any) -> Manifest:
    manifest = KINDS[kind][1](**more)  # type: ignore[operator]
    manifest["spec"].pop("replicas")
    return manifest if replicas is None else {**manifest, "spec": {**manifest["spec"], "replicas": replicas}}


@BOTH
@pytest.mark.parametrize("scaled", [True, False], ids=["it has scaled", "it has not scaled yet"])
async def test_an_autoscaler_that_lives_has_the_replicas(held: Held, kind: str, scaled: bool) -> None:
    """Also before it scales for the first time: a file that no longer declares them must not reset them to 1."""
    first = await held.ensure(made(kind, 2))
    name = first["metadata"]["name"]
    autoscaler(held, kind, name)
    if scaled:
        scale(held, kind, name, 5, "kube-controller-manager")
    now = 5 if scaled else 2
    later = await held.next_task()
    changed = await later.ensure(made(kind, 3))
    assert changed["spec"]["replicas"] == now
    said = f"spec.replicas stays {now}, not 3: HorizontalPodAutoscaler/hpa scales it"
    assert later.warnings == [said]
    scale(held, kind, name, 7, "kube-controller-manager")
    assert await later.roll_back() == []
    after = await later.look(first)
    assert after is not None
    assert after["spec"]["replicas"] == 7


@BOTH
async def test_a_person_s_scale_is_overruled_and_comes_back_with_a_rollback(held: Held, kind: str) -> None:
    first = await held.ensure(made(kind, 1))
    scale(held, kind, first["metadata"]["name"], 3)
    later = await held.next_task()
    changed = await later.ensure(made(kind, 0))
    assert changed["spec"].get("replicas") == 0
    assert later.warnings == []
    assert not any(entry.get("subresource") == "scale" for entry in changed["metadata"]["managedFields"])
    assert await later.roll_back() == []
    after = await later.look(first)
    assert after is not None
    assert after["spec"]["replicas"] == 3
    assert any(entry.get("subresource") == "scale" for entry in after["metadata"]["managedFields"])


@pytest.mark.parametrize(
    "other",
    [
        {"name": "another"},
        {"kind": "StatefulSet"},
        {"group": "example.com"},
        {"finalizers": ["example.com/hold"]},
    ],
    ids=["of another name", "of another kind", "of another group", "on its way out"],
)
async def test_no_other_autoscaler_counts(held: Held, other: dict[str, Any]) -> None:
    await held.ensure(made("Deployment", 1))
    autoscaler(held, **{"kind": "Deployment", "name": "api", **other})
    if "finalizers" in other:
        held.sim.registry.delete("horizontalpodautoscalers", "default", "hpa")
    scale(held, "Deployment", "api", 3)
    later = await held.next_task()
    assert (await later.ensure(made("Deployment", 2)))["spec"]["replicas"] == 2


@pytest.mark.parametrize("code", [403, 404])
@pytest.mark.parametrize("scaled", [True, False])
async def test_where_autoscalers_cannot_be_listed_what_was_scaled_is_left(held: Held, code: int, scaled: bool) -> None:
    await held.ensure(made("Deployment", 1))
    if scaled:
        scale(held, "Deployment", "api", 3)
    held.sim.faults.add(Fault("status", verb="list", resource="horizontalpodautoscalers", times=None, code=code))
    later = await held.next_task()
    changed = await later.ensure(made("Deployment", 2))
    assert changed["spec"]["replicas"] == (3 if scaled else 2)
    assert len(later.warnings) == scaled
    assert all("spec.replicas stays 3, not 2: somebody scaled it, and" in one for one in later.warnings)


@BOTH
@pytest.mark.parametrize("by", ["us", "others"])
async def test_replicas_that_are_not_declared_stay(held: Held, kind: str, by: str) -> None:
    """``replicas: auto``; when they were declared before, an apply alone would reset them to 1."""
    first = await held.ensure(made(kind, 3))
    if by == "others":
        scale(held, kind, first["metadata"]["name"], 2)
    for _ in range(2):
        held = await held.next_task()
        assert (await held.ensure(made(kind, None)))["spec"]["replicas"] == (3 if by == "us" else 2)
        assert held.warnings == []
    scale(held, kind, first["metadata"]["name"], 4)
    assert (await (await held.next_task()).ensure(made(kind, None)))["spec"]["replicas"] == 4


async def test_one_request_a_namespace_and_only_for_what_has_replicas(held: Held) -> None:
    asked: list[str] = []

    def note(info: RequestInfo) -> None:
        asked.append(info.verb)

    held.sim.faults.add(Fault("call", resource="horizontalpodautoscalers", verb="read", times=None, call=note))
    first, second, settings = deployment("a"), deployment("b"), config_map(a="1")
    live = [await held.ensure(one, job) for job, one in enumerate((first, second, settings))]
    assert asked == []
    autoscalers = Autoscalers(held.cluster)
    for manifest, there in zip((settings, first, second), (live[2], live[0], live[1]), strict=True):
        assert await autoscalers.fitted(manifest, there) == (manifest, "")
    assert asked == ["list"]


async def test_from_the_file_to_the_end(instance: Instance) -> None:
    """`replicas: auto` is stored, rendered and given back; a dry run and the end tell of an autoscaler."""
    app_id = await instance.save([web("api", replicas="auto"), store("db", replicas=2)])
    refs = {ref.kind: ref for ref in await instance.objects(app_id)}
    async with instance.worker():
        assert (await instance.settled(await instance.exec(app_id))).status is TaskStatus.COMPLETED
        assert (await instance.cluster.get(refs["Deployment"]))["spec"]["replicas"] == 1
        _scale(instance, refs["Deployment"], "deployments", 2)
        _scale(instance, refs["StatefulSet"], "statefulsets", 3)
        dry = await instance.exec(app_id, ExecOptions(dry_run=True))
        assert (await instance.settled(dry)).status is TaskStatus.COMPLETED
        said = {job.kind: job.info for job in await instance.jobs(dry)}
        assert said["StatefulSet"] == "would change: spec.replicas: 3 → 2 (somebody scaled it)"
        assert said["Deployment"] == "no change"
        target = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": refs["StatefulSet"].name}
        hpa = {"metadata": {"name": "hpa"}, "spec": {"maxReplicas": 9, "scaleTargetRef": target}}
        instance.sim.registry.create("horizontalpodautoscalers", "default", hpa, manager="ada")
        task_id = await instance.exec(app_id)
        assert (await instance.settled(task_id)).status is TaskStatus.COMPLETED
        said = {job.kind: job.info for job in await instance.jobs(task_id)}
        warning = "warning: spec.replicas stays 3, not 2: HorizontalPodAutoscaler/hpa scales it"
        assert said["StatefulSet"].splitlines()[1:] == [warning]
        assert (await instance.cluster.get(refs["Deployment"]))["spec"]["replicas"] == 2


def _scale(instance: Instance, ref: ObjectRef, plural: str, replicas: int) -> None:
    body = {"spec": {"replicas": replicas}}
    instance.sim.registry.patch(plural, "default", ref.name, MERGE, body, manager="kubectl", subresource="scale")
