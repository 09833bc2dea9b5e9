"""Readiness as data: what expressions say of an object decides, whatever they cost, and wherever they are written."""

import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from kubemin.engine.deploy import ready
from kubemin.engine.deploy.rule_process import judge
from kubemin.engine.deploy.rules import Rules
from kubemin.plan import Plan, make_plan
from kubemin.render import render
from kubemin.settings.engine import EngineSettings
from kubemin.spec.application import parse_application
from kubemin.spec.cel import LONGEST, mistake_in
from kubemin.spec.issues import SpecError
from kubemin.spec.objects import Manifest
from kubemin.spec.readiness import Readiness, ReadinessRule
from kubemin.spec.reason_codes import ReasonCode
from kubemin.spec.states import TaskStatus
from kubesim.controllers.operators import Operator
from tests.engine.instance import Instance
from tests.engine.test_manifests import GROUP, LIMITS, config, definition, manifests, run, widget


def obj(status: Any = None, *, generation: int = 1) -> Manifest:
    meta = {"name": "one", "namespace": "default", "generation": generation}
    made: Manifest = {"apiVersion": f"{GROUP}/v1", "kind": "Widget", "metadata": meta}
    return made if status is None else {**made, "status": status}


@pytest.fixture
async def rules() -> AsyncIterator[Rules]:
    found = Rules(seconds=60)
    yield found
    await found.aclose()


SAYS = st.sampled_from(["true", "false", "object.status.nope", "'text'", "1 / 0", ""])


@given(SAYS, SAYS, SAYS)
def test_the_first_that_is_true_decides_and_nothing_else_counts(failed: str, current: str, in_progress: str) -> None:
    """What an object lacks is not true, and no mistake."""
    rule = {"failed": failed, "current": current, "in_progress": in_progress, "message": ""}
    true = [name for name in ("failed", "current", "in_progress") if rule[name] == "true"]
    assert judge(rule, obj({}))["state"] == (true[0] if true else "")


@pytest.mark.parametrize(
    ("rule", "status", "state", "said"),
    [
        (Readiness(current="object.status.phase == 'Up'"), {"phase": "Up"}, "ready", "is ready, as its readiness rule"),
        (Readiness(current="object.status.phase == 'Up'"), {"phase": "Down"}, "waiting", "is not met yet"),
        (Readiness(current="object.status.phase == 'Up'"), {}, "waiting", "it has no phase"),
        (Readiness(current="object.status.phase == 'Up'"), None, "waiting", "it has no status"),
        (Readiness(current="object.status.n > 1"), {"n": "2"}, "waiting", "overload"),
        (Readiness(failed="object.status.phase == 'Bad'"), {"phase": "Bad"}, "hopeless", "it has failed"),
        (
            Readiness(failed="object.status.bad", current="true", message="'because of ' + object.status.why"),
            {"bad": True, "why": "that"},
            "hopeless",
            "Widget.example.com one: because of that",
        ),
        (Readiness(failed="object.status.bad"), {}, None, ""),
        (Readiness(in_progress="object.status.busy"), {"busy": False}, None, ""),
        (Readiness(in_progress="object.status.busy"), {"busy": True}, "waiting", "not met yet"),
        (Readiness(current="true"), {"observedGeneration": 0}, "waiting", "not seen by its controller"),
        (Readiness(current="object.status.observedGeneration < 1"), {"observedGeneration": 0}, "ready", ""),
        (
            Readiness(current="object.status.conditions.exists(c, c.type == 'Ready' && c.status == 'True')"),
            {"conditions": [{"type": "Old"}, {"type": "Ready", "status": "True"}]},
            "ready",
            "",
        ),
    ],
)
async def test_what_a_rule_says(rules: Rules, rule: Readiness, status: Any, state: str | None, said: str) -> None:
    verdict = await rules.verdict(rule, obj(status))
    assert (verdict.state if verdict else None) == state
    assert said in (verdict.message if verdict else "")
    if verdict and state == "hopeless":
        assert (verdict.final, verdict.code) == (True, ReasonCode.STALLED)


NUMBERS = list(range(3000))
NESTED = "object.status.n.all(a, object.status.n.all(b, object.status.n.all(c, a + b + c >= 0)))"
LARGE = "object.status.n.map(a, object.status.n.map(b, object.status.n.map(c, string(a) + string(b))))"


