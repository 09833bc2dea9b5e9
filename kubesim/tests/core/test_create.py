"""POST: what it takes, what it adds, what it refuses."""

import asyncio
import uuid
from typing import Any

import pytest

from .conftest import CONFIG_MAPS, DEPLOYMENTS, Api, config_map, deployment


async def test_the_server_names_the_object_and_answers_201(api: Api) -> None:
    answer = await api.post(CONFIG_MAPS, config_map(), fieldManager="me")
    assert answer.status == 201
    meta = answer.body["metadata"]
    assert str(uuid.UUID(meta["uid"])) == meta["uid"]
    assert meta["namespace"] == "default"
    assert int(meta["resourceVersion"]) > 0
    assert meta["creationTimestamp"].endswith("Z")
    assert [(entry["manager"], entry["operation"]) for entry in meta["managedFields"]] == [("me", "Update")]
    assert "generation" not in meta
    assert list(answer.body)[:2] == ["kind", "apiVersion"]
    assert (await api.get(f"{CONFIG_MAPS}/a")).body == answer.body


async def test_kind_and_api_version_may_be_left_out(api: Api) -> None:
    answer = await api.made(CONFIG_MAPS, {"metadata": {"name": "a"}})
    assert (answer.body["kind"], answer.body["apiVersion"]) == ("ConfigMap", "v1")


async def test_the_manager_is_the_user_agent_if_none_is_named(api: Api) -> None:
    answer = await api.made(CONFIG_MAPS, config_map(), headers={"User-Agent": "kubectl/v1.36 (linux)"})
    assert answer.body["metadata"]["managedFields"][0]["manager"] == "kubectl"


async def test_what_only_the_server_may_set_is_ignored(api: Api) -> None:
    body = config_map(
        uid="mine", creationTimestamp="2001-01-01T00:00:00Z", deletionTimestamp="2001-01-01T00:00:00Z", selfLink="/x"
    )
    meta = (await api.made(CONFIG_MAPS, body)).body["metadata"]
    assert meta["uid"] != "mine"
    assert not meta["creationTimestamp"].startswith("2001")
    assert "deletionTimestamp" not in meta
    assert "selfLink" not in meta


async def test_a_resource_version_is_refused_with_500_and_zero_is_not(api: Api) -> None:
    refused = await api.post(CONFIG_MAPS, config_map(resourceVersion="7"))
    assert (refused.status, refused.body["message"]) == (
        500,
        "resourceVersion should not be set on objects to be created",
    )
    assert (await api.post(CONFIG_MAPS, config_map(resourceVersion="0"))).status == 201


async def test_generation_starts_at_one_where_there_is_a_spec_to_count_and_else_is_taken_as_given(api: Api) -> None:
    assert (await api.made(DEPLOYMENTS, deployment(generation=7))).body["metadata"]["generation"] == 1
    assert (await api.made(CONFIG_MAPS, config_map(generation=7))).body["metadata"]["generation"] == 7


async def test_status_is_not_the_caller_s_to_set(api: Api) -> None:
    body = {**deployment(), "status": {"readyReplicas": 9}}
    assert (await api.made(DEPLOYMENTS, body)).body["status"] == {}


async def test_the_name_is_taken(api: Api) -> None:
    await api.made(CONFIG_MAPS, config_map())
    answer = await api.post(CONFIG_MAPS, config_map())
    assert answer.status == 409
    assert answer.body == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": 'configmaps "a" already exists',
        "reason": "AlreadyExists",
        "details": {"name": "a", "kind": "configmaps"},
        "code": 409,
    }
    grouped = await api.made(DEPLOYMENTS, deployment())
    again = await api.post(DEPLOYMENTS, deployment())
    assert again.body["message"] == 'deployments.apps "web" already exists'
    assert again.body["details"] == {"name": "web", "group": "apps", "kind": "deployments"}
    assert grouped.status == 201


async def test_of_racing_creates_one_wins(api: Api) -> None:
    answers = await asyncio.gather(*(api.post(CONFIG_MAPS, config_map()) for _ in range(10)))
    assert sorted(answer.status for answer in answers) == [201] + [409] * 9


async def test_a_terminating_object_holds_its_name(api: Api) -> None:
    await api.made(CONFIG_MAPS, config_map(finalizers=["example.com/wait"]))
    await api.delete(f"{CONFIG_MAPS}/a")
    answer = await api.post(CONFIG_MAPS, config_map())
    assert (answer.status, answer.body["reason"]) == (409, "AlreadyExists")
    assert answer.body["message"] == 'object is being deleted: configmaps "a" already exists'


async def test_names_are_generated(api: Api) -> None:
    body = config_map(generateName="job-")
    del body["metadata"]["name"]
    names = {(await api.made(CONFIG_MAPS, body)).body["metadata"]["name"] for _ in range(5)}
    assert len(names) == 5
    for name in names:
        assert name.startswith("job-")
        assert len(name) == len("job-") + 5
        assert set(name[4:]) <= set("bcdfghjklmnpqrstvwxz2456789")


async def test_no_name_is_422(api: Api) -> None:
    answer = await api.post(CONFIG_MAPS, {"metadata": {}})
    assert (answer.status, answer.body["reason"]) == (422, "Invalid")
    assert answer.body["details"]["causes"] == [
        {
            "reason": "FieldValueRequired",
            "message": "Required value: name or generateName is required",
            "field": "metadata.name",
        }
    ]


