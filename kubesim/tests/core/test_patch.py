"""PATCH: the four content types, apply on what is absent or another's, and what a patch may not do."""

import json
from typing import Any

import pytest
import yaml

from .conftest import APPLY, CONFIG_MAPS, DEPLOYMENTS, JSON_PATCH, MERGE, STRATEGIC, Api, config_map, deployment

THING = f"{CONFIG_MAPS}/a"


async def test_merge_patch_sets_and_removes(api: Api) -> None:
    await api.made(CONFIG_MAPS, config_map(data={"a": "1", "b": "2"}))
    answer = await api.patch(THING, {"data": {"a": None, "c": "3"}})
    assert (answer.status, answer.body["data"]) == (200, {"b": "2", "c": "3"})


async def test_json_patch_tests_before_it_changes(api: Api) -> None:
    made = await api.made(CONFIG_MAPS, config_map())
    test = {"op": "test", "path": "/metadata/resourceVersion", "value": made.version}
    add = {"op": "add", "path": "/data/more", "value": "x"}
    answer = await api.patch(THING, [test, add], JSON_PATCH)
    assert (answer.status, answer.body["data"]["more"]) == (200, "x")
    again = await api.patch(THING, [test, {**add, "value": "y"}], JSON_PATCH)
    assert (again.status, again.body["reason"]) == (422, "Invalid")
    assert (await api.get(THING)).body["data"]["more"] == "x"


async def test_strategic_merge_patch_merges_lists_by_key(api: Api) -> None:
    await api.made(DEPLOYMENTS, deployment())
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "side", "image": "side:1"}]}}}}
    answer = await api.patch(f"{DEPLOYMENTS}/web", patch, STRATEGIC)
    containers = answer.body["spec"]["template"]["spec"]["containers"]
    assert {container["name"] for container in containers} == {"main", "side"}
    replaced = await api.patch(f"{DEPLOYMENTS}/web", patch, MERGE)
    containers = replaced.body["spec"]["template"]["spec"]["containers"]
    assert [container["name"] for container in containers] == ["side"]


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (MERGE, {"metadata": {"labels": None}}),
        (STRATEGIC, {"data": {"key": "value"}}),
        (JSON_PATCH, [{"op": "replace", "path": "/data/key", "value": "value"}]),
        (APPLY, config_map()),
    ],
)
async def test_a_patch_that_changes_nothing_writes_nothing(api: Api, content_type: str, body: Any) -> None:
    made = await api.apply(THING, config_map())
    answer = await api.patch(THING, body, content_type, fieldManager="test")
    assert (answer.status, answer.body) == (200, made.body)


@pytest.mark.parametrize("content_type", [MERGE, STRATEGIC])
async def test_versions_in_a_patch_are_preconditions(api: Api, content_type: str) -> None:
    made = await api.made(CONFIG_MAPS, config_map())
    good = {"metadata": {"resourceVersion": made.version, "uid": made.body["metadata"]["uid"]}, "data": {"x": "y"}}
    assert (await api.patch(THING, good, content_type)).status == 200
    assert (await api.patch(THING, good, content_type)).status == 409
    answer = await api.patch(THING, {"metadata": {"uid": "other"}}, content_type)
    assert (answer.status, answer.body["details"]["causes"][0]["field"]) == (422, "metadata.uid")


async def test_apply_creates_and_says_so(api: Api) -> None:
    answer = await api.apply(THING, config_map())
    assert answer.status == 201
    (entry,) = answer.body["metadata"]["managedFields"]
    assert (entry["manager"], entry["operation"]) == ("test", "Apply")
    assert (await api.apply(THING, config_map(data={"key": "new"}))).status == 200


async def test_apply_may_be_yaml_or_json(api: Api) -> None:
    text = yaml.safe_dump(config_map(data={"when": "2026-01-01"}))
    answer = await api.apply(THING, text.replace("'", ""))
    assert answer.status == 201
    assert answer.body["data"] == {"when": "2026-01-01"}
    assert (await api.apply(THING, json.dumps(config_map()))).status == 200


async def test_apply_on_what_is_absent_looks_at_the_uid_only(api: Api) -> None:
    with_uid = await api.apply(THING, config_map(uid="some", resourceVersion="7"), force="true")
    assert (with_uid.status, with_uid.body["reason"]) == (409, "Conflict")
    assert with_uid.body["message"] == (
        'Operation cannot be fulfilled on configmaps "a": uid mismatch: the provided object specified uid some, '
        "and no existing object was found"
    )
    assert (await api.apply(THING, config_map(resourceVersion="7"))).status == 201


async def test_apply_on_what_is_there_looks_at_both(api: Api) -> None:
    made = await api.apply(THING, config_map())
    identity = {"uid": made.body["metadata"]["uid"], "resourceVersion": made.version}
    assert (await api.apply(THING, config_map(**{**identity, "uid": "other"}))).status == 422
    assert (await api.apply(THING, config_map(**{**identity, "resourceVersion": "1"}))).status == 409
    assert (await api.apply(THING, config_map(data={"key": "new"}, **identity))).status == 200
    assert (await api.apply(THING, config_map(data={"key": "newer"}, **identity))).status == 409


