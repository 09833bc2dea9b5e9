"""The OpenAPI document, and the page made of it."""

import json
import re
from typing import Any

import httpx
import pytest

from kubemin.api import docs, openapi
from kubemin.api.app import routes
from kubemin.spec.events import MODELS
from kubemin.spec.schema import schema_text
from kubemin.store import Unavailable
from tests.api.conftest import Api


def operations() -> dict[str, dict[str, Any]]:
    """By method and path. Not while pytest collects: the document takes half a second of each process."""
    paths = openapi.document(routes())["paths"].items()
    return {f"{verb.upper()} {path}": operation for path, verbs in paths for verb, operation in verbs.items()}


def test_each_operation_says_what_it_does_and_how_it_fails() -> None:
    for name, operation in operations().items():
        assert operation["summary"], name
        assert operation["description"], name
        assert re.fullmatch(r"[a-z_]+", operation["operationId"]), name
        replies = operation["responses"]
        assert "422" not in replies, name
        assert {"200", "400", "500", "503"} <= set(replies), name
        if "requestBody" in operation:
            assert {"413", "415"} <= set(replies), name
        if "{" in name:
            assert "404" in replies, name
        for status, reply in replies.items():
            if status == "304":
                assert "content" not in reply, name
            elif status != "200":
                content = reply["content"]["application/json"]
                assert content["schema"] == {"$ref": "#/components/schemas/ErrorEnvelope"}, name
                assert content["example"]["code"] != 0, name


def test_operation_ids_are_unique_and_references_resolve() -> None:
    whole = openapi.document(routes())
    ids = [operation["operationId"] for operation in operations().values()]
    assert len(ids) == len(set(ids))
    names = set(re.findall(r"#/components/schemas/([^'\"]+)", str(whole)))
    assert names <= set(whole["components"]["schemas"])
    assert "Application" in names


async def test_the_document_and_its_page_are_served(api: Api) -> None:
    assert (await api.http.get("/openapi.json")).json() == openapi.document(routes())
    page = await api.http.get("/docs")
    assert page.status_code == httpx.codes.OK
    assert "cancel_task" in page.text
    assert not re.search(r"<script|src=|https?://", page.text)


def test_the_page_escapes_what_it_shows() -> None:
    whole = openapi.document(routes())
    whole["info"]["description"] = "<script>alert(1)</script>"
    assert "<script" not in docs.page(whole)


async def test_metrics_count_requests_by_operation_not_by_address(api: Api) -> None:
    for number in range(3):
        await api.http.get(f"/api/v1/applications/app-{number}")
    await api.http.request("BREW", "/coffee")
    text = (await api.http.get("/metrics")).text
    line = 'kubemin_http_requests_total{method="GET",operation="get_application",status="404"} 3.0'
    assert line in text
    assert 'method="other",operation="none"' in text
    assert "app-1" not in text


async def test_metrics_say_how_the_tasks_are(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    app = await api.create()
    await api.post(f"/applications/{app['id']}/workflow/exec", {})
    lines = (await api.http.get("/metrics")).text.splitlines()
    assert {
        "# TYPE kubemin_tasks gauge",
        'kubemin_tasks{status="waiting"} 1.0',
        'kubemin_tasks{status="running"} 0.0',
        'kubemin_cleanups{state="incomplete"} 0.0',
        'kubemin_leases{state="held"} 0.0',
        'kubemin_leases{state="expired"} 0.0',
        "kubemin_database_up 1.0",
    } <= set(lines)
    assert [line for line in lines if line.startswith("kubemin_queue_oldest_task_age_seconds ")]

    def away() -> Any:
        raise Unavailable("away")

    monkeypatch.setattr(api.db, "read", away)
    answer = await api.http.get("/metrics")
    assert answer.status_code == 200
    assert "kubemin_database_up 0.0" in answer.text
    assert "kubemin_tasks" not in answer.text
    assert "kubemin_http_requests_total" in answer.text


def test_the_events_of_a_stream_are_told_apart_by_their_kind() -> None:
    whole = openapi.document(routes())
    content = whole["paths"]["/api/v1/workflow/tasks/{task_id}/events"]["get"]["responses"]["200"]["content"]
    assert content["text/event-stream"]["schema"] == {"$ref": "#/components/schemas/Event"}
    schemas = whole["components"]["schemas"]
    mapping = schemas["Event"]["discriminator"]["mapping"]
    assert [{"$ref": reference} for reference in mapping.values()] == schemas["Event"]["oneOf"]
    for kind, model in MODELS.items():
        event = schemas[mapping[kind].rpartition("/")[2]]
        assert event["properties"]["event"] == {"const": kind}
        data = schemas[event["properties"]["data"]["contentSchema"]["$ref"].rpartition("/")[2]]
        fields = {field.alias or name for name, field in model.model_fields.items()} - {"type"}
        assert data["properties"].keys() == fields
        assert "at" in data["required"]


async def test_the_schema_of_the_format_is_there_for_editors(api: Api) -> None:
    answer = await api.http.get("/schema/application.json")
    assert answer.json() == json.loads(schema_text())
    again = await api.http.get("/schema/application.json", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
