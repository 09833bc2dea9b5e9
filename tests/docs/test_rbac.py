"""deploy/rbac.yaml allows what KubeMin does on a cluster, and nothing else.

Applications of every type and trait are deployed, updated, cancelled and removed; each request that is sent on the way
is read as Kubernetes' authorizer would read it, and compared with the rules, both ways.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from kubemin.cluster import Cluster
from kubemin.cluster.errors import NotFound
from kubemin.cluster.requests import Request
from kubemin.cluster.transport import Transport
from kubemin.engine import ComponentWatch, ExecOptions
from kubemin.engine.entry.orphans import Orphans
from kubemin.spec.limits import NAMESPACED_GRANTS, Limits
from kubemin.spec.objects import ObjectRef
from kubemin.spec.states import Cleanup, TaskStatus
from tests.engine.conftest import cluster, db, instance, sim
from tests.engine.instance import Instance, conf, secret, store, web

__all__ = ["cluster", "db", "instance", "sim"]

FILE = Path(__file__).parents[2] / "deploy" / "rbac.yaml"

_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}

RARELY = {
    # Somebody else has to write at the right moment.
    ("", "namespaces", "update"): "a namespace that appears between look and create is given back",
    ("", "namespaces", "patch"): "the same: it is changed, not created",
    # All with the application's label come by one list.
    ("", "services", "get"): "one changes after it was looked at, or is a stranger's",
    # Whether a controller copies our claim depends on when it looks.
    ("apps", "replicasets", "patch"): "a copied claim is taken off",
    ("apps", "controllerrevisions", "patch"): "a copied claim is taken off",
}
"""Needed, but not in every run of these tests."""


class Right(NamedTuple):
    """One cell of a role: API group, resource (with subresource), verb."""

    group: str
    resource: str
    verb: str


def right_of(request: Request, *, watching: bool) -> Right | None:
    """What the authorizer asks of a request; None for URLs that every authenticated caller may read."""
    path = request.path.strip("/").split("/")
    if path[0] == "api":
        group, rest = "", path[2:]
    elif len(path) > 2:
        group, rest = path[1], path[3:]
    else:
        return None
    if not rest:
        return None  # discovery
    if rest[0] == "namespaces" and len(rest) > 2:
        rest = rest[2:]
    resource, name, below = (*rest, "", "")[:3]
    verb = _VERBS.get(request.method) or ("watch" if watching else "get" if name else "list")
    return Right(group, f"{resource}/{below}" if below else resource, verb)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> set[Right]:
    """Every right that the requests of this test ask for."""
    rights: set[Right] = set()
    send, stream = Transport.send, Transport.stream

    def note(request: Request, *, watching: bool) -> None:
        if (right := right_of(request, watching=watching)) is not None:
            rights.add(right)

    async def noted(self: Transport, request: Request) -> Any:
        note(request, watching=False)
        return await send(self, request)

    def streamed(
        self: Transport, request: Request, *, silence: float
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        note(request, watching=True)
        return stream(self, request, silence=silence)

    monkeypatch.setattr(Transport, "send", noted)
    monkeypatch.setattr(Transport, "stream", streamed)
    return rights


def rules(role: str) -> set[Right]:
    """The cells of a ClusterRole in the file."""
    documents = {(item["kind"], item["metadata"]["name"]): item for item in yaml.safe_load_all(FILE.read_text())}
    return {
        Right(group, resource, verb)
        for rule in documents["ClusterRole", role]["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


_METRIC = {"metric": {"name": "rps"}, "target": {"type": "AverageValue", "averageValue": "1"}}


def everything(version: str, image: str) -> list[dict[str, Any]]:
    """An application with an object of every kind; the label makes each differ from version to version."""
    api = web("api", image)
    api["traits"] = {
        "storage": [{"name": "uploads", "type": "persistent", "tmpCreate": True}],
        "rbac": [{"rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}]}],
        "ingress": [{"routes": [{"backend": {"serviceName": "api"}}]}],
        "hpa": {"maxReplicas": 1 + int(version), "metrics": [{"type": "Pods", "pods": _METRIC}]},
        "pdb": {"maxUnavailable": int(version)},
        "networkPolicy": {"ingress": [{"ports": [{"port": int(version)}]}]},
    }
    database = store("db", f"db:{version}")
    agent = {"name": "agent", "type": "daemon", "image": f"agent:{version}"}
    nightly = {"name": "nightly", "type": "cronjob", "image": "nightly:1", "properties": {"schedule": "@yearly"}}
    prepare = {"name": "prepare", "type": "job", "image": f"prepare:{version}"}
    reader = web("reader", traits={"envFrom": [{"type": "config", "sourceName": "settings"}]})
    parts = [conf("settings", version=version), secret("keys", version=version), database, api, agent, nightly]
    parts += [prepare, reader]
    reader["properties"]["restartOnConfigChange"] = False  # so that a rollback has to replace its Pod by itself
    for part in parts:
        part.setdefault("properties", {})["labels"] = {"version": version}
    return parts


async def run(instance: Instance, app_id: str, options: ExecOptions | None = None) -> TaskStatus:
    task = await instance.settled(await instance.exec(app_id, options))
    assert task.cleanup is not Cleanup.INCOMPLETE, task.cleanup_why
    return task.status


async def both_roll_out(cluster: Cluster) -> bool:
    """Whether the update's Pods are there: what controllers made for it is then, too."""
    pods = (await cluster.list("Pod", "default")).items
    return {"db:never", "api:2", "reader:never"} <= {pod["spec"]["containers"][0]["image"] for pod in pods}