async def test_apply_on_a_terminating_object_is_accepted(api: Api) -> None:
    await api.apply(THING, config_map(finalizers=["example.com/wait"]))
    await api.delete(THING)
    answer = await api.apply(THING, config_map(data={"key": "late"}, finalizers=["example.com/wait"]))
    assert (answer.status, answer.body["data"]) == (200, {"key": "late"})
    assert "deletionTimestamp" in answer.body["metadata"]


async def test_another_manager_s_field_is_a_conflict_unless_forced(api: Api) -> None:
    await api.made(CONFIG_MAPS, config_map(), fieldManager="other")
    answer = await api.apply(THING, config_map(data={"key": "mine"}))
    assert (answer.status, answer.body["reason"]) == (409, "Conflict")
    assert answer.body["details"]["causes"] == [
        {"reason": "FieldManagerConflict", "message": 'conflict with "other" using v1', "field": ".data.key"}
    ]
    assert (await api.apply(THING, config_map(data={"key": "mine"}), force="true")).status == 200


async def test_apply_needs_a_manager_and_force_needs_apply(api: Api) -> None:
    nobody = await api.patch(THING, config_map(), APPLY)
    assert nobody.status == 422
    assert nobody.body["details"]["causes"][0]["field"] == "fieldManager"
    forced = await api.patch(THING, {}, MERGE, force="true")
    assert forced.status == 422
    assert forced.body["details"]["causes"][0]["field"] == "force"


@pytest.mark.parametrize("content_type", [MERGE, STRATEGIC, JSON_PATCH])
async def test_other_patches_do_not_create(api: Api, content_type: str) -> None:
    answer = await api.patch(THING, [] if content_type == JSON_PATCH else {}, content_type)
    assert (answer.status, answer.body["message"]) == (404, 'configmaps "a" not found')


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "application/yaml"])
async def test_another_content_type_is_415(api: Api, content_type: str) -> None:
    await api.made(CONFIG_MAPS, config_map())
    assert (await api.patch(THING, "{}", content_type)).status == 415


@pytest.mark.parametrize("content_type", [MERGE, STRATEGIC, JSON_PATCH, APPLY])
@pytest.mark.parametrize("body", ["", "{", "[1", '"text"', "7", "null", '{"a": NaN}', "[[]]", "{]}"])
async def test_a_patch_that_is_none_is_refused(api: Api, content_type: str, body: str) -> None:
    made = await api.made(CONFIG_MAPS, config_map())
    answer = await api.patch(THING, body, content_type, fieldManager="test")
    assert answer.status in (400, 422), answer.body
    assert answer.body["kind"] == "Status"
    assert (await api.get(THING)).body == made.body


async def test_a_patch_does_not_rename(api: Api) -> None:
    await api.made(CONFIG_MAPS, config_map())
    assert (await api.patch(THING, {"metadata": {"name": "b"}})).status == 400
    assert (await api.patch(THING, {"metadata": {"namespace": "kube-system"}})).status == 400
    assert (await api.apply(THING, config_map("b"))).status == 400
    assert (await api.patch(THING, {"kind": "Secret"})).status == 400


async def test_unknown_fields_in_a_patch(api: Api) -> None:
    await api.made(DEPLOYMENTS, deployment())
    patch = {"spec": {"replicaz": 1}}
    refused = await api.patch(f"{DEPLOYMENTS}/web", patch, fieldValidation="Strict")
    assert (refused.status, refused.body["reason"]) == (422, "Invalid")
    assert refused.body["message"].endswith('strict decoding error: unknown field "spec.replicaz"')
    warned = await api.patch(f"{DEPLOYMENTS}/web", patch)
    assert warned.headers.getall("Warning") == ['299 - "unknown field \\"spec.replicaz\\""']


async def test_dry_run_of_each(api: Api) -> None:
    made = await api.made(CONFIG_MAPS, config_map())
    for content_type, body in (
        (MERGE, {"data": {"key": "new"}}),
        (STRATEGIC, {"data": {"key": "new"}}),
        (JSON_PATCH, [{"op": "replace", "path": "/data/key", "value": "new"}]),
        (APPLY, config_map(data={"key": "new"})),
    ):
        query = {"force": "true", "fieldManager": "x"} if content_type == APPLY else {}
        answer = await api.patch(THING, body, content_type, dryRun="All", **query)
        assert (answer.status, answer.body["data"]) == (200, {"key": "new"})
    created = await api.apply(f"{CONFIG_MAPS}/b", config_map("b"), dryRun="All")
    assert created.status == 201
    assert (await api.get(f"{CONFIG_MAPS}/b")).status == 404
    assert (await api.get(THING)).body == made.body


async def test_status_by_patch(api: Api) -> None:
    await api.made(DEPLOYMENTS, deployment())
    patch = {"status": {"readyReplicas": 1}, "spec": {"replicas": 9}}
    answer = await api.patch(f"{DEPLOYMENTS}/web/status", patch)
    assert (answer.body["status"], answer.body["spec"]["replicas"]) == ({"readyReplicas": 1}, 1)
    ignored = await api.patch(f"{DEPLOYMENTS}/web", {"status": {"readyReplicas": 5}})
    assert ignored.body["status"] == {"readyReplicas": 1}
