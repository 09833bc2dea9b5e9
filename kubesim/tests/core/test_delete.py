"""DELETE: at once or by and by, under which conditions, and what becomes of finalizers."""

from typing import Any

import pytest

from .conftest import CONFIG_MAPS, DEPLOYMENTS, Api, config_map, deployment

THING = f"{CONFIG_MAPS}/a"
PODS = "/api/v1/namespaces/default/pods"
WAIT = "example.com/wait"


def pod(name: str = "p", **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"containers": [{"name": "c", "image": "i"}], **spec}}


async def test_gone_at_once_is_a_success_that_names_what_went(api: Api) -> None:
    made = await api.made(DEPLOYMENTS, deployment())
    answer = await api.delete(f"{DEPLOYMENTS}/web")
    assert answer.status == 200
    assert answer.body == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {
            "name": "web",
            "group": "apps",
            "kind": "deployments",
            "uid": made.body["metadata"]["uid"],
        },
    }
    assert (await api.get(f"{DEPLOYMENTS}/web")).status == 404
    assert (await api.delete(f"{DEPLOYMENTS}/web")).status == 404


async def test_some_kinds_answer_with_the_object(api: Api) -> None:
    path = "/api/v1/namespaces/default/services"
    made = await api.made(path, {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}]}})
    answer = await api.delete(f"{path}/s")
    assert (answer.body["kind"], answer.body["metadata"]["uid"]) == ("Service", made.body["metadata"]["uid"])


async def test_a_finalizer_keeps_it_until_it_is_taken_off(api: Api) -> None:
    made = await api.made(CONFIG_MAPS, config_map(finalizers=[WAIT]))
    answer = await api.delete(THING)
    meta = answer.body["metadata"]
    assert (answer.status, answer.body["kind"]) == (200, "ConfigMap")
    assert meta["deletionTimestamp"]
    assert meta["deletionGracePeriodSeconds"] == 0
    assert int(answer.version) > int(made.version)
    again = await api.delete(THING)
    assert (again.status, again.body) == (200, answer.body)
    assert (await api.delete(THING, {"orphanDependents": False})).status == 202
    last = await api.patch(THING, {"metadata": {"finalizers": None}})
    assert last.status == 200
    assert (await api.get(THING)).status == 404


async def test_deletion_counts_as_a_generation(api: Api) -> None:
    await api.made(DEPLOYMENTS, deployment(finalizers=[WAIT]))
    assert (await api.delete(f"{DEPLOYMENTS}/web")).body["metadata"]["generation"] == 2
    assert (await api.delete(f"{DEPLOYMENTS}/web")).body["metadata"]["generation"] == 2


async def test_a_terminating_object_can_be_changed_but_not_kept(api: Api) -> None:
    await api.made(CONFIG_MAPS, config_map(finalizers=[WAIT, "example.com/other"]))
    deleted = await api.delete(THING)
    renewed = await api.patch(THING, {"metadata": {"finalizers": [WAIT, "example.com/new"]}})
    assert renewed.status == 422
    assert renewed.body["details"]["causes"][0]["message"] == (
        "Forbidden: no new finalizers can be added if the object is being deleted, "
        'found new finalizers []string{"example.com/new"}'
    )
    revived = await api.patch(THING, {"metadata": {"deletionTimestamp": None}, "data": {"key": "new"}})
    assert revived.body["metadata"]["deletionTimestamp"] == deleted.body["metadata"]["deletionTimestamp"]
    assert revived.body["data"] == {"key": "new"}


async def test_preconditions(api: Api) -> None:
    made = await api.made(CONFIG_MAPS, config_map())
    uid, version = made.body["metadata"]["uid"], made.version
    wrong_uid = await api.delete(THING, {"preconditions": {"uid": "other"}})
    assert (wrong_uid.status, wrong_uid.body["reason"]) == (409, "Conflict")
    assert wrong_uid.body["message"] == (
        f'Operation cannot be fulfilled on ConfigMap "a": the UID in the precondition (other) does not match the UID '
        f"in record ({uid}). The object might have been deleted and then recreated"
    )
    old = await api.delete(THING, {"preconditions": {"uid": uid, "resourceVersion": "1"}})
    assert old.status == 409
    assert f"the ResourceVersion in record ({version})" in old.body["message"]
    assert (await api.get(THING)).body == made.body
    assert (await api.delete(THING, {"preconditions": {"uid": uid, "resourceVersion": version}})).status == 200


async def test_preconditions_of_a_namespace(api: Api) -> None:
    made = await api.made("/api/v1/namespaces", {"metadata": {"name": "n"}})
    answer = await api.delete("/api/v1/namespaces/n", {"preconditions": {"resourceVersion": "1"}})
    assert (answer.status, answer.body["message"]) == (
        409,
        'Operation cannot be fulfilled on namespaces "n": Precondition failed: ResourceVersion in precondition: 1, '
        f"ResourceVersion in object meta: {made.version}",
    )


async def test_preconditions_of_a_terminating_object(api: Api) -> None:
    made = await api.made(CONFIG_MAPS, config_map(finalizers=[WAIT]))
    uid = made.body["metadata"]["uid"]
    await api.delete(THING)
    assert (await api.delete(THING, {"preconditions": {"uid": uid}})).status == 200
    assert (await api.delete(THING, {"preconditions": {"uid": "other"}})).status == 409
    assert (await api.delete(THING, {"preconditions": {"uid": uid, "resourceVersion": made.version}})).status == 409


