"""Lists: shape, selectors, pages."""

import pytest

from tests.manifests import configmap, deployment, secret

from .kube import Kube, meta

LABELS = {"a": {"app": "x", "tier": "1"}, "b": {"app": "x"}, "c": {"app": "y", "tier": "2"}, "d": {}}


async def furnish(kube: Kube) -> None:
    for name, labels in LABELS.items():
        await kube.make("configmaps", configmap(name, labels={**labels, "ours": "yes"}))


async def names(kube: Kube, **query: str) -> list[str]:
    listed = (await kube.list("configmaps", **query)).ok()
    return [meta(item)["name"] for item in listed["items"] if meta(item)["name"] in LABELS]


async def test_a_list_says_once_what_its_items_are(kube: Kube) -> None:
    made = await kube.make("deployments", deployment())
    listed = (await kube.list("deployments")).ok()
    assert (listed["kind"], listed["apiVersion"]) == ("DeploymentList", "apps/v1")
    assert int(listed["metadata"]["resourceVersion"]) >= int(meta(made)["resourceVersion"])
    (item,) = listed["items"]
    assert "kind" not in item
    assert "apiVersion" not in item
    assert meta(item)["uid"] == meta(made)["uid"]
    assert meta(item)["managedFields"]


async def test_an_empty_list_has_items(kube: Kube) -> None:
    assert (await kube.list("deployments")).ok()["items"] == []


async def test_a_list_of_all_namespaces(kube: Kube) -> None:
    await furnish(kube)
    listed = (await kube.call("GET", kube.path("configmaps", namespace=""), labelSelector="ours=yes")).ok()
    found = {meta(item)["name"] for item in listed["items"] if meta(item)["namespace"] == kube.namespace}
    assert found == set(LABELS)


async def test_a_namespace_that_is_not_there_is_empty(kube: Kube) -> None:
    listed = (await kube.call("GET", kube.path("configmaps", namespace="kubemin-not-there"))).ok()
    assert listed["items"] == []


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("app=x", "ab"),
        ("app==x", "ab"),
        ("app!=x", "cd"),
        ("app in (x,y)", "abc"),
        ("app in (x),tier in (1,2)", "a"),
        ("app notin (x)", "cd"),
        ("tier", "ac"),
        ("!tier", "bd"),
        ("app=x,tier=1", "a"),
        ("tier>1", "c"),
        ("app=nowhere", ""),
        ("ours=yes", "abcd"),
    ],
)
async def test_label_selectors(kube: Kube, selector: str, expected: str) -> None:
    await furnish(kube)
    assert await names(kube, labelSelector=selector) == list(expected)


@pytest.mark.parametrize(
    ("selector", "expected"),
    [("metadata.name=a", "a"), ("metadata.name!=a", "bcd"), ("metadata.name=a,metadata.namespace!=x", "a")],
)
async def test_field_selectors(kube: Kube, selector: str, expected: str) -> None:
    await furnish(kube)
    assert await names(kube, fieldSelector=selector) == list(expected)


async def test_field_selectors_of_a_kind(kube: Kube) -> None:
    await kube.make("secrets", secret("opaque"))
    typed = {**secret("other"), "type": "kubemin.test/other"}
    await kube.make("secrets", typed)
    listed = (await kube.list("secrets", fieldSelector="type=kubemin.test/other")).ok()
    assert [meta(item)["name"] for item in listed["items"]] == ["other"]


@pytest.mark.parametrize(
    "query", [{"labelSelector": "a in"}, {"labelSelector": "a=b=c"}, {"fieldSelector": "data.a=1"}, {"limit": "x"}]
)
async def test_a_selector_that_is_none_is_refused(kube: Kube, query: dict[str, str]) -> None:
    (await kube.list("configmaps", **query)).refused(400, "BadRequest")


async def test_pages_show_one_moment(kube: Kube) -> None:
    await furnish(kube)
    first = (await kube.list("configmaps", limit=3, labelSelector="ours=yes")).ok()
    assert [meta(item)["name"] for item in first["items"]] == ["a", "b", "c"]
    token = first["metadata"]["continue"]
    await kube.make("configmaps", configmap("cc", labels={"ours": "yes"}))
    second = (await kube.list("configmaps", limit=3, labelSelector="ours=yes", **{"continue": token})).ok()
    assert [meta(item)["name"] for item in second["items"]] == ["d"]
    assert "continue" not in second["metadata"]
    assert second["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]


async def test_what_remains_is_counted_without_a_selector(kube: Kube) -> None:
    for name in "abcd":
        await kube.make("secrets", secret(name))
    first = (await kube.list("secrets", limit=3)).ok()
    assert first["metadata"]["remainingItemCount"] == 1
    assert first["metadata"]["continue"]


async def test_a_token_that_is_none_is_refused(kube: Kube) -> None:
    (await kube.list("configmaps", limit=1, **{"continue": "nonsense"})).refused(400, "BadRequest", "continue")


async def test_a_list_at_any_version_may_be_asked_for(kube: Kube) -> None:
    made = await kube.make("secrets", secret())
    for version in ("", meta(made)["resourceVersion"]):
        listed = (await kube.list("secrets", resourceVersion=version)).ok()
        assert [meta(item)["uid"] for item in listed["items"]] == [meta(made)["uid"]]
    (await kube.list("secrets", resourceVersion="0")).ok()  # of any moment


async def test_a_list_at_a_version_that_is_none_is_refused(kube: Kube) -> None:
    """By the watch cache with 500, by the storage behind it with 400: which one answers is the server's affair."""
    reply = await kube.list("secrets", resourceVersion="nonsense")
    assert reply.code in {400, 500}
    assert 'Invalid value: "nonsense"' in reply.body["message"]


async def test_only_metadata_may_be_asked_for(kube: Kube) -> None:
    await kube.make("secrets", secret())
    version = (await kube.get("secrets", "web")).ok()
    assert version["data"] == {"k": "dg=="}
    assert "stringData" not in version
