"""What the chart makes, whatever it is told: Kubernetes knows it, it is `restricted`, and its parts fit together."""

import copy
import json
import math
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubemin import __version__
from kubemin.api.metrics import _gauges
from kubemin.settings import Settings
from kubemin.spec.limits import Limits
from kubemin.spec.pod_security import refused_of_spec
from kubemin.store.tasks import TaskCounts
from tests.docs.test_rbac import rules
from tests.render.schemas import VERSIONS, is_known
from tests.render.test_pod_security import beyond_restricted
from tests.render.test_schemas import all_wrong

pytest.importorskip("helm_python", reason="Helm comes for Linux on x86_64 only")

from tests.deploy.base import FOLDER, OF_HELM, files
from tests.deploy.chart import CHART, LEAST, Json, Refused, lint, objects_of, render, render_all, render_texts

SCHEMA = json.loads((CHART / "values.schema.json").read_text())
DEFAULTS = yaml.safe_load((CHART / "values.yaml").read_text())
_PEER = {"namespaceSelector": {"matchLabels": {"team": "a"}}}
ALL: Json = {
    "image": {"repository": "example.com/kubemin", "tag": "1", "pullPolicy": "Always"},
    "secretName": "shared",
    "settings": {
        "KUBEMIN_CLUSTERS": "{edge: {inCluster: true}, prod: {kubeconfig: /prod}}",
        "KUBEMIN_MAX_CONCURRENT_TASKS": 3000000,
        "KUBEMIN_REQUEST_TIMEOUT_SECONDS": 40.5,
    },
    "auth": {"secretName": "auth", "settings": {"KUBEMIN_MAX_BODY_BYTES": "9000"}},
    "volumes": [{"name": "ca", "configMap": {"name": "ca"}}],
    "volumeMounts": [{"name": "ca", "mountPath": "/ca", "readOnly": True}],
    "podSpec": {"nodeSelector": {"disk": "ssd"}, "imagePullSecrets": [{"name": "pull"}]},
    "podAnnotations": {"a": "b"},
    "listenAddress": "::",
    "api": {"rights": "read", "allowedHosts": ["kubemin.example"], "autoscaling": {"enabled": True}},
    "worker": {
        "serves": ["edge", "prod"],
        "drainSeconds": 100.5,
        "keda": {"enabled": True, "prometheus": "http://prometheus:9090"},
    },
    "rights": {
        "namespaces": False,
        "impersonation": {"enabled": True, "constrained": True, "users": ["ada"], "groups": ["dev", "ops"]},
    },
    "service": {"type": "LoadBalancer", "port": 8080, "annotations": {"a": "b"}},
    "ingress": {
        "enabled": True,
        "className": "nginx",
        "annotations": {"a": "b"},
        "hosts": ["kubemin.example", "deploy.example"],
        "tlsSecretName": "tls",
    },
    "networkPolicy": {
        "clients": [_PEER],
        "monitoring": [_PEER],
        "database": {"ports": [5433], "to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]},
        "redis": {"to": [_PEER]},
        "https": {"to": [{"ipBlock": {"cidr": "10.0.0.1/32"}}]},
        "extraEgress": [{"ports": [{"port": 8443}]}],
    },
    "monitoring": {"enabled": True, "labels": {"release": "prometheus"}},
}
"""Everything that can be turned on is."""
LITTLE: Json = {
    **LEAST,
    "migration": {"enabled": False},
    "networkPolicy": {"enabled": False},
    "rights": {"grants": False, "namespaces": False, "more": False},
}
"""Everything that can be turned off is."""
CASES = {"least": LEAST, "all": ALL, "little": LITTLE}


@pytest.fixture(scope="module")
def made() -> dict[str, list[Json]]:
    """The objects of each case."""
    answers = render_all(list(CASES.values()))
    return {name: answer for name, answer in zip(CASES, answers, strict=True) if not isinstance(answer, Refused)}


def templates(objects: list[Json]) -> Iterator[Json]:
    """The Pod templates."""
    yield from (one["spec"]["template"] for one in objects if one["kind"] in ("Deployment", "Job"))


def of(objects: list[Json], kind: str, name: str | None = None) -> list[Json]:
    return [one for one in objects if one["kind"] == kind and name in (None, one["metadata"]["name"])]


def test_helm_has_nothing_to_say() -> None:
    assert lint() == []


@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_knows_all_of_it(made: dict[str, list[Json]], version: str) -> None:
    assert made.keys() == CASES.keys()
    for objects in made.values():
        assert all_wrong(objects, version) == []
        assert {one["kind"] for one in objects if not is_known(one, version)} <= {
            "PodMonitor",
            "PrometheusRule",
            "ScaledObject",
        }


def test_alerts_are_those_of_the_file_and_what_the_operator_takes(made: dict[str, list[Json]]) -> None:
    """Its own objects have no published schema here: each field is one of its API's, and of the type that this has."""
    (rule,) = of(made["all"], "PrometheusRule")
    text = (CHART.parent / "monitoring" / "rules.yaml").read_text()
    assert rule["spec"] == yaml.safe_load(text)
    assert rule["spec"].keys() == {"groups"}
    for group in rule["spec"]["groups"]:
        assert group.keys() <= {"name", "interval", "rules"}
        for one in group["rules"]:
            assert {"alert", "expr", "labels", "annotations"} <= one.keys() <= {"for", *_ALERT}
            assert all(isinstance(one[name], kind) for name, kind in _ALERT.items())
            assert re.fullmatch(r"[0-9]+[smh]", one.get("for", "1m"))
            assert all(isinstance(value, str) for name in ("labels", "annotations") for value in one[name].values())
    (monitor,) = of(made["all"], "PodMonitor")
    assert monitor["metadata"]["labels"] == {**rule["metadata"]["labels"], "release": "prometheus"}
    assert monitor["spec"].keys() == {"selector", "podMetricsEndpoints"}
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    assert endpoint == {"port": "health", "path": "/metrics", "interval": "30s"}
    for case in ("least", "little"):
        assert {one["apiVersion"] for one in made[case]} & {rule["apiVersion"], "keda.sh/v1alpha1"} == set()


_ALERT = {"alert": str, "expr": str, "labels": dict, "annotations": dict}


def test_workers_are_as_many_as_the_tasks_of_their_clusters_need(made: dict[str, list[Json]]) -> None:
    (worker,) = of(made["all"], "Deployment", "kubemin-worker")
    assert list(settings_of(worker["spec"]["template"]["spec"]).served_clusters) == ["edge", "prod"]
    (api,) = of(made["all"], "Deployment", "kubemin-api")
    assert settings_of(api["spec"]["template"]["spec"]).serves == ""
    keda = {"enabled": True, "prometheus": "http://prometheus:9090"}
    queries = {
        (): "max(kubemin_queue_oldest_task_age_seconds)",
        ("edge",): 'max(kubemin_queue_oldest_task_age_by_cluster_seconds{cluster=~"edge"}) or vector(0)',
        ("a", "b"): 'max(kubemin_queue_oldest_task_age_by_cluster_seconds{cluster=~"a|b"}) or vector(0)',
    }
    answers = render_all([{**LEAST, "worker": {"serves": list(serves), "keda": keda}} for serves in queries])
    for answer, query in zip(answers, queries.values(), strict=True):
        assert isinstance(answer, list)
        (scaled,) = of(answer, "ScaledObject")
        (trigger,) = scaled["spec"]["triggers"]
        assert trigger["metadata"]["query"] == query
        assert set(re.findall(r"kubemin_\w+", query)) <= exported()
    own = render({**LEAST, "worker": {"serves": ["edge"], "keda": {**keda, "query": "up"}}})
    assert of(own, "ScaledObject")[0]["spec"]["triggers"][0]["metadata"]["query"] == "up"
    with pytest.raises(Refused, match="serves"):
        render({**LEAST, "worker": {"serves": ["Edge"]}})


def exported() -> set[str]:
    """The gauges that tell of the database."""
    empty = TaskCounts({}, {}, 0, {}, {}, 0, 0)
    return {family.name for family in _gauges(empty)}


def test_every_pod_is_restricted(made: dict[str, list[Json]]) -> None:
    for objects in made.values():
        for template in templates(objects):
            assert list(beyond_restricted(template)) == []
            assert list(refused_of_spec(template["spec"], Limits())) == []
            for container in template["spec"]["containers"]:
                assert container["securityContext"]["readOnlyRootFilesystem"] is True
                assert container["resources"]["requests"].keys() == {"cpu", "memory"}
                assert container["resources"]["limits"].keys() == {"memory"}


def test_what_one_object_says_of_another_is_so(made: dict[str, list[Json]]) -> None:
    """Selectors, targets, ports and accounts."""
    for objects in made.values():
        pods = [template["metadata"]["labels"] for template in templates(objects)]
        names = {(one["kind"], one["metadata"]["name"]) for one in objects}
        assert len(names) == len(objects)
        for one in objects:
            spec = one.get("spec", {})
            match one["kind"]:
                case "Deployment":
                    assert selects(spec["selector"]["matchLabels"], pods) == 1
                    assert spec["template"]["spec"]["serviceAccountName"] in {name for _, name in names}
                    (spread,) = spec["template"]["spec"]["topologySpreadConstraints"]
                    assert spread["labelSelector"] == spec["selector"]
                case "Service":
                    assert selects(spec["selector"], pods) == 1
                case "PodDisruptionBudget":
                    assert selects(spec["selector"]["matchLabels"], pods) == 1
                case "NetworkPolicy":
                    assert selects(spec["podSelector"]["matchLabels"], pods) == 1
                case "HorizontalPodAutoscaler" | "ScaledObject":
                    target = spec["scaleTargetRef"]["name"]
                    (deployment,) = of(objects, "Deployment", target)
                    assert "replicas" not in deployment["spec"]
                case "Ingress":
                    backends = [
                        path["backend"]["service"]["name"] for rule in spec["rules"] for path in rule["http"]["paths"]
                    ]
                    assert {("Service", name) for name in backends} <= names
                case "ClusterRoleBinding":
                    assert ("ClusterRole", one["roleRef"]["name"]) in names
                    assert {(each["kind"], each["name"]) for each in one["subjects"]} <= names
        ports = {
            port["name"]
            for template in templates(objects)
            for port in template["spec"]["containers"][0].get("ports", ())
        }
        assert ports == {"http", "health"}


def selects(selector: Mapping[str, str], pods: list[Mapping[str, str]]) -> int:
    return sum(selector.items() <= labels.items() for labels in pods)


def test_the_accounts_may_what_the_file_of_rights_says(made: dict[str, list[Json]]) -> None:
    for role in of(made["least"], "ClusterRole"):
        assert cells(role) == rules(role["metadata"]["name"])
        (binding,) = of(made["least"], "ClusterRoleBinding", role["metadata"]["name"])
        assert {one["name"] for one in binding["subjects"]} == {"kubemin-api", "kubemin-worker"}
    assert len(of(made["least"], "ClusterRole")) == 4
    assert [one["metadata"]["name"] for one in of(made["little"], "ClusterRole")] == ["kubemin"]


def test_an_api_that_may_read_only_has_one_role(made: dict[str, list[Json]]) -> None:
    bound = {
        one["roleRef"]["name"]
        for one in of(made["all"], "ClusterRoleBinding")
        if "kubemin-api" in {each["name"] for each in one["subjects"]}
    }
    assert bound == {"kubemin-read"}
    (role,) = of(made["all"], "ClusterRole", "kubemin-read")
    assert cells(role) == {one for one in rules("kubemin") if one[2] in ("get", "list", "watch")}


@pytest.mark.parametrize("constrained", [False, True])
def test_to_act_as_others_is_a_right_that_is_asked_for(made: dict[str, list[Json]], constrained: bool) -> None:
    assert not any(one["metadata"]["name"].endswith("impersonate") for one in made["least"])
    given = {"enabled": True, "constrained": constrained, "users": ["ada"], "groups": ["dev", "ops"]}
    objects = render({**LEAST, "rights": {"impersonation": given}})
    (role,) = of(objects, "ClusterRole", "kubemin-impersonate")
    (binding,) = of(objects, "ClusterRoleBinding", "kubemin-impersonate")
    assert {one["name"] for one in binding["subjects"]} == {"kubemin-api", "kubemin-worker"}
    file = CHART.parent / f"impersonation{'-constrained' if constrained else ''}.yaml"
    said, _ = yaml.safe_load_all(file.read_text())
    assert cells(role) == cells(said)
    names = {rule["resources"][0]: rule.get("resourceNames") for rule in role["rules"]}
    assert names == {"users": ["ada"], "groups": ["dev", "ops"], **({"*": None} if constrained else {})}
    assert not any("resourceNames" in rule for rule in said["rules"])


def cells(role: Json) -> set[tuple[str, str, str]]:
    return {
        (group, resource, verb)
        for rule in role.get("rules", ())
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def test_the_migration_has_no_right_at_all_and_only_the_database_s_address(made: dict[str, list[Json]]) -> None:
    (job,) = of(made["all"], "Job")
    pod = job["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert "serviceAccountName" not in pod
    (container,) = pod["containers"]
    assert [one["name"] for one in container["env"]] == ["KUBEMIN_DATABASE_URL"]
    assert "envFrom" not in container


def test_the_migration_may_reach_the_database_before_anything_else_is_there(made: dict[str, list[Json]]) -> None:
    """Also where a namespace allows nothing that no policy of it allows: its own comes first, as a hook too."""
    for case in ("least", "all"):
        (job,) = of(made[case], "Job")
        (policy,) = of(made[case], "NetworkPolicy", "kubemin-migration")
        hook, first = (one["metadata"]["annotations"] for one in (job, policy))
        assert first["helm.sh/hook"] == hook["helm.sh/hook"]
        assert int(first["helm.sh/hook-weight"]) < int(hook.get("helm.sh/hook-weight", 0))
        pod = job["spec"]["template"]["metadata"]["labels"]
        assert policy["spec"]["podSelector"]["matchLabels"].items() <= pod.items()


def test_a_node_can_be_drained_while_no_pod_is_ready(made: dict[str, list[Json]]) -> None:
    """As long as the database is away none is; a budget would then refuse each eviction."""
    for objects in made.values():
        budgets = of(objects, "PodDisruptionBudget")
        assert len(budgets) == 2
        assert {one["spec"]["unhealthyPodEvictionPolicy"] for one in budgets} == {"AlwaysAllow"}


def test_only_the_api_gets_what_authentication_needs(made: dict[str, list[Json]]) -> None:
    for deployment in of(made["all"], "Deployment"):
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        given = json.dumps([container["envFrom"], container["env"]])
        assert ('"auth"' in given, "MAX_BODY_BYTES" in given) == (
            (True, True) if container["name"] == "api" else (False, False)
        )


def test_a_worker_has_the_time_that_it_takes_to_hand_over(made: dict[str, list[Json]]) -> None:
    for objects in made.values():
        (worker,) = of(objects, "Deployment", "kubemin-worker")
        pod = worker["spec"]["template"]["spec"]
        settings = settings_of(pod)
        least = settings.drain_seconds + settings.request_timeout_seconds + 10
        assert pod["terminationGracePeriodSeconds"] >= math.ceil(least)


def settings_of(pod: Json) -> Settings:
    """The settings that a process reads from the environment that its container has, without its Secrets."""
    (container,) = pod["containers"]
    given = {one["name"].removeprefix("KUBEMIN_").lower(): one["value"] for one in container["env"]}
    assert given.keys() <= Settings.model_fields.keys()
    return Settings(**given)


def test_settings_reach_the_processes_as_they_were_written(made: dict[str, list[Json]]) -> None:
    for name in ("kubemin-api", "kubemin-worker"):
        (deployment,) = of(made["all"], "Deployment", name)
        pod = deployment["spec"]["template"]["spec"]
        settings = settings_of(pod)
        assert (settings.max_concurrent_tasks, settings.request_timeout_seconds) == (3_000_000, 40.5)
        assert (settings.metrics_host, settings.metrics_port) == ("::", 9090)
        assert pod["enableServiceLinks"] is False  # else a Service `kubemin` sets KUBEMIN_PORT to an URL
    (api,) = of(made["all"], "Deployment", "kubemin-api")
    settings = settings_of(api["spec"]["template"]["spec"])
    assert (settings.host, settings.port, settings.workers) == ("::", 8000, 0)
    assert settings.hosts == {
        "kubemin",
        "kubemin.kubemin",
        "kubemin.kubemin.svc",
        "kubemin.kubemin.svc.cluster.local",
        "kubemin.example",
        "deploy.example",
    }


def test_each_setting_can_be_given_but_those_that_the_chart_gives_itself() -> None:
    own = set(SCHEMA["properties"]["settings"]["propertyNames"]["not"]["enum"])
    every = {f"KUBEMIN_{name.upper()}" for name in Settings.model_fields}
    assert own <= every
    (answer,) = render_all([{**LEAST, "settings": dict.fromkeys(every - own, "1")}])
    assert isinstance(answer, list)
    refused = render_all([{**LEAST, place: setting} for place, setting in wrong_settings(own)])
    assert [one for one in refused if not isinstance(one, Refused)] == []


def wrong_settings(own: set[str]) -> Iterator[tuple[str, Json]]:
    for name in (*own, "MAX_CONCURRENT_TASKS", "kubemin_adopt"):
        yield "settings", {name: "1"}
        yield "auth", {"secretName": "auth", "settings": {name: "1"}}


def test_without_authentication_there_is_no_installation() -> None:
    without: list[Json] = [
        {},
        {"KUBEMIN_AUTH": "none"},
        {"KUBEMIN_OIDC_ISSUER": ""},
        {"KUBEMIN_PUBLIC_URL": "https://x"},
    ]
    for refused in render_all([{"auth": {"settings": settings}} for settings in without]):
        assert isinstance(refused, Refused)
        assert "auth: say who may use the API, by KUBEMIN_AUTH=token or KUBEMIN_OIDC_ISSUER" in str(refused)
    enough = [{"KUBEMIN_AUTH": "token"}, {"KUBEMIN_OIDC_ISSUER": "https://login.example"}]
    for made in render_all([{"auth": {"settings": settings}} for settings in enough]):
        assert isinstance(made, list)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"replicas": 2}, "replicas"),
        ({"api": {"replica": 2}}, "replica"),
        ({"secretName": ""}, "secretName"),
        ({"image": {"digest": "sha256:1"}}, "digest"),
        ({"ingress": {"enabled": True}}, "hosts"),
        ({"worker": {"keda": {"enabled": True}}}, "worker.keda.prometheus"),
        ({"worker": {"keda": {"enabled": True, "prometheus": "http://p", "minReplicas": 0}}}, "minReplicas"),
        ({"podSpec": {"hostNetwork": True}}, "hostNetwork"),
        ({"settings": {"KUBEMIN_PORT": 1}}, "KUBEMIN_PORT"),
    ],
)
def test_what_is_wrong_is_named(values: Json, said: str) -> None:
    with pytest.raises(Refused, match=said):
        render({**LEAST, **values})


