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
ROUTE: Json = {
    "via": "gateway",
    "hosts": ["shop.example", "*.shop.example"],
    "paths": [{"path": "/a", "pathType": "Exact", "port": 80}, {}],
    "port": 80,
    "parentRefs": [{"name": "public", "namespace": "gateways", "sectionName": "https", "port": 443}],
    "annotations": {"example.org/a": "b"},
}
INGRESS: Json = {
    "via": "ingress",
    "className": "nginx",
    "tls": [{"secretName": "shop-tls", "hosts": ["shop.example"]}],
}
EXTERNAL: Json = {
    "store": {"name": "vault", "kind": "ClusterSecretStore"},
    "refreshInterval": "1h30m",
    "data": {"PASSWORD": {"key": "shop/database", "property": "password", "version": "2"}},
    "dataFrom": [{"extract": {"key": "shop"}}],
}
TRAITS: Json = {
    "expose": ROUTE,
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


def login(**external: Any) -> Json:
    return {"name": "login", "type": "secret", "properties": {"external": {**EXTERNAL, **external}}}


ALL = app(web(TRAITS), cron(**RUNS), login(), web({"expose": INGRESS}, name="front"))


def test_all_of_it_is_taken_and_kept_as_it_was_written() -> None:
    read = parse_application(ALL)
    assert [one.field for one in warnings_of(read)] == ["component[3].traits.expose.tls[0].secretName"]
    assert Application.model_validate(read.dump()).dump() == read.dump()
    assert read.posted()["component"][0]["traits"] == TRAITS
    assert read.posted()["component"][1]["properties"] == RUNS
    assert read.posted()["component"][2]["properties"] == {"external": EXTERNAL}


AS_THEY_STAND = (
    *("dataFrom", "data", "annotations", "metrics", "behavior"),
    *("podSelector", "namespaceSelector", "ipBlock"),
)


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
E, X = f"{C0}.traits.expose", f"{C0}.properties.external"
NAME = IssueCode.INVALID_NAME_FORMAT


def route(**fields: Any) -> Json:
    return web({"expose": {**ROUTE, **fields}})


MISTAKES: list[tuple[Json, str, str]] = [
    (route(via=None), f"{E}.via", MISSING),
    (route(via="balancer"), f"{E}.via", WRONG),
    (route(hosts=["a_b"]), f"{E}.hosts[0]", NAME),
    (route(paths=["a"]), f"{E}.paths[0].path", WRONG),
    (route(paths=["/a//b"]), f"{E}.paths[0].path", WRONG),
    (route(paths=["/a;b"]), f"{E}.paths[0].path", WRONG),
    (route(paths=[{"pathType": "ImplementationSpecific"}]), f"{E}.paths[0].pathType", WRONG),
    (route(paths=[{"port": 81}]), f"{E}.paths[0].port", WRONG),
    (route(port=81), f"{E}.port", WRONG),
    (route(annotations={"kubemin.io/a": "b"}), f"{E}.annotations.kubemin.io/a", VALUE),
    (
        route(annotations={"a/snippet": "b"}),
        f"{E}.annotations.a/snippet",
        IssueCode.NOT_ALLOWED,
    ),
    (route(parentRefs=[]), f"{E}.parentRefs", MISSING),
    (route(parentRefs=[{"namespace": "a"}]), f"{E}.parentRefs[0].name", MISSING),
    (route(parentRefs=[{"name": "A"}]), f"{E}.parentRefs[0].name", NAME),
    (route(parentRefs=[{"name": "a", "namespace": "A"}]), f"{E}.parentRefs[0].namespace", NAME),
    (route(parentRefs=[{"name": "a", "sectionName": "A"}]), f"{E}.parentRefs[0].sectionName", NAME),
    (route(parentRefs=[{"name": "a", "port": 0}]), f"{E}.parentRefs[0].port", WRONG),
    (route(className="nginx"), f"{E}.className", WRONG),
    (route(tls=[{"secretName": "a"}]), f"{E}.tls", WRONG),
    (route(hosts=[f"h{number}.example" for number in range(17)]), f"{E}.hosts", WRONG),
    (route(paths=[f"/{number}" for number in range(17)]), f"{E}.paths", WRONG),
    (route(via="ingress"), f"{E}.parentRefs", WRONG),
    (web({"expose": {**INGRESS, "className": "A"}}), f"{E}.className", NAME),
    (web({"expose": {**INGRESS, "tls": [{"secretName": "A"}]}}), f"{E}.tls[0].secretName", NAME),
    (web({"expose": INGRESS}, properties={}), E, WRONG),
    (login(store={}), f"{X}.store.name", MISSING),
    (login(store={"name": "A"}), f"{X}.store.name", NAME),
    (login(store={"name": "a", "kind": "Vault"}), f"{X}.store.kind", VALUE),
    (login(refreshInterval="daily"), f"{X}.refreshInterval", VALUE),
    (login(data={}, dataFrom=[]), X, MISSING),
    (login(data={"a/b": {"key": "a"}}), f"{X}.data.a/b", NAME),
    (login(data={"a": {}}), f"{X}.data.a.key", MISSING),
    ({**login(), "properties": {"external": EXTERNAL, "secret": {"a": "b"}}}, X, VALUE),
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
    "expose": {"webservice", "store", "daemon"},
    "hpa": {"webservice", "store"},
    "pdb": {"webservice", "store"},
    "networkPolicy": {"webservice", "store", "daemon", "job", "cronjob"},
}


@pytest.mark.parametrize("kind", ["webservice", "store", "daemon", "job", "cronjob", "config", "secret"])
@pytest.mark.parametrize("trait", ABLE)
def test_a_trait_is_for_the_types_that_it_means_something_for(kind: str, trait: str) -> None:
    values = {**TRAITS, "networkPolicy": {"ingress": []}, "hpa": {"maxReplicas": 1, "metrics": [{"type": "Pods"}]}}
    part = {**cron(ports=[{"port": 80}]), "type": kind, "traits": {trait: values[trait]}}
    assert found(app(part)) == (set() if kind in ABLE[trait] else {(f"{C0}.traits.{trait}", WRONG)})


@pytest.mark.parametrize("trait", ABLE)
def test_no_container_of_a_component_can_have_it(trait: str) -> None:
    nested = {"sidecar": [{"image": "a:1", "traits": {trait: TRAITS[trait]}}]}
    assert found(app(web(nested))) == {(f"{C0}.traits.sidecar[0].traits.{trait}", IssueCode.NESTED_TRAIT_FORBIDDEN)}


@pytest.mark.parametrize(
    ("resources", "init", "enough"),
    [
        ({"cpu": "1"}, {}, True),
        ({"requests": {"cpu": "1"}}, {}, True),
        ({"limits": {"cpu": "1"}}, {}, True),
        ({"requests": {"memory": "1Gi"}}, {}, False),
        ({"cpu": "1"}, {"restartPolicy": "Always"}, False),
    ],
)
def test_an_autoscaler_by_use_needs_requests_of_each_container_that_runs_on(
    resources: Json, init: Json, enough: bool
) -> None:
    prepare = {"properties": {"image": "a:1", **init}}
    traits = {"hpa": {"maxReplicas": 2, "cpu": 70}, "resources": resources, "init": [prepare]}
    assert found(app(web(traits))) == (set() if enough else {(f"{H}.cpu", WRONG)})


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


@pytest.mark.parametrize("via", ["ingress", "gateway"])
def test_hosts_and_paths_are_the_same_by_an_ingress_and_by_a_gateway(via: str) -> None:
    """To change from the one to the other only what names the Ingress class or the Gateway changes."""
    hosts, paths = ["a.example", "*.b.example"], ["/", {"path": "/x", "pathType": "Exact"}]
    how = {"parentRefs": [{"name": "public"}]} if via == "gateway" else {}
    made = render(parse_application(app(web({"expose": {"via": via, "hosts": hosts, "paths": paths, **how}}))))
    (spec,) = [one.manifest["spec"] for one in made if one.manifest["kind"] in ("Ingress", "HTTPRoute")]
    if via == "gateway":
        found = {
            (host, rule["matches"][0]["path"]["value"], rule["backendRefs"][0]["name"], rule["backendRefs"][0]["port"])
            for host in spec["hostnames"]
            for rule in spec["rules"]
        }
    else:
        services = [
            (rule["host"], path["path"], path["backend"]["service"])
            for rule in spec["rules"]
            for path in rule["http"]["paths"]
        ]
        found = {(host, path, service["name"], service["port"]["number"]) for host, path, service in services}
    assert found == {(host, path, "shop-web", 80) for host in hosts for path in ("/", "/x")}


def test_an_ingress_and_an_expose_of_one_name_are_refused() -> None:
    """So that a change from the one to the other changes the Ingress, and no moment is without one."""
    routes = [{"backend": {"serviceName": "web"}}]
    traits = {"ingress": [{"routes": routes}], "expose": {"via": "ingress"}}
    assert found(app(web(traits))) == {(f"{C0}.traits.expose", IssueCode.DUPLICATE_OBJECT)}
    assert found(app(web({**traits, "ingress": [{"name": "more", "routes": routes}]}))) == set()


def test_a_secret_has_another_name_once_its_values_are_elsewhere() -> None:
    """So neither is ever deleted with the other: the operator owns the one, and the application the other."""
    reader = web({"envFrom": [{"type": "secret", "sourceName": "login"}]})
    plain = {"name": "login", "type": "secret", "properties": {"secret": {"a": "b"}}}

    def read(part: Json) -> str:
        made = [one.manifest for one in render(parse_application(app(part, reader)))]
        (deployment,) = [one for one in made if one["kind"] == "Deployment"]
        name: str = deployment["spec"]["template"]["spec"]["containers"][0]["envFrom"][0]["secretRef"]["name"]
        return name

    assert (read(plain), read(login())) == ("shop-login", "shop-login-external")
    assert found(app({**plain, "objectName": "a-external"}, {**login(), "name": "x", "objectName": "a"})) == {
        ("component[1]", IssueCode.DUPLICATE_OBJECT)
    }


def test_values_that_are_elsewhere_are_in_no_digest() -> None:
    reader = web({"envFrom": [{"type": "secret", "sourceName": "login"}]})
    made = [one.manifest for one in render(parse_application(app(login(), reader)), "key")]
    (deployment,) = [one for one in made if one["kind"] == "Deployment"]
    assert "annotations" not in deployment["spec"]["template"]["metadata"]


@pytest.mark.parametrize("resources", [{"cpu": 1}, {"requests": {"cpu": "50m"}}, {"limits": {"cpu": 2}}])
def test_an_autoscaler_goes_by_what_is_asked_for_however_that_is_said(resources: Json) -> None:
    """A limit alone is asked for too."""
    parse_application(app(web({"hpa": {"maxReplicas": 2, "cpu": 70}, "resources": resources})))
