"""Component type ``manifests``: any kind that the cluster serves is deployed, waited for, put back and removed."""

import asyncio
import copy
from contextlib import aclosing
from typing import Any

import pytest
import yaml

from kubemin.cluster import Cluster, discovery
from kubemin.cluster.discovery import Discovery
from kubemin.cluster.errors import NotFound, ServerError
from kubemin.cluster.informers import Informers
from kubemin.cluster.requests import Request
from kubemin.engine import ComponentWatch, ExecOptions
from kubemin.engine.entry.compute_thread import ComputeThread
from kubemin.engine.entry.orphans import Orphans
from kubemin.engine.entry.placing import Placing
from kubemin.engine.entry.sources import Posted
from kubemin.engine.objects.live import get_or_none, read_many
from kubemin.render import render
from kubemin.spec.application import parse_application
from kubemin.spec.issues import SpecError
from kubemin.spec.kind import Kind
from kubemin.spec.kinds import KINDS
from kubemin.spec.labels import WRITE_TOKEN
from kubemin.spec.limits import Limits
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.states import Cleanup, ResourceState, TaskStatus
from kubemin.store import journal
from kubesim.controllers.operators import Operator
from kubesim.faults import Fault, RequestInfo
from kubesim.server import SimServer
from tests.engine.instance import Instance, comparable, web
from tests.waiting import PATIENCE, until, until_true
from tests.writes import on_writes

GROUP = "example.com"
LIMITS = Limits(allow_cluster_kinds="CustomResourceDefinition")


def definition(kind: str, scope: str = "Namespaced") -> Manifest:
    plural = f"{kind.lower()}s"
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    ports = {
        "type": "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["name"],
        "items": {
            "type": "object",
            "required": ["name"],
            "properties": {"name": {"type": "string"}, "port": {"type": "integer"}},
        },
    }
    spec = {"type": "object", "properties": {"size": {"type": "integer"}, "ports": ports}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": scope,
            "names": {"plural": plural, "singular": kind.lower(), "kind": kind, "listKind": f"{kind}List"},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec, "status": anything}}},
                }
            ],
        },
    }


def widget(name: str, **spec: Any) -> Manifest:
    return {"apiVersion": f"{GROUP}/v1", "kind": "Widget", "metadata": {"name": name}, "spec": spec}


def workload(kind: str, name: str, image: str = "web:1") -> Manifest:
    template = {
        "metadata": {"labels": {"app": name, "app.kubernetes.io/managed-by": "Helm"}},
        "spec": {"containers": [{"name": "main", "image": image}]},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name, "labels": {"app.kubernetes.io/managed-by": "Helm"}},
        "spec": {"selector": {"matchLabels": {"app": name}}, "template": template},
    }


def manifests(name: str, *objects: Manifest) -> dict[str, Any]:
    return {"name": name, "type": "manifests", "properties": {"manifests": list(objects)}}


def config(name: str, **data: str) -> Manifest:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


async def run(instance: Instance, *components: dict[str, Any], **options: Any) -> Any:
    """Run an application of these components to its end."""
    task_id = await start(instance, *components, **options)
    return await instance.settled(task_id)


async def start(instance: Instance, *components: dict[str, Any], **options: Any) -> str:
    application = parse_application({"name": "shop", "component": list(components)}, LIMITS)
    return (await instance.service.run(Posted(application), ExecOptions(**options), "tester")).id


BUNDLE = [
    definition("Widget"),
    widget("one", size=1, ports=[{"name": "a", "port": 1}]),
    config("settings", a="1"),
    workload("Deployment", "api"),
    workload("DaemonSet", "log"),
    {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "api"},
        "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "api"}}},
    },
]


@pytest.fixture(autouse=True)
def allowed(instance: Instance) -> None:
    instance.service._limits = LIMITS


