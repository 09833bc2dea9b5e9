"""Strategies: spellings, and the mistakes in them."""

from typing import Any

import pytest

from kubemin.spec.application import parse_application
from kubemin.spec.component import Component
from kubemin.spec.issues import IssueCode, SpecError
from kubemin.spec.states import Way

VALUE, MISSING = IssueCode.INVALID_FIELD_VALUE, IssueCode.MISSING_REQUIRED_FIELD
WEB: dict[str, Any] = {"name": "web", "type": "webservice", "image": "web:1", "properties": {"ports": [{"port": 80}]}}
STORE = {**WEB, "type": "store"}
SHARED = {**WEB, "traits": {"share": {}}}


def canary(*steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "canary", "steps": list(steps), **more}


MISTAKES: list[tuple[str, dict[str, Any], Any, str, IssueCode]] = [
    ("unknown", WEB, "instant", "", VALUE),
    ("no text", WEB, 5, "", VALUE),
    ("unknown field", WEB, {"type": "rolling", "speed": 1}, ".speed", IssueCode.UNKNOWN_FIELD),
    ("canary of a store", STORE, "canary", "", VALUE),
    ("blue-green of a store", STORE, "blue-green", "", VALUE),
    ("recreate of a job", {**WEB, "type": "job", "properties": {}}, "recreate", "", VALUE),
    ("canary of what is shared", SHARED, "canary", "", VALUE),
    ("blue-green without a Service", {**WEB, "properties": {}}, "blue-green", "", VALUE),
    ("nothing in a step", WEB, canary({}), ".steps[0].weight", MISSING),
    ("no share", WEB, canary({"weight": 0}), ".steps[0].weight", VALUE),
    ("all", WEB, canary({"weight": 100}), ".steps[0].weight", VALUE),
    ("no Pod", WEB, canary({"replicas": 0}), ".steps[0].replicas", VALUE),
    ("no time", WEB, canary({"weight": 5, "seconds": 0}), ".steps[0].seconds", VALUE),
    (
        "both times",
        WEB,
        canary({"weight": 5, "seconds": 1, "timeoutSeconds": 1}),
        ".steps[0].timeoutSeconds",
        VALUE,
    ),
    ("too many steps", WEB, canary(*[{"weight": 5}] * 21), ".steps", VALUE),
    ("weight by no Ingress", WEB, canary({"weight": 5}, ingress=True), ".ingress", VALUE),
    ("steps of blue-green", WEB, {**canary({"weight": 5}), "type": "blue-green"}, ".steps", VALUE),
    ("seconds of a canary", WEB, {"type": "canary", "seconds": 5}, ".seconds", VALUE),
    ("promote of rolling", WEB, {"promote": True}, ".promote", VALUE),
    ("a wait for nobody", WEB, {"type": "blue-green", "timeoutSeconds": 5}, ".timeoutSeconds", VALUE),
    ("two waits", WEB, {"type": "blue-green", "seconds": 5, "promote": True}, ".seconds", VALUE),
]


@pytest.mark.parametrize(
    ("component", "strategy", "field", "code"), [one[1:] for one in MISTAKES], ids=[one[0] for one in MISTAKES]
)
def test_a_mistake_is_named_at_its_field(component: dict[str, Any], strategy: Any, field: str, code: IssueCode) -> None:
    with pytest.raises(SpecError) as caught:
        parse_application({"name": "shop", "component": [{**component, "strategy": strategy}]})
    assert [(issue.field, issue.code) for issue in caught.value.issues] == [(f"component[0].strategy{field}", code)]


@pytest.mark.parametrize("given", ["canary", "Canary", {"type": "canary"}])
def test_a_text_is_short_for_its_type(given: Any) -> None:
    read = parse_application({"name": "shop", "component": [{**WEB, "strategy": given}]}).component[0]
    assert read.way is Way.CANARY
    assert read.posted()["strategy"] == {"type": "canary"}
    assert Component.model_validate(read.dump()) == read


def test_what_comes_beside_counts_as_made() -> None:
    parts = [{**WEB, "strategy": "blue-green"}, {**WEB, "name": "web-green"}]
    with pytest.raises(SpecError, match="would both make the Deployment shop-web-green"):
        parse_application({"name": "shop", "component": parts})