async def test_what_died_of_something_else_says_nothing_of_a_rule(rules: Rules) -> None:
    """A machine that lacks memory ends what it likes."""
    states = []
    for _ in range(2):
        verdict = await rules.verdict(Readiness(current="true"), obj({}))
        assert verdict is not None
        states.append(verdict.state)
        assert rules._process is not None
        rules._process.kill()
        await rules._process.wait()
    assert states == ["ready", "ready"]


@pytest.mark.parametrize("expression", [NESTED, f"size({LARGE}) == 1"])
async def test_an_expression_that_costs_too_much_fails_by_itself_and_the_next_is_answered(
    rules: Rules, expression: str
) -> None:
    rules.seconds = 0.3
    verdict = await rules.verdict(Readiness(current=expression), obj({"n": NUMBERS}))
    assert verdict is not None
    assert (verdict.state, verdict.final, verdict.code) == ("hopeless", True, ReasonCode.INVALID)
    rules.seconds = 60
    after = await rules.verdict(Readiness(current="true"), obj({}))
    assert after is not None
    assert after.state == "ready"


@pytest.mark.parametrize(
    "expression", ["(" * 200, "!" * (LONGEST - 4) + "true", "a" * 2000, "object.x +", "now()", "foo"]
)
def test_what_is_no_expression_is_said(expression: str) -> None:
    usable = expression.startswith("!")
    assert (mistake_in(expression) is None) is usable


def application(**component: Any) -> dict[str, Any]:
    return {"name": "shop", "component": [{**manifests("all", widget("one", size=1), config("c", a="1")), **component}]}


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        ({"current": "true"}, "kinds"),
        ({"kinds": ["Widget.*"]}, "current"),
        ({"kinds": ["Widget.*"], "current": "object."}, "current"),
        ({"kinds": ["Widget.*"], "inProgress": "status.phase == 'x'"}, "inProgress"),
    ],
)
def test_a_mistake_in_a_rule_is_said_at_its_field(rule: dict[str, Any], field: str) -> None:
    with pytest.raises(SpecError) as raised:
        parse_application(application(readiness=[rule]))
    assert [issue.field for issue in raised.value.issues] == [f"component[0].readiness[0].{field}"]
    with pytest.raises(ValidationError):
        EngineSettings(readiness_rules=json.dumps([rule]))


def test_a_mistake_in_an_annotation_is_said_at_its_field() -> None:
    made = widget("one", size=1)
    made["metadata"]["annotations"] = {"kubemin.io/ready": "object.status.", "kubemin.io/failed": "false"}
    with pytest.raises(SpecError) as raised:
        parse_application({"name": "shop", "component": [manifests("all", made)]})
    place = "component[0].properties.manifests[0].metadata.annotations.kubemin.io/ready"
    assert [issue.field for issue in raised.value.issues] == [place]


def test_the_nearest_rule_counts_annotation_then_component_then_settings() -> None:
    mine, theirs = ({"kinds": ["Widget.*"], "current": text} for text in ("true", "false"))
    made = widget("two")
    made["metadata"]["annotations"] = {"kubemin.io/ready": "object.spec.size > 1"}
    parts = [
        {**manifests("a", widget("one"), made), "readiness": [mine]},
        manifests("b", widget("three"), config("c", a="1")),
    ]
    app = parse_application({"name": "shop", "component": parts})
    plan = make_plan(app, render(app), (), rules=[ReadinessRule.model_validate(theirs)])
    found = {job.ref.name: job.readiness and job.readiness.current for job in plan.jobs}
    assert found == {"one": "true", "two": "object.spec.size > 1", "three": "false", "c": None}
    assert Plan.from_json(json.loads(json.dumps(plan.to_json()))) == plan, "a successor goes by the same rules"


def test_rules_of_the_settings_come_from_a_file_or_as_they_stand(tmp_path: Any) -> None:
    rules = [{"kinds": ["*.example.com"], "failed": "object.status.bad"}]
    (tmp_path / "rules.yaml").write_text(json.dumps(rules))
    for given_ in (
        str(tmp_path / "rules.yaml"),
        json.dumps(rules),
        "- kinds: ['*.example.com']\n  failed: object.status.bad\n",
    ):
        assert [rule.failed for rule in EngineSettings(readiness_rules=given_).rules] == ["object.status.bad"]
    for wrong in (str(tmp_path / "none.yaml"), "{", "[1]"):
        with pytest.raises(ValidationError):
            EngineSettings(readiness_rules=wrong)