async def test_a_bundle_is_deployed_in_order_and_each_object_is_ready(instance: Instance) -> None:
    instance.sim.controllers.operate(Operator(f"widgets.{GROUP}", seconds=20))
    written: list[str] = []

    def note(info: RequestInfo) -> None:
        written.append(info.resource)

    on_writes(instance.sim, note, verb="create")
    async with instance.worker():
        task = await run(instance, manifests("bundle", *BUNDLE))
    assert (task.status, task.reason) == (TaskStatus.COMPLETED, "")
    (made,) = instance.sim.registry.scan(f"widgets.{GROUP}")
    assert made["status"]["conditions"][0]["status"] == "True", "the task has waited for its controller"
    assert written.index("customresourcedefinitions") < written.index("configmaps") < written.index("deployments")
    assert written[-1].startswith("widgets"), "a custom resource comes after whatever may be its controller"


async def test_what_a_later_run_no_longer_has_is_removed(instance: Instance) -> None:
    async with instance.worker():
        await run(instance, manifests("bundle", *BUNDLE))
        await run(instance, manifests("bundle", config("settings", a="1")))
    assert list(instance.sim.registry.scan("customresourcedefinitions")) == []
    assert list(instance.sim.registry.scan("daemonsets")) == []
    maps = [one["metadata"]["name"] for one in instance.sim.registry.scan("configmaps", "default")]
    assert maps == ["kube-root-ca.crt", "settings"]


async def test_a_failed_change_is_put_back_field_by_field(instance: Instance) -> None:
    """Of a list whose items have keys, what somebody else added stays."""
    others = {"spec": {"ports": [{"name": "b", "port": 2}]}, "metadata": {"labels": {"by": "ada"}}}
    async with instance.worker():
        await run(instance, manifests("bundle", *BUNDLE))
        instance.sim.registry.patch(
            f"widgets.{GROUP}",
            "default",
            "one",
            "application/apply-patch+yaml",
            {**widget("one"), **others, "metadata": {"name": "one", "labels": {"by": "ada"}}},
            manager="ada",
        )
        before = everything(instance)
        changed = [definition("Widget"), widget("one", size=2, ports=[{"name": "a", "port": 9}]), widget("two", size=1)]
        task = await run(instance, manifests("bundle", *changed, *BUNDLE[2:]), web("z", "web:pull", **QUICKLY))
    assert (task.status, task.cleanup) == (TaskStatus.FAILED, Cleanup.DONE)
    assert everything(instance) == before


@pytest.mark.parametrize("kind", ["DaemonSet", "Deployment"])
async def test_put_back_means_that_the_former_pods_run_again(instance: Instance, kind: str) -> None:
    """Also where they have read configuration while it was changed: by an update of their own, or a restart."""
    reads = [{"configMapRef": {"name": "settings"}}]
    workload_ = workload(kind, "log")
    workload_["spec"]["template"]["spec"]["containers"][0]["envFrom"] = reads
    reader = copy.deepcopy(workload_) | {"metadata": {"name": "reader"}}
    reader["spec"]["selector"] = {"matchLabels": {"app": "reader"}}
    reader["spec"]["template"]["metadata"]["labels"] = {"app": "reader"}
    changed = copy.deepcopy(workload_)
    changed["spec"]["template"]["spec"]["containers"][0]["image"] = "web:2"
    async with instance.worker():
        former = [config("settings", a="1"), workload_, reader]
        await run(instance, manifests("bundle", *former))
        before = everything(instance)
        task_id = await start(
            instance, manifests("bundle", config("settings", a="2"), changed, reader), web("late", "late:never")
        )
        await until_true(lambda: "web:2" in images(instance, "log"))
        for pod in instance.sim.registry.scan("pods"):  # an eviction: the next one reads what the task has written
            if pod["metadata"]["name"].startswith("reader-"):
                instance.sim.registry.delete("pods", "default", pod["metadata"]["name"], grace=0)
        await instance.sim.controllers.settled()
        evicted = {pod["metadata"]["uid"] for pod in instance.sim.registry.scan("pods")}
        await instance.service.cancel((await instance.task(task_id)).app_id, task_id, "ada", "no", None)
        task = await instance.settled(task_id)
    assert (task.status, task.cleanup, task.cleanup_why) == (TaskStatus.CANCELLED, Cleanup.DONE, "")
    assert everything(instance) == before
    assert images(instance, "log") == {"web:1"}
    left = {pod["metadata"]["uid"] for pod in instance.sim.registry.scan("pods")}
    assert not left & evicted, "each Pod that read the task's values is another by now"


