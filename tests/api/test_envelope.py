"""Every reply is an envelope, whatever went wrong, and says nothing that it should not."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from kubemin.api.app import create_app
from kubemin.api.codes import ApiCode
from kubemin.api.deps import Deps
from kubemin.api.errors import api_error, sentence
from kubemin.cluster.errors import Unreachable
from kubemin.engine.errors import (
    AppChanged,
    AppNotFound,
    KeyReused,
    SignalFailed,
    TaskActive,
    TaskElsewhere,
    TaskEnded,
    TaskNotFound,
    WorkflowNotFound,
)
from kubemin.spec.issues import Issue, SpecError
from kubemin.spec.states import TaskStatus
from kubemin.store import errors as store
from tests.api.conftest import BODY_LIMIT, Api, application


async def test_an_unknown_address_is_404_in_the_envelope(api: Api) -> None:
    assert (await api.get("/nothing/here", 404))["code"] == ApiCode.NOT_FOUND
    assert (await api.http.get("/nothing")).json()["code"] == ApiCode.NOT_FOUND
    assert (await api.get("/applications/", 404))["code"] == ApiCode.NOT_FOUND


async def test_a_wrong_method_is_405_and_says_which_are_right(api: Api) -> None:
    answer = await api.http.patch("/api/v1/applications")
    assert answer.status_code == 405
    assert answer.json()["code"] == ApiCode.METHOD_NOT_ALLOWED
    assert answer.headers["allow"]


@pytest.mark.parametrize("path", ["/workflow", "/workflow/exec", "/workflow/cancel"])
async def test_old_addresses_are_501_and_name_the_right_one(api: Api, path: str) -> None:
    envelope = await api.post(path, {}, 501)
    assert f"POST /api/v1/applications/{{id}}{path} " in envelope["message"]


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"",
        b"[]",
        b'"text"',
        b"null",
        b"{} {}",
        b"\xff\xfe",
        b'{"name": "\xff"}',
        b'\xef\xbb\xbf{"name": "bom"}',
        b'{"name": NaN}',
        b'{"name": Infinity}',
        b'{"name": 1e999}',
        b'{"name": ' + b"9" * 5000 + b"}",
        b'{"component": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"component": ' + b"[" * 70 + b"]" * 70 + b"}",
        b'{"name": "shop", "name": "other", "component": []}',
        b'{"name": "shop", "component": [{"name": "c", "type": "config", "type": "secret"}]}',
        rb'{"\ud800": 1, "\ud800": 2}',
        rb'{"\u0000": 1, "\u0000": 2}',
    ],
    ids=lambda body: body[:20].decode("latin-1"),
)
async def test_a_body_that_is_no_json_object_is_400(api: Api, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    envelope = await api.call("POST", "/applications", 400, content=body, headers=headers)
    assert envelope["errors"][0]["field"]
    assert await api.get("/applications") == {"applications": []}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "a\0b"}, "name"),
        ({"description": "\ud800"}, "description"),
        ({"component": [{"name": "web", "replicas": 2**80}]}, "component[0].replicas"),
        ({"a\0b": 1}, "body"),
    ],
)
async def test_what_no_database_can_store_is_named(api: Api, change: dict[str, Any], field: str) -> None:
    import json

    body = json.dumps(application(**change))
    headers = {"Content-Type": "application/json"}
    envelope = await api.call("POST", "/applications", 400, content=body, headers=headers)
    assert envelope["errors"][0]["field"] == field


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"name": 7}, "name", ApiCode.VALIDATION),
        ({"name": None}, "name", ApiCode.MISSING_FIELD),
        ({"name": "Not A Name"}, "name", ApiCode.INVALID_NAME),
        ({"surprise": 1}, "surprise", ApiCode.VALIDATION),
        ({"component": "web"}, "component", ApiCode.VALIDATION),
        ({"component": [{"name": "web", "type": "webservice"}]}, "component[0].image", ApiCode.IMAGE_NOT_SET),
        ({"component": [{"name": "web", "type": "robot"}]}, "component[0].type", ApiCode.APPLICATION_CONFIG),
        ({"workflow": [{"name": "one", "components": ["ghost"]}]}, "workflow[0].components[0]", 10027),
        ({"workflow": [{"name": "one", "components": ["web", "web"]}]}, "workflow[0].components[1]", 20000),
        ({"workflow": [{"name": "web"}, {"name": "web"}]}, "workflow[1].name", 20000),
        (
            {"workflow": [{"name": "web", "subSteps": [{"name": "web", "components": ["conf"]}]}]},
            "workflow[0].subSteps[0].name",
            20000,
        ),
        (
            {"component": [{"name": "web", "type": "config"}, {"name": "web", "type": "config"}]},
            "component[1].name",
            ApiCode.DUPLICATE_COMPONENT,
        ),
        ({"component": [{"name": f"c{n}", "type": "config"} for n in range(1000)]}, "component", 10000),
    ],
)
async def test_what_is_wrong_is_named_and_nothing_is_stored(
    api: Api, change: dict[str, Any], field: str, code: int
) -> None:
    envelope = await api.post("/applications", application(**change), 400)
    assert field in [error["field"] for error in envelope["errors"]]
    assert envelope["code"] == code
    tried = await api.post("/applications/try", application(**change))
    assert tried["valid"] is False
    assert tried["errors"] == envelope["errors"]
    assert tried["message"] == envelope["message"]
    assert await api.get("/applications") == {"applications": []}


async def _chunks(size: int) -> AsyncIterator[bytes]:
    yield b'{"name": "'
    for _ in range(size // 1024):
        yield b"a" * 1024
    yield b'"}'


async def test_a_large_body_is_413_announced_or_not(api: Api) -> None:
    headers = {"Content-Type": "application/json"}
    for content in (b"a" * (BODY_LIMIT + 1), _chunks(BODY_LIMIT), _chunks(5 * BODY_LIMIT)):
        envelope = await api.call("POST", "/applications", 413, content=content, headers=headers)
        assert envelope["code"] == ApiCode.TOO_LARGE
    accepted = b'{"name": "' + b"a" * (BODY_LIMIT - 12) + b'"}'
    assert len(accepted) == BODY_LIMIT
    await api.call("POST", "/applications", 400, content=accepted, headers=headers)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", None])
async def test_what_a_foreign_page_can_post_is_415(api: Api, kind: str | None) -> None:
    headers = {"Content-Type": kind} if kind else {}
    content = b'{"name": "shop", "component": []}'
    envelope = await api.call("POST", "/applications", 415, content=content, headers=headers)
    assert envelope["code"] == ApiCode.UNSUPPORTED_MEDIA_TYPE


@pytest.mark.parametrize(
    "query", [{"page": "0"}, {"page": "x"}, {"pageSize": "100000"}, {"search": "a\0"}, {"search": "a" * 300}]
)
async def test_a_wrong_parameter_is_named(api: Api, query: dict[str, str]) -> None:
    envelope = await api.get("/applications", 400, **query)
    assert [error["field"] for error in envelope["errors"]] == list(query)


@pytest.mark.parametrize(
    ("path", "query", "words"),
    [
        ("/applications", "page=0", "page must be at least 1."),
        ("/applications", "pageSize=1001", "pageSize must be at most 1000."),
        ("/applications", "page=", "page must be a whole number."),
        ("/applications", "search=%00", "search holds characters that are not allowed there."),
        ("/tasks", "appId=a/b", "appId holds characters that are not allowed there."),
        ("/tasks", "since=x", "since must be a moment: RFC 3339, a date, or unix seconds."),
        ("/tasks", "since=99999999999999999", "since must be a moment: RFC 3339, a date, or unix seconds."),
    ],
)
async def test_what_is_wrong_with_a_parameter_is_said_in_words(api: Api, path: str, query: str, words: str) -> None:
    envelope = await api.call("GET", f"{path}?{query}", 400)
    assert envelope["message"] == words


async def test_a_field_is_spelled_as_it_is(api: Api) -> None:
    assert (await api.post("/applications", application(foo=1), 400))["message"].startswith("foo is not a field")
    app = await api.create()
    envelope = await api.post(f"/applications/{app['id']}/workflow/exec", {"onActive": "x"}, 400)
    assert envelope["message"] == "onActive must be one of 'queue', 'reject' or 'supersede'."


async def test_a_key_that_is_given_twice_is_named(api: Api) -> None:
    headers = {"Content-Type": "application/json"}
    body = b'{"name": "shop", "component": [{"name": "c", "type": "config", "type": "secret"}]}'
    envelope = await api.call("POST", "/applications", 400, content=body, headers=headers)
    assert envelope["message"] == '"type" is given twice in one object of the body.'
    assert [error["field"] for error in envelope["errors"]] == ["type"]


async def test_an_unexpected_error_is_500_without_its_words(deps: Deps) -> None:
    class Broken:
        async def states(self, app_id: str) -> Any:
            raise RuntimeError(f"secret of {app_id}")

    app = create_app(Deps(db=deps.db, service=deps.service, limits=deps.limits, watches={"default": Broken()}))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url="http://localhost"
    ) as http:
        api = Api(http, deps.db)
        app_id = (await api.create())["id"]
        envelope = await api.get(f"/applications/{app_id}/components", 500)
    assert envelope["code"] == ApiCode.INTERNAL
    assert "secret" not in str(envelope)
    assert "Traceback" not in str(envelope)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (SpecError([Issue("name", "NAME_TOO_LONG", "too long")]), 400, 10021),
        (SpecError([Issue("a", "MISSING_IMAGE", "x"), Issue("b", "NAME_TOO_LONG", "y")]), 400, 10020),
        (AppNotFound("x"), 404, 10005),
        (WorkflowNotFound("x"), 404, 20005),
        (TaskElsewhere("x", "y"), 404, 20005),
        (TaskNotFound("x"), 404, 20006),
        (TaskEnded("x", TaskStatus.COMPLETED), 409, 20010),
        (TaskActive("x"), 409, 20011),
        (AppChanged("x"), 409, 409),
        (KeyReused("x"), 409, 409),
        (SignalFailed("x", "Redis is away"), 502, 20012),
        (Unreachable("cannot connect"), 503, 30001),
        (store.Locked("x"), 503, 503),
        (store.Unavailable("x"), 503, 503),
        (store.CommitUnknown("x"), 503, 503),
        (store.SchemaOutdated("run `kubemin migrate`"), 503, 503),
        (store.Full("x"), 507, 507),
        (store.Duplicate("pk"), 409, 409),
        (store.Unstorable("too long"), 400, 10020),
        (store.StoreError("SELECT password"), 500, 500),
        (KeyError("password"), 500, 500),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_each_error_has_one_answer(error: Exception, status: int, code: int) -> None:
    answer = api_error(error)
    assert (answer.status, answer.code) == (status, code)
    assert answer.message.endswith(".")
    assert "password" not in answer.message
    assert (answer.headers or {}).get("Retry-After") == (
        "1" if isinstance(error, store.Locked | store.Unavailable | Unreachable) else None
    )


def test_an_active_task_is_named() -> None:
    answer = api_error(TaskActive("m8d2h5s0r4f7j1l9p3u6e0xb"))
    assert "m8d2h5s0r4f7j1l9p3u6e0xb" in answer.message
    assert answer.errors is not None
    assert answer.errors[0].message == "m8d2h5s0r4f7j1l9p3u6e0xb"


@pytest.mark.parametrize(
    ("text", "expected"), [("it broke", "It broke."), ("/x is away.", "/x is away."), ("Why?", "Why?"), ("", ".")]
)
def test_sentences(text: str, expected: str) -> None:
    assert sentence(text) == expected
