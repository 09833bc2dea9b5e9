"""The traits and types of running workloads: what is taken, and that each mistake is named at its place."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubemin.plan import make_plan
from kubemin.render import render
from kubemin.spec.application import Application, parse_application
from kubemin.spec.issues import Issue, IssueCode, SpecError
from kubemin.spec.schedule import MACROS, wrong_with_schedule
from kubemin.spec.templates import expand_templates
from kubemin.spec.warnings import warnings_of
from kubesim.controllers.schedules import Schedule

Json = dict[str, Any]

C0 = "component[0]"
POD = {"metric": {"name": "x"}, "target": {"type": "AverageValue", "averageValue": "1"}}
PEERS = [
    {"component": "web"},
    {"namespace": "monitoring", "podSelector": {"matchLabels": {"a": "b"}}},
    {"namespaceSelector": {}, "podSelector": {}},
    {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}},
]
PORTS = [{"port": 80}, {"port": "http", "protocol": "TCP"}, {"port": 8000, "endPort": 8100}]
TRAITS: Json = {
    "resources": {"cpu": "1", "memory": "1Gi"},
    "hpa": {
        "minReplicas": 2,
        "maxReplicas": 4,
        "cpu": 70,
        "memory": 80,
        "metrics": [{"type": "Pods", "pods": POD}],
        "behavior": {"scaleDown": {"stabilizationWindowSeconds": 60}},
    },
    "pdb": {"minAvailable": 1},
    "networkPolicy": {
        "ingress": [{"from": PEERS, "ports": PORTS}, {}],
        "egress": [{"to": PEERS, "ports": PORTS}],
    },
}
RUNS: Json = {
    "schedule": "*/5 0-6,12 1 jan,FEB-mar mon-fri",
    "timeZone": "Europe/Berlin",
    "concurrencyPolicy": "Forbid",
    "suspend": True,
    "successfulJobsHistoryLimit": 0,
    "failedJobsHistoryLimit": 1,
    "startingDeadlineSeconds": 10,
    "backoffLimit": 0,
    "activeDeadlineSeconds": 60,
    "restartPolicy": "OnFailure",
}


def app(*parts: Json) -> Json:
    return {"name": "shop", "component": list(parts)}


def web(traits: Json, **more: Any) -> Json:
    ports = {"ports": [{"port": 80}]}
    return {"name": "web", "type": "webservice", "image": "web:1", "properties": ports, "traits": traits, **more}


def cron(**properties: Any) -> Json:
    return {"name": "night", "type": "cronjob", "image": "a:1", "properties": {"schedule": "@daily", **properties}}


def found(data: Json) -> set[tuple[str, str]]:
    try:
        parse_application(data)
    except SpecError as error:
        return {(issue.field, issue.code) for issue in error.issues}
    return set()


ALL = app(web(TRAITS), cron(**RUNS))


def test_all_of_it_is_taken_and_kept_as_it_was_written() -> None:
    read = parse_application(ALL)
    assert list(warnings_of(read)) == []
    assert Application.model_validate(read.dump()).dump() == read.dump()
    assert read.posted()["component"][0]["traits"] == TRAITS
    assert read.posted()["component"][1]["properties"] == RUNS


AS_THEY_STAND = ("metrics", "behavior", "podSelector", "namespaceSelector", "ipBlock")


def places(value: Any, path: str) -> Iterator[tuple[str, Json]]:
    """Each object that has fields of ours, and where it is."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from places(item, f"{path}[{index}]")
    elif isinstance(value, dict):
        yield path, value
        for key, item in value.items():
            if key not in AS_THEY_STAND:
                yield from places(item, f"{path}.{key}")


@pytest.mark.parametrize("path", [path for path, _ in places(ALL["component"], "component")])
def test_an_unknown_field_is_named_wherever_it_stands(path: str) -> None:
    data = json.loads(json.dumps(ALL))  # parts that stand in two places are two
    dict(places(data["component"], "component"))[path]["colour"] = "red"
    assert found(data) == {(f"{path}.colour", IssueCode.UNKNOWN_FIELD)}


