"""The order of a rollback: what others read is put back before what reads it, then what the task made is deleted."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from kubemin.cluster import Cluster
from kubemin.cluster.errors import Unanswered
from kubemin.engine.deploy import namespaces
from kubemin.engine.journal.tracker import CleanupTracker
from kubemin.engine.objects.ownership import controlled
from kubemin.spec.kinds import KINDS, WRITTEN
from kubemin.spec.labels import FENCE, WRITE_TOKEN
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.states import Cleanup, ResourceState, TaskStatus
from kubemin.store import Database, tasks
from kubesim.faults import Fault, RequestInfo
from kubesim.resources import RESOURCES
from kubesim.server import SimServer
from tests.engine.held import LABELS, Held, config_map, deployment, hold, new_task
from tests.engine.instance import Instance, conf, secret, store, web
from tests.engine.test_points import differences
from tests.matrix import thinned
from tests.writes import on_writes

# --- what Pods have read

READERS: dict[str, Any] = {
    "envFrom a ConfigMap": {"envFrom": [{"type": "config", "sourceName": "settings"}]},
    "envFrom a Secret": {"envFrom": [{"type": "secret", "sourceName": "settings"}]},
    "env of a ConfigMap": {
        "envs": [{"name": "LEVEL", "valueFrom": {"config": {"name": "settings", "key": "LEVEL"}}}],
    },
    "env of a Secret": {
        "envs": [{"name": "LEVEL", "valueFrom": {"secret": {"name": "settings", "key": "LEVEL"}}}],
    },
}


def version(workload: str, reader: str, level: str, image: str) -> list[dict[str, Any]]:
    values = secret("settings", LEVEL=level) if "Secret" in reader else conf("settings", LEVEL=level)
    if workload == "Deployment":
        return [values, web("api", image, replicas=4, traits=READERS[reader])]
    return [values, store("api", image, replicas=4, traits=READERS[reader])]


def pods(instance: Instance) -> list[Manifest]:
    """The Pods that are there to stay, as of now."""
    return [pod for pod in instance.sim.registry.scan("pods") if "deletionTimestamp" not in pod["metadata"]]


def images(instance: Instance) -> list[str]:
    return sorted(pod["spec"]["containers"][0]["image"] for pod in pods(instance))


def levels(instance: Instance) -> list[str]:
    """What the Pods have read."""
    read = (instance.sim.controllers.environment_of(pod["metadata"]["uid"]) for pod in pods(instance))
    every = [variables for containers in read for variables in containers.values()]
    return [variables["LEVEL"] for variables in every if "LEVEL" in variables]


@pytest.mark.parametrize(("reader", "workload"), thinned([*READERS], ["Deployment", "StatefulSet"]))
async def test_pods_that_a_rollback_starts_read_the_old_values(instance: Instance, reader: str, workload: str) -> None:
    app_id = await instance.save(version(workload, reader, "a", "api:1"))
    async with instance.worker():
        assert (await instance.settled(await instance.exec(app_id))).status is TaskStatus.COMPLETED
        before = await instance.snapshot()
        assert levels(instance) == ["a"] * 4
        await instance.save(version(workload, reader, "b", "api:never"), app_id=app_id)
        task_id = await instance.exec(app_id)

        async def half() -> bool:  # a Pod of the old version has made room for one of the new that never starts
            return images(instance).count("api:1") == 3 and "b" in levels(instance)

        await instance.until(half)
        for resource in ("configmaps", "secrets"):  # time enough for a Pod to start meanwhile
            instance.sim.faults.add(Fault("latency", verb="update", resource=resource, seconds=0.5, times=None))
        await instance.service.cancel(app_id, task_id, "ada", "no")
        task = await instance.settled(task_id)
    assert task.cleanup is Cleanup.DONE, task.cleanup_why
    assert differences(before, await instance.snapshot()) == []
    assert images(instance) == ["api:1"] * 4
    assert levels(instance) == ["a"] * 4


# --- what the API server sees

_RULE = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}
_CLAIM = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
_HOST = {
    "host": "shop.example",
    "http": {
        "paths": [{"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "web", "port": {"number": 80}}}}]
    },
}
_REFERENCE = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"}
_JOB = {
    "suspend": True,
    "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "job:1"}]}},
}

BODIES: dict[str, Manifest] = {
    "ConfigMap": {"data": {"a": "1"}},
    "Secret": {"data": {"a": "YQ=="}},
    "PersistentVolumeClaim": {"spec": _CLAIM},
    "ServiceAccount": {},
    "Role": {"rules": [_RULE]},
    "RoleBinding": {"roleRef": _REFERENCE, "subjects": []},
    "ClusterRole": {"rules": [_RULE]},
    "Service": {"spec": {"ports": [{"port": 80}]}},
    "Deployment": {"spec": deployment()["spec"]},
    "StatefulSet": {"spec": {**deployment()["spec"], "serviceName": "db"}},
    "Job": {"spec": _JOB},
    "Ingress": {"spec": {"rules": [_HOST]}},
}
"""Of each kind that an application may have, an object, but for its name."""

MADE = ("created", "created, no answer", "taken over", "changed, gone, and created by a late request")
CHANGED = ("changed", "changed, no answer", "changed, after a create without an answer")


@dataclass(frozen=True)
class Part:
    """One object, and how the task came to touch it."""

    kind: str
    way: str


class Touch:
    """Brings one object, by the tracker of a job, to where ``part.way`` says."""

    def __init__(self, held: Held, part: Part, number: int) -> None:
        info = KINDS[part.kind]
        self.held = held
        self.part = part
        self.plural = info.plural
        self.namespace = "default" if info.namespaced else ""
        self.name = f"part-{number}-{held.task_id}"
        body = BODIES[part.kind]
        if part.kind in ("Deployment", "StatefulSet"):
            body = {"spec": {**body["spec"], "replicas": 0}}
        meta = {"name": self.name, "labels": LABELS} | ({"namespace": "default"} if info.namespaced else {})
        self.manifest: Manifest = {"apiVersion": info.api_version, "kind": part.kind, "metadata": meta, **body}
        self.tracker: CleanupTracker = held.tracker(number)

    async def touch(self) -> None:
        way = self.part.way
        if way.startswith("created"):
            await self._create(answered=way == "created")
        elif way == "taken over":
            await self._exists()
            await self.tracker.take_over(self.manifest, await self.look(), {})
        elif way == "changed, gone, and created by a late request":
            late = self._fault("late", "create")
            await self._create(answered=False)
            await self._exists()
            await self._change(answered=False, lands=False)
            self.held.sim.registry.delete(self.plural, self.namespace, self.name, propagation="Background")
            await self.held.sim.controllers.settled()
            assert await late.release() == [201]
        else:
            await self._exists()
            if "after a create" in way:
                lost = self._fault("drop", "create")
                await self._create(answered=False)
                self.held.sim.faults.remove(lost)
            await self._change(answered=way == "changed", lands=True)

    def _fault(self, action: Any, verb: str, when: Any = "before") -> Any:
        return self.held.sim.faults.add(Fault(action, verb=verb, resource=self.plural, name=self.name, when=when))

    async def _exists(self) -> None:
        self.held.sim.registry.create(self.plural, self.namespace, self.manifest, manager="kubectl")
        await self.held.sim.controllers.settled()  # what it writes into the status would be a new version

    async def look(self) -> Manifest:
        return await self.held.cluster.get(ObjectRef.of(self.manifest))

    async def differs(self) -> bool:
        """Whether something of the task's change is left."""
        annotations = (await self.look())["metadata"].get("annotations") or {}
        return bool({"changed", WRITE_TOKEN, FENCE} & annotations.keys())

    async def _create(self, *, answered: bool) -> None:
        if not answered:
            self._fault("drop", "create", "after")
        with contextlib.nullcontext() if answered else pytest.raises(Unanswered):
            await self.tracker.create(self.manifest, {})

    async def _change(self, *, answered: bool, lands: bool) -> None:
        if not answered:
            self._fault("drop", "apply", "after" if lands else "before")
        meta = {**self.manifest["metadata"], "annotations": {"changed": "yes"}}
        with contextlib.nullcontext() if answered else pytest.raises(Unanswered):
            await self.tracker.change({**self.manifest, "metadata": meta}, await self.look(), {})