def images(instance: Instance, name: str) -> set[str]:
    pods = [one for one in instance.sim.registry.scan("pods") if one["metadata"]["name"].startswith(f"{name}-")]
    return {pod["spec"]["containers"][0]["image"] for pod in pods}


QUICKLY = {"properties": {"ports": [{"port": 80}], "hopelessAfter": 1}}
WRITABLE = (
    "customresourcedefinitions",
    f"widgets.{GROUP}",
    "configmaps",
    "deployments",
    "daemonsets",
    "services",
    "poddisruptionbudgets",
)


def everything(instance: Instance) -> dict[str, Manifest]:
    """All that somebody wrote, as it is compared."""
    return {
        f"{plural}/{one['metadata']['name']}": comparable(one)
        for plural in WRITABLE
        for one in instance.sim.registry.scan(plural)
    }


def with_volumes(name: str) -> Manifest:
    template = {
        "metadata": {"name": "data", "labels": {"theirs": "x"}},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    made = workload("StatefulSet", name)
    made["spec"] |= {"serviceName": name, "replicas": 2, "volumeClaimTemplates": [template]}
    return made


@pytest.mark.parametrize("deleted", [False, True])
async def test_volume_claims_of_a_statefulset_that_goes_are_kept_and_named(instance: Instance, deleted: bool) -> None:
    """Of one whose name ends as another's does, too: the other's data stays."""
    async with instance.worker():
        other = {**with_volumes("other-db"), "metadata": {"name": "other-db", "namespace": "default"}}
        instance.sim.registry.create("statefulsets", "default", other, manager="ada")
        await run(instance, manifests("bundle", with_volumes("db"), config("c", a="1")))
        task = await run(instance, manifests("bundle", config("c", a="1")), delete_volumes=deleted)
    assert task.status is TaskStatus.COMPLETED
    mine = {f"data-db-{number}" for number in range(2)}
    assert {*names(instance, "persistentvolumeclaims")} == {
        "data-other-db-0",
        "data-other-db-1",
        *(() if deleted else mine),
    }
    rows = {row.ref.name: row for row in await instance.journal(task.id) if row.ref.kind == "PersistentVolumeClaim"}
    assert rows.keys() == mine
    assert {row.state for row in rows.values()} == {ResourceState.DELETED if deleted else ResourceState.KEPT}


async def test_a_statefulset_of_others_is_adopted_although_its_templates_never_change(instance: Instance) -> None:
    instance.sim.registry.create("statefulsets", "default", with_volumes("db"), manager="helm")
    changed = with_volumes("db")
    changed["spec"]["template"]["spec"]["containers"][0]["image"] = "web:2"
    async with instance.worker():
        tasks = [await run(instance, manifests("bundle", changed), adopt=True) for _ in range(2)]
    assert [(task.status, task.reason) for task in tasks] == [(TaskStatus.COMPLETED, "")] * 2
    assert images(instance, "db") == {"web:2"}


def names(instance: Instance, plural: str) -> list[str]:
    return [one["metadata"]["name"] for one in instance.sim.registry.scan(plural)]


ROWS = 8
"""Objects that the task of the next test has written when it is cancelled: at most so many."""


@pytest.mark.parametrize(
    "number", [2, 6, *(pytest.param(n, marks=pytest.mark.proof) for n in range(1, ROWS) if n not in (2, 6))]
)
async def test_a_cancel_at_any_write_leaves_the_cluster_as_it_was(instance: Instance, number: int) -> None:
    instance.sim.controllers.operate(Operator(f"widgets.{GROUP}", seconds=20))
    async with instance.worker():
        former = [config("settings", a="0"), workload("Deployment", "api", "web:0")]
        await run(instance, manifests("bundle", *former))
        was = everything(instance)
        task_id = await start(instance, manifests("bundle", *BUNDLE), web("late", "late:never"))

        async def reached() -> bool | None:
            written = [row for row in await instance.journal(task_id) if row.state is not ResourceState.INTENT]
            return True if len(written) >= number else None

        await instance.until(reached)
        await instance.service.cancel((await instance.task(task_id)).app_id, task_id, "ada", "no", None)
        task = await instance.settled(task_id)
    assert (task.status, task.cleanup) == (TaskStatus.CANCELLED, Cleanup.DONE)
    assert everything(instance) == was


async def test_a_component_does_as_its_custom_resource_says(instance: Instance) -> None:
    """What tasks have written is watched for it, also what was first written while the watches went on."""
    watch = ComponentWatch(instance.db, lambda: aclosing(Informers(instance.cluster)))
    watching = asyncio.create_task(watch.run())
    async with instance.worker():
        app_id = (await run(instance, manifests("kind", definition("Widget")))).app_id

        async def become(wanted: dict[str, str]) -> None:
            async def reached() -> bool:
                watch._ask_again_at = 0.0
                return {name: one.status for name, one in (await watch.states(app_id)).items()} == wanted

            await instance.until(reached)

        await become({"kind": "Running"})
        instance.sim.controllers.operate(Operator(f"widgets.{GROUP}", fail="no disk is left"))
        await start(instance, manifests("kind", definition("Widget")), manifests("one", widget("one", size=2)))
        await become({"kind": "Running", "one": "Pending"})
        taught = {"kinds": [f"Widget.{GROUP}"], "current": "object.spec.size == 2"}
        task = await run(
            instance,
            manifests("kind", definition("Widget")),
            {**manifests("one", widget("one", size=2)), "readiness": [taught]},
        )
        assert task.status is TaskStatus.COMPLETED, "though its controller says otherwise"
        await become({"kind": "Running", "one": "Running"})
        task = await run(instance, manifests("kind", definition("Widget")))
        await start(instance, manifests("kind", definition("Widget")), manifests("one", widget("one", size=2)))
        await become({"kind": "Running", "one": "Pending"})
        instance.sim.controllers.operate(Operator(f"widgets.{GROUP}", seconds=20))
        await become({"kind": "Running", "one": "Running"})
    watching.cancel()


@pytest.mark.parametrize(("how", "controlled"), [("cancelled", False), ("removed", False), ("cancelled", True)])
async def test_a_definition_stays_of_whose_kind_others_have_made_objects(
    instance: Instance, how: str, controlled: bool
) -> None:
    """Its deletion would take them along, with their data. It is named, and so is what holds it."""
    ours = manifests("bundle", definition("Widget"), widget("one", size=1), config("c", a="1"))
    async with instance.worker():
        task_id = await start(instance, ours, *([web("late", "late:never")] if how == "cancelled" else []))
        if how == "cancelled":
            await until_true(lambda: "shop-late" in names(instance, "deployments"))
        else:
            await instance.settled(task_id)
        theirs = widget("theirs", size=2)
        if controlled:
            maker = instance.sim.registry.create("configmaps", "default", config("maker"), manager="ada")
            reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "maker", "controller": True}
            theirs["metadata"]["ownerReferences"] = [{**reference, "uid": maker["metadata"]["uid"]}]
        instance.sim.registry.create(f"widgets.{GROUP}", "default", theirs, manager="ada")
        if how == "cancelled":
            await instance.service.cancel((await instance.task(task_id)).app_id, task_id, "ada", "no", None)
            task = await instance.settled(task_id)
        else:
            task = await run(instance, manifests("bundle", config("c", a="1")))
    assert task.cleanup is Cleanup.DONE
    assert names(instance, f"widgets.{GROUP}") == ["theirs"]
    rows = [row for row in await instance.journal(task.id) if row.ref.kind == "CustomResourceDefinition"]
    assert [(row.state, "Widget/theirs" in (row.why or "")) for row in rows] == [(ResourceState.KEPT, True)]


