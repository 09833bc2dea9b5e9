"""Fields of Pods, containers, ports and Services: known by name, checked at their place, and following the names."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from kubemin.render import references, render
from kubemin.spec.application import Application, parse_application
from kubemin.spec.draft_merge import with_what_is_stored
from kubemin.spec.issues import IssueCode, SpecError
from kubemin.spec.limits import Limits
from kubemin.spec.objects import ObjectRef
from kubemin.spec.templates import expand_templates

Json = dict[str, Any]
Place = tuple[str | int, ...]

GOLDEN = Path(__file__).parents[1] / "render" / "golden"
EVERYTHING: list[Json] = [
    yaml.safe_load((GOLDEN / f"{name}.in.yaml").read_text()) for name in ("pod-fields", "pod-fields-newer")
]
FREE = {"env", "labels", "annotations", "nodeSelector", "matchLabels", "requests", "limits", "secret"}
"""Maps with keys of the user's own."""
P0 = "component[0].properties"


def web(properties: Json | None = None, **fields: Any) -> Json:
    component = {"name": "web", "type": "webservice", "image": "web:1", "properties": properties or {}, **fields}
    return {"name": "shop", "component": [component]}


def traits(**given: Any) -> Json:
    return web({"ports": [{"port": 80}]}, traits=given)


def found(data: Json, **limits: Any) -> set[tuple[str, str]]:
    try:
        parse_application(data, Limits(**limits))
    except SpecError as error:
        return {(issue.field, issue.code) for issue in error.issues}
    return set()


