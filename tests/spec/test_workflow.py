"""Workflows: spellings, and the mistakes in them."""

from typing import Any

import pytest

from kubemin.spec.application import parse_application
from kubemin.spec.issues import IssueCode, SpecError
from kubemin.spec.warnings import warnings_of
from kubemin.spec.workflow import Mode, parse_workflow

NAMES = ("db", "api", "web")

MISTAKES: list[tuple[str, Any, str, IssueCode]] = [
    ("no list", {}, "workflow", IssueCode.INVALID_FIELD_VALUE),
    ("no step", ["db"], "workflow[0]", IssueCode.INVALID_FIELD_VALUE),
    ("no name", [{"components": ["db"]}], "workflow[0].name", IssueCode.MISSING_REQUIRED_FIELD),
    ("long name", [{"name": "x" * 254, "components": ["db"]}], "workflow[0].name", IssueCode.NAME_TOO_LONG),
    ("unprintable name", [{"name": "a\nb", "components": ["db"]}], "workflow[0].name", IssueCode.INVALID_NAME_FORMAT),
    ("unknown field", [{"name": "db", "dependsOn": []}], "workflow[0].dependsOn", IssueCode.UNKNOWN_FIELD),
    ("unknown mode", [{"name": "db", "mode": "Tree"}], "workflow[0].mode", IssueCode.INVALID_FIELD_VALUE),
    (
        "unknown component",
        [{"name": "a", "components": ["x"]}],
        "workflow[0].components[0]",
        IssueCode.COMPONENT_NOT_FOUND,
    ),
    ("unknown component by name", [{"name": "a"}], "workflow[0].name", IssueCode.COMPONENT_NOT_FOUND),
    (
        "unknown component in a sub-step",
        [{"name": "a", "subSteps": [{"name": "x"}]}],
        "workflow[0].subSteps[0].name",
        IssueCode.COMPONENT_NOT_FOUND,
    ),
    (
        "step twice",
        [{"name": "a", "components": ["db"]}, {"name": "a", "components": ["api"]}],
        "workflow[1].name",
        IssueCode.DUPLICATE_WORKFLOW_STEP,
    ),
    (
        "component in two steps",
        [{"name": "a", "components": ["db"]}, {"name": "b", "components": ["db"]}],
        "workflow[1].components[0]",
        IssueCode.DUPLICATE_WORKFLOW_STEP,
    ),
    (
        "component twice in a step",
        [{"name": "a", "components": ["db", "db"]}],
        "workflow[0].components[1]",
        IssueCode.DUPLICATE_WORKFLOW_STEP,
    ),
    (
        "component in a step and its sub-step",
        [{"name": "a", "components": ["db"], "subSteps": [{"name": "b", "components": ["db"]}]}],
        "workflow[0].subSteps[0].components[0]",
        IssueCode.DUPLICATE_WORKFLOW_STEP,
    ),
    (
        "sub-step twice",
        [{"name": "a", "subSteps": [{"name": "b", "components": ["db"]}, {"name": "b", "components": ["api"]}]}],
        "workflow[0].subSteps[1].name",
        IssueCode.DUPLICATE_WORKFLOW_STEP,
    ),
    (
        "a step in itself",
        [{"name": "db", "subSteps": [{"name": "db"}]}],
        "workflow[0].subSteps[0].name",
        IssueCode.DUPLICATE_WORKFLOW_STEP,
    ),
    (
        "a step in another and the other way round",
        [
            {"name": "a", "components": ["db"], "subSteps": [{"name": "b", "components": ["web"]}]},
            {"name": "b", "components": ["api"]},
        ],
        "workflow[1].name",
        IssueCode.DUPLICATE_WORKFLOW_STEP,
    ),
    (
        "sub-steps in sub-steps",
        [{"name": "a", "subSteps": [{"name": "db", "subSteps": []}]}],
        "workflow[0].subSteps[0].subSteps",
        IssueCode.UNKNOWN_FIELD,
    ),
    (
        "two lists that differ",
        [{"name": "a", "components": ["db"], "properties": {"policies": ["api"]}}],
        "workflow[0].properties",
        IssueCode.UNKNOWN_FIELD,
    ),
    (
        "a pause that deploys",
        [{"name": "a", "type": "pause", "components": ["db"]}],
        "workflow[0].components",
        IssueCode.INVALID_FIELD_VALUE,
    ),
    (
        "a pause with sub-steps",
        [{"name": "a", "type": "pause", "subSteps": [{"name": "db"}]}],
        "workflow[0].subSteps",
        IssueCode.INVALID_FIELD_VALUE,
    ),
    (
        "a pause with two times",
        [{"name": "a", "type": "pause", "seconds": 1, "timeoutSeconds": 1}],
        "workflow[0].timeoutSeconds",
        IssueCode.INVALID_FIELD_VALUE,
    ),
    ("seconds without a pause", [{"name": "db", "seconds": 1}], "workflow[0].seconds", IssueCode.INVALID_FIELD_VALUE),
    ("no time", [{"name": "db", "timeoutSeconds": 0}], "workflow[0].timeoutSeconds", IssueCode.INVALID_FIELD_VALUE),
    (
        "more than a week",
        [{"name": "db", "timeoutSeconds": 604801}],
        "workflow[0].timeoutSeconds",
        IssueCode.INVALID_FIELD_VALUE,
    ),
    (
        "yes is no time",
        [{"name": "db", "timeoutSeconds": True}],
        "workflow[0].timeoutSeconds",
        IssueCode.INVALID_FIELD_VALUE,
    ),
    ("unknown way", [{"name": "db", "onFailure": "retry"}], "workflow[0].onFailure", IssueCode.INVALID_FIELD_VALUE),
    (
        "an unknown property",
        [{"name": "db", "properties": {"policy": ["db"]}}],
        "workflow[0].properties",
        IssueCode.UNKNOWN_FIELD,
    ),
]