WRONG = IssueCode.INVALID_TRAIT_CONFIG
MISSING = IssueCode.MISSING_REQUIRED_FIELD
VALUE = IssueCode.INVALID_FIELD_VALUE
H, P, N = (f"{C0}.traits.{name}" for name in ("hpa", "pdb", "networkPolicy"))
MISTAKES: list[tuple[Json, str, str]] = [
    (web({"hpa": {"metrics": [{"type": "Pods", "pods": POD}]}}), f"{H}.maxReplicas", MISSING),
    (web({"hpa": {"maxReplicas": 2}}), H, MISSING),
    (web({"hpa": {"maxReplicas": 2, "cpu": 70}}), f"{H}.cpu", WRONG),
    (web({"hpa": {"maxReplicas": 2, "memory": 70}, "resources": {"cpu": 1}}), f"{H}.memory", WRONG),
    (
        web({"hpa": {"maxReplicas": 2, "cpu": 70}, "resources": {"cpu": 1}, "sidecar": [{"image": "a"}]}),
        f"{H}.cpu",
        WRONG,
    ),
    (web({"hpa": {"maxReplicas": 2, "cpu": 0}, "resources": {"cpu": 1}}), f"{H}.cpu", WRONG),
    (web({"hpa": {"maxReplicas": 1, "minReplicas": 2, "metrics": [{"type": "Pods"}]}}), f"{H}.maxReplicas", WRONG),
    (web({"hpa": {"maxReplicas": 1, "minReplicas": 0, "metrics": [{"type": "Pods"}]}}), f"{H}.minReplicas", WRONG),
    (web({"hpa": {"maxReplicas": 1, "metrics": [{}]}}), f"{H}.metrics[0].type", WRONG),
    (
        web({"hpa": {"maxReplicas": 1, "metrics": [{"type": "Pods"}], "behavior": {"a": ["\0"]}}}),
        f"{H}.behavior",
        WRONG,
    ),
    (web({"pdb": {}}), P, WRONG),
    (web({"pdb": {"minAvailable": 1, "maxUnavailable": 1}}), P, WRONG),
    (web({"pdb": {"minAvailable": "110%"}}), f"{P}.minAvailable", WRONG),
    (web({"pdb": {"maxUnavailable": -1}}), f"{P}.maxUnavailable", WRONG),
    (web({"pdb": {"maxUnavailable": 1.5, "minAvailable": 1}}), f"{P}.maxUnavailable", WRONG),
    (web({"networkPolicy": {}}), N, WRONG),
    (web({"networkPolicy": {"ingress": [{"from": [{}]}]}}), f"{N}.ingress[0].from[0]", WRONG),
    (
        web({"networkPolicy": {"ingress": [{"from": [{"component": "web", "namespace": "a"}]}]}}),
        f"{N}.ingress[0].from[0]",
        WRONG,
    ),
    (
        web({"networkPolicy": {"egress": [{"to": [{"namespace": "a", "namespaceSelector": {}}]}]}}),
        f"{N}.egress[0].to[0]",
        WRONG,
    ),
    (
        web({"networkPolicy": {"egress": [{"to": [{"component": "nobody"}]}]}}),
        f"{N}.egress[0].to[0].component",
        IssueCode.COMPONENT_NOT_FOUND,
    ),
    (
        web({"networkPolicy": {"egress": [{"to": [{"namespace": "A"}]}]}}),
        f"{N}.egress[0].to[0].namespace",
        IssueCode.INVALID_NAME_FORMAT,
    ),
    (
        web({"networkPolicy": {"egress": [{"to": [{"ipBlock": {"cidr": "10.0.0.0"}}]}]}}),
        f"{N}.egress[0].to[0].ipBlock.cidr",
        WRONG,
    ),
    (web({"networkPolicy": {"egress": [{"ports": [{"port": 0}]}]}}), f"{N}.egress[0].ports[0].port", WRONG),
    (web({"networkPolicy": {"egress": [{"ports": [{"port": "A"}]}]}}), f"{N}.egress[0].ports[0].port", WRONG),
    (web({"networkPolicy": {"egress": [{"ports": [{"endPort": 9}]}]}}), f"{N}.egress[0].ports[0].endPort", WRONG),
    (
        web({"networkPolicy": {"egress": [{"ports": [{"protocol": "ICMP"}]}]}}),
        f"{N}.egress[0].ports[0].protocol",
        WRONG,
    ),
    (cron(schedule=None), f"{C0}.properties.schedule", MISSING),
    (cron(schedule="daily"), f"{C0}.properties.schedule", VALUE),
    (cron(timeZone="Local"), f"{C0}.properties.timeZone", VALUE),
    (cron(concurrencyPolicy="Never"), f"{C0}.properties.concurrencyPolicy", VALUE),
    (cron(restartPolicy="Always"), f"{C0}.properties.restartPolicy", VALUE),
    (cron(backoffLimit=-1), f"{C0}.properties.backoffLimit", VALUE),
    (cron(activeDeadlineSeconds=0), f"{C0}.properties.activeDeadlineSeconds", VALUE),
    (cron(failedJobsHistoryLimit=-1), f"{C0}.properties.failedJobsHistoryLimit", VALUE),
    ({**cron(), "image": ""}, f"{C0}.image", IssueCode.MISSING_IMAGE),
    ({**cron(), "objectName": "a" * 53}, f"{C0}.objectName", IssueCode.INVALID_NAME_FORMAT),
    ({**cron(), "strategy": "recreate"}, f"{C0}.strategy", VALUE),
    ({**web({}), "type": "daemon", "strategy": "recreate"}, f"{C0}.strategy", VALUE),
]