def places(value: Any, place: Place = ()) -> Iterator[Place]:
    """Where objects are that have fields."""
    if isinstance(value, dict):
        if not (place and place[-1] in FREE):
            yield place
        for key, item in value.items():
            yield from places(item, (*place, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from places(item, (*place, index))


def path_of(place: Place) -> str:
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in place).removeprefix(".")


def at(data: Any, place: Place) -> Any:
    for key in place:
        data = data[key]
    return data


@pytest.mark.parametrize("number", range(len(EVERYTHING)))
def test_an_unknown_field_is_named_wherever_it_is(number: int) -> None:
    assert found(EVERYTHING[number]) == set()
    data = copy.deepcopy(EVERYTHING[number])
    everywhere = list(places(EVERYTHING[number]))
    for place in everywhere:
        at(data, place)["surprise"] = 1
    assert found(data) == {(path_of((*place, "surprise")), IssueCode.UNKNOWN_FIELD) for place in everywhere}


@given(st.data())
def test_what_is_given_arrives(draws: st.DataObject) -> None:
    """Any part of the fields, as a user would leave out the others."""
    data = copy.deepcopy(EVERYTHING[draws.draw(st.integers(0, 1))])
    component = next(part for part in data["component"] if part["name"] == "api")
    properties = component["properties"]
    for fields in (properties.get("pod", {}), properties.get("service", {})):
        for field in sorted(fields):
            if draws.draw(st.booleans()) and field not in ("type", "sessionAffinity", "dnsConfig"):
                del fields[field]
    made = {item.manifest["kind"]: item.manifest for item in render(parse_application(data)) if item.component == "api"}
    pod = made["Deployment"]["spec"]["template"]
    own = next(container for container in pod["spec"]["containers"] if container["name"] == "api")
    passed_on = {key: properties[key] for key in ("lifecycle", "securityContext", "workingDir") if key in properties}
    assert within(passed_on, own)
    meant = ("annotations", "imagePullSecrets", "serviceAccountName")
    assert within({key: value for key, value in properties["pod"].items() if key not in meant}, pod["spec"])
    if "service" in properties:
        service = {key: value for key, value in properties["service"].items() if key != "annotations"}
        assert within(service, made["Service"]["spec"])
        assert within({"ports": properties["ports"]}, made["Service"]["spec"])


def within(given: Any, made: Any) -> bool:
    """Whether ``made`` has all that is given, at its place; what is not there is false."""
    if isinstance(given, dict):
        return isinstance(made, dict) and all(within(value, made.get(key, False)) for key, value in given.items())
    if isinstance(given, list):
        return len(given) == len(made) and all(map(within, given, made))
    return bool(given == made)


SPREAD = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"}
HTTP = {"exec": {"command": ["true"]}, "httpGet": {"port": 80}}
WRONG: list[tuple[Json, str, str]] = [
    (web({"ports": [{"port": 80, "name": "Web"}]}), f"{P0}.ports[0].name", "INVALID_NAME_FORMAT"),
    (web({"ports": [{"port": 80}, {"port": 80, "protocol": "UDP"}]}), f"{P0}.ports[1].name", "INVALID_FIELD_VALUE"),
    (
        web({"ports": [{"port": 80, "name": "a"}, {"port": 81, "name": "a"}]}),
        f"{P0}.ports[1].name",
        "INVALID_FIELD_VALUE",
    ),
    (web({"ports": [{"port": 80, "targetPort": "http"}]}), f"{P0}.ports[0].targetPort", "INVALID_FIELD_VALUE"),
    (web({"ports": [{"port": 80, "targetPort": 70000}]}), f"{P0}.ports[0].targetPort", "INVALID_FIELD_VALUE"),
    (web({"ports": [{"port": 80, "protocol": "HTTP"}]}), f"{P0}.ports[0].protocol", "INVALID_FIELD_VALUE"),
    (web({"ports": [{"port": 80, "nodePort": 30000}]}), f"{P0}.ports[0].nodePort", "INVALID_FIELD_VALUE"),
    (web({"service": {"type": "NodePort"}}), f"{P0}.service", "INVALID_FIELD_VALUE"),
    *(
        (web({"ports": [{"port": 80}], "service": {"type": type_, field: value}}), f"{P0}.service.{field}", code)
        for type_, field, value, code in (
            ("ExternalName", "type", "ExternalName", "INVALID_FIELD_VALUE"),
            ("ClusterIP", "externalTrafficPolicy", "Local", "INVALID_FIELD_VALUE"),
            ("NodePort", "loadBalancerClass", "a/b", "INVALID_FIELD_VALUE"),
            ("LoadBalancer", "externalIPs", ["192.0.2.1"], "UNKNOWN_FIELD"),
            ("Headless", "sessionAffinity", "ClientIP", "INVALID_FIELD_VALUE"),
        )
    ),
    (
        web({"ports": [{"port": 80}], "service": {"type": "LoadBalancer", "loadBalancerSourceRanges": ["here"]}}),
        f"{P0}.service.loadBalancerSourceRanges[0]",
        "INVALID_FIELD_VALUE",
    ),
    (web({"lifecycle": {"preStop": HTTP}}), f"{P0}.lifecycle.preStop", "INVALID_FIELD_VALUE"),
    (
        web({"lifecycle": {"preStop": {"exec": {"command": ["x"]}, "tcpSocket": {"port": 1}}}}),
        f"{P0}.lifecycle.preStop.tcpSocket",
        "UNKNOWN_FIELD",
    ),
    (
        web({"lifecycle": {"preStop": {"sleep": {"seconds": 31}}}}),
        f"{P0}.lifecycle.preStop.sleep.seconds",
        "INVALID_FIELD_VALUE",
    ),
    (
        web({"lifecycle": {"postStart": {"httpGet": {"port": "http"}}}}),
        f"{P0}.lifecycle.postStart.httpGet.port",
        "INVALID_FIELD_VALUE",
    ),
    (web({"imagePullPolicy": "Sometimes"}), f"{P0}.imagePullPolicy", "INVALID_FIELD_VALUE"),
    (web({"pod": {"topologySpreadConstraints": [SPREAD, SPREAD]}}), f"{P0}.pod.topologySpreadConstraints[1]", ""),
    (web({"pod": {"imagePullSecrets": ["a", {"name": "a"}]}}), f"{P0}.pod.imagePullSecrets[1]", ""),
    (web({"pod": {"tolerations": [{"value": "x"}]}}), f"{P0}.pod.tolerations[0]", ""),
    (web({"pod": {"nodeSelector": {"a b": "c"}}}), f"{P0}.pod.nodeSelector.a b", ""),
    (web({"pod": {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {}}}}}), "", ""),
    (web({"pod": {"securityContext": {"runAsUser": -1}}}), f"{P0}.pod.securityContext.runAsUser", ""),
    (web({"pod": {"hostAliases": [{"ip": "here", "hostnames": []}]}}), f"{P0}.pod.hostAliases[0]", ""),
    (web({"pod": {"dnsPolicy": "None"}}), f"{P0}.pod.dnsConfig", "MISSING_REQUIRED_FIELD"),
    (web({"pod": {"topologySpreadConstraints": [{"maxSkew": 1}]}}), "", "MISSING_REQUIRED_FIELD"),
    (web({"pod": {"annotations": {"kubemin.io/x": "y"}}}), f"{P0}.pod.annotations.kubemin.io/x", ""),
    (
        traits(resources={"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}),
        "component[0].traits.resources.requests.cpu",
        "INVALID_TRAIT_CONFIG",
    ),
    (traits(resources={"cpu": "2", "limits": {"cpu": "1"}}), "component[0].traits.resources.limits.cpu", ""),
    (traits(resources={"limits": {"disk": "1"}}), "component[0].traits.resources.limits.disk", ""),
    (traits(resources={"requests": {"a/b": "1"}}), "component[0].traits.resources.requests.a/b", ""),
    (
        traits(probes=[{"type": "liveness", "tcpSocket": {"port": "http"}}]),
        "component[0].traits.probes[0].tcpSocket.port",
        "INVALID_PROBE_CONFIG",
    ),
    (traits(probes=[{"type": "liveness", "grpc": {"port": "http"}}]), "component[0].traits.probes[0].grpc.port", ""),
    (
        traits(probes=[{"type": "readiness", "grpc": {"port": 1}, "terminationGracePeriodSeconds": 1}]),
        "component[0].traits.probes[0].terminationGracePeriodSeconds",
        "",
    ),
    (
        traits(sidecar=[{"image": "x", "traits": {"probes": [{"type": "liveness", "tcpSocket": {"port": "web-80"}}]}}]),
        "component[0].traits.sidecar[0].traits.probes[0].tcpSocket.port",
        "INVALID_PROBE_CONFIG",
    ),
    (
        traits(init=[{"properties": {"image": "x", "lifecycle": {"preStop": {"exec": {"command": ["x"]}}}}}]),
        "component[0].traits.init[0].properties.lifecycle",
        "",
    ),
]


@pytest.mark.parametrize(
    ("data", "field", "code"), WRONG, ids=[field or str(n) for n, (_, field, _) in enumerate(WRONG)]
)
def test_what_is_wrong_is_said_at_its_field(data: Json, field: str, code: str) -> None:
    issues = found(data)
    assert issues
    assert {one for one, _ in issues} == {field} or not field
    assert {one for _, one in issues} == {code} or not code


# what leads out of the Pod

HOST = {"httpGet": {"port": 80, "host": "169.254.169.254"}}
CONTEXT: list[tuple[Json, str, str]] = [
    ({"seLinuxOptions": {"type": "spc_t"}}, "seLinuxOptions.type", "seLinuxOptions"),
    ({"seLinuxOptions": {"user": "root"}}, "seLinuxOptions.user", "seLinuxOptions"),
    ({"seccompProfile": {"type": "Unconfined"}}, "seccompProfile.type", "seccompProfile"),
    ({"appArmorProfile": {"type": "Unconfined"}}, "appArmorProfile.type", "appArmorProfile"),
    ({"windowsOptions": {"hostProcess": True}}, "windowsOptions.hostProcess", "hostProcess"),
]
CONTAINER: list[tuple[Json, str, str]] = [
    *CONTEXT,
    ({"privileged": True}, "privileged", "privileged"),
    ({"capabilities": {"add": ["CHOWN", "NET_ADMIN"]}}, "capabilities.add[1]", "capabilities.NET_*"),
    ({"procMount": "Unmasked"}, "procMount", "procMount"),
]
APP_ARMOR = "container.apparmor.security.beta.kubernetes.io/web"
BEYOND: list[tuple[Json, str, str, str]] = [
    *((web({"pod": {"securityContext": one}}), f"pod.securityContext.{path}", word, "") for one, path, word in CONTEXT),
    *((web({"securityContext": one}), f"securityContext.{path}", word, "") for one, path, word in CONTAINER),
    *((web({"pod": {name: True}}), f"pod.{name}", name, "") for name in ("hostNetwork", "hostPID", "hostIPC")),
    (
        web({"pod": {"securityContext": {"sysctls": [{"name": "kernel.msgmax", "value": "1"}]}}}),
        "pod.securityContext.sysctls[0].name",
        "sysctls.kernel.*",
        "",
    ),
    (web({"ports": [{"port": 80, "hostPort": 80}]}), "ports[0].hostPort", "hostPort", ""),
    (web({"pod": {"annotations": {APP_ARMOR: "unconfined"}}}), f"pod.annotations.{APP_ARMOR}", "appArmorProfile", ""),
    (web({"lifecycle": {"preStop": HOST}}), "lifecycle.preStop.httpGet.host", "169.*", "allow_probe_hosts"),
    (
        web({"pod": {"annotations": {"iam.amazonaws.com/role": "admin"}}}),
        "pod.annotations.iam.amazonaws.com/role",
        "iam.amazonaws.com/*",
        "allow_annotations",
    ),
    (web({"pod": {"serviceAccountName": "other"}}), "pod.serviceAccountName", "oth*", "allow_service_accounts"),
]


@pytest.mark.parametrize(("data", "field", "word", "setting"), BEYOND, ids=[field for _, field, *_ in BEYOND])
def test_what_leads_out_of_the_pod_needs_permission(data: Json, field: str, word: str, setting: str) -> None:
    """In a component, and in the same Pod as a manifest, at the same field."""
    permission: Json = {setting or "allow_privileged": word}
    assert found(data) == {(f"{P0}.{field}", IssueCode.NOT_ALLOWED)}
    assert found(data, **permission) == set()
    manifests = [item.manifest for item in render(parse_application(data, Limits(**permission)))]
    for one in manifests:
        one["metadata"] = {"name": one["metadata"]["name"]}
    same = {"name": "shop", "component": [{"name": "all", "type": "manifests", "properties": {"manifests": manifests}}]}
    [(place, code)] = found(same)
    assert code == IssueCode.NOT_ALLOWED
    assert place.endswith(field.removeprefix("pod.").removeprefix("annotations"))
    assert ".spec.template." in place
    assert found(same, **permission) == set()


POD = {"containers": [{"name": "c", "image": "c:1", "securityContext": {"privileged": True}}]}
KINDS: list[Json] = [
    {"apiVersion": "v1", "kind": "ReplicationController", "spec": {"template": {"spec": POD}}},
    {"apiVersion": "batch/v1", "kind": "CronJob", "spec": {"jobTemplate": {"spec": {"template": {"spec": POD}}}}},
    {"apiVersion": "example.org/v1", "kind": "Rollout", "spec": {"template": {"spec": POD}}},
]


@pytest.mark.parametrize("manifest", KINDS, ids=[one["kind"] for one in KINDS])
def test_the_kind_of_a_manifest_hides_nothing(manifest: Json) -> None:
    data = _manifests({**manifest, "metadata": {"name": "one"}})
    [(field, code)] = found(data)
    assert (field.rpartition(".containers")[2], code) == ("[0].securityContext.privileged", IssueCode.NOT_ALLOWED)


def test_manifests_run_under_accounts_that_the_application_makes() -> None:
    def job(account: str) -> Json:
        pod = {"containers": [{"name": "c", "image": "c:1"}], "serviceAccountName": account}
        spec = {"template": {"spec": pod}}
        return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j"}, "spec": spec}

    mine = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "mine"}}
    assert found(_manifests(job("mine"), mine)) == set()
    assert found(_manifests(job("default"))) == set()
    elsewhere = {**mine, "metadata": {"name": "mine", "namespace": "other"}}
    here = f"{P0}.manifests[0]"
    field = f"{here}.spec.template.spec.serviceAccountName"
    assert found(_manifests(job("mine"), elsewhere)) == {(field, IssueCode.NOT_ALLOWED)}
    token = {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/service-account-token",
        "metadata": {"name": "t", "annotations": {"kubernetes.io/service-account.name": "theirs"}},
    }
    assert found(_manifests(token)) == {(f"{here}.metadata.annotations", IssueCode.NOT_ALLOWED)}
    assert found(_manifests(token), allow_service_accounts="theirs") == set()


