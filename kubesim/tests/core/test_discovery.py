"""Discovery, health, version, schemas: what clients ask before they ask for anything."""

import pytest

from kubesim.resources import BY_PATH, EVENTS_K8S_IO, RESOURCES

from .conftest import Api

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


async def test_version(api: Api) -> None:
    answer = await api.get("/version")
    assert (answer.body["major"], answer.body["minor"]) == ("1", "36")
    assert answer.body["gitVersion"].startswith("v1.36.")


@pytest.mark.parametrize("path", ["/healthz", "/livez", "/readyz"])
async def test_health(api: Api, path: str) -> None:
    answer = await api.get(path)
    assert (answer.status, answer.body) == (200, "ok")


async def test_the_old_discovery_lists_every_resource_once(api: Api) -> None:
    versions = await api.get("/api")
    assert (versions.body["kind"], versions.body["versions"]) == ("APIVersions", ["v1"])
    groups = await api.get("/apis")
    assert groups.body["kind"] == "APIGroupList"
    found: list[tuple[str, str, str]] = []
    paths = ["/api/v1", *(f"/apis/{group['preferredVersion']['groupVersion']}" for group in groups.body["groups"])]
    for path in paths:
        listed = (await api.get(path)).body
        assert listed["kind"] == "APIResourceList"
        group, _, version = listed["groupVersion"].rpartition("/")
        found += [(group, version, entry["name"]) for entry in listed["resources"] if "/" not in entry["name"]]
    assert sorted(found) == sorted(BY_PATH)


async def test_a_group_by_name(api: Api) -> None:
    answer = await api.get("/apis/apps")
    assert answer.body["kind"] == "APIGroup"
    assert answer.body["preferredVersion"] == {"groupVersion": "apps/v1", "version": "v1"}
    assert (await api.get("/apis/nothing")).status == 404
    assert (await api.get("/apis/apps/v9")).status == 404


@pytest.mark.parametrize("root", ["/api", "/apis"])
async def test_the_aggregated_discovery_says_the_same(api: Api, root: str) -> None:
    answer = await api.call("GET", root, headers={"Accept": f"{AGGREGATED},application/json"})
    assert answer.headers["Content-Type"] == AGGREGATED
    assert answer.body["kind"] == "APIGroupDiscoveryList"
    for group in answer.body["items"]:
        name = group["metadata"].get("name", "")
        for version in group["versions"]:
            old = (await api.get(f"{root}/{name}/{version['version']}".replace("//", "/"))).body["resources"]
            whole = [entry for entry in old if "/" not in entry["name"]]
            assert [entry["resource"] for entry in version["resources"]] == [entry["name"] for entry in whole]
            for new, entry in zip(version["resources"], whole, strict=True):
                assert new["responseKind"]["kind"] == entry["kind"]
                assert (new["scope"] == "Namespaced") is entry["namespaced"]
                assert new["verbs"] == entry["verbs"]
                assert new.get("shortNames") == entry.get("shortNames")
            subresources = {
                f"{entry['resource']}/{sub['subresource']}"
                for entry in version["resources"]
                for sub in entry.get("subresources", ())
            }
            assert subresources == {entry["name"] for entry in old if "/" in entry["name"]}


async def test_every_resource_can_be_listed_where_discovery_says(api: Api) -> None:
    for resource in (*RESOURCES.values(), EVENTS_K8S_IO):
        root = f"/apis/{resource.api_version}" if resource.group else f"/api/{resource.api_version}"
        answer = await api.get(f"{root}/{resource.plural}")
        assert (answer.status, answer.body["kind"]) == (200, f"{resource.kind}List")


@pytest.mark.parametrize("version", ["v2", "v3"])
async def test_schemas_tell_that_fields_are_validated(api: Api, version: str) -> None:
    path = f"/openapi/{version}"
    if version == "v3":
        index = (await api.get(path)).body
        path = index["paths"]["apis/apps/v1"]["serverRelativeURL"].partition("?")[0]
    document = (await api.get(path)).body
    patch = document["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]["patch"]
    assert patch["x-kubernetes-group-version-kind"] == {"group": "apps", "version": "v1", "kind": "Deployment"}
    assert "fieldValidation" in [parameter["name"] for parameter in patch["parameters"]]