@pytest.mark.parametrize(("part", "field", "code"), MISTAKES, ids=[str(number) for number in range(len(MISTAKES))])
def test_a_mistake_is_named_at_its_field(part: Json, field: str, code: str) -> None:
    assert found(app(part)) == {(field, code)}


ABLE = {
    "hpa": {"webservice", "store"},
    "pdb": {"webservice", "store"},
    "networkPolicy": {"webservice", "store", "daemon", "job", "cronjob"},
}


@pytest.mark.parametrize("kind", ["webservice", "store", "daemon", "job", "cronjob", "config", "secret"])
@pytest.mark.parametrize("trait", ABLE)
def test_a_trait_is_for_the_types_that_it_means_something_for(kind: str, trait: str) -> None:
    value = (
        {"maxReplicas": 1, "metrics": [{"type": "Pods"}]}
        if trait == "hpa"
        else {**TRAITS, "networkPolicy": {"ingress": []}}[trait]
    )
    part = {**cron(), "type": kind, "traits": {trait: value}}
    assert found(app(part)) == (set() if kind in ABLE[trait] else {(f"{C0}.traits.{trait}", WRONG)})


@pytest.mark.parametrize("trait", ABLE)
def test_no_container_of_a_component_can_have_it(trait: str) -> None:
    nested = {"sidecar": [{"image": "a:1", "traits": {trait: TRAITS[trait]}}]}
    assert found(app(web(nested))) == {(f"{C0}.traits.sidecar[0].traits.{trait}", IssueCode.NESTED_TRAIT_FORBIDDEN)}


# --- schedules

_NUMBERS = st.integers(0, 70).map(str)
_PARTS = st.one_of(
    st.sampled_from(
        ["*", "?", "*/2", "1-3/2", "5/10", "mon", "JAN-mar", "sun-sat", "*/0", "3-1", "", "1,,2", "x", "7"]
    ),
    _NUMBERS,
    st.builds("{}-{}".format, _NUMBERS, _NUMBERS),
    st.lists(_NUMBERS, min_size=1, max_size=3).map(",".join),
)


@given(st.lists(_PARTS, min_size=4, max_size=6).map(" ".join))
def test_a_schedule_is_taken_just_where_a_cluster_takes_it(text: str) -> None:
    try:
        Schedule.parse(text)
    except ValueError:
        taken = False
    else:
        taken = True
    assert (wrong_with_schedule(text) is None) is taken


@pytest.mark.parametrize("text", [*MACROS, "@every 1h30m"])
def test_a_word_is_a_schedule(text: str) -> None:
    assert wrong_with_schedule(text) is None


@pytest.mark.parametrize("text", ["@nightly", "@every", "TZ=UTC * * * * *", "CRON_TZ=UTC 0 0 * * *", "", "0 0 * *"])
def test_no_other_text_is(text: str) -> None:
    assert wrong_with_schedule(text)


