"""PUT: versions, identities, what counts as a change, and what it makes of an absent object."""

from typing import Any

import pytest

from .conftest import CONFIG_MAPS, DEPLOYMENTS, Answer, Api, config_map, deployment

SERVICES = "/api/v1/namespaces/default/services"
ROLES = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles"
MODIFIED = (
    'Operation cannot be fulfilled on configmaps "a": the object has been modified; '
    "please apply your changes to the latest version and try again"
)


def changed(answer: Answer, **data: str) -> dict[str, Any]:
    return {**answer.body, "data": {**answer.body["data"], **data}}


async def test_a_put_moves_the_version_and_keeps_the_identity(api: Api) -> None:
    made = await api.made(CONFIG_MAPS, config_map())
    answer = await api.put(f"{CONFIG_MAPS}/a", changed(made, more="x"))
    assert answer.status == 200
    assert int(answer.version) > int(made.version)
    for field in ("uid", "creationTimestamp"):
        assert answer.body["metadata"][field] == made.body["metadata"][field]
    assert answer.body["data"] == {"key": "value", "more": "x"}


async def test_the_current_version_is_accepted_an_old_one_is_not(api: Api) -> None:
    made = await api.made(CONFIG_MAPS, config_map())
    assert (await api.put(f"{CONFIG_MAPS}/a", changed(made, one="1"))).status == 200
    answer = await api.put(f"{CONFIG_MAPS}/a", changed(made, two="2"))
    assert (answer.status, answer.body["reason"], answer.body["message"]) == (409, "Conflict", MODIFIED)
    assert answer.body["details"] == {"name": "a", "kind": "configmaps"}
    assert "two" not in (await api.get(f"{CONFIG_MAPS}/a")).body["data"]


@pytest.mark.parametrize("version", [None, "", "0"])
async def test_without_a_version_it_is_unconditional(api: Api, version: str | None) -> None:
    made = await api.made(CONFIG_MAPS, config_map())
    body = changed(made, more="x")
    body["metadata"] = {**body["metadata"], "resourceVersion": version}
    assert (await api.put(f"{CONFIG_MAPS}/a", body)).status == 200


async def test_some_kinds_insist_on_a_version(api: Api) -> None:
    path = "/apis/coordination.k8s.io/v1/namespaces/default/leases"
    made = await api.made(path, {"metadata": {"name": "l"}, "spec": {"holderIdentity": "me"}})
    del made.body["metadata"]["resourceVersion"]
    answer = await api.put(f"{path}/l", made.body)
    assert answer.status == 422
    assert answer.body["details"]["causes"][0]["message"] == "Invalid value: 0: must be specified for an update"


async def test_another_uid_is_a_conflict(api: Api) -> None:
    made = await api.made(CONFIG_MAPS, config_map())
    uid = made.body["metadata"]["uid"]
    made.body["metadata"]["uid"] = "other"
    answer = await api.put(f"{CONFIG_MAPS}/a", made.body)
    assert answer.status == 409
    assert f"Precondition failed: UID in precondition: other, UID in object meta: {uid}" in answer.body["message"]


async def test_a_put_that_changes_nothing_writes_nothing(api: Api) -> None:
    made = await api.made(CONFIG_MAPS, config_map(), fieldManager="me")
    cluster = (await api.get(CONFIG_MAPS)).version
    assert (await api.put(f"{CONFIG_MAPS}/a", made.body, fieldManager="me")).body == made.body
    assert (await api.put(f"{CONFIG_MAPS}/a", made.body, fieldManager="another")).body == made.body
    assert (await api.get(CONFIG_MAPS)).version == cluster


async def test_the_server_s_fields_are_not_the_caller_s_to_change(api: Api) -> None:
    made = await api.made(DEPLOYMENTS, deployment())
    body = {**made.body, "status": {"readyReplicas": 3}}
    body["metadata"] = {**body["metadata"], "generation": 9, "creationTimestamp": "2001-01-01T00:00:00Z"}
    assert (await api.put(f"{DEPLOYMENTS}/web", body)).body == made.body


async def test_generation_counts_changes_of_the_spec_only(api: Api) -> None:
    path = "/apis/apps/v1/namespaces/default/statefulsets"
    body = {**deployment(), "kind": "StatefulSet"}
    body["spec"]["serviceName"] = "web"
    one = await api.made(path, body)
    labelled = await api.patch(f"{path}/web", {"metadata": {"labels": {"a": "b"}, "annotations": {"a": "b"}}})
    assert labelled.body["metadata"]["generation"] == 1
    scaled = await api.patch(f"{path}/web", {"spec": {"replicas": 3}})
    assert scaled.body["metadata"]["generation"] == 2
    status = await api.patch(f"{path}/web/status", {"status": {"replicas": 3}})
    assert status.body["metadata"]["generation"] == 2
    assert one.body["metadata"]["generation"] == 1


