"""Parameters in query and headers, on every route of the document: what is not documented is a 400 that names it."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.routing import APIRoute, iter_route_contexts

from kubemin.api import openapi
from kubemin.api.app import routes
from kubemin.api.parameter_check import Parameter, parameters_of
from tests.api.conftest import Api

NO_NUMBERS = ["2.0", " 2", "2 ", "+2", "1_0", "1e1", "02", "0x2", "", "\uff12", "\u0662", "two"]
NO_FLAGS = ["1", "0", "yes", "on", "True", " true", "t", ""]


def _operations() -> Iterator[tuple[str, str, list[Parameter]]]:
    """As the routes say: the document takes a second of each process that collects. One test compares both."""
    for context in iter_route_contexts(routes().routes):
        route = context.original_route
        if isinstance(route, APIRoute) and route.include_in_schema:
            for method in sorted(route.methods or ()):
                yield method, context.path or "", list(parameters_of(route))


def _types(schema: dict[str, Any]) -> set[str]:
    return {part["type"] for part in (schema, *schema.get("anyOf", [])) if "type" in part}


def _parameters() -> Iterator[tuple[str, str, str, str, set[str]]]:
    for method, path, parameters in _operations():
        for one in parameters:
            yield method, path, one["in"], one["name"], _types(one["schema"])


def _of_type(kind: str) -> list[tuple[str, str, str, str]]:
    found = [tuple_[:4] for tuple_ in _parameters() if kind in tuple_[4]]
    assert found
    return found


async def _refused(api: Api, method: str, path: str, place: str, pairs: list[tuple[str, str]]) -> None:
    """The request is a 400 whose only field is the parameter's name."""
    options: dict[str, Any] = {"params" if place == "query" else "headers": pairs}
    if method in ("POST", "PUT"):
        options["json"] = {}
    answer = await api.http.request(method, path.replace("{", "").replace("}", ""), **options)
    assert answer.status_code == 400, (pairs, answer.text)
    envelope = answer.json()
    assert [error["field"] for error in envelope["errors"]] == [pairs[0][0]]
    assert pairs[0][0] in envelope["message"]


def test_what_is_checked_is_what_the_document_says() -> None:
    """Checked is what the routes say: the document takes a second to make, and servers start without it."""
    documented = {
        (method.upper(), path): {
            (one["in"], one["name"]): _types(one["schema"])
            for one in operation.get("parameters", [])
            if one["in"] != "path"
        }
        for path, verbs in openapi.document(routes())["paths"].items()
        for method, operation in verbs.items()
    }
    checked = {
        (method, path): {(one["in"], one["name"]): _types(one["schema"]) for one in parameters}
        for method, path, parameters in _operations()
    }
    assert any(checked.values())
    assert checked == documented


@pytest.mark.parametrize(("method", "path"), [(method, path) for method, path, _ in _operations()])
async def test_a_parameter_that_is_not_known_is_refused(api: Api, method: str, path: str) -> None:
    await _refused(api, method, path, "query", [("pagesize", "2")])


@pytest.mark.parametrize(
    ("method", "path", "place", "name"), [one[:4] for one in _parameters() if "array" not in one[4]]
)
async def test_a_parameter_given_twice_is_refused(api: Api, method: str, path: str, place: str, name: str) -> None:
    await _refused(api, method, path, place, [(name, "2"), (name, "2")])


@pytest.mark.parametrize(("method", "path", "place", "name"), _of_type("integer"))
async def test_a_number_that_is_none_is_refused(api: Api, method: str, path: str, place: str, name: str) -> None:
    for value in NO_NUMBERS:
        if place == "query" or (value.isascii() and value.strip() == value):  # a header has no others
            await _refused(api, method, path, place, [(name, value)])


@pytest.mark.parametrize(("method", "path", "place", "name"), _of_type("boolean"))
async def test_a_flag_is_true_or_false(api: Api, method: str, path: str, place: str, name: str) -> None:
    for value in NO_FLAGS:
        await _refused(api, method, path, place, [(name, value)])


@pytest.mark.parametrize("since", ["\uff12" * 9, "2026-W05-1", "\u0662026-01-31", "1e9", "+1"])
async def test_a_moment_that_is_none_is_refused(api: Api, since: str) -> None:
    await _refused(api, "GET", "/api/v1/tasks", "query", [("since", since)])


async def test_all_wrong_parameters_are_named_at_once(api: Api) -> None:
    wrong = await api.call("GET", "/tasks?page=1.0&pageSize=2&pageSize=2&sort=up&sort=down", 400)
    assert [error["field"] for error in wrong["errors"]] == ["sort", "page", "pageSize"]


async def test_what_is_documented_is_taken(api: Api) -> None:
    await api.call("GET", "/applications/templates?pageSize=2&search=a&page=1")
    assert (await api.call("DELETE", "/orphans?deleteVolumes=false&uid=a&uid=b", 400))["errors"][0]["field"] == "uid[0]"
