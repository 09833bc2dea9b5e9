"""Component type ``manifests``: what is taken as it stands, what is refused, and at which field."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubemin.render import render
from kubemin.spec.application import parse_application
from kubemin.spec.component_secrets import masked, values_in, with_values
from kubemin.spec.config import MASK
from kubemin.spec.issues import SpecError
from kubemin.spec.labels import APP_ID, COMPONENT_ID, LABELS, MANAGED_BY
from kubemin.spec.limits import Limits
from kubemin.spec.objects import Manifest
from kubemin.spec.unread_manifests import unplaced_kinds, with_documents
from kubemin.spec.warnings import warnings_of


def an_object(kind: str = "ConfigMap", name: str = "one", api_version: str = "v1", **more: Any) -> Manifest:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name}, **more}


def application(*objects: Any, **properties: Any) -> dict[str, Any]:
    given = {**({"manifests": list(objects)} if objects else {}), **properties}
    return {"name": "shop", "component": [{"name": "all", "type": "manifests", "properties": given}]}


def issues(*objects: Any, limits: Limits | None = None, **properties: Any) -> dict[str, str]:
    """Of each wrong field what is wrong with it."""
    try:
        parse_application(application(*objects, **properties), limits)
    except SpecError as error:
        return {issue.field: issue.message for issue in error.issues}
    return {}


HERE = "component[0].properties.manifests"
RBAC = "rbac.authorization.k8s.io/v1"
POD = {"containers": [{"name": "c", "image": "i"}]}


def deployment(volumes: Any = None, labels: Any = None, selector: Any = None) -> Manifest:
    labels = labels or {"app": "one"}
    template = {"metadata": {"labels": labels}, "spec": {**POD, "volumes": volumes or []}}
    spec = {"selector": {"matchLabels": selector or {"app": "one"}}, "template": template}
    return an_object("Deployment", api_version="apps/v1", spec=spec)


def role(verb: str = "get", resource: str = "pods", kind: str = "Role") -> Manifest:
    rule = {"apiGroups": [""], "resources": [resource], "verbs": [verb]}
    return an_object(kind, api_version=RBAC, rules=[rule])


def binding(name: str, kind: str = "Role") -> Manifest:
    return an_object("RoleBinding", api_version=RBAC, roleRef={"apiGroup": "x", "kind": kind, "name": name})


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ("text", "[0]"),
        ({"kind": "ConfigMap", "metadata": {"name": "x"}}, "[0].apiVersion"),
        ({"apiVersion": "v1", "metadata": {"name": "x"}}, "[0].kind"),
        ({"apiVersion": "v1", "kind": "ConfigMap"}, "[0].metadata.name"),
        ({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "x-"}}, "[0].metadata.name"),
        (an_object() | {"metadata": {"name": "x", "labels": {"a": 1}}}, "[0].metadata.labels"),
        (an_object() | {"metadata": {"name": "x", "annotations": {"a": True}}}, "[0].metadata.annotations"),
        (an_object() | {"metadata": {"name": "x", "namespace": "Not_A_Name"}}, "[0].metadata.namespace"),
        (an_object() | {"metadata": {"name": "x", "namespace": "kube-system"}}, "[0].metadata.namespace"),
        (an_object(data={"a": "\0"}), "[0]"),
        (an_object("Pod", spec=POD), "[0].kind"),
        (an_object("Namespace"), "[0].kind"),
        (role(kind="ClusterRole"), "[0].kind"),
        (role("delete", "secrets"), "[0].rules[0]"),
        (role() | {"rules": 5}, "[0].rules[0]"),
        (role() | {"rules": {"verbs": ["*"]}}, "[0].rules[0]"),
        (binding("cluster-admin", "ClusterRole"), "[0].roleRef"),
        (binding("another"), "[0].roleRef"),
        (deployment([{"name": "v", "hostPath": {"path": "/"}}]), "[0].spec.template.spec.volumes[0].hostPath"),
        (
            an_object("ServiceAccount")
            | {"metadata": {"name": "x", "annotations": {"eks.amazonaws.com/role-arn": "arn"}}},
            "[0].metadata.annotations",
        ),
        ({"apiVersion": "v1", "kind": "List", "items": [an_object(), {"kind": "X"}]}, "[0].items[1].apiVersion"),
        (an_object("Secret", stringData={"pin": 1234}), "[0].stringData"),
        (an_object("Secret", data=["text"]), "[0].data"),
    ],
)
def test_what_is_wrong_is_refused_at_its_field(wrong: Any, field: str) -> None:
    assert f"{HERE}{field}" in issues(wrong)


@pytest.mark.parametrize(
    ("one", "limits"),
    [
        (an_object("Namespace"), {"allow_cluster_kinds": "Namespace"}),
        (an_object("Widget", api_version="example.com/v1"), {}),
        (deployment([{"name": "v", "hostPath": {"path": "/"}}]), {"allow_host_path": True}),
        (binding("another"), {"allow_rbac_names": "another"}),
        (role("delete", "secrets"), {"allow_any_rights": True}),
        (an_object() | {"metadata": {"name": "x", "namespace": "team"}}, {}),
    ],
)
def test_what_a_setting_allows_is_taken(one: Manifest, limits: dict[str, Any]) -> None:
    assert issues(one, limits=Limits(**limits)) == {}


def test_a_binding_may_bind_what_comes_with_it() -> None:
    assert issues(role(), binding("one")) == {}


@pytest.mark.parametrize("one", [role(), binding("one")])
def test_no_rights_are_granted_in_the_namespace_of_others(one: Manifest) -> None:
    elsewhere = an_object() | one | {"metadata": {"name": "one", "namespace": "team"}}
    brought = role() | {"metadata": {"name": "one", "namespace": "team"}}
    given = [elsewhere] if one["kind"] == "Role" else [brought, elsewhere]
    assert f"{HERE}[{len(given) - 1}].metadata.namespace" in issues(*given)
    assert issues(*given, limits=Limits(allow_rbac_namespaces="team")) == {}
    assert issues(*given, an_object("Namespace", "team"), limits=Limits(allow_cluster_kinds="Namespace")) == {}


@pytest.mark.parametrize("place", ["spec", "spec.podTemplate.spec", "spec.parts[0].template.spec", "spec.jobs.nightly"])
def test_what_looks_like_a_pod_is_looked_at_wherever_it_is(place: str) -> None:
    """An operator makes Pods of it."""
    pod = {"initContainers": [{"name": "c", "securityContext": {"privileged": True}}], "serviceAccountName": "other"}
    spec: Any = pod
    for key in reversed(place.split(".")[1:]):
        spec = {key.removesuffix("[0]"): [spec] if key.endswith("[0]") else spec}
    found = issues(an_object("Database", api_version="example.com/v1", spec=spec))
    fields = ("initContainers[0].securityContext.privileged", "serviceAccountName")
    assert found.keys() == {f"{HERE}[0].{place}.{field}" for field in fields}


@pytest.mark.parametrize(
    ("one", "word", "field"),
    [
        (an_object("Service", spec={"externalIPs": ["192.0.2.1"]}), "externalIPs", "spec.externalIPs"),
        (an_object("Service", spec={"type": "ExternalName", "externalName": "x.y"}), "ExternalName", "spec.type"),
        (an_object("Endpoints", subsets=[]), "Endpoints", "kind"),
        (an_object("EndpointSlice", api_version="discovery.k8s.io/v1", endpoints=[]), "EndpointSlice", "kind"),
    ],
)
def test_addresses_of_one_s_own_choice_need_permission(one: Manifest, word: str, field: str) -> None:
    assert f"{HERE}[0].{field}" in issues(one)
    assert issues(one, limits=Limits(allow_addresses=word)) == {}


def test_another_group_s_kind_of_the_same_name_is_another_kind() -> None:
    """It makes no account under which Pods might run, and defines no kinds."""
    running = deployment()
    running["spec"]["template"]["spec"]["serviceAccountName"] = "operator"
    foreign = an_object("ServiceAccount", "operator", "example.com/v1")
    assert f"{HERE}[1].spec.template.spec.serviceAccountName" in issues(foreign, running)
    spec = {"group": "example.com", "scope": "Namespaced", "names": {"kind": "Issuer"}}
    definition = an_object("CustomResourceDefinition", "x", "example.com/v1", spec=spec)
    assert "Issuer.example.com" in unplaced_kinds(application(definition, an_object("Issuer", "x", "example.com/v1")))


def test_nothing_is_no_component_and_traits_have_no_place() -> None:
    assert HERE in issues()
    data = application(an_object())
    data["component"][0]["traits"] = {"envs": [{"name": "A", "valueFrom": {"static": "1"}}]}
    with pytest.raises(SpecError, match="stay as they are"):
        parse_application(data)


def test_an_object_that_comes_twice_is_refused() -> None:
    """Whether the second is another component's, or is made by KubeMin's own format."""
    data = application(an_object("ConfigMap", "shop-settings"))
    data["component"].append({"name": "settings", "type": "config", "properties": {"conf": {"a": "1"}}})
    with pytest.raises(SpecError, match="would both make the ConfigMap shop-settings"):
        parse_application(data)


@pytest.mark.parametrize("hook", ["test", "test-success, test-failure", "pre-install", "test,pre-install"])
def test_tests_of_a_chart_are_left_out_and_what_hooks_mean_is_told(hook: str) -> None:
    one = an_object("ConfigMap", "two")
    one["metadata"]["annotations"] = {"helm.sh/hook": hook}
    if hook.startswith("test-") or hook == "test":
        one |= {"kind": "Pod", "spec": POD}
    read = parse_application(application(an_object(), one))
    made = [item.manifest["metadata"]["name"] for item in render(read)]
    assert made == (["one"] if one["kind"] == "Pod" else ["one", "two"])
    if hook == "pre-install":
        assert warnings_of(read) == [], "it is run as Helm runs it"
        return
    (told,) = warnings_of(read)
    assert told.field == f"{HERE}[1]"
    assert ("left out" in told.message) == (one["kind"] == "Pod")


def test_yaml_is_read_and_kept_as_manifests() -> None:
    text = "---\n".join(f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n" for name in "ab")
    read = parse_application(application(yaml=text)).component[0].properties
    assert [one["metadata"]["name"] for one in read.manifests] == ["a", "b"]
    assert not read.yaml
    assert "at line" in issues(yaml="a: [")["component[0].properties.yaml"]


def test_a_pattern_that_names_nul_is_no_nul() -> None:
    assert issues(an_object(data={"pattern": r"^[^\u0000-\u001f]*$"})) == {}
    assert issues(an_object(data={"pattern": "\\\0"})) != {}


def test_kubectl_s_copy_of_a_secret_is_not_kept() -> None:
    one = an_object("Secret", stringData={"password": "hunter2"})
    one["metadata"]["annotations"] = {"kubectl.kubernetes.io/last-applied-configuration": "hunter2", "a": "b"}
    for objects in ([one], [{"apiVersion": "v1", "kind": "List", "items": [one]}]):
        read = parse_application(application(*objects))
        assert "hunter2" not in str(masked(read.component[0].properties.dump()))
        (made,) = [item.manifest for item in render(read)]
        assert made["metadata"]["annotations"] == {"a": "b"}


def test_large_definitions_are_taken() -> None:
    """More values, and deeper ones, than anything that people write by hand."""
    deep: dict[str, Any] = {"type": "object"}
    for _ in range(60):
        deep = {"type": "object", "properties": {"a": deep}}
    wide = {f"field-{number}": {"type": "string", "description": "x"} for number in range(20_000)}
    assert issues(an_object("Widget", api_version="example.com/v1", spec={"deep": deep, "wide": wide})) == {}


texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**31), 2**31) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=10,
)


@given(json_values, st.dictionaries(st.sampled_from(["a", "b", "c/d"]), st.just("x")))
def test_objects_stay_as_they_stand(spec: Any, labels: dict[str, str]) -> None:
    """Expressions of other tools, too. Only labels that say whose it is are added."""
    one = an_object("Widget", api_version="example.com/v1", spec=spec, extra={"text": "${{ secrets.TOKEN }}"})
    one["metadata"]["labels"] = labels
    (made,) = [item.manifest for item in render(parse_application(application(one)))]
    kept = {key: value for key, value in made["metadata"]["labels"].items() if key not in LABELS}
    assert made | {"metadata": None} == one | {"metadata": None}
    assert kept == labels
    assert made["metadata"]["labels"].keys() >= {MANAGED_BY, APP_ID, COMPONENT_ID}


@pytest.mark.parametrize("fixed", [False, True])
def test_pods_are_found_by_labels_that_no_selector_names(fixed: bool) -> None:
    labels = {"app": "one", MANAGED_BY: "Helm"}
    one = deployment(labels=labels, selector=labels if fixed else None)
    (made,) = [item.manifest for item in render(parse_application(application(one)))]
    marked = made["spec"]["template"]["metadata"]["labels"]
    assert marked["app"] == "one"
    assert marked[MANAGED_BY] == ("Helm" if fixed else "kubemin")
    assert marked.keys() >= {APP_ID, COMPONENT_ID}
    assert made["spec"]["selector"] == one["spec"]["selector"]


@pytest.mark.parametrize("odd", [1, "x", [1], [{"key": {}}], {"a": 1}, None])
@pytest.mark.parametrize("path", ["template.metadata", "template.metadata.labels", "selector", "selector.matchLabels"])
def test_what_has_another_shape_is_left_to_the_api_server(path: str, odd: Any) -> None:
    """It is rendered all the same: the server says best what is wrong."""
    one: Manifest = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}}
    one["spec"] = {"selector": {"matchExpressions": odd}, "template": {"metadata": {}}}
    *fields, last = path.split(".")
    holder = one["spec"]
    for field in fields:
        holder = holder[field]
    holder[last] = odd
    assert len(render(parse_application(application(one)))) == 1


@given(st.dictionaries(st.sampled_from(["data", "stringData"]), st.dictionaries(texts, texts, max_size=3)))
def test_secrets_are_masked_and_a_mask_means_what_was_there(values: dict[str, dict[str, str]]) -> None:
    listed = {"apiVersion": "v1", "kind": "List", "items": [{**an_object("Secret", "two"), **values}]}
    part = parse_application(application({**an_object("Secret"), **values}, an_object(), listed)).component[0]
    shown = masked(part.properties.dump())
    kept = parse_application(application(*shown["manifests"])).component[0]
    assert set(values_in(kept).values()) <= {MASK}
    assert with_values(kept, values_in(part)).properties.manifests == part.properties.manifests


@pytest.mark.parametrize("version", ["v1", "/v1"])
def test_a_secret_is_masked_however_its_version_is_spelled(version: str) -> None:
    read = parse_application(application(an_object("Secret", api_version=version, stringData={"a": "hidden"})))
    assert "hidden" not in str(masked(read.component[0].properties.dump()))


def test_texts_of_all_components_have_one_bound() -> None:
    """A short text may mean a great deal, by repeating a part: each of many would be taken, and all together fill the
    memory.
    """
    bomb = "a: &a [" + "1, " * 200 + "1]\nb: &b [" + "*a, " * 20 + "*a]\nc: [" + "*b, " * 20 + "*b]\n"
    parts = [{"name": f"p{number}", "type": "manifests", "properties": {"yaml": bomb}} for number in range(20)]
    read = with_documents({"component": parts})
    assert sum("manifests" in part["properties"] for part in read["component"]) < 6
