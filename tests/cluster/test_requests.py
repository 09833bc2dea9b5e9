"""Requests as values: nothing that is no name reaches a URL."""

import json
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubemin.cluster import requests
from kubemin.cluster.errors import Invalid
from kubemin.spec.kinds import KINDS
from kubemin.spec.objects import ObjectRef

NAMESPACED = ObjectRef("Deployment", "shop", "web")


@given(st.sampled_from(sorted(KINDS)), st.text(), st.text())
def test_a_path_holds_the_names_as_one_segment_each_or_is_refused(kind: str, namespace: str, name: str) -> None:
    known = KINDS[kind]
    ref = ObjectRef(kind, namespace if known.namespaced else "", name)
    try:
        path = requests.object_path(ref)
    except Invalid:
        return
    middle = ["namespaces", namespace] if known.namespaced else []
    rest = path.removeprefix(f"/{'apis' if known.group else 'api'}/{known.api_version}").split("/")
    assert [unquote(part) for part in rest] == ["", *middle, known.plural, name]
    assert path.isascii()
    assert not {" ", "?", "#", "\\"} & set(path)


@pytest.mark.parametrize("bad", ["", ".", "..", "a/b", "%2e", "a\nb", "\x00", "x" * 254, "../../secrets/x"])
def test_names_that_lead_elsewhere_are_refused(bad: str) -> None:
    with pytest.raises(Invalid):
        requests.get(ObjectRef("ConfigMap", "shop", bad))
    with pytest.raises(Invalid):
        requests.get(ObjectRef("ConfigMap", bad, "web"))


def test_a_cluster_scoped_kind_takes_no_namespace_and_a_namespaced_one_needs_it() -> None:
    with pytest.raises(Invalid):
        requests.get(ObjectRef("ClusterRole", "shop", "reader"))
    with pytest.raises(Invalid):
        requests.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web"}})
    assert requests.get(ObjectRef("ClusterRole", "", "system:reader")).path.endswith("/clusterroles/system%3Areader")


@pytest.mark.parametrize(
    "manifest", [{}, {"kind": "Pod"}, {"kind": "Pod", "metadata": {}}, {"kind": "Pod", "metadata": 1}]
)
def test_a_manifest_without_kind_or_name_is_refused(manifest: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        requests.create(manifest)


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(Invalid, match="Widget"):
        requests.list_page("Widget")


@pytest.mark.parametrize(
    ("api_version", "path"),
    [("autoscaling/v2", "autoscaling/v2"), ("autoscaling/v1", "autoscaling/v1")],
)
def test_an_object_is_read_and_written_in_the_version_that_its_manifest_has(api_version: str, path: str) -> None:
    manifest = {
        "apiVersion": api_version,
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web", "namespace": "shop"},
    }
    ref = ObjectRef.of(manifest)
    built = [requests.get(ref), requests.create(manifest), requests.apply(manifest), requests.delete(ref, uid="u")]
    assert {one.path.removesuffix("/web") for one in built} == {
        f"/apis/{path}/namespaces/shop/horizontalpodautoscalers"
    }
    assert ref == ObjectRef("HorizontalPodAutoscaler", "shop", "web"), "the version does not tell objects apart"


def test_selectors_are_quoted() -> None:
    page = requests.list_page("Pod", "shop", labels="a in (b,c),d!=e&f", limit=5, token="t=/+")
    assert page.target == (
        "/api/v1/namespaces/shop/pods?labelSelector=a+in+%28b%2Cc%29%2Cd%21%3De%26f&limit=5&continue=t%3D%2F%2B"
    )


def test_an_apply_is_sent_as_it_is_and_forced() -> None:
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "ü", "namespace": "n", "uid": "u"}}
    request = requests.apply(manifest)
    assert (request.method, request.content_type) == ("PATCH", "application/apply-patch+yaml")
    assert dict(request.query) == {"fieldManager": "kubemin", "force": "true"}
    assert json.loads(request.body or b"") == manifest


def test_the_patch_type_follows_the_operations() -> None:
    assert requests.patch(NAMESPACED, []).content_type == "application/json-patch+json"
    assert requests.patch(NAMESPACED, {"a": None}).content_type == "application/merge-patch+json"


@pytest.mark.parametrize("version", [None, "7"])
def test_a_delete_names_the_very_object(version: str | None) -> None:
    options = json.loads(requests.delete(NAMESPACED, uid="u", resource_version=version).body or b"")
    assert options["preconditions"] == {"uid": "u"} | ({"resourceVersion": version} if version else {})
    assert options["propagationPolicy"] == "Background"


def test_a_dry_run_is_no_write() -> None:
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web", "namespace": "shop"}}
    for build in (requests.create, requests.apply, requests.replace):
        assert build(manifest).is_write
        assert not build(manifest, dry_run=True).is_write
        assert ("dryRun", "All") in build(manifest, dry_run=True).query
