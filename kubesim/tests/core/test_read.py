"""GET: one object, lists, selectors, pages and the meaning of a resourceVersion."""

import asyncio
from typing import Any

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubesim import SimServer
from kubesim.selectors import label_matcher

from .conftest import CONFIG_MAPS, DEPLOYMENTS, Api, config_map, deployment

ALL = "/api/v1/configmaps"
MINE = {"labelSelector": "mine"}


async def make(api: Api, *names: str, **meta: Any) -> None:
    for name in names:
        await api.made(CONFIG_MAPS, config_map(name, labels={"mine": name}, **meta))


async def test_an_absent_object_is_404(api: Api) -> None:
    answer = await api.get(f"{DEPLOYMENTS}/nothing")
    assert answer.status == 404
    assert answer.body == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": 'deployments.apps "nothing" not found',
        "reason": "NotFound",
        "details": {"name": "nothing", "group": "apps", "kind": "deployments"},
        "code": 404,
    }


async def test_lists_are_sorted_and_their_items_do_not_say_what_they_are(api: Api) -> None:
    await make(api, "b", "a", "c")
    answer = await api.get(CONFIG_MAPS, **MINE)
    assert (answer.body["kind"], answer.body["apiVersion"]) == ("ConfigMapList", "v1")
    assert answer.names == ["a", "b", "c"]
    assert answer.version == str(api.server.registry.storage.revision)
    for item in answer.body["items"]:
        assert "kind" not in item
        assert "apiVersion" not in item
        whole = (await api.get(f"{CONFIG_MAPS}/{item['metadata']['name']}")).body
        assert {"kind": "ConfigMap", "apiVersion": "v1", **item} == whole


async def test_an_empty_list_has_items(api: Api) -> None:
    answer = await api.get("/apis/batch/v1/jobs")
    assert (answer.status, answer.body["items"]) == (200, [])


async def test_all_namespaces_or_one(api: Api) -> None:
    await make(api, "a")
    await api.made("/api/v1/namespaces/kube-system/configmaps", config_map("a", labels={"mine": "x"}))
    everywhere = await api.get(ALL, **MINE)
    assert [item["metadata"]["namespace"] for item in everywhere.body["items"]] == ["default", "kube-system"]
    assert len((await api.get(CONFIG_MAPS, **MINE)).names) == 1
    assert (await api.get("/api/v1/namespaces/nowhere/configmaps")).body["items"] == []


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        ("app=web", ["web-1", "web-2"]),
        ("app==web,tier=front", ["web-1"]),
        ("app!=web", ["db", "none"]),
        ("app in (web, db)", ["db", "web-1", "web-2"]),
        ("app notin (web)", ["db", "none"]),
        ("app", ["db", "web-1", "web-2"]),
        ("!app", ["none"]),
        ("app,tier notin (front),app in (web)", ["web-2"]),
        ("size>1", ["web-2"]),
        ("size<2", ["web-1"]),
        ("app=", []),
        ("", ["db", "none", "web-1", "web-2"]),
    ],
)
async def test_label_selectors(api: Api, selector: str, names: list[str]) -> None:
    for name, labels in (
        ("web-1", {"app": "web", "tier": "front", "size": "1"}),
        ("web-2", {"app": "web", "tier": "back", "size": "2"}),
        ("db", {"app": "db"}),
        ("none", {}),
    ):
        await api.made("/api/v1/namespaces/kube-public/secrets", {"metadata": {"name": name, "labels": labels}})
    assert (await api.get("/api/v1/namespaces/kube-public/secrets", labelSelector=selector)).names == names


@pytest.mark.parametrize("selector", ["a=b,,c", "a in b", "a in (b", "=x", "a>b", "a=b c"])
async def test_a_label_selector_that_is_none_is_400(api: Api, selector: str) -> None:
    answer = await api.get(CONFIG_MAPS, labelSelector=selector)
    assert (answer.status, answer.body["reason"]) == (400, "BadRequest")


LABELS = st.dictionaries(st.sampled_from("abc"), st.sampled_from("xyz"))