def _manifests(*manifests: Json) -> Json:
    part = {"name": "all", "type": "manifests", "properties": {"manifests": list(manifests)}}
    return {"name": "shop", "component": [part]}


# what names mean

PULL = {"secretType": "kubernetes.io/dockerconfigjson", "secret": {".dockerconfigjson": "{}"}}
RULES = [{"rules": [{"resources": ["pods"], "verbs": ["get"]}]}]


def pulling(**pod: Any) -> Json:
    registry = {"name": "registry", "type": "secret", "properties": PULL}
    return {"name": "shop", "component": [registry, web({"pod": pod})["component"][0]]}


def pods(application: Application) -> Iterator[Json]:
    for item in render(application):
        if item.manifest["kind"] == "Deployment":
            yield item.manifest


def test_a_secret_to_pull_images_comes_first_and_replaces_no_pods() -> None:
    data = pulling(imagePullSecrets=["registry", {"name": "theirs"}])
    [first] = pods(parse_application(data))
    assert first["spec"]["template"]["spec"]["imagePullSecrets"] == [{"name": "shop-registry"}, {"name": "theirs"}]
    assert references(first) == {ObjectRef("Secret", "default", name) for name in ("shop-registry", "theirs")}
    changed = copy.deepcopy(data)
    changed["component"][0]["properties"]["secret"][".dockerconfigjson"] = '{"auths": {}}'
    key = "key"
    assert [render(parse_application(one), key)[-1].manifest for one in (data, changed)] == [first, first]
    late = [{"name": "web"}, {"name": "registry"}]
    assert found({**data, "workflow": late}) == {("workflow[0].name", IssueCode.INVALID_FIELD_VALUE)}


