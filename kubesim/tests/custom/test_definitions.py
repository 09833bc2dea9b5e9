"""CustomResourceDefinitions at the API: when what they define is served, and when no longer."""

import asyncio
import json
from collections.abc import AsyncIterator

import aiohttp
import pytest

from core.conftest import JSON_PATCH, Api
from kubesim import SimServer
from kubesim.jsondata import Object

from .samples import CRDS, KEY, WIDGETS, definition, version, widget

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    async with SimServer(speed=100) as server, aiohttp.ClientSession() as session:
        yield Api(server, session)


def conditions(obj: Object) -> dict[str, tuple[str, str]]:
    return {found["type"]: (found["status"], found["reason"]) for found in obj["status"]["conditions"]}


async def defined(api: Api, made: Object | None = None) -> Object:
    """A definition whose names were looked at."""
    made = made or definition()
    await api.made(CRDS, made)
    await api.server.controllers.settled()
    found: Object = (await api.get(f"{CRDS}/{made['metadata']['name']}")).body
    return found


async def test_it_is_not_served_at_once() -> None:
    async with SimServer(definition_delay=1e6) as server, aiohttp.ClientSession() as session:
        api = Api(server, session)
        made = await defined(api)
        assert not made["status"]["conditions"]
        for path in (WIDGETS, "/apis/example.com", "/apis/example.com/v1"):
            assert (await api.get(path)).status == 404


async def test_it_is_served_once_it_is_established(api: Api) -> None:
    found = await defined(api)
    assert conditions(found) == {
        "NamesAccepted": ("True", "NoConflicts"),
        "Established": ("True", "InitialNamesAccepted"),
    }
    assert found["status"]["acceptedNames"] == found["spec"]["names"]
    assert found["spec"]["names"] == {
        "plural": "widgets",
        "singular": "widget",
        "kind": "Widget",
        "listKind": "WidgetList",
    }
    assert found["status"]["storedVersions"] == ["v1"]
    listed = await api.get(WIDGETS)
    assert (listed.status, listed.body["kind"], listed.body["items"]) == (200, "WidgetList", [])


async def test_names_that_another_has_are_not_accepted_until_they_are_free(api: Api) -> None:
    await defined(api)
    second = definition(plural="things", kind="Widget")
    found = await defined(api, second)
    assert conditions(found)["NamesAccepted"] == ("False", "ListKindConflict")
    assert conditions(found)["Established"] == ("False", "NotAccepted")
    assert (await api.get("/apis/example.com/v1/things")).status == 404
    await api.delete(f"{CRDS}/{KEY}")
    await api.server.controllers.settled()
    found = (await api.get(f"{CRDS}/things.example.com")).body
    assert conditions(found)["Established"][0] == "True"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"group": "example"}, "should be a domain with at least one dot"),
        ({"scope": "Everywhere"}, 'Unsupported value: "Everywhere": supported values: "Cluster", "Namespaced"'),
        ({"versions": [version(storage=False)]}, "must have exactly one version marked as storage version"),
        ({"versions": [version(), version(storage=False)]}, "must contain unique version names"),
        ({"versions": [{"name": "v1", "served": True, "storage": True}]}, "schema.openAPIV3Schema: Required value"),
        ({"group": "example.k8s.io"}, "protected groups must have approval annotation"),
        ({"names": {"plural": "others", "kind": "Widget"}}, 'must be spec.names.plural+"."+spec.group'),
    ],
)
async def test_what_is_no_definition_is_refused(api: Api, change: Object, told: str) -> None:
    made = definition(**change)
    answer = await api.post(CRDS, made)
    assert answer.status == 422
    assert told in answer.body["message"]