async def test_every_request_is_allowed_and_every_rule_is_needed(instance: Instance, sent: set[Right]) -> None:
    app_id = await instance.save(everything("1", "api:1"))
    async with instance.worker() as engine:
        components = ComponentWatch(instance.db, lambda: nullcontext(engine.informers["default"]))
        watch = asyncio.create_task(components.run())
        assert await components.states(app_id) == {}
        assert await run(instance, app_id) is TaskStatus.COMPLETED
        # A store that hangs on the first Pod of an update, and everything else put back with it.
        update = everything("2", "api:2")
        update[2]["image"] = "db:never"
        update[6:] = everything("1", "api:1")[6:]  # a Job that differs would be another one
        update[-1]["image"] = "reader:never"  # so that the former Pod of the reader is still there
        (job,) = instance.sim.registry.scan("jobs")  # somebody edits it: else it would not be written again
        edit = {"metadata": {"labels": {"version": "0"}}}
        name = job["metadata"]["name"]
        instance.sim.registry.patch("jobs", "default", name, "application/merge-patch+json", edit, manager="ops")
        await instance.save(update, app_id=app_id)
        task_id = await instance.exec(app_id)
        await instance.until(lambda: both_roll_out(instance.cluster))
        for pod in instance.sim.registry.scan("pods"):  # one starts anew, and reads what the update wrote
            if "-reader-" in pod["metadata"]["name"]:
                instance.sim.registry.delete("pods", "default", pod["metadata"]["name"], grace=0)
        await instance.sim.controllers.settled()
        await instance.service.cancel(app_id, task_id, "ada", "wrong image")
        assert (await instance.settled(task_id)).cleanup is Cleanup.DONE
        # A Deployment that is hopeless, and says so by the last lines of its log. So few Services are read one by one.
        await instance.save(everything("3", "api:crash")[:-1], app_id=app_id)
        assert await run(instance, app_id, ExecOptions(hopeless_after_seconds=0.2)) is TaskStatus.FAILED
        removal = await instance.service.delete_application(app_id, "ada", delete_volumes=True)
        await instance.settled(removal.id)
        watch.cancel()
    await Orphans(instance.db, instance.cluster, Limits()).find()
    with pytest.raises(NotFound):  # a kind that is not served
        await instance.cluster.get(ObjectRef("Certificate.cert-manager.io", "default", "shop"))
    allowed = rules("kubemin")
    assert sorted(sent - allowed) == []
    assert sorted(set(allowed - sent) - RARELY.keys()) == []


async def test_creating_a_namespace(instance: Instance, sent: set[Right]) -> None:
    app_id = await instance.save([conf("settings", a="1"), web("late", "late:never")], namespace="fresh")
    async with instance.worker():
        options = ExecOptions(create_namespace=True, timeout_seconds=1)
        assert await run(instance, app_id, options) is TaskStatus.TIMEOUT
    allowed = rules("kubemin-namespaces")
    assert Right("*", "*", "list") in allowed
    assert Right("policy", "poddisruptionbudgets", "list") in sent  # of every kind, whether KubeMin makes it or not
    beyond = {right for right in sent - rules("kubemin") if right.verb != "list"}
    assert sorted(beyond - allowed) == []
    assert sorted(set(allowed - beyond) - RARELY.keys()) == [Right("*", "*", "list")]


def test_what_the_rbac_trait_may_grant_may_be_granted() -> None:
    """Kubernetes refuses a Role with rights that its maker lacks."""
    grants = {
        Right(group, resource, verb)
        for grant in NAMESPACED_GRANTS
        for group in grant.groups
        for resource in grant.resources
        for verb in grant.verbs
    }
    assert rules("kubemin-grants") == grants