async def test_what_a_dead_process_writes_late_goes_too(instance: Instance) -> None:
    """The reaper watches each kind that a journal names, whoever wrote it; and nothing of it is an orphan."""
    instance.sim.controllers.operate(Operator(f"widgets.{GROUP}", seconds=1e6))
    async with instance.worker():
        await run(instance, manifests("bundle", definition("Widget")))
        task_id = await start(instance, manifests("bundle", definition("Widget"), widget("one", size=1)))

        async def made() -> journal.ResourceRow | None:
            rows = [row for row in await instance.journal(task_id) if row.ref.name == "one"]
            return rows[0] if rows and rows[0].state is ResourceState.CREATED else None

        row = await instance.until(made)
        (late,) = copy.deepcopy(list(instance.sim.registry.scan(f"widgets.{GROUP}")))
        await instance.service.cancel((await instance.task(task_id)).app_id, task_id, "ada", "no", None)
        assert (await instance.settled(task_id)).cleanup is Cleanup.DONE
        async with instance.db.read() as tx:
            token = next(one.token for one in await journal.writes_of_task(tx, task_id) if one.seq == row.seq)
        late["metadata"] = {key: late["metadata"][key] for key in ("name", "namespace", "labels")}
        late["metadata"]["annotations"] = {WRITE_TOKEN: token}
        instance.sim.registry.create(f"widgets.{GROUP}", "default", late, manager="kubemin")
        await until_true(lambda: names(instance, f"widgets.{GROUP}") == [])
        await instance.settled(task_id)
    assert await Orphans(instance.db, instance.cluster, LIMITS).find() == []