def test_a_secret_that_pulls_no_images_is_refused() -> None:
    data = pulling(imagePullSecrets=["registry"])
    data["component"][0]["properties"] = {"secret": {"a": "b"}}
    field = "component[1].properties.pod.imagePullSecrets[0]"
    assert found(data) == {(field, IssueCode.INVALID_FIELD_VALUE)}


@pytest.mark.parametrize(
    ("type_", "secret", "code"),
    [
        ("kubernetes.io/tls", {"tls.crt": "x"}, IssueCode.INVALID_FIELD_VALUE),
        ("kubernetes.io/service-account-token", {}, IssueCode.NOT_ALLOWED),
        ("a b", {}, IssueCode.INVALID_NAME_FORMAT),
        ("kubernetes.io/basic-auth", {"password": "x"}, None),
        ("example.org/mine", {}, None),
    ],
)
def test_the_type_of_a_secret(type_: str, secret: Json, code: IssueCode | None) -> None:
    part = {"name": "s", "type": "secret", "properties": {"secretType": type_, "secret": secret}}
    data = {"name": "shop", "component": [part]}
    assert found(data) == ({(f"{P0}.secretType", code)} if code else set())
    if code is None:
        assert render(parse_application(data))[0].manifest["type"] == type_


@pytest.mark.parametrize("account", ["", "runner"])
def test_a_clone_has_names_of_its_own(account: str) -> None:
    """Whether the account is meant by its component, or by the name that the file gives it."""
    data = pulling(imagePullSecrets=["registry"], serviceAccountName=account or "base")
    rbac = [{**RULES[0], **({"serviceAccount": account} if account else {})}]
    base = {"name": "base", "type": "job", "image": "b:1", "traits": {"rbac": rbac}}
    template = parse_application({**data, "component": [*data["component"], base], "tmpEnable": True})
    entry = {"name": "mine", "template": {"id": "x"}, "properties": {"secret": PULL["secret"]}}
    clone = parse_application(
        {"name": "copy", "component": [entry]}, expand=lambda read: expand_templates(read, lambda _: template)
    )
    [pod] = pods(clone)
    made = {(item.manifest["kind"], item.manifest["metadata"]["name"]) for item in render(clone)}
    spec = pod["spec"]["template"]["spec"]
    assert ("ServiceAccount", spec["serviceAccountName"]) in made
    assert {("Secret", one["name"]) for one in spec["imagePullSecrets"]} <= made


def test_a_draft_of_the_console_loses_none_of_it() -> None:
    stored = parse_application(EVERYTHING[0])
    shown = copy.deepcopy(EVERYTHING[0])
    for part in shown["component"]:
        properties = part.get("properties", {})
        kept = {field: properties[field] for field in ("command", "secret") if field in properties}
        ports = [{"port": port["port"]} for port in properties.get("ports", ())]
        part["properties"] = {**kept, **({"ports": ports} if ports else {})}
        part.pop("traits", None)
    known = {part.name: part for part in stored.component}
    saved = parse_application(shown, complete=lambda sent: with_what_is_stored(sent, known))
    assert [part.properties for part in saved.component] == [part.properties for part in stored.component]