@pytest.mark.parametrize(
    ("policy", "finalizers"),
    [
        ("Foreground", ["foregroundDeletion"]),
        ("Orphan", ["orphan"]),
    ],
)
@pytest.mark.parametrize("where", ["body", "query"])
async def test_propagation_waits_for_the_garbage_collector(
    api: Api, policy: str, finalizers: list[str], where: str
) -> None:
    await api.made(DEPLOYMENTS, deployment())
    options = {"propagationPolicy": policy}
    path = f"{DEPLOYMENTS}/web"
    answer = await (api.delete(path, options) if where == "body" else api.delete(path, **options))
    assert answer.body["kind"] == "Deployment"
    assert answer.body["metadata"]["finalizers"] == finalizers
    assert answer.body["metadata"]["deletionTimestamp"]
    changed = await api.delete(path, {"propagationPolicy": "Background"})
    assert changed.body["status"] == "Success"


async def test_background_is_the_default_but_for_jobs(api: Api) -> None:
    await api.made(DEPLOYMENTS, deployment())
    assert (await api.delete(f"{DEPLOYMENTS}/web")).body["kind"] == "Status"
    jobs = "/apis/batch/v1/namespaces/default/jobs"
    template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}}
    await api.made(jobs, {"metadata": {"name": "j"}, "spec": {"template": template}})
    answer = await api.delete(f"{jobs}/j")
    assert answer.body["metadata"]["finalizers"] == ["orphan"]
    assert "child pods are preserved by default when jobs are deleted" in answer.headers["Warning"]


@pytest.mark.parametrize(
    "options",
    [
        {"propagationPolicy": "Sideways"},
        {"propagationPolicy": "Orphan", "orphanDependents": False},
        {"dryRun": ["Some"]},
    ],
)
async def test_options_that_make_no_sense_are_422(api: Api, options: dict[str, Any]) -> None:
    await api.made(CONFIG_MAPS, config_map())
    answer = await api.delete(THING, options)
    assert (answer.status, answer.body["details"]["kind"]) == (422, "DeleteOptions")
    assert (await api.get(THING)).status == 200


async def test_dry_run(api: Api) -> None:
    made = await api.made(CONFIG_MAPS, config_map(finalizers=[WAIT]))
    in_query = await api.delete(THING, dryRun="All")
    in_body = await api.delete(THING, {"dryRun": ["All"]})
    for answer in (in_query, in_body):
        assert answer.body["metadata"]["deletionTimestamp"]
    assert (await api.get(THING)).body == made.body


async def test_a_pod_on_a_node_gets_its_grace(api: Api) -> None:
    await api.made(PODS, pod(nodeName="sim-node", terminationGracePeriodSeconds=20))
    answer = await api.delete(f"{PODS}/p")
    assert answer.body["metadata"]["deletionGracePeriodSeconds"] == 20
    assert (await api.delete(f"{PODS}/p")).body == answer.body
    assert (await api.delete(f"{PODS}/p", {"gracePeriodSeconds": 40})).body == answer.body
    shorter = await api.delete(f"{PODS}/p", {"gracePeriodSeconds": 5})
    assert shorter.body["metadata"]["deletionGracePeriodSeconds"] == 5
    assert shorter.body["metadata"]["deletionTimestamp"] < answer.body["metadata"]["deletionTimestamp"]
    assert (await api.delete(f"{PODS}/p", gracePeriodSeconds="0")).status == 200
    assert (await api.get(f"{PODS}/p")).status == 404


async def test_a_pod_without_a_node_goes_at_once(api: Api) -> None:
    await api.made(PODS, pod())
    assert (await api.delete(f"{PODS}/p")).body["kind"] == "Pod"
    assert (await api.get(f"{PODS}/p")).status == 404


async def test_a_namespace_terminates_until_it_is_finalized(api: Api) -> None:
    await api.made("/api/v1/namespaces", {"metadata": {"name": "n"}})
    answer = await api.delete("/api/v1/namespaces/n")
    assert (answer.status, answer.body["status"]["phase"]) == (200, "Terminating")
    assert answer.body["metadata"]["deletionTimestamp"]
    assert (await api.delete("/api/v1/namespaces/n")).body == answer.body
    final = {**answer.body, "spec": {}}
    assert (await api.put("/api/v1/namespaces/n", final)).body["spec"] == {"finalizers": ["kubernetes"]}
    assert (await api.put("/api/v1/namespaces/n/finalize", final)).status == 200
    assert (await api.get("/api/v1/namespaces/n")).status == 404


@pytest.mark.parametrize("name", ["default", "kube-system", "kube-public"])
async def test_some_namespaces_may_not_go(api: Api, name: str) -> None:
    answer = await api.delete(f"/api/v1/namespaces/{name}")
    assert answer.status == 403
    assert answer.body["message"] == f'namespaces "{name}" is forbidden: this namespace may not be deleted'


async def test_a_collection(api: Api) -> None:
    for name, labels in (("a", {"go": "yes"}), ("b", {"go": "yes"}), ("c", {})):
        await api.made(CONFIG_MAPS, config_map(name, labels=labels))
    answer = await api.delete(CONFIG_MAPS, labelSelector="go=yes")
    assert (answer.status, answer.body["kind"], answer.names) == (200, "ConfigMapList", ["a", "b"])
    left = (await api.get(CONFIG_MAPS)).names
    assert "c" in left
    assert "a" not in left
    assert (await api.delete("/api/v1/namespaces")).status == 405
    assert (await api.delete("/api/v1/configmaps")).status == 405
    assert (await api.delete(CONFIG_MAPS, fieldSelector="metadata.name=c", dryRun="All")).names == ["c"]
    assert (await api.get(f"{CONFIG_MAPS}/c")).status == 200