async def test_discovery_costs_a_process_two_requests_however_many_tasks_it_has(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    definitions = [definition("Widget"), definition("Gadget")]
    async with instance.worker():
        await run(instance, manifests("bundle", *definitions))
    process = await Cluster.connect(kubeconfig=None, context=None, url=instance.sim.url, timeout=PATIENCE)
    asked: list[str] = []
    send = process._discovery._ask

    async def ask(request: Request) -> dict[str, Any]:
        asked.append(request.path)
        return await send(request)

    monkeypatch.setattr(process._discovery, "_ask", ask)
    async with instance.worker(cluster=process):
        for number in range(3):
            custom = [widget("one", size=number), {**widget("two", size=number), "kind": "Gadget"}]
            task = await run(instance, manifests("bundle", *definitions, *custom))
            assert task.status is TaskStatus.COMPLETED, task.reason
    await process.aclose()
    assert sorted(asked) == ["/api", "/apis"]


async def test_objects_do_not_wait_until_what_is_served_is_asked_again(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once the definition of their kind is established it is asked again at once."""
    monkeypatch.setattr(discovery, "_AGAIN", float("inf"))
    async with instance.worker():
        task = await run(instance, manifests("bundle", definition("Widget"), widget("one"), widget("two")))
    assert task.status is TaskStatus.COMPLETED, task.reason


async def test_objects_of_a_kind_that_is_not_there_cost_no_question_each(
    sim: SimServer, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither as a run looks for what is there, nor as a removal asks one by one and side by side."""
    other = definition("Other")
    other |= {"metadata": {"name": "others.example.org"}, "spec": {**other["spec"], "group": "example.org"}}
    sim.registry.create("customresourcedefinitions", "", other, manager="ada")
    asked: list[str] = []
    send = cluster._discovery._ask

    async def ask(request: Request) -> dict[str, Any]:
        asked.append(f"{request.subject} {request.accept or ''}")
        return await send(request)

    monkeypatch.setattr(cluster._discovery, "_ask", ask)
    refs = [ObjectRef(f"Widget.{GROUP}", "default", f"one-{number}") for number in range(40)]
    assert await read_many(cluster, refs, "shop") == dict.fromkeys(refs)
    assert set(await asyncio.gather(*(get_or_none(cluster, ref) for ref in refs))) == {None}
    # What is served, once; then definitions and API services: once for the look, once for those side by side.
    assert len(asked) == 2 + 2 * 2, asked
    assert not [one for one in asked if "others" in one or one == "CustomResourceDefinition application/json"]


async def test_what_the_cluster_serves_is_asked_for_once(sim: SimServer, cluster: Cluster) -> None:
    """By two requests, however many kinds there are; once more where a kind has come since."""
    sim.registry.create("customresourcedefinitions", "", definition("Widget"), manager="ada")
    asked = 0

    class Counting(Discovery):
        async def _read(self) -> None:
            nonlocal asked
            asked += 1
            await super()._read()

    counting = Counting(cluster._ask)

    async def served(kind: str) -> Kind | None:
        try:
            return await counting.served(f"{kind}.{GROUP}")
        except (NotFound, ServerError):
            return None

    async def comes() -> Kind | None:
        return await served("Widget")

    kind = await until(comes)
    before = asked
    assert (kind.plural, kind.version, kind.namespaced) == ("widgets", "v1", True)
    for _ in range(20):
        assert await served("Widget") == kind
    assert await counting.served("Deployment") == KINDS["Deployment"]
    assert asked == before


@pytest.mark.parametrize("scope", ["Namespaced", "Cluster"])
@pytest.mark.parametrize("as_text", [False, True])
async def test_the_server_asks_the_cluster_whether_a_kind_is_in_a_namespace(
    sim: SimServer, cluster: Cluster, scope: str, as_text: bool
) -> None:
    sim.registry.create("customresourcedefinitions", "", definition("Widget", scope), manager="ada")
    part = manifests("all", widget("one", size=1), config("c", a="1"))
    if as_text:
        part["properties"] = {"yaml": yaml.dump_all(part["properties"]["manifests"])}
    data = {"name": "shop", "component": [part]}

    async def comes() -> Kind | None:
        try:
            return await cluster.served(f"Widget.{GROUP}")
        except (NotFound, ServerError):
            return None

    await until(comes)
    placed = await Placing(cluster, ComputeThread()).placed(data)
    application = parse_application(placed, Limits(allow_cluster_kinds=f"Widget.{GROUP}"))
    made = {one.manifest["kind"]: one.manifest["metadata"].get("namespace") for one in render(application)}
    assert made == {"Widget": "default" if scope == "Namespaced" else None, "ConfigMap": "default"}
    if scope == "Cluster":
        with pytest.raises(SpecError, match="KUBEMIN_ALLOW_CLUSTER_KINDS"):
            parse_application(placed)


async def test_who_may_only_list_definitions_is_told_that_a_kind_is_not_there(sim: SimServer, cluster: Cluster) -> None:
    """As the rights are that KubeMin asks for: another kind of the group would else keep a removal from its end."""
    sim.registry.create("customresourcedefinitions", "", definition("Gadget"), manager="ada")
    sim.faults.add(Fault("status", code=403, verb="get", resource="customresourcedefinitions", times=None))
    with pytest.raises(NotFound):
        await cluster.get(ObjectRef(f"Widget.{GROUP}", "default", "one"))


async def test_a_definition_that_goes_is_no_proof_that_its_objects_are_gone(sim: SimServer, cluster: Cluster) -> None:
    """Discovery lags. Only where no definition is left, an object of the kind surely is not there."""
    with pytest.raises(NotFound):
        await cluster.get(ObjectRef(f"Widget.{GROUP}", "default", "one"))
    sim.registry.create("customresourcedefinitions", "", definition("Widget"), manager="ada")
    with pytest.raises((ServerError, NotFound)) as raised:
        await cluster.get(ObjectRef(f"Widget.{GROUP}", "default", "one"))
    assert raised.type is ServerError or raised.value.about


@pytest.mark.parametrize(
    ("how", "uses"),
    [
        *(("hook", "account"), ("hook", "role")),
        *(("no step", "account"), ("step that may fail", "account")),
        *(("after it", "account"), ("after it", "role")),
    ],
)
async def test_what_others_may_is_never_used_however_an_application_says_that_it_brings_it(
    instance: Instance, how: str, uses: str
) -> None:
    """It only says so: this run does not make it, or later, or may fail to."""
    kind, plural = ("ServiceAccount", "serviceaccounts") if uses == "account" else ("Role", "roles")
    rbac = "rbac.authorization.k8s.io/v1"
    brought: Manifest = {"apiVersion": "v1" if uses == "account" else rbac, "kind": kind}
    brought["metadata"] = {"name": "operator"}
    instance.sim.registry.create(plural, "default", copy.deepcopy(brought), manager="admin")
    before = instance.sim.registry.get(plural, "default", "operator")
    user = workload("Deployment", "api")
    user["spec"]["template"]["spec"]["serviceAccountName"] = "operator"
    if uses == "role":
        user = {"apiVersion": rbac, "kind": "RoleBinding", "metadata": {"name": "api"}}
        user["roleRef"] = {"apiGroup": rbac.partition("/")[0], "kind": "Role", "name": "operator"}
        user["subjects"] = [{"kind": "ServiceAccount", "name": "default", "namespace": "default"}]
    workflow = None
    parts = [manifests("all", brought, user)]
    if how == "hook":
        brought["metadata"]["annotations"] = {"helm.sh/hook": "pre-upgrade"}
    elif how == "after it":
        user["metadata"]["annotations"] = {"kubemin.io/priority": "-50"}
        workflow = [{"name": "may fail", "components": ["all"], "onFailure": "continue"}]
    else:
        parts = [manifests("theirs", brought), manifests("ours", user)]
        may_fail = {"name": "may fail", "components": ["theirs"], "onFailure": "continue"}
        workflow = [*([may_fail] if how == "step that may fail" else []), {"name": "run", "components": ["ours"]}]
    application = parse_application({"name": "shop", "component": parts, "workflow": workflow}, LIMITS)
    async with instance.worker():
        task = await instance.settled((await instance.service.run(Posted(application), ExecOptions(), "tester")).id)
    said = [task.reason, *[job.error for job in await instance.jobs(task.id)]]
    assert any(f"{kind}/default/operator, which is not the application's" in one for one in said), said
    assert instance.sim.registry.get(plural, "default", "operator") == before
    assert "api" not in names(instance, "deployments" if uses == "account" else "rolebindings")


async def test_marks_of_kubemin_that_somebody_writes_mean_nothing(instance: Instance) -> None:
    """Else one of an object that is shared would take it from the application whose it is."""
    marks = {"kubemin-share-name": "default", "kubemin-share-strategy": "default", "kubemin.io/task-id": "t"}
    theirs = config("one", a="theirs")
    theirs["metadata"]["labels"] = {"kubemin.io/app-id": "another", **marks}
    instance.sim.registry.create("configmaps", "default", theirs, manager="kubemin")
    before = instance.sim.registry.get("configmaps", "default", "one")
    wanted = [config(name, a="mine") for name in ("one", "two")]
    for one in wanted:
        one["metadata"]["labels"] = marks
        one["metadata"]["annotations"] = {"kubemin.io/fence": "moved", WRITE_TOKEN: "x", "kubemin.io/priority": "3"}
    async with instance.worker():
        task = await run(instance, manifests("all", wanted[0]))
        assert task.status is TaskStatus.FAILED
        assert instance.sim.registry.get("configmaps", "default", "one") == before
        task = await run(instance, manifests("all", wanted[1]))
    made = instance.sim.registry.get("configmaps", "default", "two")["metadata"]
    assert made["labels"]["kubemin.io/task-id"] == task.id
    assert "kubemin-share-name" not in made["labels"]
    assert made["annotations"].keys() == {WRITE_TOKEN, "kubemin.io/priority"}