async def test_all_that_is_defined_goes_before_the_definition(api: Api) -> None:
    await defined(api)
    await api.made(WIDGETS, widget(finalizers=[]))
    held = widget("held")
    held["metadata"]["finalizers"] = ["example.com/wait"]
    await api.made(WIDGETS, held)
    gone = await api.delete(f"{CRDS}/{KEY}")
    assert conditions(gone.body)["Terminating"] == ("True", "InstanceDeletionPending")
    assert gone.body["metadata"]["finalizers"] == ["customresourcecleanup.apiextensions.k8s.io"]
    await api.server.controllers.settled(within=0)
    assert (await api.get(WIDGETS)).names == ["held"]
    refused = await api.post(WIDGETS, widget("late"))
    assert (refused.status, refused.body["reason"]) == (403, "Forbidden")
    assert "create not allowed while custom resource definition is terminating" in refused.body["message"]
    await api.patch(f"{WIDGETS}/held", {"metadata": {"finalizers": None}})
    async with asyncio.timeout(60):
        while (await api.get(f"{CRDS}/{KEY}")).status == 200:
            await api.server.controllers.settled(within=0.06)
    assert (await api.get(WIDGETS)).status == 404
    assert (await api.get("/apis/example.com")).status == 404


async def test_paths_and_discovery_follow_the_versions(api: Api) -> None:
    await defined(api, definition(version("v1beta1"), version("v1", storage=False)))
    await api.made("/apis/example.com/v1beta1/namespaces/default/widgets", widget(version="v1beta1", spec={"size": 1}))
    group = (await api.get("/apis/example.com")).body
    assert [found["version"] for found in group["versions"]] == ["v1", "v1beta1"]
    assert group["preferredVersion"]["version"] == "v1"
    aggregated = await api.call("GET", "/apis", headers={"Accept": AGGREGATED})
    (item,) = (found for found in aggregated.body["items"] if found["metadata"].get("name") == "example.com")
    assert [found["version"] for found in item["versions"]] == ["v1", "v1beta1"]
    found = (await api.get(f"{WIDGETS}/a")).body
    assert (found["apiVersion"], found["spec"]["size"]) == ("example.com/v1", 1)
    (listed,) = (await api.get(WIDGETS)).body["items"]
    assert listed["metadata"]["name"] == "a"
    unserved = [{"op": "replace", "path": "/spec/versions/1/served", "value": False}]
    changed = await api.patch(f"{CRDS}/{KEY}", unserved, JSON_PATCH)
    assert (changed.status, changed.body["metadata"]["generation"]) == (200, 2)
    assert (await api.get(WIDGETS)).status == 404
    assert (await api.get("/apis/example.com/v1")).status == 404
    assert (await api.get("/apis/example.com/v1beta1/widgets")).names == ["a"]
    stored = await api.patch(f"{CRDS}/{KEY}", {"spec": {"versions": [version("v1")]}})
    assert stored.status == 422
    assert "missing from spec.versions; v1beta1 was previously a storage version" in stored.body["message"]


async def test_a_watch_ends_with_what_it_watches(api: Api) -> None:
    await defined(api)
    await api.made(WIDGETS, widget())
    async with api.session.get(f"{api.server.url}{WIDGETS}?watch=true") as answer:
        first = json.loads(await answer.content.readline())
        assert (first["type"], first["object"]["kind"]) == ("ADDED", "Widget")
        await api.delete(f"{CRDS}/{KEY}")
        last = json.loads(await answer.content.readline())
        assert last["type"] == "DELETED"
        assert await answer.content.readline() == b""


async def test_unknown_fields_are_treated_as_the_request_says(api: Api) -> None:
    await defined(api)
    body = widget(spec={"size": 1, "sise": 2})
    strict = await api.post(WIDGETS, body, fieldValidation="Strict")
    assert strict.status == 400
    assert 'strict decoding error: unknown field "spec.sise"' in strict.body["message"]
    warned = await api.made(WIDGETS, body, fieldValidation="Warn")
    assert warned.headers["Warning"] == '299 - "unknown field \\"spec.sise\\""'
    assert warned.body["spec"] == {"size": 1, "mode": "slow"}
    quiet = await api.made(WIDGETS, {**body, "metadata": {"name": "b"}}, fieldValidation="Ignore")
    assert "Warning" not in quiet.headers