@given(labels=LABELS, wanted=LABELS)
def test_equality_terms_select_what_has_them(labels: dict[str, str], wanted: dict[str, str]) -> None:
    matcher = label_matcher(",".join(f"{key}={value}" for key, value in wanted.items()))
    expected = wanted.items() <= labels.items()
    assert (matcher is None or matcher({"metadata": {"labels": labels}})) is expected


async def test_field_selectors(api: Api) -> None:
    await make(api, "a", "b")
    assert (await api.get(ALL, fieldSelector="metadata.name=b")).names == ["b"]
    assert (await api.get(ALL, fieldSelector="metadata.name=b,metadata.namespace=kube-system")).names == []
    assert "a" in (await api.get(ALL, fieldSelector="metadata.name!=b")).names
    phases = await api.get("/api/v1/namespaces", fieldSelector="status.phase=Active")
    assert "default" in phases.names
    event = {
        "metadata": {"name": "e"},
        "involvedObject": {"kind": "Pod", "name": "p", "namespace": "default", "uid": "u"},
        "reason": "Because",
        "type": "Warning",
    }
    await api.made("/api/v1/namespaces/default/events", event)
    for selector, names in (
        ("involvedObject.name=p,involvedObject.kind=Pod,involvedObject.uid=u", ["e"]),
        ("involvedObject.name=q", []),
        ("type=Warning,reason=Because", ["e"]),
    ):
        found = await api.get("/api/v1/namespaces/default/events", fieldSelector=selector)
        assert found.names == names


@pytest.mark.parametrize("selector", ["spec.replicas=1", "data.key=value", "metadata.labels=x"])
async def test_a_field_that_cannot_select_is_400(api: Api, selector: str) -> None:
    answer = await api.get(CONFIG_MAPS, fieldSelector=selector)
    assert answer.status == 400
    assert "field label not supported" in answer.body["message"]


async def test_pages_show_one_moment(api: Api) -> None:
    await make(api, "a", "b", "c", "d", "e")
    first = await api.get(CONFIG_MAPS, limit="2", **MINE)
    assert first.names == ["a", "b"]
    await api.delete(f"{CONFIG_MAPS}/c")
    await make(api, "bb", "f")
    await api.patch(f"{CONFIG_MAPS}/d", {"data": {"key": "new"}})
    second = await api.get(CONFIG_MAPS, limit="2", **MINE, **{"continue": first.body["metadata"]["continue"]})
    assert second.names == ["c", "d"]
    assert second.body["items"][1]["data"] == {"key": "value"}
    third = await api.get(CONFIG_MAPS, limit="2", **MINE, **{"continue": second.body["metadata"]["continue"]})
    assert third.names == ["e"]
    assert "continue" not in third.body["metadata"]
    assert first.version == second.version == third.version


async def test_what_remains_is_counted_if_nothing_selects(api: Api) -> None:
    await make(api, "a", "b", "c")
    total = len((await api.get(CONFIG_MAPS)).names)
    assert (await api.get(CONFIG_MAPS, limit="1")).body["metadata"]["remainingItemCount"] == total - 1
    assert "remainingItemCount" not in (await api.get(CONFIG_MAPS, limit="1", **MINE)).body["metadata"]


async def test_an_old_page_expires_and_can_be_gone_on_from(api: Api) -> None:
    await make(api, "a", "b", "c")
    first = await api.get(CONFIG_MAPS, limit="1", **MINE)
    await api.patch(f"{CONFIG_MAPS}/c", {"data": {"key": "new"}})
    api.server.registry.storage.shelf("configmaps").forget(api.server.registry.storage.revision)
    expired = await api.get(CONFIG_MAPS, limit="1", **MINE, **{"continue": first.body["metadata"]["continue"]})
    assert (expired.status, expired.body["reason"]) == (410, "Expired")
    rest = await api.get(CONFIG_MAPS, **MINE, **{"continue": expired.body["metadata"]["continue"]})
    assert rest.names == ["b", "c"]
    assert rest.body["items"][1]["data"] == {"key": "new"}


@pytest.mark.parametrize("token", ["x", "e30", "bm90IGpzb24"])
async def test_a_token_that_is_none_is_400(api: Api, token: str) -> None:
    assert (await api.get(CONFIG_MAPS, **{"continue": token})).status == 400