@pytest.mark.parametrize(("steps", "field", "code"), [m[1:] for m in MISTAKES], ids=[m[0] for m in MISTAKES])
def test_mistake(steps: Any, field: str, code: IssueCode) -> None:
    with pytest.raises(SpecError) as caught:
        parse_workflow(steps, NAMES)
    assert [(issue.field, issue.code) for issue in caught.value.issues] == [(field, code)]


def test_an_application_checks_its_workflow() -> None:
    component = {"name": "db", "type": "store", "image": "x"}
    with pytest.raises(SpecError) as caught:
        parse_application({"name": "shop", "component": [component], "workflow": [{"name": "web"}]})
    assert [issue.field for issue in caught.value.issues] == ["workflow[0].name"]


def test_the_older_spelling() -> None:
    new = parse_workflow([{"name": "a", "components": ["db", "api"]}], NAMES)
    assert parse_workflow([{"name": "a", "properties": {"policies": ["db", "api"]}}], NAMES) == new
    both = {"name": "a", "components": ["db", "api"], "properties": {"policies": ["db", "api"]}}
    assert parse_workflow([both], NAMES) == new


def test_a_step_without_components_means_its_name() -> None:
    step, group = parse_workflow([{"name": "db"}, {"name": "rest", "subSteps": [{"name": "api"}]}], NAMES)
    assert step.targets == ["db"]
    assert group.targets == []
    assert group.sub_steps[0].targets == ["api"]


@pytest.mark.parametrize("mode", ["DAG", "dag", "Dag"])
def test_modes_in_any_case(mode: str) -> None:
    assert parse_workflow([{"name": "db", "mode": mode}], NAMES)[0].mode is Mode.DAG
    assert parse_workflow([{"name": "db"}], NAMES)[0].mode is Mode.STEP_BY_STEP


def test_job_type_is_kept_under_both_names() -> None:
    assert parse_workflow([{"name": "db", "jobType": "deploy"}], NAMES) == parse_workflow(
        [{"name": "db", "workflowType": "deploy"}], NAMES
    )


@pytest.mark.parametrize("field", ["type", "jobType", "workflowType"])
@pytest.mark.parametrize("value", ["pause", "Pause"])
def test_a_pause_under_all_its_names_means_no_component(field: str, value: str) -> None:
    (step,) = parse_workflow([{"name": "approve", field: value}], NAMES)
    assert step.is_pause
    assert step.targets == []
    assert parse_workflow([step.dump()], NAMES) == [step]


def test_a_component_in_no_step_is_warned_about() -> None:
    components = [{"name": name, "type": "store", "image": "x:1"} for name in NAMES]
    data = {"name": "shop", "component": components, "workflow": [{"name": "db"}, {"name": "wait", "type": "pause"}]}
    found = warnings_of(parse_application(data))
    assert [(one.field, one.code) for one in found] == [(f"component[{at}]", "COMPONENT_IN_NO_STEP") for at in (1, 2)]
    assert "web" in found[1].message
    assert warnings_of(parse_application({"name": "shop", "component": components})) == []


def test_no_workflow_is_one_step_with_everything() -> None:
    components = [{"name": name, "type": "store", "image": "x"} for name in NAMES]
    application = parse_application({"name": "shop", "component": components})
    assert application.workflow is None
    (step,) = application.steps()
    assert step.mode is Mode.DAG
    assert step.targets == list(NAMES)
    assert parse_application({"name": "shop"}).steps() == []