async def test_what_may_be_meant_otherwise_is_warned_of(api: Api) -> None:
    spec = {"type": "object", "properties": {"a": {"type": "string", "format": "colour"}}}
    made = await api.made(CRDS, definition(version(spec=spec, deprecated=True)))
    assert made.headers["Warning"] == '299 - "unrecognized format \\"colour\\""'
    await api.server.controllers.settled()
    assert "is deprecated" in (await api.get(WIDGETS)).headers["Warning"]
    body = widget()
    body["metadata"]["finalizers"] = ["mine"]
    created = await api.made(WIDGETS, body)
    assert any("prefer a domain-qualified finalizer name" in text for text in created.headers.getall("Warning"))


async def test_an_applied_definition_stays_as_it_is(api: Api) -> None:
    path = f"{CRDS}/{KEY}"
    first = await api.apply(path, definition())
    assert first.status == 201
    await api.server.controllers.settled()
    before = (await api.get(path)).body
    assert (await api.apply(path, definition())).body == before
    misspelt = definition(version(served="yes"))
    assert (await api.apply(path, misspelt)).status in (400, 500)


async def test_the_schema_is_in_the_openapi_document(api: Api) -> None:
    await defined(api)
    document = (await api.get("/openapi/v3/apis/example.com/v1")).body
    schema = document["components"]["schemas"]["com.example.v1.Widget"]
    assert schema["x-kubernetes-group-version-kind"] == [{"group": "example.com", "version": "v1", "kind": "Widget"}]
    assert schema["properties"]["spec"]["properties"]["size"]["maximum"] == 9


async def test_tables_lists_of_metadata_and_selectors(api: Api) -> None:
    columns = [
        {"name": "Size", "type": "integer", "jsonPath": ".spec.size"},
        {"name": "Ready", "type": "string", "jsonPath": '.status.conditions[?(@.type=="Ready")].status'},
    ]
    selectable = [{"jsonPath": ".spec.mode"}]
    await defined(api, definition(version(additionalPrinterColumns=columns, selectableFields=selectable)))
    ready = {"conditions": [{"type": "Ready", "status": "True"}]}
    await api.made(WIDGETS, widget("a", spec={"size": 1}, status=ready))
    await api.made(WIDGETS, widget("b", spec={"mode": "fast"}))
    table = await api.call("GET", WIDGETS, headers={"Accept": TABLE})
    assert [column["name"] for column in table.body["columnDefinitions"]] == ["Name", "Size", "Ready"]
    assert [row["cells"] for row in table.body["rows"]] == [["a", 1, "True"], ["b", None, None]]
    partial = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
    listed = (await api.call("GET", WIDGETS, headers={"Accept": partial})).body
    assert listed["kind"] == "PartialObjectMetadataList"
    assert "spec" not in listed["items"][0]
    assert (await api.get(WIDGETS, fieldSelector="spec.mode=fast")).names == ["b"]
    assert (await api.get(WIDGETS, fieldSelector="spec.size=1")).status == 400
    assert (await api.delete(WIDGETS)).status == 200
    assert (await api.get(WIDGETS)).names == []


async def test_a_kind_and_a_plural_that_are_built_in_elsewhere_are_its_own(api: Api) -> None:
    names = {"plural": "services", "kind": "Service", "listKind": "Services"}
    await defined(api, definition(plural="services", names=names))
    path = "/apis/example.com/v1/namespaces/default/services"
    body = {"apiVersion": "example.com/v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {"size": 1}}
    created = await api.made(path, body)
    assert created.body["spec"] == {"size": 1, "mode": "slow"}
    assert (await api.get(path)).body["kind"] == "Services"
    assert (await api.get("/api/v1/namespaces/default/services")).names == []
    namespace = await api.made("/api/v1/namespaces", {"metadata": {"name": "other"}})
    assert namespace.status == 201
    await api.made("/apis/example.com/v1/namespaces/other/services", body)
    await api.delete("/api/v1/namespaces/other")
    await api.server.controllers.settled()
    assert (await api.get("/apis/example.com/v1/services")).names == ["s"]