def leaves(values: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The paths of all values that hold no further names."""
    if isinstance(values, dict) and values:
        for key, value in values.items():
            yield from leaves(value, (*path, key))
    else:
        yield path


def test_the_schema_has_the_values_that_there_are() -> None:
    def properties(schema: Json, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
        if not (inner := schema.get("properties")):
            yield path
        for name, one in (inner or {}).items():
            yield from properties(one, (*path, name)) if isinstance(one, dict) else [(*path, name)]

    known = set(properties(SCHEMA))
    given = set(leaves(DEFAULTS))
    beside = {("global",), *(path for path in known if path[0] == "podSpec" or path[-1] == "claims")}
    assert {path for path in known - beside if not any(each[: len(path)] == path for each in given)} == set()
    assert {
        path for path in given if not any(path[: len(each)] == each for each in known) and path != ("podSpec",)
    } == set()


_OTHER: Mapping[tuple[str, ...], Any] = {
    ("image", "pullPolicy"): "Never",
    ("image", "digest"): f"sha256:{'0' * 64}",
    ("listenAddress",): "0.0.0.0",
    ("api", "rights"): "all",
    ("api", "allowedHosts"): ["other.example"],
    ("service", "type"): "NodePort",
    ("podSpec",): {"priorityClassName": "high"},
    ("settings",): {"KUBEMIN_ADOPT": "true"},
    ("auth", "settings"): {"KUBEMIN_ADOPT": "true"},
    ("monitoring", "interval"): "5s",
    ("worker", "serves"): ["edge"],
}


def other(path: tuple[str, ...], value: Any) -> Any:
    """Another value for this place, that is accepted."""
    if path in _OTHER:
        return _OTHER[path]
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1
        case str():
            return f"{value}1"
        case list():
            return [*value, *(value or [{"ports": [{"port": 1}]}])] if path[-1] != "ports" else [*value, 1]
    return {"other": "1"}


def merged(under: Json, over: Json) -> Json:
    return {
        key: merged(under[key], over[key])
        if isinstance(under.get(key), dict) and key in over
        else over.get(key, under.get(key))
        for key in {**under, **over}
    }


def test_each_value_has_an_effect() -> None:
    """With all turned on, but for what excludes something else."""
    base = merged(DEFAULTS, ALL)
    places, asked = list[tuple[str, ...]](), list[Json]()
    for path in leaves(DEFAULTS):
        start = base
        if path in {("image", "tag"), ("api", "replicas"), ("worker", "replicas")}:
            start = merged(base, {"api": {"autoscaling": {"enabled": False}}, "worker": {"keda": {"enabled": False}}})
        changed = copy.deepcopy(start)
        inner = changed
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = other(path, inner[path[-1]])
        places.append(path)
        asked += [start, changed]
    answers = render_texts(asked)
    refused = [(place, one) for place, one in zip(places, answers[1::2], strict=True) if isinstance(one, Refused)]
    assert refused == []
    assert [place for place, one, two in zip(places, answers[::2], answers[1::2], strict=True) if one == two] == []


def test_chart_and_package_are_of_one_version() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert (chart["version"], chart["appVersion"]) == (__version__, __version__)


def test_the_kustomize_base_is_the_chart(made: dict[str, list[Json]]) -> None:
    written = files()
    assert {name: (FOLDER / name).read_text() for name in written} == written, "make base"
    kubectl = Path(sys.executable).with_name("kubectl")
    done = subprocess.run([kubectl, "kustomize", FOLDER], capture_output=True, text=True, timeout=60, check=True)
    objects = objects_of([done.stdout])
    (namespace,) = of(objects, "Namespace")
    assert {one["metadata"].get("namespace", "kubemin") for one in objects} == {namespace["metadata"]["name"]}
    assert sorted(map(plain, objects)) == sorted(map(plain, [namespace, *made["least"]]))


def plain(one: Json) -> str:
    """The object without what only Helm or only kustomize writes."""
    text = OF_HELM.sub("", yaml.safe_dump(one, sort_keys=True))
    return re.sub(r"^  namespace: kubemin\n", "", text, flags=re.MULTILINE)