PARTS = st.lists(st.builds(Part, st.sampled_from(sorted(BODIES)), st.sampled_from(MADE + CHANGED)), max_size=8)


@contextlib.asynccontextmanager
async def a_task(db: Database, cluster: Cluster, sim: SimServer) -> AsyncIterator[Held]:
    """A task of its own for each example, with no fault but its own."""
    task_id = await new_task(db)
    held = Held(db, cluster, sim, task_id, await hold(db, task_id), {})
    try:
        yield held
    finally:
        await sim.faults.clear()
        last = (await held.successor()).journal.lease
        async with db.begin("finish") as tx:
            await tasks.finish(tx, task_id, last.epoch, TaskStatus.FAILED, "", Cleanup.NONE)


@settings(
    max_examples=20,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(parts=PARTS, namespace=st.booleans())
async def test_first_what_is_put_back_then_what_is_deleted(
    db: Database, cluster: Cluster, sim: SimServer, parts: list[Part], *, namespace: bool
) -> None:
    """Whatever the mix, and whatever had no answer: restores as in the deploy, then deletions in reverse."""
    seen: list[tuple[str, int]] = []

    def note(info: RequestInfo) -> None:
        if info.verb in ("update", "delete"):
            seen.append((info.verb, WRITTEN[RESOURCES[info.resource].kind].priority))

    async with a_task(db, cluster, sim) as held:
        touches = [Touch(held, part, number) for number, part in enumerate(parts, 1)]
        if namespace:
            await namespaces.create(held.tracker(0), [f"team-{held.task_id}"])
        for one in touches:
            await one.touch()
        await sim.faults.clear()
        on_writes(sim, note)
        held.journal = (await held.successor()).journal
        assert await held.roll_back() == []
        changed = [one for one in touches if one.part.way in CHANGED]
        puts = [priority for verb, priority in seen if verb == "update"]
        deletes = [priority for verb, priority in seen if verb == "delete"]
        assert [verb for verb, _ in seen] == ["update"] * len(puts) + ["delete"] * len(deletes)
        assert puts == sorted(puts)
        assert deletes == sorted(deletes, reverse=True)
        assert len(deletes) == len(touches) - len(changed) + namespace
        there = (item for plural in RESOURCES for item in sim.registry.scan(plural) if not controlled(item))
        left = {ref for ref in map(ObjectRef.of, there) if held.task_id in ref.name and ref.kind != "Event"}
        assert left == {ObjectRef.of(one.manifest) for one in changed}
        assert not [one for one in changed if await one.differs()]


# --- what is refused, and what takes its time


def service(name: str, node_port: int) -> Manifest:
    meta = {"name": name, "namespace": "default", "labels": LABELS}
    spec = {"type": "NodePort", "selector": {"app": name}, "ports": [{"port": 80, "nodePort": node_port}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec}


def node_ports(held: Held) -> dict[str, int]:
    found = (item for item in held.sim.registry.scan("services") if item["spec"].get("type") == "NodePort")
    return {item["metadata"]["name"]: item["spec"]["ports"][0]["nodePort"] for item in found}


async def changes(held: Held, name: str, node_port: int, job: int) -> None:
    """The task gives a Service of others another port."""
    tracker = held.tracker(job)
    look = await held.cluster.get(ObjectRef("Service", "default", name))
    await tracker.change(service(name, node_port), look, {})


async def test_what_is_refused_for_what_the_task_made_is_tried_again_after_that_is_gone(held: Held) -> None:
    held.sim.registry.create("services", "default", service("theirs", 30100), manager="kubectl")
    await changes(held, "theirs", 30200, 1)
    await held.tracker(2).create(service("ours", 30100), {})
    assert await held.roll_back() == []
    assert node_ports(held) == {"theirs": 30100}


async def test_what_is_refused_for_what_is_put_back_beside_it_is_tried_again(held: Held) -> None:
    """Each of three Services took the port of the one before it: they go back one after another."""
    for number in range(3):
        held.sim.registry.create("services", "default", service(f"s{number}", 30100 + number), manager="kubectl")
    for number in (2, 1, 0):
        await changes(held, f"s{number}", 30101 + number, number + 1)
    assert node_ports(held) == {"s0": 30101, "s1": 30102, "s2": 30103}
    assert await held.roll_back() == []
    assert node_ports(held) == {"s0": 30100, "s1": 30101, "s2": 30102}
    assert {row.state for row in held.journal.resources.values()} == {ResourceState.RESTORED}


async def test_a_restore_that_is_refused_for_good_is_named_and_all_else_is_undone(held: Held) -> None:
    theirs, ours = config_map("theirs", a="1"), config_map("ours")
    held.sim.registry.create("configmaps", "default", theirs, manager="kubectl")
    look = await held.cluster.get(ObjectRef.of(theirs))
    await held.tracker(1).change(config_map("theirs", a="2"), look, {})
    await held.tracker(2).create(ours, {})
    held.sim.faults.add(Fault("status", code=403, verb="update", times=None, message="frozen"))
    (left,) = await held.roll_back(seconds=5)
    assert (left.ref.name, left.state) == ("theirs", ResourceState.CHANGED)
    assert "frozen" in left.why
    assert await held.look(ours) is None


async def test_a_restore_without_an_answer_leaves_time_for_what_comes_after_it(
    held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, seconds, moved = asyncio.get_running_loop(), 100, 0.0
    monkeypatch.setattr(loop, "time", lambda now=loop.time: now() + moved)
    theirs, ours = config_map("theirs", a="1"), config_map("ours")
    held.sim.registry.create("configmaps", "default", theirs, manager="kubectl")
    look = await held.cluster.get(ObjectRef.of(theirs))
    await held.tracker(1).change(config_map("theirs", a="2"), look, {})
    await held.tracker(2).create(ours, {})
    asked = held.sim.faults.add(Fault("status", code=503, verb="get", name="theirs", times=None))
    rolling_back = asyncio.create_task(held.roll_back(seconds=seconds))
    await asked.struck()
    moved = seconds * 0.9  # it was asked for all of the time, but for what is kept for the rest
    (left,) = await rolling_back
    assert left.ref.name == "theirs"
    assert await held.look(ours) is None
