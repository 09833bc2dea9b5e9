"""What is refused before anything is looked up: paths, methods, bodies, content types, strangers."""

import io
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import yaml

from kubesim import SimServer

from .conftest import CONFIG_MAPS, DEPLOYMENTS, Api, config_map

MAX_BODY = 3 * 1024 * 1024


@pytest.mark.parametrize(
    "path", ["/", "/nothing", "/apis/unknown.io/v1/things", "/apis/apps/v2/deployments", "/api/v2"]
)
async def test_an_unknown_path_is_a_plain_404(api: Api, path: str) -> None:
    answer = await api.get(path)
    assert (answer.status, answer.body) == (404, "404 page not found\n")


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/things",
        "/api/v1/namespaces/default/things",
        "/api/v1/namespaces/default/nodes",
        "/api/v1/configmaps/a",
        f"{CONFIG_MAPS}/a/status",
        f"{DEPLOYMENTS}/a/finalize",
        f"{CONFIG_MAPS}/a/b/c",
        "/apis/apps/v1/pods",
    ],
)
async def test_an_unknown_resource_is_a_status(api: Api, path: str) -> None:
    answer = await api.get(path)
    assert (answer.status, answer.body["reason"]) == (404, "NotFound")
    assert answer.body["message"] == "the server could not find the requested resource"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", f"{CONFIG_MAPS}/a"),
        ("PUT", CONFIG_MAPS),
        ("PATCH", CONFIG_MAPS),
        ("POST", "/api/v1/configmaps"),
        ("DELETE", "/api/v1/configmaps"),
        ("DELETE", f"{DEPLOYMENTS}/a/status"),
        ("POST", f"{DEPLOYMENTS}/a/scale"),
        ("GET", "/api/v1/namespaces/default/finalize"),
        ("OPTIONS", CONFIG_MAPS),
    ],
)
async def test_a_method_that_does_not_fit_is_405(api: Api, method: str, path: str) -> None:
    answer = await api.call(method, path, {} if method in ("POST", "PUT", "PATCH") else None)
    assert (answer.status, answer.body["reason"]) == (405, "MethodNotAllowed")


@pytest.mark.parametrize(
    "body",
    ["", "{", "nothing", "[]", "7", "null", '"text"', '{"metadata": 7}', '{"metadata": {"name": "a"}} x', "\xff"],
)
@pytest.mark.parametrize("content_type", ["application/json", "application/yaml"])
async def test_a_body_that_is_no_object_is_400(api: Api, body: str, content_type: str) -> None:
    for method, path in (("POST", CONFIG_MAPS), ("PUT", f"{CONFIG_MAPS}/a")):
        answer = await api.call(method, path, body.encode("latin-1"), content_type=content_type)
        assert answer.status == 400, answer.body
        assert (answer.body["kind"], answer.body["reason"]) == ("Status", "BadRequest")


async def test_half_a_surrogate_pair_becomes_a_replacement_character(api: Api) -> None:
    body = b'{"metadata": {"name": "a"}, "data": {"half": "x\\ud800y", "whole": "\\ud83d\\ude00"}}'
    for content_type in ("application/json", "application/yaml"):
        answer = await api.call("POST", CONFIG_MAPS, body, content_type=content_type, dryRun="All")
        assert (answer.status, answer.body["data"]) == (201, {"half": "x\ufffdy", "whole": "\U0001f600"})
    patched = await api.apply(f"{CONFIG_MAPS}/a", body.replace(b"{", b'{"apiVersion": "v1", "kind": "ConfigMap", ', 1))
    assert patched.body["data"]["half"] == "x\ufffdy"


@pytest.mark.parametrize("depth", [2_000, 100_000])
async def test_deep_nesting_is_refused_and_the_server_lives(api: Api, depth: int) -> None:
    for content_type in ("application/json", "application/yaml"):
        body = '{"metadata": {"name": "a"}, "data": ' + "[" * depth + "]" * depth + "}"
        answer = await api.call("POST", CONFIG_MAPS, body, content_type=content_type)
        assert answer.status == 400
    assert (await api.get("/healthz")).status == 200


@pytest.mark.parametrize("content_type", ["application/cbor", "text/plain", "multipart/form-data"])
async def test_a_content_type_that_is_not_read_is_415(api: Api, content_type: str) -> None:
    answer = await api.call("POST", CONFIG_MAPS, json.dumps(config_map()), content_type=content_type)
    assert (answer.status, answer.body["reason"]) == (415, "UnsupportedMediaType")


async def test_a_body_may_be_yaml(api: Api) -> None:
    answer = await api.call("POST", CONFIG_MAPS, yaml.safe_dump(config_map()), content_type="application/yaml")
    assert (answer.status, answer.body["data"]) == (201, {"key": "value"})


@pytest.mark.parametrize(
    "accept", ["application/vnd.kubernetes.protobuf", "text/html", "application/json;as=Chart;v=v1"]
)
async def test_an_answer_that_cannot_be_given_is_406(api: Api, accept: str) -> None:
    answer = await api.call("GET", CONFIG_MAPS, headers={"Accept": accept})
    assert (answer.status, answer.body["reason"]) == (406, "NotAcceptable")


async def test_of_several_answers_the_first_that_can_be_given(api: Api) -> None:
    accept = "application/vnd.kubernetes.protobuf, application/json;q=0.5, */*"
    assert (await api.call("GET", CONFIG_MAPS, headers={"Accept": accept})).body["kind"] == "ConfigMapList"


@pytest.mark.parametrize("chunked", [False, True])
async def test_three_mebibytes_and_no_more(api: Api, chunked: bool) -> None:
    body = json.dumps(config_map()).ljust(MAX_BODY).encode()
    url = f"{api.server.url}{CONFIG_MAPS}?dryRun=All"
    for data, status in ((body, 201), (body + b" ", 413)):
        payload: Any = _chunks(data) if chunked else io.BytesIO(data)
        async with api.session.post(url, data=payload, headers={"Content-Type": "application/json"}) as response:
            answer = await response.json()
            assert response.status == status
    assert answer["reason"] == "RequestEntityTooLarge"
    assert (await api.get("/healthz")).status == 200


async def _chunks(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), 65_536):
        yield data[start : start + 65_536]


async def test_names_are_decoded_and_checked(api: Api) -> None:
    roles = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles"
    await api.made(roles, {"metadata": {"name": "system:view"}, "rules": []})
    assert (await api.get(f"{roles}/system%3Aview")).status == 200
    answer = await api.post(CONFIG_MAPS, config_map("Not_A_Name"))
    assert (answer.status, answer.body["details"]["causes"][0]["field"]) == (422, "metadata.name")


async def test_a_long_manager_is_422(api: Api) -> None:
    answer = await api.post(CONFIG_MAPS, config_map(), fieldManager="x" * 129)
    assert (answer.status, answer.body["details"]["causes"][0]["field"]) == (422, "fieldManager")


async def test_a_token_is_asked_for_if_there_is_one() -> None:
    async with SimServer(token="secret") as server, aiohttp.ClientSession() as session:
        for headers, status in (
            ({}, 401),
            ({"Authorization": "Bearer wrong"}, 401),
            ({"Authorization": "Bearer secret"}, 200),
        ):
            async with session.get(f"{server.url}/api/v1/namespaces", headers=headers) as response:
                assert response.status == status
                assert (await response.json())["kind"] == ("NamespaceList" if status == 200 else "Status")