async def test_an_absent_namespace_is_404(api: Api) -> None:
    answer = await api.post("/api/v1/namespaces/nowhere/configmaps", config_map())
    assert answer.status == 404
    assert answer.body["message"] == 'namespaces "nowhere" not found'


async def test_a_terminating_namespace_takes_nothing_new(api: Api) -> None:
    await api.made("/api/v1/namespaces", {"metadata": {"name": "going"}})
    await api.made("/api/v1/namespaces/going/configmaps", config_map("old"))
    await api.delete("/api/v1/namespaces/going")
    answer = await api.post("/api/v1/namespaces/going/configmaps", config_map())
    assert (answer.status, answer.body["reason"]) == (403, "Forbidden")
    assert answer.body["message"] == (
        'configmaps "a" is forbidden: unable to create new content in namespace going because it is being terminated'
    )
    assert answer.body["details"]["causes"] == [
        {
            "reason": "NamespaceTerminating",
            "message": "namespace going is being terminated",
            "field": "metadata.namespace",
        }
    ]
    changed = await api.patch("/api/v1/namespaces/going/configmaps/old", {"data": {"still": "writable"}})
    assert changed.status == 200


async def test_the_namespace_of_the_body_must_be_that_of_the_url(api: Api) -> None:
    answer = await api.post(CONFIG_MAPS, config_map(namespace="kube-system"))
    assert (answer.status, answer.body["message"]) == (
        400,
        "the namespace of the provided object does not match the namespace sent on the request",
    )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"kind": "Secret"}, 'Secret in version "v1" cannot be handled as a ConfigMap'),
        ({"apiVersion": "apps/v1"}, "the API version in the data (apps/v1) does not match the expected"),
    ],
)
async def test_another_kind_or_version_is_400(api: Api, body: dict[str, Any], message: str) -> None:
    answer = await api.post(CONFIG_MAPS, {**config_map(), **body})
    assert answer.status == 400
    assert answer.body["message"].startswith(message)


async def test_dry_run_answers_the_same_and_stores_nothing(api: Api) -> None:
    before = (await api.get(CONFIG_MAPS)).version
    answer = await api.post(CONFIG_MAPS, config_map(), dryRun="All")
    assert answer.status == 201
    assert answer.body["metadata"]["uid"]
    assert "resourceVersion" not in answer.body["metadata"]
    assert (await api.get(f"{CONFIG_MAPS}/a")).status == 404
    assert (await api.get(CONFIG_MAPS)).version == before
    await api.made(CONFIG_MAPS, config_map())
    assert (await api.post(CONFIG_MAPS, config_map(), dryRun="All")).status == 409
    assert (await api.post(CONFIG_MAPS, config_map(), dryRun="Some")).status == 422


async def test_unknown_fields_warn_by_default_are_refused_if_strict_and_dropped_if_ignored(api: Api) -> None:
    body = deployment()
    body["spec"]["replicaz"] = 1
    warned = await api.post(DEPLOYMENTS, body, dryRun="All")
    assert warned.headers["Warning"] == '299 - "unknown field \\"spec.replicaz\\""'
    assert "replicaz" not in warned.body["spec"]
    refused = await api.post(DEPLOYMENTS, body, fieldValidation="Strict")
    assert refused.status == 400
    assert refused.body["message"] == (
        'Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: '
        'unknown field "spec.replicaz"'
    )
    ignored = await api.post(DEPLOYMENTS, body, fieldValidation="Ignore")
    assert ignored.status == 201
    assert "Warning" not in ignored.headers
    assert "replicaz" not in ignored.body["spec"]
    assert (await api.post(DEPLOYMENTS, body, fieldValidation="Loose")).status == 422


async def test_string_data_of_a_secret_becomes_data(api: Api) -> None:
    path = "/api/v1/namespaces/default/secrets"
    body = {"metadata": {"name": "s"}, "stringData": {"a": "plain", "b": "över"}, "data": {"a": "b2xk", "c": "Yw=="}}
    answer = await api.made(path, body)
    assert answer.body["data"] == {"a": "cGxhaW4=", "b": "w7Z2ZXI=", "c": "Yw=="}
    assert "stringData" not in answer.body
    assert answer.body["type"] == "Opaque"


async def test_cluster_scoped_objects_have_no_namespace(api: Api) -> None:
    body = {"metadata": {"name": "r", "namespace": "default"}, "rules": []}
    answer = await api.made("/apis/rbac.authorization.k8s.io/v1/clusterroles", body)
    assert "namespace" not in answer.body["metadata"]


async def test_claims_get_their_protection_and_the_default_class(api: Api) -> None:
    body = {
        "metadata": {"name": "c"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    path = "/api/v1/namespaces/default/persistentvolumeclaims"
    answer = await api.made(path, body)
    assert answer.body["metadata"]["finalizers"] == ["kubernetes.io/pvc-protection"]
    assert answer.body["spec"]["storageClassName"] == "standard"
    assert answer.body["status"] == {"phase": "Pending"}


async def test_a_namespace_starts_active_and_keeps_itself_until_emptied(api: Api) -> None:
    answer = await api.made("/api/v1/namespaces", {"metadata": {"name": "n"}})
    assert answer.body["spec"] == {"finalizers": ["kubernetes"]}
    assert answer.body["status"] == {"phase": "Active"}
    assert answer.body["metadata"]["labels"] == {"kubernetes.io/metadata.name": "n"}
