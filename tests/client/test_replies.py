"""What the client knows of the API is what the server's OpenAPI document says: addresses, replies, options, events."""

import sys
from collections.abc import Callable, Mapping
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, NotRequired, Union, get_args, get_origin, get_type_hints, is_typeddict

import pytest

from kubemin.api import openapi
from kubemin.api.app import routes
from kubemin.client import Client, replies
from kubemin.client.calls import applications, identity, runs, server, tasks
from kubemin.client.methods import Method, Methods
from kubemin.client.options import RunOptions
from kubemin.client.steps import Call

Schema = Mapping[str, Any]

KINDS: Mapping[Any, str] = {str: "string", int: "integer", bool: "boolean", float: "number", NoneType: "null"}
OLDER_SPELLINGS = {"workflow_id", "tmp_enable"}

APP, TASK = "default/shop", "m8d2h5s0"
Build = Callable[..., Call[Any]]
CALLS: Mapping[str, list[tuple[Build, tuple[Any, ...]]]] = {
    "apply_application": [(runs.applying, ({}, None, "key", {})), (runs.preview, ({},))],
    "list_applications": [(applications.applications, ())],
    "list_templates": [(applications.templates, ())],
    "get_application": [(applications.application, (APP,))],
    "list_components": [(applications.components, (APP,))],
    "save_application": [(applications.save, ({},))],
    "try_application": [(applications.check, ({},))],
    "read_application": [(applications.read, ("",))],
    "plan_application": [(applications.plan, ({},))],
    "delete_application": [
        (applications.deleting, (APP, None, None, "key")),
        (applications.preview_delete, (APP,)),
    ],
    "delete_resources": [(applications.deleting_resources, (APP, None, "key"))],
    "read_logs": [(applications.logs, (APP,))],
    "make_version": [(applications.making_version, (APP, {"components": [], "autoExec": True}, "key"))],
    "list_workflows": [(applications.workflows, (APP,))],
    "create_workflow": [(applications.create_workflow, (APP, "nightly", []))],
    "change_workflow": [(applications.change_workflow, (APP, []))],
    "try_workflow": [(applications.check_workflow, (APP, []))],
    "exec_workflow": [(runs.executing, (APP, None, "key", {}))],
    "list_revisions": [(runs.revisions, (APP,))],
    "get_revision": [(runs.revision, (APP,))],
    "diff_application": [(runs.diff, (APP,))],
    "rollback_application": [(runs.rolling_back, (APP, None, "key", {})), (runs.preview_rollback, (APP,))],
    "restart_application": [(runs.restarting, (APP, [], "key"))],
    "list_tasks": [(tasks.tasks, ())],
    "list_application_tasks": [(tasks.tasks_of, (APP,))],
    "get_task_status": [(tasks.task, (TASK,))],
    "get_task_stages": [(tasks.stages, (TASK,))],
    "get_task_resources": [(tasks.resources, (TASK,))],
    "get_task_changes": [(tasks.changes, (TASK,))],
    "get_task_evidence": [(tasks.evidence, (TASK,))],
    "cancel_task": [(tasks.cancelling, (APP, TASK, None, None, None))],
    "promote_task": [(tasks.promote, (TASK,))],
    "clean_up_again": [(tasks.cleanup, (TASK,)), (tasks.abandon, (TASK,))],
    "list_audit": [(server.audit, ())],
    "export_audit": [(server.audit_lines, ())],
    "get_operations": [(server.operations, ())],
    "list_clusters": [(server.clusters, ())],
    "list_orphans": [(server.orphans, ())],
    "delete_orphans": [(server.delete_orphans, (["u"],))],
    "list_notifications": [(server.notifications, ())],
    "retry_notification": [(server.retry_notification, (1,))],
    "test_notification": [(server.test_notification, ("ops",))],
    "whoami": [(identity.whoami, ())],
    "ways": [(identity.ways, ())],
    "list_tokens": [(identity.tokens, ())],
    "create_token": [(identity.create_token, ("ci", []))],
    "end_sessions": [(identity.end_sessions, ())],
    "revoke_token": [(identity.revoke_token, ("abc",))],
    "healthz": [(server.alive, ())],
    "readyz": [(server.ready, ())],
}
"""The calls of each operation."""

