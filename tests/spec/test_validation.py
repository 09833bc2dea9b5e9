"""Each mistake: found at its place, under its code, together with all others."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubemin.spec.application import parse_application
from kubemin.spec.issues import MAX_ISSUES, Issue, IssueCode, SpecError
from kubemin.spec.limits import Grant, Limits
from kubemin.spec.workflow import parse_workflow

Json = dict[str, Any]


def issues(data: Any, limits: Limits | None = None) -> list[Issue]:
    """What is wrong with an application."""
    try:
        parse_application(data, limits)
    except SpecError as error:
        return list(error.issues)
    return []


def found(data: Any, limits: Limits | None = None) -> set[tuple[str, str]]:
    return {(issue.field, issue.code) for issue in issues(data, limits)}


def web(**fields: Any) -> Json:
    return {"name": "web", "type": "webservice", "image": "nginx:1", **fields}


def app(*components: Json, **fields: Any) -> Json:
    return {"name": "shop", "component": list(components or (web(),)), **fields}


def with_traits(**traits: Any) -> Json:
    return app(web(properties={"ports": [{"port": 80}]}, traits=traits))


def with_storage(**fields: Any) -> Json:
    return with_traits(storage=[{"name": "data", "type": "persistent", **fields}])


def with_probe(**fields: Any) -> Json:
    return with_traits(probes=[{"type": "liveness", "tcpSocket": {"port": 80}, **fields}])


def with_rule(**fields: Any) -> Json:
    return {"rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"], **fields}]}


def with_route(**fields: Any) -> Json:
    return with_traits(ingress=[{"routes": [{"backend": {"serviceName": "web"}, **fields}]}])


def config(conf: Json) -> Json:
    return app({"name": "conf", "type": "config", "properties": {"conf": conf}})


LONG = "x" * 64
C0 = "component[0]"
P0 = f"{C0}.properties"
T0 = f"{C0}.traits"

FORBIDDEN_RULES: tuple[Json, ...] = (
    {"resources": ["secrets"]},
    {"resources": ["pods", "*"]},
    {"verbs": ["get", "*"]},
    {"verbs": ["delete"]},
    {"resources": ["pods/exec"], "verbs": ["create"]},
    {"apiGroups": ["*"]},
    {"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["roles"]},
    {"resources": []},
)

MISTAKES: list[tuple[str, Json, str, IssueCode]] = [
    ("no name", {"component": [web()]}, "name", IssueCode.MISSING_REQUIRED_FIELD),
    ("short name", app(name="a"), "name", IssueCode.NAME_TOO_SHORT),
    ("long name", app(name=LONG), "name", IssueCode.NAME_TOO_LONG),
    ("bad name", app(name="my_shop"), "name", IssueCode.INVALID_NAME_FORMAT),
    ("a name with a dot", app(name="my.shop"), "name", IssueCode.INVALID_NAME_FORMAT),
    ("the id of another", app(id="k3u8m1n5a2p7p9i4d6x0q1w2"), "id", IssueCode.INVALID_FIELD_VALUE),
    ("bad namespace", app(namespace="A.b"), "namespace", IssueCode.INVALID_NAME_FORMAT),
    ("long alias", app(alias="x" * 256), "alias", IssueCode.INVALID_FIELD_VALUE),
    ("unknown field", app(colour="red"), "colour", IssueCode.UNKNOWN_FIELD),
    ("a list for text", app(project=["x"]), "project", IssueCode.INVALID_FIELD_VALUE),
    ("a NUL character", app(description="a\0b"), "description", IssueCode.INVALID_FIELD_VALUE),
    ("component without name", app({"type": "job", "image": "x"}), f"{C0}.name", IssueCode.MISSING_REQUIRED_FIELD),
    ("component with a long name", app(web(name=LONG)), f"{C0}.name", IssueCode.NAME_TOO_LONG),
    ("component with a bad name", app(web(name="Web")), f"{C0}.name", IssueCode.INVALID_NAME_FORMAT),
    ("one component twice", app(web(), web()), "component[1].name", IssueCode.DUPLICATE_COMPONENT),
    ("no type", app({"name": "web"}), f"{C0}.type", IssueCode.MISSING_REQUIRED_FIELD),
    ("unknown type", app(web(type="demon")), f"{C0}.type", IssueCode.INVALID_COMPONENT_TYPE),
    ("webservice without image", app({"name": "web", "type": "webservice"}), f"{C0}.image", IssueCode.MISSING_IMAGE),
    ("store without image", app({"name": "web", "type": "store"}), f"{C0}.image", IssueCode.MISSING_IMAGE),
    ("job without image", app({"name": "web", "type": "job"}), f"{C0}.image", IssueCode.MISSING_IMAGE),
    ("image with a blank", app(web(image="a b")), f"{C0}.image", IssueCode.INVALID_FIELD_VALUE),
    ("two images", app(web(properties={"image": "b:1"})), f"{P0}.image", IssueCode.INVALID_FIELD_VALUE),
    ("negative replicas", app(web(replicas=-1)), f"{C0}.replicas", IssueCode.INVALID_FIELD_VALUE),
    ("replicas as text", app(web(replicas="2")), f"{C0}.replicas", IssueCode.INVALID_FIELD_VALUE),
    ("replicas as a word", app(web(replicas="many")), f"{C0}.replicas", IssueCode.INVALID_FIELD_VALUE),
    ("replicas true", app(web(replicas=True)), f"{C0}.replicas", IssueCode.INVALID_FIELD_VALUE),
    ("huge replicas", app(web(replicas=2**31)), f"{C0}.replicas", IssueCode.INVALID_FIELD_VALUE),
    ("component namespace", app(web(namespace="x_y")), f"{C0}.namespace", IssueCode.INVALID_NAME_FORMAT),
    ("port 0", app(web(properties={"ports": [{"port": 0}]})), f"{P0}.ports[0].port", IssueCode.INVALID_FIELD_VALUE),
    (
        "port 65536",
        app(web(properties={"ports": [{"port": 65536}]})),
        f"{P0}.ports[0].port",
        IssueCode.INVALID_FIELD_VALUE,
    ),
    ("no port", app(web(properties={"ports": [{}]})), f"{P0}.ports[0].port", IssueCode.MISSING_REQUIRED_FIELD),
    (
        "one port twice",
        app(web(properties={"ports": [{"port": 80}, {"port": 80}]})),
        f"{P0}.ports[1].port",
        IssueCode.INVALID_FIELD_VALUE,
    ),
    ("bad variable", app(web(properties={"env": {"1A": ""}})), f"{P0}.env.1A", IssueCode.INVALID_NAME_FORMAT),
    ("a number as value", app(web(properties={"env": {"A": 8080}})), f"{P0}.env.A", IssueCode.INVALID_FIELD_VALUE),
    ("bad label key", app(web(properties={"labels": {"a b": "x"}})), f"{P0}.labels.a b", IssueCode.INVALID_NAME_FORMAT),
    ("bad label value", app(web(properties={"labels": {"a": "-x"}})), f"{P0}.labels.a", IssueCode.INVALID_NAME_FORMAT),
    ("long label value", app(web(properties={"labels": {"a": LONG}})), f"{P0}.labels.a", IssueCode.INVALID_NAME_FORMAT),
    *(
        (
            f"label {key}",
            app(web(properties={"labels": {key: "x"}})),
            f"{P0}.labels.{key}",
            IssueCode.INVALID_FIELD_VALUE,
        )
        for key in (
            "app.kubernetes.io/managed-by",
            "app.kubernetes.io/name",
            "app.kubernetes.io/part-of",
            "kubemin.io/app-id",
            "kubemin.io/component-id",
            "kubemin.io/task-id",
            "kube-min-cli",
            "kube-min-cli-appId",
            "kube-min-cli-componentId",
            "kube-min-cli-componentName",
            "kubemin-share-name",
            "pod-template-hash",
        )
    ),
    ("bad key", config({"a/b": ""}), f"{P0}.conf.a/b", IssueCode.INVALID_NAME_FORMAT),
    ("key ..", config({"..a": ""}), f"{P0}.conf...a", IssueCode.INVALID_NAME_FORMAT),
    ("too much data", config({"a": "x" * (1024 * 1024 + 1)}), f"{P0}.conf", IssueCode.INVALID_FIELD_VALUE),
    ("too many bytes", config({"a": "é" * (512 * 1024 + 1)}), f"{P0}.conf", IssueCode.INVALID_FIELD_VALUE),
    *(
        (f"URL {url}", config({"config.url": url}), f"{P0}.conf.config.url", IssueCode.INVALID_FIELD_VALUE)
        for url in (
            "ftp://example.org/x",
            "file:///etc/passwd",
            "http://",
            "example.org",
            "http://[::1",
            "http://example.org:99999/",
            "http://u:p@example.org/",
            "http://127.0.0.1/x",
            "http://10.1.2.3/x",
            "http://169.254.169.254/latest",
            "http://[fd00::1]/x",
            "http://localhost:8000/",
            "http://LOCALHOST./",
            "http://@example.org/",
            "http://127.1/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://0177.0.0.1/",
            "http://127.0.0.1./",
            "http://１２７.0.0.1/x",
            "http://127。0。0。1/x",
            "http://[::ffff:127.0.0.1]/",
            "http://[64:ff9b::7f00:1]/",
            "http://[2606:4700::1%25lo]/",
            "http://%31%32%37.0.0.1/",
            "http://100.64.0.1/",
            "http://224.0.0.1/",
        )
    ),
    (
        "bad file name",
        config({"config.url": "https://example.org", "config.fileName": "a/b"}),
        f"{P0}.conf.config.fileName",
        IssueCode.INVALID_NAME_FORMAT,
    ),
    (
        "file name taken",
        config({"config.url": "https://example.org", "config": "x"}),
        f"{P0}.conf.config",
        IssueCode.INVALID_FIELD_VALUE,
    ),
    (
        "bad secret key",
        app({"name": "s", "type": "secret", "properties": {"secret": {"a b": "x"}}}),
        f"{P0}.secret.a b",
        IssueCode.INVALID_NAME_FORMAT,
    ),
    ("storage without name", with_storage(name=""), f"{T0}.storage[0].name", IssueCode.MISSING_REQUIRED_FIELD),
    ("storage with a bad name", with_storage(name="a.b"), f"{T0}.storage[0].name", IssueCode.INVALID_NAME_FORMAT),
    ("storage of no type", with_storage(type=None), f"{T0}.storage[0].type", IssueCode.INVALID_STORAGE_TYPE),
    ("storage of unknown type", with_storage(type="disk"), f"{T0}.storage[0].type", IssueCode.INVALID_STORAGE_TYPE),
    (
        "host path",
        with_storage(type="host-mounted", hostPath="/x"),
        f"{T0}.storage[0].type",
        IssueCode.INVALID_STORAGE_TYPE,
    ),
    ("size in words", with_storage(size="big"), f"{T0}.storage[0].size", IssueCode.INVALID_STORAGE_SIZE),
    ("size 0", with_storage(size="0"), f"{T0}.storage[0].size", IssueCode.INVALID_STORAGE_SIZE),
    ("negative size", with_storage(size="-1Gi"), f"{T0}.storage[0].size", IssueCode.INVALID_STORAGE_SIZE),
    ("relative mount", with_storage(mountPath="data"), f"{T0}.storage[0].mountPath", IssueCode.INVALID_TRAIT_CONFIG),
    ("sub path upwards", with_storage(subPath="../x"), f"{T0}.storage[0].subPath", IssueCode.INVALID_TRAIT_CONFIG),
    ("bad claim", with_storage(claimName="A"), f"{T0}.storage[0].claimName", IssueCode.INVALID_NAME_FORMAT),
    ("bad class", with_storage(storageClass="a b"), f"{T0}.storage[0].storageClass", IssueCode.INVALID_NAME_FORMAT),
    ("unknown field of storage", with_storage(sized="1Gi"), f"{T0}.storage[0].sized", IssueCode.UNKNOWN_FIELD),
    ("storage as text", with_traits(storage="data"), f"{T0}.storage", IssueCode.INVALID_TRAIT_CONFIG),
    (
        "one volume twice",
        with_traits(
            storage=[{"name": "a", "type": "ephemeral"}, {"name": "a", "type": "ephemeral", "mountPath": "/b"}]
        ),
        f"{T0}.storage[1].name",
        IssueCode.DUPLICATE_OBJECT,
    ),
    (
        "one place twice",
        with_traits(
            storage=[{"name": n, "type": "ephemeral", "mountPath": "/a"} for n in "ab"],
        ),
        f"{T0}.storage[1].mountPath",
        IssueCode.INVALID_TRAIT_CONFIG,
    ),
    (
        "envFrom of unknown type",
        with_traits(envFrom=[{"type": "file", "sourceName": "a"}]),
        f"{T0}.envFrom[0].type",
        IssueCode.INVALID_ENV_FROM_TYPE,
    ),
    (
        "envFrom without source",
        with_traits(envFrom=[{"type": "config"}]),
        f"{T0}.envFrom[0].sourceName",
        IssueCode.MISSING_REQUIRED_FIELD,
    ),
    (
        "env without source",
        with_traits(envs=[{"name": "A"}]),
        f"{T0}.envs[0].valueFrom",
        IssueCode.INVALID_ENV_VALUE_SOURCE,
    ),
    (
        "env with two sources",
        with_traits(envs=[{"name": "A", "valueFrom": {"static": "", "field": "metadata.name"}}]),
        f"{T0}.envs[0].valueFrom",
        IssueCode.INVALID_ENV_VALUE_SOURCE,
    ),
    (
        "env from an unknown field",
        with_traits(envs=[{"name": "A", "valueFrom": {"field": "spec.containers"}}]),
        f"{T0}.envs[0].valueFrom.field",
        IssueCode.INVALID_ENV_VALUE_SOURCE,
    ),
    (
        "env from a secret without key",
        with_traits(envs=[{"name": "A", "valueFrom": {"secret": {"name": "a"}}}]),
        f"{T0}.envs[0].valueFrom.secret.key",
        IssueCode.MISSING_REQUIRED_FIELD,
    ),
    (
        "one variable twice",
        with_traits(envs=[{"name": "A", "valueFrom": {"static": x}} for x in "xy"]),
        f"{T0}.envs[1].name",
        IssueCode.INVALID_TRAIT_CONFIG,
    ),
    (
        "a variable in properties and traits",
        app(web(properties={"env": {"A": "1"}}, traits={"envs": [{"name": "A", "valueFrom": {"static": "2"}}]})),
        f"{T0}.envs[0].name",
        IssueCode.INVALID_TRAIT_CONFIG,
    ),
    ("cpu in words", with_traits(resources={"cpu": "much"}), f"{T0}.resources.cpu", IssueCode.INVALID_TRAIT_CONFIG),
    ("half a gpu", with_traits(resources={"gpu": "0.5"}), f"{T0}.resources.gpu", IssueCode.INVALID_TRAIT_CONFIG),
    ("probe of unknown type", with_probe(type="alive"), f"{T0}.probes[0].type", IssueCode.INVALID_PROBE_TYPE),
    ("probe without handler", with_probe(tcpSocket=None), f"{T0}.probes[0]", IssueCode.INVALID_PROBE_CONFIG),
    ("probe with two", with_probe(exec={"command": ["x"]}), f"{T0}.probes[0]", IssueCode.INVALID_PROBE_CONFIG),
    (
        "probe without command",
        with_probe(tcpSocket=None, exec={}),
        f"{T0}.probes[0].exec.command",
        IssueCode.INVALID_PROBE_CONFIG,
    ),
    (
        "probe without port",
        with_probe(tcpSocket=None, httpGet={"path": "/"}),
        f"{T0}.probes[0].httpGet.port",
        IssueCode.INVALID_PROBE_CONFIG,
    ),
    (
        "probe of period 0",
        with_probe(periodSeconds=0),
        f"{T0}.probes[0].periodSeconds",
        IssueCode.INVALID_PROBE_CONFIG,
    ),
    (
        "liveness that must succeed twice",
        with_probe(successThreshold=2),
        f"{T0}.probes[0].successThreshold",
        IssueCode.INVALID_PROBE_CONFIG,
    ),
    (
        "two probes of a type",
        with_traits(probes=[{"type": "startup", "tcpSocket": {"port": 1}}] * 2),
        f"{T0}.probes[1].type",
        IssueCode.INVALID_PROBE_CONFIG,
    ),
    ("rbac without rules", with_traits(rbac=[{}]), f"{T0}.rbac[0].rules", IssueCode.MISSING_RBAC_RULES),
    (
        "rbac without verbs",
        with_traits(rbac=[with_rule(verbs=[])]),
        f"{T0}.rbac[0].rules[0].verbs",
        IssueCode.MISSING_RBAC_VERBS,
    ),
    *(
        (
            f"rbac that grants {fields}",
            with_traits(rbac=[with_rule(**fields)]),
            f"{T0}.rbac[0].rules[0]",
            IssueCode.INVALID_TRAIT_CONFIG,
        )
        for fields in FORBIDDEN_RULES
    ),
    (
        "rbac cluster-wide",
        with_traits(rbac=[{**with_rule(), "clusterScope": True}]),
        f"{T0}.rbac[0].rules[0]",
        IssueCode.INVALID_TRAIT_CONFIG,
    ),
    (
        "rbac URLs in a namespace",
        with_traits(rbac=[with_rule(resources=[], nonResourceURLs=["/metrics"])]),
        f"{T0}.rbac[0].rules[0].nonResourceURLs",
        IssueCode.INVALID_TRAIT_CONFIG,
    ),
    (
        "rbac for everybody",
        with_traits(rbac=[{**with_rule(), "serviceAccount": "default"}]),
        f"{T0}.rbac[0].serviceAccount",
        IssueCode.INVALID_TRAIT_CONFIG,
    ),
    (
        "one role twice",
        with_traits(rbac=[with_rule(), {**with_rule(), "bindingName": "other"}]),
        f"{T0}.rbac[1]",
        IssueCode.DUPLICATE_OBJECT,
    ),
    (
        "one account, described differently",
        with_traits(
            rbac=[
                with_rule(),
                {**with_rule(), "roleName": "r", "bindingName": "b", "automountServiceAccountToken": False},
            ]
        ),
        f"{T0}.rbac[1]",
        IssueCode.INVALID_TRAIT_CONFIG,
    ),
    ("init without image", with_traits(init=[{}]), f"{T0}.init[0].properties.image", IssueCode.MISSING_IMAGE),
    ("sidecar without image", with_traits(sidecar=[{}]), f"{T0}.sidecar[0].image", IssueCode.MISSING_IMAGE),
    (
        "sidecar named as the component",
        with_traits(sidecar=[{"name": "web", "image": "x"}]),
        f"{T0}.sidecar[0].name",
        IssueCode.INVALID_TRAIT_CONFIG,
    ),
    (
        "init with probes",
        with_traits(init=[{"properties": {"image": "x"}, "traits": with_probe()["component"][0]["traits"]}]),
        f"{T0}.init[0].traits.probes",
        IssueCode.INVALID_PROBE_CONFIG,
    ),
    *(
        (
            f"{inner} inside {outer}",
            with_traits(**{outer: [{**image, "traits": {inner: [{}]}}]}),
            f"{T0}.{outer}[0].traits.{inner}",
            IssueCode.NESTED_TRAIT_FORBIDDEN,
        )
        for outer, image in (("init", {"properties": {"image": "x"}}), ("sidecar", {"image": "x"}))
        for inner in ("init", "sidecar", "rbac", "ingress", "share")
    ),
    (
        "a volume described twice",
        with_traits(
            storage=[{"name": "a", "type": "ephemeral"}],
            sidecar=[{"image": "x", "traits": {"storage": [{"name": "a", "type": "config"}]}}],
        ),
        f"{T0}.sidecar[0].traits.storage[0]",
        IssueCode.DUPLICATE_OBJECT,
    ),
    ("ingress without routes", with_traits(ingress=[{}]), f"{T0}.ingress[0].routes", IssueCode.MISSING_INGRESS_ROUTES),
    (
        "route to nowhere",
        with_traits(ingress=[{"routes": [{}]}]),
        f"{T0}.ingress[0].routes[0].backend.serviceName",
        IssueCode.MISSING_SERVICE_NAME,
    ),
    (
        "route to a component without ports",
        app(web(traits={"ingress": [{"routes": [{"backend": {"serviceName": "web"}}]}]})),
        f"{T0}.ingress[0].routes[0].backend.serviceName",
        IssueCode.INVALID_TRAIT_CONFIG,
    ),
    ("relative route", with_route(path="x"), f"{T0}.ingress[0].routes[0].path", IssueCode.INVALID_TRAIT_CONFIG),
    ("unclean route", with_route(path="/a/../b"), f"{T0}.ingress[0].routes[0].path", IssueCode.INVALID_TRAIT_CONFIG),
    ("path type", with_route(pathType="Regex"), f"{T0}.ingress[0].routes[0].pathType", IssueCode.INVALID_TRAIT_CONFIG),
    ("host", with_route(host="a_b"), f"{T0}.ingress[0].routes[0].host", IssueCode.INVALID_NAME_FORMAT),
    (
        "rewrite",
        with_route(rewrite={"type": "x"}),
        f"{T0}.ingress[0].routes[0].rewrite.type",
        IssueCode.INVALID_TRAIT_CONFIG,
    ),
    (
        "rewrite to nothing",
        with_route(rewrite={"type": "replace"}),
        f"{T0}.ingress[0].routes[0].rewrite.replacement",
        IssueCode.MISSING_REQUIRED_FIELD,
    ),
    (
        "service port",
        with_route(backend={"serviceName": "web", "servicePort": 0}),
        f"{T0}.ingress[0].routes[0].backend.servicePort",
        IssueCode.INVALID_TRAIT_CONFIG,
    ),
    (
        "two ingresses of one name",
        with_traits(ingress=[{"routes": [{"backend": {"serviceName": "web"}}]}] * 2),
        f"{T0}.ingress[1]",
        IssueCode.DUPLICATE_OBJECT,
    ),
    ("share", with_traits(share={"strategy": "x"}), f"{T0}.share.strategy", IssueCode.INVALID_TRAIT_CONFIG),
    (
        "storage on a config",
        app({"name": "c", "type": "config", "traits": {"storage": [{"name": "a", "type": "ephemeral"}]}}),
        f"{T0}.storage",
        IssueCode.INVALID_TRAIT_CONFIG,
    ),
    (
        "one claim for two components",
        app(
            web(name="a-b", traits={"storage": [{"name": "c", "type": "persistent", "create": True}]}),
            web(name="a", traits={"storage": [{"name": "b-c", "type": "persistent", "create": True}]}),
        ),
        "component[1].traits.storage[0]",
        IssueCode.DUPLICATE_OBJECT,
    ),
    (
        "Ingress of another component's name",
        app(
            web(properties={"ports": [{"port": 80}]}, traits=with_route()["component"][0]["traits"]),
            web(name="b", traits={"ingress": [{"name": "shop-web", "routes": [{"backend": {"serviceName": "web"}}]}]}),
        ),
        "component[1].traits.ingress[0]",
        IssueCode.DUPLICATE_OBJECT,
    ),
    (
        "a role of another component's name",
        app(
            web(traits={"rbac": [with_rule()]}),
            web(name="b", traits={"rbac": [{**with_rule(), "roleName": "shop-web"}]}),
        ),
        "component[1].traits.rbac[0]",
        IssueCode.DUPLICATE_OBJECT,
    ),
    ("a template", app({"name": "t", "template": {"id": "x"}}), f"{C0}.template", IssueCode.TEMPLATE_NOT_FOUND),
]


@pytest.mark.parametrize(("data", "field", "code"), [m[1:] for m in MISTAKES], ids=[m[0] for m in MISTAKES])
def test_mistake(data: Json, field: str, code: IssueCode) -> None:
    assert found(data) == {(field, code)}
    for issue in issues(data):
        assert issue.message.endswith((".", "?"))
        assert len(issue.message) > 20


def test_every_code_has_a_mistake() -> None:
    elsewhere = {
        IssueCode.DUPLICATE_WORKFLOW_STEP,  # test_workflow.py
        IssueCode.COMPONENT_NOT_FOUND,  # test_workflow.py
        IssueCode.TOO_MANY_COMPONENTS,
        IssueCode.NOT_ALLOWED,  # test_privileges.py
    }
    assert {code for *_, code in MISTAKES} | elsewhere == set(IssueCode)


@given(st.lists(st.sampled_from([m for m in MISTAKES if m[2].startswith("component[0]")]), min_size=2, max_size=5))
def test_all_mistakes_are_named_at_once(mistakes: list[tuple[str, Json, str, IssueCode]]) -> None:
    """Applications with one mistake each, put together: no mistake hides another."""
    components: list[Json] = []
    expected = {("bogus", IssueCode.UNKNOWN_FIELD)}
    for place, (_, data, field, code) in enumerate(mistakes):
        # Names differ, so that routes, roles and volumes of one do not concern another.
        renamed = json.dumps(data["component"][0]).replace('"web"', f'"web{place}"')
        components.append({"namespace": f"n{place}", **json.loads(renamed)})
        expected.add((field.replace("component[0]", f"component[{place}]"), code))
    assert expected <= found({"name": "shop", "component": components, "bogus": 1})


@pytest.mark.parametrize("adopt", ["yes", "true", 1, [True]])
def test_only_true_or_false_say_whether_a_component_adopts(adopt: object) -> None:
    data = app({"name": "settings", "type": "config", "adopt": adopt})
    assert (f"{C0}.adopt", IssueCode.INVALID_FIELD_VALUE) in found(data)


def test_a_value_of_the_wrong_type_hides_nothing() -> None:
    data = app({"name": 5, "type": "webservice", "replicas": "x", "properties": {"ports": [{"port": 0}, 7], "env": []}})
    assert found(data) == {
        (f"{C0}.name", IssueCode.INVALID_FIELD_VALUE),
        (f"{C0}.replicas", IssueCode.INVALID_FIELD_VALUE),
        (f"{P0}.ports[0].port", IssueCode.INVALID_FIELD_VALUE),
        (f"{P0}.ports[1]", IssueCode.INVALID_FIELD_VALUE),
        (f"{P0}.env", IssueCode.INVALID_FIELD_VALUE),
        (f"{C0}.image", IssueCode.MISSING_IMAGE),
    }


class _Untouched:
    """Fails whoever looks closer."""

    def __getattribute__(self, name: str) -> Any:
        raise AssertionError(name)


def test_too_many_components_are_refused_before_anything_else() -> None:
    many = [_Untouched() for _ in range(10_000)]
    assert found({"component": many}) == {("component", IssueCode.TOO_MANY_COMPONENTS)}
    assert found({"name": "x", "workflow": many}) == {("workflow", IssueCode.INVALID_FIELD_VALUE)}
    assert found(app(web(), web(name="b")), Limits(max_components=1)) == {("component", IssueCode.TOO_MANY_COMPONENTS)}


def test_there_is_an_end_to_the_list() -> None:
    assert len(issues(app(**{f"x{number}": 1 for number in range(5 * MAX_ISSUES)}))) == MAX_ISSUES


def test_known_extras_are_taken_and_unknown_ones_are_not() -> None:
    extras = {"id": 7, "expose": True, "alias": "x"}
    port = {"port": 80, **extras}
    data = app(
        web(
            **extras,
            properties={"ports": [port], **extras},
            traits={"storage": [{"name": "a", "type": "ephemeral", **extras}]},
        ),
        workflow=[{"name": "web", **extras}],
    )
    assert issues(data) == []


def test_null_and_empty_text_are_not_given() -> None:
    plain = parse_application(app(web()))
    empty = {"namespace": "", "template": None, "properties": None, "traits": {"storage": None, "share": None}}
    assert parse_application(app(web(**empty), namespace="", workflow=None, icon="")) == plain


def test_an_empty_value_of_a_variable_is_a_value() -> None:
    assert issues(with_traits(envs=[{"name": "A", "valueFrom": {"static": ""}}])) == []


def test_two_spellings_must_agree() -> None:
    assert issues(app(tmpEnable=True, tmp_enable=True)) == []
    assert found(app(tmpEnable=True, tmp_enable=False)) == {("tmp_enable", IssueCode.UNKNOWN_FIELD)}


def test_names_are_lower_cased() -> None:
    assert parse_application(app(name="My-Shop")).name == "my-shop"


def test_the_image_may_stand_in_the_properties() -> None:
    data = app({"name": "web", "type": "webservice", "properties": {"image": "nginx:1"}})
    assert parse_application(data) == parse_application(app())
    assert issues(app(web(properties={"image": "nginx:1"}))) == []


def test_an_init_container_mounts_a_volume_of_the_component() -> None:
    storage = {"name": "data", "type": "persistent", "create": True, "size": "5Gi"}
    again = {"name": "data", "type": "persistent", "mountPath": "/seed"}
    init = [{"properties": {"image": "x"}, "traits": {"storage": [again]}}]
    assert issues(with_traits(storage=[storage], init=init)) == []
    both = [{"properties": {"image": "x"}, "traits": {"storage": [storage]}}]
    assert issues(with_traits(storage=[storage], init=both)) == []


def test_limits_open_what_is_closed() -> None:
    host = with_storage(type="host-mounted", hostPath="/var/log")
    assert issues(host, Limits(allow_host_path=True)) == []
    assert issues(config({"config.url": "http://10.0.0.1/x"}), Limits(allow_private_urls=True)) == []
    everything = Grant(("*",), ("*",), ("*",), ("/metrics",))
    wide = Limits(rbac_namespaced=(everything,), rbac_cluster=(everything,))
    rules = with_rule(apiGroups=["*"], resources=["*"], verbs=["*"])["rules"]
    urls = {"nonResourceURLs": ["/metrics"], "verbs": ["get"]}
    assert issues(with_traits(rbac=[{"rules": rules}]), wide) == []
    assert issues(with_traits(rbac=[{"rules": [*rules, urls], "clusterScope": True}]), wide) == []


def test_messages_never_hold_values() -> None:
    """Values may be secrets, in whichever field a user put them by mistake."""
    data = app(
        {
            "name": "s",
            "type": "secret",
            "properties": {"secret": {"bad key": "hunter2", "n": ["hunter2"], "long": "hunter2" * 200_000}},
        },
        web(properties={"env": {"1": "hunter2", "B": {"hunter2": 1}}}, traits={"envs": ["hunter2"]}),
    )
    assert len(issues(data)) > 5
    assert not any("hunter2" in issue.message for issue in issues(data))


def test_one_sentence_for_all() -> None:
    with pytest.raises(SpecError, match=r'^The application name "a" is shorter than 2 characters\. \(and 1 more\)$'):
        parse_application(app(web(replicas=-1), name="a"))
    with pytest.raises(SpecError, match=r"characters\.$"):
        parse_application(app(name="a"))


def test_bulk_is_refused_before_it_is_read() -> None:
    flat = app(web(properties={"command": [0] * 200_000}))
    assert found(flat) == {("", IssueCode.INVALID_FIELD_VALUE)}
    deep: Any = {}
    for _ in range(100_000):
        deep = {"traits": deep}
    assert found(app(deep)) == {("", IssueCode.INVALID_FIELD_VALUE)}
    laughs: Any = "ha"
    for _ in range(20):
        laughs = [laughs] * 10
    assert found(app(laughs)) == {("", IssueCode.INVALID_FIELD_VALUE)}
    with pytest.raises(SpecError, match="more than 50,000 values"):
        parse_workflow([{"name": "a", "components": laughs}], [])


def test_many_mistakes_in_many_places_take_no_time_to_sort() -> None:
    """Each wrong value hides what follows from it: looked up, not searched."""
    many = {f"k{number}": number for number in range(20_000)}
    wrong = app(web(properties={"env": many}), *(web(name=f"N{number}") for number in range(400)))
    assert len(issues(wrong)) == MAX_ISSUES


@pytest.mark.parametrize("place", ["component", "key", "application"])
def test_a_name_may_be_long_and_no_mistake_repeats_all_of_it(place: str) -> None:
    """A thousand mistakes in an application of a megabyte are no gigabyte."""
    name = "n" * 200_000
    env = {f"{number} {name if place == 'key' else ''}"[:2000]: "x" for number in range(2 * MAX_ISSUES)}
    wrong = app(web(**({"name": name} if place == "component" else {}), properties={"env": env}))
    told = issues({**wrong, **({"name": name} if place == "application" else {})})
    assert len(told) == MAX_ISSUES
    assert sum(len(json.dumps(one.to_json())) for one in told) < 6_000_000