def test_without_a_rule_the_library_is_not_loaded() -> None:
    """It would make each command slower."""
    code = "import sys, kubemin.spec.application, kubemin.engine; print(*(m for m in sys.modules if m[:3] == 'cel'))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == ""


@pytest.mark.parametrize(
    ("status", "ends"),
    [({"phase": "Up"}, TaskStatus.COMPLETED), ({"phase": "Bad", "why": "no disk"}, TaskStatus.FAILED)],
)
async def test_a_task_waits_for_what_the_rule_says(instance: Instance, status: Any, ends: TaskStatus) -> None:
    """And not for what controllers say otherwise: here no condition ever holds."""
    instance.service._limits = LIMITS
    instance.sim.controllers.operate(Operator(f"widgets.{GROUP}", fail="never", status=status))
    rule = {
        "kinds": ["Widget.example.com"],
        "failed": "object.status.phase == 'Bad'",
        "current": "object.status.phase == 'Up'",
        "message": "object.status.why",
    }
    bundle = manifests("bundle", definition("Widget"), widget("one", size=1))
    async with instance.worker():
        task = await run(instance, {**bundle, "readiness": [rule]})
    assert task.status is ends
    if ends is TaskStatus.FAILED:
        assert (task.reason_code, "no disk" in task.reason) == (ReasonCode.STALLED, True)


GATEWAYS = "gateway.networking.k8s.io"


def route_definition() -> Manifest:
    made = definition("HTTPRoute")
    made["metadata"]["name"] = f"httproutes.{GATEWAYS}"
    made["spec"]["group"] = GATEWAYS
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    made["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"] = {"spec": anything, "status": anything}
    made["metadata"]["annotations"] = {"api-approved.kubernetes.io": "https://github.com/kubernetes-sigs/gateway-api"}
    return made


def accepted(resolved: str) -> Any:
    """What a gateway's controller says of a route."""

    def status(route: Manifest) -> Manifest:
        seen = {"observedGeneration": route["metadata"]["generation"], "message": ""}
        conditions = [
            {"type": "Accepted", "status": "True", "reason": "Accepted", **seen},
            {"type": "ResolvedRefs", "status": resolved, "reason": "BackendNotFound", **seen},
        ]
        return {"parents": [{"parentRef": {"name": "web"}, "controllerName": "x/y", "conditions": conditions}]}

    return status


@pytest.mark.parametrize(
    ("resolved", "ends", "said"),
    [
        ("True", TaskStatus.COMPLETED, "is accepted by each of its parents"),
        ("False", TaskStatus.FAILED, "parent web: ResolvedRefs is False: BackendNotFound"),
        ("", TaskStatus.COMPLETED, "nobody has said anything of it"),
    ],
)
async def test_a_route_is_waited_for_and_not_for_ever(
    instance: Instance, monkeypatch: pytest.MonkeyPatch, resolved: str, ends: TaskStatus, said: str
) -> None:
    instance.service._limits = LIMITS
    if resolved:
        reconcile = accepted(resolved)
        instance.sim.controllers.operate(Operator(f"httproutes.{GATEWAYS}", reconcile=reconcile))
    else:
        monkeypatch.setattr(ready, "_FIRST_WORD", 0.2)
    route = {
        "apiVersion": f"{GATEWAYS}/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "web"},
        "spec": {"parentRefs": [{"name": "web"}]},
    }
    bundle = manifests("bundle", route_definition(), route)
    bundle["properties"]["hopelessAfter"] = 1
    async with instance.worker():
        task = await run(instance, bundle)
    (told,) = [job for job in await instance.jobs(task.id) if job.object_name == "web"]
    assert (task.status, said in (told.info or "") + told.error) == (ends, True), told


def test_what_evaluates_ends_by_itself_where_nobody_waits_for_it() -> None:
    """The worker that asked has died: the input ends, but an expression may go on."""
    rule = {"failed": "", "current": NESTED, "in_progress": "", "message": ""}
    code = "from kubemin.engine.deploy import rule_process as it; it.ALONE = 1; it.main()"
    asked = json.dumps({"rule": rule, "object": obj({"n": NUMBERS})})
    told = subprocess.run([sys.executable, "-c", code], input=f"{asked}\n", capture_output=True, text=True, check=False)
    assert (told.returncode, told.stdout) == (-signal.SIGALRM, "ready\n")