INNER = {
    runs.applying: "apply",
    runs.executing: "execute",
    runs.rolling_back: "rollback",
    runs.restarting: "restart",
    applications.deleting: "delete",
    applications.deleting_resources: "delete_resources",
    applications.making_version: "make_version",
    tasks.cancelling: "cancel",
}
"""Calls of flows: the method is the flow's."""

OTHERWISE = {"get_task", "follow_task", "follow_all_tasks", "metrics", "application_schema", "open_session", "logout"}
"""The same at another address; a stream; and what the page alone, and Prometheus, read."""
GIVEN_OTHERWISE = {
    "read_logs": ["follow"],
    "get_task_status": ["If-None-Match"],
    "list_components": ["If-None-Match"],
}
"""Parameters that `follow_logs` gives, or an argument that is left out here, or nobody."""


@cache
def document() -> Mapping[str, Any]:
    """Not while pytest collects: it takes half a second of each process."""
    return openapi.document(routes())


def schemas() -> Mapping[str, Schema]:
    found: Mapping[str, Schema] = document()["components"]["schemas"]
    return found


def operations() -> dict[str, tuple[str, str, Schema]]:
    return {
        one["operationId"]: (verb.upper(), path, one)
        for path, verbs in document()["paths"].items()
        for verb, one in verbs.items()
    }


def test_every_operation_has_its_call() -> None:
    assert operations().keys() == CALLS.keys() | OTHERWISE


@pytest.mark.parametrize("name", CALLS)
def test_a_call_goes_where_the_document_says(name: str) -> None:
    verb, path, described = operations()[name]
    expected = (
        path.replace("{app_id}", "default~shop")
        .replace("{task_id}", TASK)
        .replace("{revision}", "current")
        .replace("{token_id}", "abc")
        .replace("{delivery_id}", "1")
        .replace("{name}", "ops")
    )
    known = {one["name"] for one in described.get("parameters", ()) if one["in"] in ("query", "header")}
    given = set(GIVEN_OTHERWISE.get(name, ()))
    for build, arguments in CALLS[name]:
        call = build(*arguments)
        assert (call.method, call.path) == (verb, expected)
        given |= {*call.params, *call.headers}
    assert given == known


def test_a_text_goes_with_all_that_the_document_knows() -> None:
    assert isinstance(body := applications.read("{}", name="shop", namespace="test").body, Mapping)
    assert body.keys() == schemas()["Text"]["properties"].keys()


@pytest.mark.parametrize("name", CALLS)
def test_a_reply_is_as_the_document_says(name: str) -> None:
    kinds = [_returned(build) for build, _ in CALLS[name]]
    content = operations()[name][2]["responses"]["200"]["content"]
    if "application/json" not in content:
        assert kinds == [str]
        return
    data = _resolved(content["application/json"]["schema"])["properties"]["data"]
    wanted = [_resolved(one) for one in data.get("anyOf", [data])]
    for kind in kinds:
        assert any(not _wrong(kind, one, "") for one in wanted), [_wrong(kind, one, name) for one in wanted]
    for one in wanted:
        assert any(not _wrong(kind, one, "") for kind in kinds), f"no call of {name} returns {one}"


def _returned(build: Build) -> Any:
    """What the data of a call are said to be."""
    names = {**vars(sys.modules[build.__module__]), **vars(replies), "RunOptions": RunOptions}
    return get_args(get_type_hints(build, names)["return"])[0]