# --- disruption budgets


def warned(**part: Any) -> list[Issue]:
    return list(warnings_of(parse_application(app(web(**part)))))


@pytest.mark.parametrize(
    ("replicas", "pdb", "hpa", "never"),
    [
        (1, {"minAvailable": 1}, None, True),
        (2, {"minAvailable": 1}, None, False),
        (2, {"minAvailable": "51%"}, None, True),
        (2, {"minAvailable": "50%"}, None, False),
        (5, {"maxUnavailable": 0}, None, True),
        (5, {"maxUnavailable": "0%"}, None, True),
        (1, {"maxUnavailable": "1%"}, None, False),
        (0, {"minAvailable": 1}, None, False),
        ("auto", {"minAvailable": 1}, None, False),
        ("auto", {"minAvailable": "100%"}, None, True),
        (5, {"minAvailable": 1}, {"minReplicas": 1}, True),
        (1, {"minAvailable": 1}, {"minReplicas": 2}, False),
    ],
)
def test_a_budget_that_never_lets_a_pod_go_is_warned_of(
    replicas: int | str, pdb: Json, hpa: Json | None, never: bool
) -> None:
    traits: Json = {"pdb": pdb}
    if hpa is not None:
        traits["hpa"] = {"maxReplicas": 9, "metrics": [{"type": "Pods"}], **hpa}
    issues = warned(traits=traits, replicas=replicas)
    assert [(one.field, one.code) for one in issues] == (
        [(f"{C0}.traits.pdb", "DISRUPTION_BUDGET_NEVER_LETS_GO")] if never else []
    )


def test_an_autoscaler_without_a_pod_to_begin_with_is_warned_of() -> None:
    hpa = {"maxReplicas": 2, "metrics": [{"type": "Pods"}]}
    assert [one.field for one in warned(traits={"hpa": hpa}, replicas=0)] == [f"{C0}.replicas"]


# --- references


def test_a_peer_follows_the_new_name_of_its_component() -> None:
    database: Json = {"name": "db", "type": "store", "image": "db:1"}
    peers = [{"component": "db"}, {"namespace": "other"}]
    policy = {"ingress": [{"from": peers}], "egress": [{"to": peers}]}
    template = parse_application({**app(web({"networkPolicy": policy}), database), "tmpEnable": True})
    clone = parse_application(
        {"name": "copy", "component": [{"name": "mine", "template": {"id": "base"}}]},
        expand=lambda read: expand_templates(read, lambda _: template),
    )
    read = clone.component[0].traits.network_policy
    assert read is not None
    assert [peer.component for rule in read.ingress or () for peer in rule.from_] == ["mine-db", ""]
    assert [peer.component for rule in read.egress or () for peer in rule.to] == ["mine-db", ""]


@pytest.mark.parametrize("strategy", ["rolling", "canary", "blue-green"])
def test_policies_and_budgets_are_for_the_pods_of_a_new_version_too(strategy: str) -> None:
    """Those beside the others have another name in their labels, so that a Service can tell them apart."""
    policy = {"ingress": [{"from": [{"component": "web"}]}]}
    ingress = [{"ingressClassName": "nginx", "routes": [{"backend": {"serviceName": "web"}}]}]
    part = web({"pdb": {"maxUnavailable": 1}, "networkPolicy": policy, "ingress": ingress}, strategy=strategy)
    read = parse_application(app(part))
    made = [job.manifest for job in make_plan(read, render(read), read.steps()).jobs]
    pods = [one["spec"]["template"]["metadata"]["labels"] for one in made if one["kind"] == "Deployment"]
    (budget,) = [one["spec"]["selector"]["matchLabels"] for one in made if one["kind"] == "PodDisruptionBudget"]
    (rules,) = [one["spec"] for one in made if one["kind"] == "NetworkPolicy"]
    peer = rules["ingress"][0]["from"][0]["podSelector"]["matchLabels"]
    assert len(pods) == (1 if strategy == "rolling" else 2)
    for selector in (budget, rules["podSelector"]["matchLabels"], peer):
        assert all(selector.items() <= labels.items() for labels in pods)