async def test_a_resource_version_asks_for_that_or_later(api: Api) -> None:
    await make(api, "a")
    old = await api.get(CONFIG_MAPS, **MINE)
    await make(api, "b")
    for query in (
        {"resourceVersion": "0"},
        {"resourceVersion": old.version},
        {"resourceVersion": old.version, "resourceVersionMatch": "NotOlderThan"},
    ):
        assert (await api.get(CONFIG_MAPS, **MINE, **query)).names == ["a", "b"]
    exact = await api.get(CONFIG_MAPS, **MINE, resourceVersion=old.version, resourceVersionMatch="Exact")
    assert (exact.names, exact.version) == (["a"], old.version)


async def test_a_version_of_the_future_times_out(api: Api) -> None:
    answer = await api.get(CONFIG_MAPS, resourceVersion="999999")
    assert (answer.status, answer.body["reason"]) == (504, "Timeout")
    assert answer.body["details"]["causes"][0]["reason"] == "ResourceVersionTooLarge"
    assert answer.headers["Retry-After"] == "1"


@pytest.mark.parametrize(
    "query",
    [
        {"resourceVersionMatch": "Exact"},
        {"resourceVersionMatch": "Roughly", "resourceVersion": "5"},
        {"resourceVersionMatch": "Exact", "resourceVersion": "0"},
    ],
)
async def test_options_that_make_no_sense_are_422(api: Api, query: dict[str, str]) -> None:
    answer = await api.get(CONFIG_MAPS, **query)
    assert (answer.status, answer.body["details"]["kind"]) == (422, "ListOptions")


async def test_a_version_that_is_none_is_500(api: Api) -> None:
    answer = await api.get(CONFIG_MAPS, resourceVersion="five")
    assert (answer.status, answer.body.get("reason")) == (500, None)
    assert answer.body["message"] == (
        'resourceVersion: Invalid value: "five": strconv.ParseUint: parsing "five": invalid syntax'
    )


async def test_metadata_only(api: Api) -> None:
    await make(api, "a")
    one = await api.call(
        "GET",
        f"{CONFIG_MAPS}/a",
        headers={"Accept": "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"},
    )
    assert set(one.body) == {"kind", "apiVersion", "metadata"}
    assert one.body["kind"] == "PartialObjectMetadata"
    many = await api.call(
        "GET",
        CONFIG_MAPS,
        headers={"Accept": "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"},
        **MINE,
    )
    assert (many.body["kind"], many.names) == ("PartialObjectMetadataList", ["a"])
    assert "data" not in many.body["items"][0]


async def test_yaml_and_indented_json(api: Api) -> None:
    await make(api, "a")
    as_yaml = await api.call("GET", f"{CONFIG_MAPS}/a", headers={"Accept": "application/yaml"})
    assert as_yaml.headers["Content-Type"].startswith("application/yaml")
    assert "\ndata:\n  key: value\n" in as_yaml.body
    async with api.session.get(api.server.url + CONFIG_MAPS, headers={"User-Agent": "curl/8"}) as response:
        assert (await response.text()).startswith('{\n  "kind": "ConfigMapList"')


@settings(max_examples=15)
@given(st.sets(st.text("abcdef", min_size=1, max_size=4), max_size=12), st.integers(1, 5))
def test_pages_of_any_size_are_the_whole_list(names: set[str], limit: int) -> None:
    async def check() -> None:
        async with SimServer() as server, aiohttp.ClientSession() as session:
            await server.controllers.stop()
            api = Api(server, session)
            await make(api, *names)
            found: list[str] = []
            token: dict[str, str] = {}
            while True:
                page = await api.get(CONFIG_MAPS, limit=str(limit), **MINE, **token)
                assert len(page.names) <= limit
                found += page.names
                if "continue" not in page.body["metadata"]:
                    break
                token = {"continue": page.body["metadata"]["continue"]}
            assert found == sorted(names)

    asyncio.run(check())


async def test_deployments_of_one_name_in_a_list(api: Api) -> None:
    await api.made(DEPLOYMENTS, deployment())
    listed = (await api.get(DEPLOYMENTS)).body["items"][0]
    assert listed["spec"]["template"]["spec"]["containers"][0]["image"] == "app:1"
