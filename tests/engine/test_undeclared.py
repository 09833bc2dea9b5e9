"""Fields that the API server does not know: the same file, applied again, does what it did the first time (trap 46)."""

import copy
from typing import Any

import pytest

from kubemin.engine.deploy.adoption import Adoption
from kubemin.engine.deploy.preflight import Inquiry
from kubemin.engine.deploy.replicas import Autoscalers
from kubemin.engine.deploy.unchanged import Unchanged
from kubemin.engine.errors import JobFailed
from kubemin.engine.objects.undeclared import without_undeclared
from kubemin.plan import Job
from kubemin.spec.objects import Manifest
from kubemin.spec.reason_codes import ReasonCode
from kubemin.spec.states import ResourceState
from kubesim.faults import Fault
from tests.engine.held import Held, deployment, owners
from tests.proof.compare import normal

REFUSAL = "Cannot apply X/y/z: failed to create typed patch object (y/z; v1, Kind=X): "
DROPPED = [
    "the server dropped spec.later",
    "the server dropped spec.template.spec.containers[api].later",
    "the server dropped spec.template.spec.laterToo",
]


def ours(image: str = "api:1", **more: Any) -> Manifest:
    """With fields of a later version, one in each of three maps, two in one of them."""
    made = deployment("api", image, replicas=0)
    made["spec"] |= {"later": 1, **more}
    made["spec"]["template"]["spec"]["laterToo"] = {"a": [1]}
    made["spec"]["template"]["spec"]["containers"][0]["later"] = "x"
    return made


async def test_they_are_dropped_and_named_each_time(held: Held) -> None:
    await held.ensure(ours())
    assert sorted(held.warnings) == DROPPED
    before = await held.look(ours())
    later = held
    for number in range(2, 4):  # the first of these turns the entry of the POST into one of an apply
        later = await later.next_task()
        changed = await later.ensure(ours(f"api:{number}", another=2))
        assert sorted(later.warnings) == sorted([*DROPPED, "the server dropped spec.another"])
        assert changed["spec"]["template"]["spec"]["containers"][0]["image"] == f"api:{number}"
        assert {entry["operation"] for entry in owners(changed) if entry["manager"] == "kubemin"} == {"Apply"}
        assert await later.roll_back() == []
        assert later.journal.resources[1].state is ResourceState.RESTORED
        assert normal(await later.look(ours()) or {}) == normal(before or {})


@pytest.mark.parametrize("applied", [False, True], ids=["posted", "applied"])
async def test_a_plan_tells_of_them(held: Held, applied: bool) -> None:
    await held.ensure(ours())
    if applied:
        held = await held.next_task()
        await held.ensure(ours("api:2"))
    autoscalers = Autoscalers(held.cluster)
    unchanged = Unchanged(autoscalers, held.journal.last_writes)
    inquiry = Inquiry(held.cluster, held.cluster, Adoption(_unknown), autoscalers, unchanged, {})
    (found,) = (await inquiry.preview_jobs([Job(1, "", "", "", "", ours("api:3"))])).values()
    assert (found.verb, sorted(found.warnings)) == ("change", DROPPED)
    assert [one.partition(":")[0] for one in found.changes] == ["spec.template.spec.containers[api].image"]


async def test_what_does_not_fit_otherwise_is_refused_at_once(held: Held) -> None:
    """The answer is a 500, and still nothing was done, and nothing is to be tried again."""
    await held.ensure(ours())
    before = await held.look(ours())
    twice = ours("api:2")
    containers = twice["spec"]["template"]["spec"]["containers"]
    containers.append(copy.deepcopy(containers[0]))
    later = await held.next_task()
    with pytest.raises(JobFailed, match="duplicate entries for key") as caught:
        await later.ensure(twice)
    assert caught.value.code is ReasonCode.INVALID
    assert await later.roll_back() == []
    assert normal(await later.look(ours()) or {}) == normal(before or {})


async def test_an_object_that_fits_no_more_is_named_at_once(held: Held) -> None:
    """As where its definition has another schema by now."""
    await held.ensure(ours())
    text = "failed to create typed live object (default/api; apps/v1, Kind=Deployment): .spec.x: expected list, got 1"
    held.sim.faults.add(Fault("status", code=500, verb="apply", resource="deployments", times=None, message=text))
    later = await held.next_task()
    with pytest.raises(JobFailed, match=r"\.spec\.x: expected list"):
        await later.ensure(ours("api:2"))
    assert await later.roll_back() == []


async def _unknown(_: str) -> None:
    return None


@pytest.mark.parametrize(
    ("said", "left"),
    [
        (".spec.a: field not declared in schema (500).", {"spec": {"b": [{"n": "q: ]", "a": 1}, {"a": 2}]}}),
        (
            'errors:\n  .spec.b[n="q: ]",m=1].a: field not declared in schema\n  .x: field not declared in schema',
            {"spec": {"a": 1, "b": [{"n": "q: ]"}, {}]}},
        ),
        (".spec.b[0].a: field not declared in schema", {"spec": {"a": 1, "b": [{"n": "q: ]"}, {}]}}),
        (".spec.b: expected map, got &value.valueUnstructured{Value:1}", None),
        (".spec.c.d: field not declared in schema", None),
        (".spec.a.b: field not declared in schema", None),
    ],
)
def test_a_refusal_says_which_they_are(said: str, left: Manifest | None) -> None:
    manifest: Manifest = {"spec": {"a": 1, "b": [{"n": "q: ]", "a": 1}, {"a": 2}]}}
    before = copy.deepcopy(manifest)
    assert without_undeclared(manifest, REFUSAL + said) == (before if left is None else left)
    assert manifest == before
