"""What reaches beyond an application is refused at its field, and allowed where a setting names it."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from kubemin.render import render
from kubemin.spec.application import parse_application
from kubemin.spec.issues import IssueCode, SpecError
from kubemin.spec.limits import Limits, LimitSettings
from kubemin.spec.privileges import PLATFORM_NAMES
from tests.spec.strategies import application_data, labels_

Json = dict[str, Any]

RULES = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]
T0 = "component[0].traits"
SNIPPET = "nginx.ingress.kubernetes.io/configuration-snippet"
NGINX = "nginx.ingress.kubernetes.io"
ROLE = "eks.amazonaws.com/role-arn"


def web(traits: Json | None = None, **fields: Any) -> Json:
    return {"name": "web", "type": "webservice", "image": "nginx", "traits": traits or {}, **fields}


def app(component: Json | None = None, **fields: Any) -> Json:
    return {"name": "shop", "component": [component or web()], **fields}


def rbac(**fields: Any) -> Json:
    return app(web({"rbac": [{"rules": RULES, **fields}]}))


def ingress(**fields: Any) -> Json:
    return app(web({"ingress": [{"routes": [{"backend": {"serviceName": "other"}}], **fields}]}))


def annotated(key: str, value: str = "x") -> Json:
    return ingress(annotations={key: value})


def routed(**fields: Any) -> Json:
    return ingress(routes=[{"backend": {"serviceName": "other"}, **fields}])


def probed(**fields: Any) -> Json:
    return app(web({"probes": [{"type": "liveness", **fields}]}))


def found(data: Json, **limits: Any) -> set[tuple[str, str]]:
    try:
        parse_application(data, Limits(**limits))
    except SpecError as error:
        return {(issue.field, issue.code) for issue in error.issues}
    return set()


A0 = f"{T0}.ingress[0].annotations"
S0 = f"{T0}.rbac[0].serviceAccountAnnotations"
HTTP = {"httpGet": {"port": 80, "host": "169.254.169.254"}}
SIDECAR = {"image": "x", "traits": {"probes": [{"type": "liveness", **HTTP}]}}

REFUSED: list[tuple[Json, str, Json]] = [
    (app(namespace="kube-system"), "namespace", {"allow_namespaces": "kube-system"}),
    (app(namespace="kube-node-lease"), "namespace", {"allow_namespaces": "kube-public, kube-n*"}),
    (app(namespace="kubemin"), "namespace", {"own_namespace": "other"}),
    (app(web(namespace="kube-public")), "component[0].namespace", {"allow_namespaces": "kube-public"}),
    (rbac(namespace="kube-system"), f"{T0}.rbac[0].namespace", {"allow_rbac_namespaces": "kube-system"}),
    (rbac(namespace="other"), f"{T0}.rbac[0].namespace", {"allow_rbac_namespaces": "other"}),
    (rbac(serviceAccount="kubemin"), f"{T0}.rbac[0].serviceAccount", {"allow_rbac_names": "kubemin"}),
    (rbac(roleName="kubemin-grants"), f"{T0}.rbac[0].roleName", {"allow_rbac_names": "kubemin-grants"}),
    (rbac(bindingName="kubemin"), f"{T0}.rbac[0].bindingName", {"allow_rbac_names": "kubemin"}),
    (rbac(serviceAccountAnnotations={ROLE: "arn:x"}), f"{S0}.{ROLE}", {"allow_annotations": ROLE}),
    (
        rbac(serviceAccountAnnotations={"iam.gke.io/gcp-service-account": "a@b"}),
        f"{S0}.iam.gke.io/gcp-service-account",
        {"allow_annotations": "iam.gke.io/*"},
    ),
    (
        rbac(serviceAccountLabels={"azure.workload.identity/use": "true"}),
        f"{T0}.rbac[0].serviceAccountLabels.azure.workload.identity/use",
        {"allow_annotations": "azure.workload.identity/use"},
    ),
    (
        rbac(roleLabels={"rbac.authorization.k8s.io/aggregate-to-admin": "true"}),
        f"{T0}.rbac[0].roleLabels.rbac.authorization.k8s.io/aggregate-to-admin",
        {"allow_annotations": "rbac.authorization.k8s.io/aggregate-to-*"},
    ),
    (
        app(web(properties={"labels": {"aadpodidbinding": "x"}})),
        "component[0].properties.labels.aadpodidbinding",
        {"allow_annotations": "aadpodidbinding"},
    ),
    *(
        (annotated(key, value), f"{A0}.{key}", {"allow_annotations": key})
        for key, value in (
            (SNIPPET, "x"),
            (f"{NGINX}/auth-snippet", "x"),
            (f"{NGINX}/Server-Snippet", "x"),
            ("getambassador.io/config", "x"),
            ("vault.security.banzaicloud.io/vault-role", "x"),
            ("nginx.org/location-snippets", "x"),
            ("haproxy.org/backend-config-snippet", "x"),
            ("haproxy-ingress.github.io/config-backend", "x"),
            ("iam.amazonaws.com/role", "admin"),
            (f"{NGINX}/auth-url", "http://x/#;}}}\n"),
            (f"{NGINX}/auth-tls-match-cn", "CN=x }"),
            ("example.org/note", "two\nlines"),
            ("example.org/note", "a\u202eb"),
            (f"{NGINX}/auth-tls-secret", "kube-system/ca"),
            (f"{NGINX}/fastcgi-params-configmap", "other/x"),
            ("traefik.ingress.kubernetes.io/router.middlewares", "default-a@kubernetescrd,other-b@kubernetescrd"),
        )
    ),
    (probed(**HTTP), f"{T0}.probes[0].httpGet.host", {"allow_probe_hosts": "169.254.169.254"}),
    (
        probed(tcpSocket={"port": 1, "host": "db.example"}),
        f"{T0}.probes[0].tcpSocket.host",
        {"allow_probe_hosts": "*.example"},
    ),
    (
        app(web({"sidecar": [SIDECAR]})),
        f"{T0}.sidecar[0].traits.probes[0].httpGet.host",
        {"allow_probe_hosts": "*"},
    ),
]


@pytest.mark.parametrize(("data", "field", "allowing"), REFUSED)
def test_it_is_refused_at_its_field_and_allowed_by_name(data: Json, field: str, allowing: Json) -> None:
    assert found(data) == {(field, IssueCode.NOT_ALLOWED)}
    assert found(data, **dict.fromkeys(allowing, "something-else")) >= {(field, IssueCode.NOT_ALLOWED)} or (
        "own_namespace" in allowing
    )
    assert found(data, **allowing) == set()


@pytest.mark.parametrize(("data", "field", "allowing"), REFUSED)
def test_the_message_names_the_setting_that_would_allow_it(data: Json, field: str, allowing: Json) -> None:
    with pytest.raises(SpecError) as caught:
        parse_application(data)
    named = {f"KUBEMIN_{name.upper()}" for name in LimitSettings.model_fields if name.startswith("allow_")}
    (issue,) = caught.value.issues
    (mentioned,) = [name for name in named if name in issue.message.replace(";", " ").split()]
    assert "own_namespace" in allowing or mentioned == f"KUBEMIN_{next(iter(allowing)).upper()}"
    assert issue.field == field


def test_namespaces_can_be_reserved_by_a_setting() -> None:
    assert found(app(namespace="team-a"), reserved_namespaces="ops, team-*") == {("namespace", IssueCode.NOT_ALLOWED)}
    assert found(app(namespace="team-a"), reserved_namespaces="team-*", allow_namespaces="team-a") == set()


def test_force_in_a_reserved_namespace_needs_a_permission_of_its_own() -> None:
    coredns = {"name": "coredns", "type": "config", "properties": {"conf": {"a": "b"}}}
    data = app({**coredns, "traits": {"share": {"strategy": "force"}}}, namespace="kube-system")
    refused = (f"{T0}.share.strategy", IssueCode.NOT_ALLOWED)
    assert found(data) == {("namespace", IssueCode.NOT_ALLOWED), refused}
    assert found(data, allow_namespaces="kube-system") == {refused}
    assert found(data, allow_namespaces="kube-system", allow_force_namespaces="kube-system") == set()


def test_cluster_roles_of_kubernetes_are_not_bound() -> None:
    grants = {"rbac_cluster": Limits().rbac_namespaced}
    data = rbac(roleName="view", clusterScope=True)
    assert found(data, **grants) == {(f"{T0}.rbac[0].roleName", IssueCode.NOT_ALLOWED)}
    assert found(data, **grants, allow_rbac_names="view") == set()
    assert found(rbac(roleName="view")) == set()


@pytest.mark.parametrize(
    "data",
    [
        app(namespace="default"),
        rbac(namespace="default"),
        app(web({"rbac": [{"rules": RULES, "namespace": "shop"}]}, namespace="shop-pods"), namespace="shop"),
        annotated(f"{NGINX}/auth-url", "https://$host/oauth2/auth?rd=$escaped_request_uri"),
        annotated(f"{NGINX}/auth-tls-secret", "default/ca"),
        annotated(f"{NGINX}/auth-tls-secret", "ca"),
        annotated("alb.ingress.kubernetes.io/actions.x", '{"type": "fixed-response"}'),
        annotated("traefik.ingress.kubernetes.io/router.middlewares", "default-auth@kubernetescrd"),
        routed(path="/a-b_c.d~e/%20;v=1".replace(";v=1", "")),
        routed(path="/käse"),
        routed(path=r"/v\d+(/|$)(.*)", pathType="ImplementationSpecific"),
        routed(path="/p", rewrite={"type": "regex", "match": r"/p\.x(/|$)(.*)", "replacement": "/q/$2"}),
    ],
)
def test_what_stays_inside_is_taken(data: Json) -> None:
    assert found(data) == set()


@given(st.sampled_from("\0\n\r\t \x1b\x7f\x85\x9b\u2028\u202e\u00a0;{}#\"'`\\$"), st.booleans())
def test_no_path_breaks_out_of_a_configuration_file(char: str, pattern: bool) -> None:
    kind = {"pathType": "ImplementationSpecific"} if pattern else {}
    harmless = pattern and char in "\\$"
    assert bool(found(routed(path=f"/a{char}b", **kind))) is not harmless
    assert bool(found(routed(path="/a", rewrite={"type": "regex", "match": f"/a{char}b", "replacement": "/"}))) is (
        char not in "\\$"
    )
    assert found(routed(path="/a", rewrite={"type": "regex", "replacement": f"/a{char}b"}))
    assert found(ingress(hosts=[f"a{char}b.example"]))
    assert found(ingress(tls=[{"hosts": [f"a{char}b.example"]}]))


@given(st.sampled_from("\x1b\x7f\x85\x9b\u2028\u2029\u202a\u202e\u2066\u061c\u200f"))
def test_names_and_texts_for_people_hide_nothing(char: str) -> None:
    for field in ("name", "namespace", "alias", "version", "project", "description", "icon"):
        assert {where for where, _ in found({**app(), field: f"a{char}b"})} == {field}
    for field in ("name", "image", "namespace"):
        assert {where for where, _ in found(app({**web(), field: f"a{char}b"}))} == {f"component[0].{field}"}
    assert found(app(workflow=[{"name": f"a{char}b", "components": ["web"]}]))
    assert found(app(web(properties={"labels": {f"a{char}b": "x"}})))
    assert found(app(web(properties={"labels": {"a": f"x{char}y"}})))
    assert found(app(web(properties={"env": {f"a{char}b": "x"}})))
    assert not found(app(description="two\nlines\tand a tab"))


def test_the_names_of_the_platform_are_those_that_are_shipped() -> None:
    shipped = yaml.safe_load_all((Path(__file__).parents[2] / "deploy" / "rbac.yaml").read_text())
    names = {one["metadata"]["name"] for one in shipped if one["kind"] != "Namespace"}
    assert names == PLATFORM_NAMES


_PREFIXES = st.sampled_from(["", "kube-", "kubemin", "eks.amazonaws.com/", f"{NGINX}/", "nginx.org/", "iam.gke.io/"])
_KEYS = st.builds(str.__add__, _PREFIXES, st.sampled_from(["role-arn", "server-snippet", "auth-url", "a", "use", "x"]))
_VALUES = st.one_of(st.text(max_size=6), st.sampled_from(["kube-system/ca", "a;b", "default/ca", "true"]))


@given(application_data(max_components=4), st.data())
def test_no_accepted_application_reaches_beyond_itself(data: Json, more: st.DataObject) -> None:
    """Whatever is drawn is refused, or stays in the namespaces of the application and under its own accounts."""
    namespaces = st.one_of(st.sampled_from(["kube-system", "kubemin", "default", "other"]), labels_(20))
    data["namespace"] = more.draw(namespaces)
    workloads = [part for part in data["component"] if part["type"] in ("webservice", "store", "job")]
    for part in workloads:
        traits = part.setdefault("traits", {})
        entry = {"rules": RULES, "serviceAccountAnnotations": more.draw(st.dictionaries(_KEYS, _VALUES, max_size=2))}
        names = st.sampled_from(["kubemin", "default", f"{part['name']}-x"])
        entry |= {field: more.draw(names) for field in more.draw(st.sets(st.sampled_from(["roleName", "bindingName"])))}
        entry |= {"namespace": more.draw(namespaces)} if more.draw(st.booleans()) else {}
        traits["rbac"] = [entry]
    try:
        application = parse_application(data)
    except SpecError:
        return
    objects = [item.manifest for item in render(application)]
    own = {(one["kind"], one["metadata"]["name"]) for one in objects}
    limits = Limits()
    for one in objects:
        meta = one["metadata"]
        assert meta["namespace"] == application.namespace
        assert not limits.is_reserved(meta["namespace"])
        for key in [*meta.get("annotations", {}), *meta["labels"]]:
            assert not key.startswith(("eks.amazonaws.com/", "iam.gke.io/"))
            assert "snippet" not in key
            assert not key.endswith("/role-arn")
        pod = one.get("spec", {}).get("template", {}).get("spec", {})
        assert ("ServiceAccount", pod.get("serviceAccountName")) in own or "serviceAccountName" not in pod
        if one["kind"] == "RoleBinding":
            assert ("Role", one["roleRef"]["name"]) in own
            assert all(("ServiceAccount", subject["name"]) in own for subject in one["subjects"])
            assert all(subject["namespace"] == application.namespace for subject in one["subjects"])
