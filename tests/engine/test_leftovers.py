"""Fields of others in our objects stay and are named, or go where that is asked for, and come back (finding 5)."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubemin.engine.deploy.adoption import Adoption
from kubemin.engine.deploy.merged import remains
from kubemin.engine.deploy.preflight import Inquiry
from kubemin.engine.deploy.replicas import Autoscalers
from kubemin.engine.deploy.unchanged import Unchanged
from kubemin.engine.errors import JobFailed
from kubemin.engine.objects.others import dropped_fields, fields_of_others, without_fields
from kubemin.engine.objects.ownership import token_of
from kubemin.plan import Job
from kubemin.spec.kinds import KINDS
from kubemin.spec.objects import Manifest
from kubemin.spec.states import ResourceState, WriteKind
from kubemin.spec.warnings import with_warnings
from kubesim.faults import Fault, RequestInfo
from tests.engine.held import Held, config_map, deployment, essence, owners, stateful_set
from tests.proof.compare import normal

POD = "spec.template.spec"
MERGE = "application/strategic-merge-patch+json"


def pod(container: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """A patch of the Pod template."""
    containers = {"containers": [{"name": "api", **container}]} if container else {}
    return {"spec": {"template": {"spec": {**containers, **more}}}}


def ours(image: str = "api:1", name: str = "api") -> Manifest:
    """Without Pods: those would wait for what is injected."""
    return deployment(name, image, replicas=0)


INJECTED: dict[str, dict[str, Any]] = {
    f"{POD}.containers[api].env[X]": pod({"env": [{"name": "X", "value": "1"}]}),
    f"{POD}.containers[api].ports[53,UDP]": pod({"ports": [{"containerPort": 53, "protocol": "UDP"}]}),
    f"{POD}.containers[proxy]": pod(containers=[{"name": "proxy", "image": "proxy"}]),
    f"{POD}.initContainers[wait]": pod(initContainers=[{"name": "wait", "image": "wait"}]),
    f"{POD}.volumes[certs]": pod(volumes=[{"name": "certs", "emptyDir": {}}]),
    f"{POD}.imagePullSecrets[theirs]": pod(imagePullSecrets=[{"name": "theirs"}]),
    f"{POD}.tolerations": pod(tolerations=[{"key": "gpu", "operator": "Exists"}]),
    f"{POD}.nodeSelector": pod(nodeSelector={"disk": "ssd"}),
    f"{POD}.hostNetwork": pod(hostNetwork=True),
    "spec.template.metadata.annotations": {"spec": {"template": {"metadata": {"annotations": {"mesh": "on"}}}}},
    "spec.template.metadata.labels.mesh": {"spec": {"template": {"metadata": {"labels": {"mesh": "on"}}}}},
    "spec.minReadySeconds": {"spec": {"minReadySeconds": 1}},
}
"""What others put into a Deployment, by the field that is named."""
SILENT: list[dict[str, Any]] = [
    {"metadata": {"annotations": {"kubectl.kubernetes.io/x": "{}"}}},
    {"metadata": {"labels": {"team": "shop"}}},
    {"metadata": {"finalizers": ["example.com/hold"]}},
]
"""What is kept as well, and runs nothing."""


def inject(held: Held, *patches: dict[str, Any], manager: str = "kubectl-set") -> Manifest:
    for patch in patches:
        held.sim.registry.patch("deployments", "default", "api", MERGE, patch, manager=manager)
    return {"apiVersion": "apps/v1", "kind": "Deployment"} | held.sim.registry.get("deployments", "default", "api")


@pytest.mark.parametrize("field", sorted(INJECTED))
async def test_it_stays_with_its_owner_and_is_named_and_a_rollback_leaves_it(held: Held, field: str) -> None:
    await held.ensure(ours())
    before = inject(held, INJECTED[field], *SILENT)
    theirs = [entry for entry in owners(before) if entry["manager"] == "kubectl-set"]
    later = await held.next_task()
    changed = await later.ensure(ours("api:2"))
    assert later.warnings == [f"keeps {field} (manager kubectl-set)"]
    assert [entry for entry in owners(changed) if entry["manager"] == "kubectl-set"] == theirs
    assert essence(changed)["spec"] == essence(_with_image(before, "api:2"))["spec"]  # type: ignore[index]
    assert await later.roll_back() == []
    after = await later.look(before)
    assert after is not None
    assert normal(after) == normal(before)


@pytest.mark.parametrize("field", sorted(INJECTED))
async def test_it_goes_when_asked_and_comes_back_with_a_rollback(held: Held, field: str) -> None:
    await held.ensure(ours())
    before = inject(held, INJECTED[field])
    later = await held.next_task()
    changed = await later.ensure(ours("api:2"), take_over=True)
    assert later.warnings == []
    assert fields_of_others(ours(), changed) == []
    assert essence(changed)["spec"] == (await _as_new(later, "api:2"))["spec"]  # type: ignore[index]
    assert await later.roll_back() == []
    after = await later.look(before)
    assert after is not None
    assert normal(after) == normal(before)
    assert (later.journal.resources[1].state, later.journal.resources[1].why) == (ResourceState.RESTORED, "")


@pytest.mark.parametrize("lost", [1, 2, 3])
@pytest.mark.parametrize("ends", ["completes", "is rolled back"])
async def test_a_lost_answer_and_a_dead_worker_change_nothing_of_that(held: Held, lost: int, ends: str) -> None:
    """Each of the requests lands without an answer, and its worker dies of it; the successor goes on."""
    await held.ensure(ours())
    before = inject(held, *INJECTED.values())
    later = await held.next_task()
    fault = Fault("drop", verb="write", resource="deployments", skip=lost - 1, times=1, when="after")
    armed = held.sim.faults.add(fault)
    writing = ours("api:2")
    await later.ensure(writing, take_over=True)  # looks what became of it, and goes on
    assert armed.strikes == 1
    after = await later.look(before)
    assert after is not None
    assert fields_of_others(writing, after) == []
    if ends == "completes":
        assert essence(after)["spec"] == (await _as_new(later, "api:2"))["spec"]  # type: ignore[index]
        return
    successor = await later.successor()
    assert [one.why for one in await successor.roll_back()] == []
    after = await later.look(before)
    assert after is not None
    assert normal(after) == normal(before)


def _with_image(obj: Manifest, image: str) -> Manifest:
    changed = copy.deepcopy(obj)
    next(one for one in changed["spec"]["template"]["spec"]["containers"] if one["name"] == "api")["image"] = image
    return changed


async def _as_new(held: Held, image: str) -> Manifest:
    """What the manifest makes where nothing is."""
    made = held.sim.registry.create("deployments", "default", ours(image, "fresh"), manager="x")
    text = json.dumps(essence(made)).replace("fresh", "api")
    return json.loads(text)  # type: ignore[no-any-return]


async def test_a_successor_of_a_worker_that_died_in_between_goes_on(held: Held) -> None:
    """The replacement has landed, the apply was not sent: the object carries a token of the task, and is not done."""
    await held.ensure(ours())
    before = inject(held, INJECTED[f"{POD}.hostNetwork"])
    later = await held.next_task()
    refused = held.sim.faults.add(Fault("status", verb="apply", resource="deployments", times=None, code=403))
    with pytest.raises(JobFailed):
        await later.ensure(ours("api:2"), take_over=True)
    held.sim.faults.remove(refused)
    successor = await later.successor()
    half = await successor.look(before)
    assert half is not None
    assert token_of(half) in successor.journal.resources[1].writes
    after = await successor.ensure(ours("api:2"), take_over=True)
    assert [write.kind for write in successor.journal.resources[1].writes.values()].count(WriteKind.REPLACE) == 1
    assert {entry["operation"] for entry in owners(after) if entry["manager"] == "kubemin"} == {"Apply"}
    assert await successor.roll_back() == []
    assert normal(await successor.look(before) or {}) == normal(before)


async def test_what_is_set_again_at_once_stays_and_is_named(held: Held) -> None:
    """As by a webhook: it is taken away once, and not fought about."""
    field = f"{POD}.containers[proxy]"
    await held.ensure(ours())
    inject(held, INJECTED[field])
    later = await held.next_task()

    def again(_: RequestInfo) -> None:
        inject(held, INJECTED[field])

    held.sim.faults.add(Fault("call", verb="patch", resource="deployments", times=None, call=again))
    await later.ensure(ours("api:2"), take_over=True)
    assert later.warnings == [f"keeps {field} (manager kubectl-set)"]
    kinds = [write.kind for write in later.journal.resources[1].writes.values()]
    assert kinds.count(WriteKind.REPLACE) == 1


@pytest.mark.parametrize("take_over", [False, True])
async def test_a_plan_says_what_stays_and_what_would_go(held: Held, take_over: bool) -> None:
    field = f"{POD}.containers[api].env"
    await held.ensure(ours())
    inject(held, INJECTED[f"{field}[X]"])
    autoscalers = Autoscalers(held.cluster)
    unchanged = Unchanged(autoscalers, held.journal.last_writes, take_over)
    inquiry = Inquiry(held.cluster, held.cluster, Adoption(_unknown), autoscalers, unchanged, {}, take_over=take_over)
    (found,) = (await inquiry.preview_jobs([Job(1, "", "", "", "", ours())])).values()
    assert found.warnings == (() if take_over else (f"keeps {field}[X] (manager kubectl-set)",))
    assert found.verb == ("change" if take_over else "same")
    assert [change.split(":")[0] for change in found.changes] == ([field] if take_over else [])
    assert with_warnings("x", ["a\nwarning: b"]).splitlines() == ["x", "warning: a warning: b"]


async def _unknown(_: str) -> None:
    return None


async def test_a_container_of_another_name_is_replaced_by_ours(held: Held) -> None:
    """In one step: without theirs alone the Pod would have no container."""
    theirs = ours()
    theirs["spec"]["template"]["spec"]["containers"][0]["name"] = "app"
    held.sim.registry.create("deployments", "default", theirs, manager="kubectl-create")
    after = await held.ensure(ours("api:2"), take_over=True)
    assert [one["name"] for one in after["spec"]["template"]["spec"]["containers"]] == ["api"]
    assert held.warnings == []


@pytest.mark.parametrize("manifest", [ours(), config_map(a="1"), stateful_set(replicas=0)], ids=lambda one: one["kind"])
async def test_what_the_server_filled_in_for_another_maker_is_not_named(held: Held, manifest: Manifest) -> None:
    bare = {**manifest, "metadata": {key: manifest["metadata"][key] for key in ("name", "namespace")}}
    held.sim.registry.create(KINDS[manifest["kind"]].plural, "default", bare, manager="kubectl-create")
    await held.ensure(manifest)
    assert held.warnings == []


def _owned_by(manager: str, fields: dict[str, Any]) -> dict[str, Any]:
    return {"manager": manager, "operation": "Update", "apiVersion": "v1", "fieldsV1": fields}


@given(st.sampled_from(sorted(KINDS)), st.data())
def test_each_list_with_keys_is_looked_at(kind: str, data: st.DataObject) -> None:
    """The rule: whatever list of a kind has keys, an item too many is named; and it alone goes."""
    lists = KINDS[kind].list_keys
    if not lists:
        return
    field = data.draw(st.sampled_from(sorted(lists)))
    ours_, theirs = ({key: f"{who}-{key}" for key in lists[field]} for who in ("ours", "theirs"))
    wanted: Manifest = {"apiVersion": KINDS[kind].api_version, "kind": kind, "metadata": {}, "spec": {field: [ours_]}}
    answer = copy.deepcopy(wanted)
    answer["spec"][field].append(theirs)
    items: dict[str, Any] = {f"k:{json.dumps(item)}": {".": {}} for item in (ours_, theirs)}
    answer["metadata"]["managedFields"] = [_owned_by("someone", {"f:spec": {f"f:{field}": items}})]
    found = fields_of_others(wanted, answer)
    assert [str(one) for one in found] == [f"spec.{field}[{','.join(theirs.values())}] (manager someone)"]
    assert without_fields(answer, found)["spec"] == wanted["spec"]


def test_a_protocol_that_is_not_said_is_tcp() -> None:
    def service(*ports: dict[str, Any]) -> Manifest:
        keys = [json.dumps({"port": one["port"], "protocol": one.get("protocol", "TCP")}) for one in ports]
        fields: dict[str, Any] = {"f:spec": {"f:ports": {f"k:{key}": {".": {}} for key in keys}}}
        meta = {"name": "dns", "managedFields": [_owned_by("a", fields), _owned_by("b", fields)]}
        return {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {"ports": list(ports)}}

    answer = service({"port": 53, "protocol": "TCP", "targetPort": 53}, {"port": 53, "protocol": "UDP"})
    assert remains(service({"port": 53}), answer) == ["keeps spec.ports[53,UDP] (managers a, b)"]


def test_what_the_server_drops_is_named_and_what_it_spells_otherwise_is_not() -> None:
    """Trap 40."""
    wanted: Manifest = {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": "db"},
        "spec": {
            "updateStrategy": {"rollingUpdate": {"maxUnavailable": 2, "partition": 0}},
            "template": {
                "spec": {
                    "hostNetwork": False,
                    "volumes": [],
                    "containers": [{"name": "db", "env": [{"name": "E", "value": ""}], "resources": {"limits": {}}}],
                    "tolerations": [{"key": "a", "new": "x"}],
                }
            },
            "cpu": "1000m",
        },
    }
    answer = copy.deepcopy(wanted)
    answer["spec"]["updateStrategy"]["rollingUpdate"] = {}
    del answer["spec"]["template"]["spec"]["hostNetwork"]
    del answer["spec"]["template"]["spec"]["volumes"]
    answer["spec"]["template"]["spec"]["containers"] = [{"name": "db", "env": [{"name": "E"}], "image": "x"}]
    answer["spec"]["template"]["spec"]["tolerations"] = [{"key": "a"}]
    answer["spec"]["cpu"] = "1"
    path = "spec.updateStrategy.rollingUpdate.maxUnavailable"
    assert dropped_fields(wanted, answer) == [path, "spec.template.spec.tolerations[0].new"]
    assert remains(wanted, answer)[0] == f"the server dropped {path}"
