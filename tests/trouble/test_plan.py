"""`kubemin plan --server`: what a run would do, readable, without a secret and without a trace."""

import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from kubemin.api.app import create_app
from kubemin.api.deps import Deps
from kubemin.engine.entry.cluster_services import ClusterServices
from kubemin.spec.states import Cleanup, TaskStatus
from kubemin.store import events
from tests.cli.kubemin import Kubemin, Running
from tests.engine.instance import LIMITS, Instance, conf, secret, store, web
from tests.engine.test_points import differences

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
CONF = conf("settings", a="1", text="x: 1\ny: 2\nz: 3\n")


@pytest.fixture
async def http(instance: Instance) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(
        Deps(
            db=instance.db,
            service=instance.service,
            limits=LIMITS,
            clusters={"default": ClusterServices(instance.db, instance.cluster, LIMITS)},
        )
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost/api/v1") as client:
        yield client


async def plan(http: httpx.AsyncClient, *components: dict[str, Any], **more: Any) -> dict[str, Any]:
    query = {"createNamespace": "true"} if more.pop("create", False) else {}
    query |= {"adopt": "true"} if more.pop("adopt", False) else {}
    answer = await http.post("/applications/plan", params=query, json={"name": "shop", "component": components, **more})
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


def actions(outlook: dict[str, Any]) -> dict[str, tuple[str, list[str]]]:
    """By component and kind: the action, and the changes."""
    return {
        f"{job['component']}/{job['kind']}": (job["action"], job["changes"])
        for stage in outlook["stages"]
        for job in stage["jobs"]
    }


async def test_creates_changes_removals_and_what_stays(instance: Instance, http: httpx.AsyncClient) -> None:
    app_id = await instance.save([CONF, secret("keys", token="old-hush"), web("api"), conf("same", a="1"), web("gone")])
    async with instance.worker():
        await instance.settled(await instance.exec(app_id))
    before = await instance.snapshot()
    versions = {str(o["metadata"]["uid"]): o["metadata"]["resourceVersion"] for o in objects(instance)}
    found = await plan(
        http,
        conf("settings", a="2", text="x: 1\ny: 5\nz: 3\n"),
        secret("keys", token="new-hush"),
        web("api", "web:2", properties={"ports": [{"port": 80}], "env": {"A": "1"}}),
        conf("same", a="1"),
        conf("fresh", a="1"),
        id=app_id,
    )
    told = actions(found)
    assert told["settings/ConfigMap"] == (
        "change",
        ["data.a: 1 → 2", "data.text:\n  @@ -1,3 +1,3 @@\n   x: 1\n  -y: 2\n  +y: 5\n   z: 3"],
    )
    assert told["keys/Secret"] == ("change", ["data.token: ****** → ******"])
    assert told["same/ConfigMap"] == ("same", [])
    assert told["fresh/ConfigMap"] == ("create", [])
    assert told["api/Service"] == ("same", [])
    assert told["api/Deployment"][0] == "change"
    assert "spec.template.spec.containers[api].image: web:1 → web:2" in told["api/Deployment"][1]
    assert sorted(one["kind"] for one in found["removes"]) == ["Deployment", "Service"]
    assert "hush" not in str(found)
    assert differences(before, await instance.snapshot()) == []
    assert {str(o["metadata"]["uid"]): o["metadata"]["resourceVersion"] for o in objects(instance)} == versions


async def test_what_would_be_refused_is_told_beside_what_would_not(instance: Instance, http: httpx.AsyncClient) -> None:
    sealed = {"metadata": {"name": "settings"}, "data": {"a": "0"}, "immutable": True}
    instance.sim.registry.create("configmaps", "default", sealed, manager="kubectl")
    found = actions(await plan(http, CONF, web("api"), adopt=True))
    action, (why,) = found["settings/ConfigMap"]
    assert action == "refused"
    assert "field is immutable" in why
    assert "give the component another name" in why
    assert found["api/Deployment"] == ("create", [])


async def test_a_dry_run_by_the_api_tells_each_job_and_masks_secrets(
    instance: Instance, http: httpx.AsyncClient
) -> None:
    """Over HTTP: what would be created, changed (each field), left; in the stages, and in the events."""
    parts = [CONF, secret("keys", token="old-hush"), web("api")]
    app_id = await instance.save(parts)
    async with instance.worker():
        await instance.settled(await instance.exec(app_id))
        before = await instance.snapshot()
        changed = [conf("settings", a="2", text="x: 1\ny: 2\nz: 3\n"), secret("keys", token="new-hush"), web("api")]
        await instance.save([*changed, conf("fresh", b="1")], app_id=app_id)
        answer = await http.post(f"/applications/{app_id}/workflow/exec", json={"dryRun": True})
        task_id = answer.json()["data"]["taskId"]
        task = await instance.settled(task_id)
    assert (task.status, task.cleanup) == (TaskStatus.COMPLETED, Cleanup.NONE)
    stages = (await http.get(f"/workflow/tasks/{task_id}/stages")).json()["data"]["stages"]
    told = {stage["name"].rpartition("/")[0]: (stage["status"], stage["info"]) for stage in stages}
    assert told == {
        "settings/ConfigMap": ("skipped", "would change: data.a: 1 → 2"),
        "keys/Secret": ("skipped", "would change: data.token: ****** → ******"),
        "api/Deployment": ("skipped", "no change"),
        "api/Service": ("skipped", "no change"),
        "fresh/ConfigMap": ("skipped", "would create"),
    }
    async with instance.db.read() as tx:
        said = json.dumps([event.data for event in await events.since(tx, task_id, 0, 1000)])
    assert "hush" not in said
    assert _coded("new-hush") not in said
    assert differences(before, await instance.snapshot()) == []


async def test_no_secret_is_told_whatever_way_it_changes(instance: Instance, http: httpx.AsyncClient) -> None:
    """Of a Secret of others: its values, the new ones, and the copy that `kubectl apply` keeps in an annotation."""
    copied = {LAST_APPLIED: json.dumps({"data": {"token": _coded("old-hush")}})}
    theirs = {
        "metadata": {"name": "keys", "annotations": copied},
        "data": {"token": _coded("old-hush"), "same": _coded("still-hush")},
    }
    instance.sim.registry.create("secrets", "default", theirs, manager="kubectl-client-side-apply")
    put = instance.sim.registry.verbs.amend

    def admit(resource: Any, namespace: str, name: str, kind: str, body: Any, write: Any, **more: Any) -> Any:
        if name == "keys":  # a policy that keeps a copy of its own
            body = {**body, "metadata": {**body["metadata"], "annotations": {"policy/copy": _coded("new-hush")}}}
        return put(resource, namespace, name, kind, body, write, **more)

    instance.sim.registry.verbs.amend = admit  # type: ignore[assignment, method-assign]
    found = await plan(http, secret("keys", token="new-hush", more="more-hush"), adopt=True)
    action, changes = actions(found)["keys/Secret"]
    assert action == "adopt"
    assert {change.partition(":")[0] for change in changes} >= {
        "data.token",
        "data.more",
        "metadata.annotations.policy/copy",
    }
    said = json.dumps(found)
    for value in ("old-hush", "new-hush", "more-hush", "still-hush"):
        assert value not in said
        assert _coded(value) not in said


def _coded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


async def test_a_namespace_that_is_not_there(instance: Instance, http: httpx.AsyncClient) -> None:
    (action, why) = actions(await plan(http, CONF, namespace="nowhere"))["settings/ConfigMap"]
    assert action == "refused"
    sentence = "the namespace nowhere is not there: make it, or run with createNamespace (--create-namespace)"
    assert why == [sentence]
    found = await plan(http, CONF, namespace="nowhere", create=True)
    assert actions(found)["settings/ConfigMap"] == ("create", [])
    assert [one["name"] for one in found["creates"]] == ["nowhere"]
    assert not [ref for ref in await instance.snapshot() if ref.kind == "Namespace" and ref.name == "nowhere"]


async def test_an_unknown_application_is_not_found(http: httpx.AsyncClient) -> None:
    answer = await http.post("/applications/plan", json={"id": "x" * 24, "name": "shop", "component": [CONF]})
    assert answer.status_code == 404


def test_the_command_prints_it(server: Running, tmp_path: Path) -> None:
    kubemin = Kubemin(tmp_path, server.url)

    def write(*components: dict[str, Any]) -> None:
        (tmp_path / "shop.yaml").write_text(yaml.safe_dump({"name": "planned", "component": list(components)}))

    write(CONF, store("db"))
    assert kubemin("apply", "shop.yaml").returncode == 0
    write(conf("settings", a="2", text="x: 1\ny: 2\nz: 3\n"), store("db", image="db:2"))
    for arguments in (["--server", "shop.yaml"], ["shop.yaml", "--server", server.url]):
        done = kubemin("plan", *arguments)
        assert (done.returncode, done.stderr) == (0, "")
        lines = done.stdout.splitlines()
        assert lines[:3] == [
            "stage 1: deploy (DAG), priority 0",
            "  ~ settings: ConfigMap/default/settings  change",
            "      data.a: 1 → 2",
        ]
        assert "      spec.template.spec.containers[db].image: db:1 → db:2" in lines
        assert lines[-1] == "2 to change, 2 unchanged"
    assert "change" not in kubemin("plan", "shop.yaml").stdout  # without --server it asks nobody
    is_pvc_expansion = store("db", traits={"storage": [{**store("db")["traits"]["storage"][0], "size": "2Gi"}]})
    write(CONF, is_pvc_expansion)
    refused = kubemin("plan", "shop.yaml", "--server")
    assert refused.returncode == 1
    assert "--cascade=orphan" in refused.stdout


def objects(instance: Instance) -> list[Any]:
    """Everything that a run writes, as the store has it."""
    registry = instance.sim.registry
    return [
        found
        for plural in ("configmaps", "secrets", "services", "deployments", "statefulsets", "persistentvolumeclaims")
        for found in registry.scan(plural)
    ]