async def test_a_deployment_counts_its_annotations_too(api: Api) -> None:
    await api.made(DEPLOYMENTS, deployment())
    labelled = await api.patch(f"{DEPLOYMENTS}/web", {"metadata": {"labels": {"a": "b"}}})
    assert labelled.body["metadata"]["generation"] == 1
    annotated = await api.patch(f"{DEPLOYMENTS}/web", {"metadata": {"annotations": {"a": "b"}}})
    assert annotated.body["metadata"]["generation"] == 2


async def test_the_status_subresource_changes_the_status_alone(api: Api) -> None:
    made = await api.made(DEPLOYMENTS, deployment())
    body = {**made.body, "status": {"readyReplicas": 1, "observedGeneration": 1}}
    body["spec"] = {**body["spec"], "replicas": 7}
    body["metadata"] = {**body["metadata"], "labels": {"not": "taken"}}
    answer = await api.put(f"{DEPLOYMENTS}/web/status", body, fieldManager="controller")
    assert answer.status == 200
    assert answer.body["status"] == {"readyReplicas": 1, "observedGeneration": 1}
    assert answer.body["spec"]["replicas"] == 1
    assert "labels" not in answer.body["metadata"]
    owner = [entry for entry in answer.body["metadata"]["managedFields"] if entry["manager"] == "controller"]
    assert owner[0]["subresource"] == "status"
    back = await api.put(f"{DEPLOYMENTS}/web", {**made.body, "metadata": {"name": "web"}})
    assert back.body["status"]["readyReplicas"] == 1


@pytest.mark.parametrize("version", [None, "7"])
async def test_some_kinds_are_created_by_a_put(api: Api, version: str | None) -> None:
    meta = {"name": "x", **({"resourceVersion": version} if version else {})}
    role = await api.put(f"{ROLES}/x", {"metadata": meta, "rules": []})
    assert role.status == 201
    service = await api.put(f"{SERVICES}/x", {"metadata": meta, "spec": {"ports": [{"port": 80}]}})
    assert service.status == 201
    assert service.body["metadata"]["uid"]
    with_uid = await api.put(f"{ROLES}/y", {"metadata": {"name": "y", "uid": "some"}, "rules": []})
    assert (with_uid.status, with_uid.body["reason"]) == (409, "Conflict")
    assert (await api.get(f"{ROLES}/y")).status == 404


async def test_others_are_not(api: Api) -> None:
    answer = await api.put(f"{CONFIG_MAPS}/a", config_map())
    assert (answer.status, answer.body["message"]) == (404, 'configmaps "a" not found')
    assert (await api.put(f"{CONFIG_MAPS}/a", config_map(uid="some"))).status == 404


async def test_the_name_must_be_that_of_the_url(api: Api) -> None:
    await api.made(CONFIG_MAPS, config_map())
    answer = await api.put(f"{CONFIG_MAPS}/a", config_map("b"))
    assert (answer.status, answer.body["message"]) == (
        400,
        "the name of the object (b) does not match the name on the URL (a)",
    )


async def test_dry_run_shows_and_does_nothing(api: Api) -> None:
    made = await api.made(CONFIG_MAPS, config_map())
    answer = await api.put(f"{CONFIG_MAPS}/a", changed(made, more="x"), dryRun="All")
    assert answer.body["data"]["more"] == "x"
    assert answer.version == made.version
    assert (await api.get(f"{CONFIG_MAPS}/a")).body == made.body
    stale = changed(made)
    stale["metadata"] = {**stale["metadata"], "resourceVersion": "1"}
    assert (await api.put(f"{CONFIG_MAPS}/a", stale, dryRun="All")).status == 409


async def test_scale_reads_and_writes_replicas(api: Api) -> None:
    made = await api.made(DEPLOYMENTS, deployment(replicas=2))
    scale = await api.get(f"{DEPLOYMENTS}/web/scale")
    assert scale.body["kind"] == "Scale"
    assert scale.body["spec"] == {"replicas": 2}
    assert scale.body["status"] == {"replicas": 0, "selector": "app=web"}
    assert scale.version == made.version
    scale.body["spec"]["replicas"] = 5
    answer = await api.put(f"{DEPLOYMENTS}/web/scale", scale.body, fieldManager="scaler")
    assert (answer.status, answer.body["kind"], answer.body["spec"]) == (200, "Scale", {"replicas": 5})
    live = await api.get(f"{DEPLOYMENTS}/web")
    owners = [(entry["manager"], entry.get("subresource")) for entry in live.body["metadata"]["managedFields"]]
    assert ("scaler", "scale") in owners
    assert (await api.put(f"{DEPLOYMENTS}/web/scale", scale.body)).status == 409
    patched = await api.patch(f"{DEPLOYMENTS}/web/scale", {"spec": {"replicas": 6}})
    assert patched.body["spec"] == {"replicas": 6}
    live = await api.get(f"{DEPLOYMENTS}/web")
    assert live.body["spec"]["replicas"] == 6
    assert live.body["metadata"]["generation"] == 3