def _resolved(schema: Schema) -> Schema:
    return schemas()[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def _wrong(kind: Any, schema: Schema, where: str) -> list[str]:
    """How a type is otherwise than the schema, a line each."""
    schema = _resolved(schema)
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        parts = [_resolved(one) for one in schema.get("anyOf", [schema])]
        left = [one for one in get_args(kind) if all(_wrong(one, part, where) for part in parts)]
        missed = [part for part in parts if all(_wrong(one, part, where) for one in get_args(kind))]
        return [f"{where}: {one} is not in {schema}" for one in left] + [f"{where}: {one} is missing" for one in missed]
    if is_typeddict(kind):
        return _wrong_fields(kind, schema, where)
    if origin is list:
        if schema.get("type") != "array":
            return [f"{where}: no list"]
        return _wrong(get_args(kind)[0], schema["items"], f"{where}[]")
    if origin is dict:
        return [] if schema.get("type") == "object" else [f"{where}: no object"]
    if origin is Literal:
        values = set(schema.get("enum", [schema["const"]] if "const" in schema else _choices(schema)))
        return [] if set(get_args(kind)) == values else [f"{where}: {kind} is {values}"]
    if kind is Any:
        return [] if not schema.keys() & {"type", "anyOf"} else [f"{where}: is known better"]
    return [] if schema.get("type") == KINDS[kind] and "enum" not in schema else [f"{where}: {kind} is {dict(schema)}"]


def _choices(schema: Schema) -> list[Any]:
    return [value for one in schema.get("anyOf", ()) for value in _resolved(one).get("enum", ())]


def _wrong_fields(kind: Any, schema: Schema, where: str, passed_over: frozenset[str] = frozenset()) -> list[str]:
    if schema.get("type") != "object":
        return [f"{where}: no object"]
    fields, hints = schema.get("properties", {}), get_type_hints(kind, include_extras=True)
    wrong = [f"{where}.{name} is unknown to the client" for name in fields.keys() - hints.keys() - OLDER_SPELLINGS]
    for name, hint in hints.items():
        if name in passed_over:
            continue
        if name not in fields:
            wrong.append(f"{where}.{name} is unknown to the server")
            continue
        field = fields[name]
        nullable = any(one.get("type") == "null" for one in field.get("anyOf", ()))
        may_lack = name not in schema.get("required", ()) and (
            nullable or ("default" in field and field["default"] is None)
        )
        optional = get_origin(hint) is NotRequired
        if optional != may_lack:
            wrong.append(f"{where}.{name} is {'' if may_lack else 'not '}optional")
        if optional:  # what the document calls null is left out
            parts = [one for one in get_args(get_args(hint)[0]) if one is not NoneType]
            hint = parts[0] if NoneType in get_args(get_args(hint)[0]) else get_args(hint)[0]
            (field,) = [one for one in field["anyOf"] if one.get("type") != "null"]
        wrong += _wrong(hint, field, f"{where}.{name}")
    return wrong


@pytest.mark.parametrize("kind", get_args(replies.Event), ids=lambda kind: kind.__name__)
def test_an_event_is_as_the_document_says(kind: Any) -> None:
    described = schemas()[kind.__name__]
    assert get_args(get_type_hints(kind)["type"]) == (described["properties"]["event"]["const"],)
    data = schemas()[f"{kind.__name__}Data"]
    assert not _wrong_fields(kind, data, kind.__name__, frozenset({"id", "type"}))


def test_every_kind_of_event_is_known() -> None:
    assert len(get_args(replies.Event)) == len(schemas()["Event"]["oneOf"])


def test_the_options_of_a_run_are_the_servers() -> None:
    """`dryRun` is asked for by the calls that preview."""
    wanted = schemas()["Exec"]["properties"].keys() - {"workflowId", "dryRun"}
    known = get_type_hints(RunOptions)
    assert {"".join([first, *map(str.title, rest)]) for first, *rest in (name.split("_") for name in known)} == wanted
    for name in ("on_active", "cleanup"):
        schema = schemas()["Exec"]["properties"]["".join([name.split("_")[0], *map(str.title, name.split("_")[1:])])]
        assert not _wrong(known[name], schema.get("allOf", [schema])[0], name)


def test_every_call_is_a_method() -> None:
    methods = {name for name, one in vars(Methods).items() if isinstance(one, Method)}
    builds = [build for found in CALLS.values() for build, _ in found]
    assert methods == {INNER.get(build, build.__name__) for build in builds}
    assert all(getattr(Client("http://x"), name).__doc__ for name in methods)
