"""Rollouts with running Pods, judged by our own readiness: what a person is told must be what happened."""

from collections.abc import Callable
from contextlib import aclosing

import pytest

from kubemin.cluster.readiness import Verdict, readiness
from kubemin.spec.objects import ObjectRef
from tests.manifests import configmap, deployment, job, pvc, service, statefulset

from .kube import Json, Kube, entries, meta

pytestmark = pytest.mark.pods


def app(kube: Kube, build: Callable[..., Json], fate: str = "ready", **more: object) -> Json:
    image, command = kube.image(fate)
    found = build(image=image, **more)
    if command:
        found["spec"]["template"]["spec"]["containers"][0]["command"] = command
    found["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = 1
    return found


async def judge(kube: Kube, plural: str, name: str) -> tuple[Json, Verdict]:
    item = await kube.read(plural, name)
    pods = (await kube.list("pods")).ok()["items"]
    sets = (await kube.list("replicasets")).ok()["items"]
    return item, readiness(item, pods, replica_sets=sets)


async def until_verdict(kube: Kube, plural: str, name: str, state: str) -> tuple[Json, Verdict]:
    """Looks again after each change of a Pod or of the object."""
    found: list[tuple[Json, Verdict]] = []
    while True:
        before = (await kube.list("pods")).ok()["metadata"]["resourceVersion"]
        item, verdict = await judge(kube, plural, name)
        if verdict.state == state:
            return item, verdict
        found.append((item, verdict))
        async with aclosing(kube.watch("pods", resourceVersion=before, timeoutSeconds=2)) as events:
            await anext(events, None)
        assert len(found) < 200, found[-1]


async def test_a_deployment_becomes_ready(kube: Kube) -> None:
    await kube.make("deployments", app(kube, deployment, replicas=2))
    item, verdict = await until_verdict(kube, "deployments", "web", "ready")
    assert (verdict.ready, verdict.desired) == (2, 2)
    assert item["status"]["readyReplicas"] == item["status"]["availableReplicas"] == 2
    assert "unavailableReplicas" not in item["status"]
    conditions = {each["type"]: (each["status"], each["reason"]) for each in item["status"]["conditions"]}
    assert conditions == {
        "Available": ("True", "MinimumReplicasAvailable"),
        "Progressing": ("True", "NewReplicaSetAvailable"),
    }
    pods = (await kube.list("pods", labelSelector="app=web")).ok()["items"]
    assert {meta(pod)["ownerReferences"][0]["kind"] for pod in pods} == {"ReplicaSet"}
    assert {pod["status"]["phase"] for pod in pods} == {"Running"}


async def test_a_rollout_replaces_all_pods(kube: Kube) -> None:
    await kube.make("deployments", app(kube, deployment, replicas=2))
    await until_verdict(kube, "deployments", "web", "ready")
    before = {meta(pod)["uid"] for pod in (await kube.list("pods")).ok()["items"]}
    change = {"spec": {"template": {"metadata": {"annotations": {"again": "1"}}}}}
    (await kube.patch("deployments", "web", change)).ok()
    _, verdict = await judge(kube, "deployments", "web")
    assert verdict.state == "waiting"
    await until_verdict(kube, "deployments", "web", "ready")
    after = {
        meta(pod)["uid"] for pod in (await kube.list("pods")).ok()["items"] if "deletionTimestamp" not in meta(pod)
    }
    assert len(after) == 2
    assert not before & after


async def test_a_rollout_that_cannot_pull_is_hopeless_and_leaves_the_old_pods(kube: Kube) -> None:
    await kube.make("deployments", app(kube, deployment, replicas=1))
    before, _ = await until_verdict(kube, "deployments", "web", "ready")
    (await kube.patch("deployments", "web", app(kube, deployment, "pull", replicas=1), kind="strategic")).ok()
    item, verdict = await until_verdict(kube, "deployments", "web", "hopeless")
    assert "image.invalid/pull:none" in verdict.message or "ImagePull" in verdict.message
    assert item["status"]["availableReplicas"] == 1
    # And back: the bad Pods are of the old template now, and say nothing against it.
    back = [{"op": "replace", "path": "/spec", "value": before["spec"]}]
    (await kube.patch("deployments", "web", back, kind="json")).ok()
    _, verdict = await judge(kube, "deployments", "web")
    assert verdict.state != "hopeless"
    await until_verdict(kube, "deployments", "web", "ready")


async def test_a_container_that_ends_again_and_again_is_hopeless(kube: Kube) -> None:
    await kube.make("deployments", app(kube, deployment, "crash", replicas=1))
    _, verdict = await until_verdict(kube, "deployments", "web", "hopeless")
    assert "CrashLoopBackOff" in verdict.message
    assert "exit code" in verdict.message


async def test_a_missing_configmap_is_told_in_the_pods_words(kube: Kube) -> None:
    sent = app(kube, deployment, replicas=1)
    sent["spec"]["template"]["spec"]["containers"][0]["envFrom"] = [{"configMapRef": {"name": "nowhere"}}]
    await kube.make("deployments", sent)
    _, verdict = await until_verdict(kube, "deployments", "web", "hopeless")
    assert "CreateContainerConfigError" in verdict.message
    assert 'configmap "nowhere" not found' in verdict.message


async def test_a_missing_key_is_told_in_the_pods_words(kube: Kube) -> None:
    await kube.make("configmaps", configmap("there"))
    sent = app(kube, deployment, replicas=1)
    source = {"configMapKeyRef": {"name": "there", "key": "b"}}
    sent["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "B", "valueFrom": source}]
    await kube.make("deployments", sent)
    _, verdict = await until_verdict(kube, "deployments", "web", "hopeless")
    assert "CreateContainerConfigError" in verdict.message
    assert f"couldn't find key b in ConfigMap {kube.namespace}/there" in verdict.message


async def test_a_missing_configmap_to_mount_is_told_by_events_only(kube: Kube) -> None:
    sent = app(kube, deployment, replicas=1)
    spec = sent["spec"]["template"]["spec"]
    spec["volumes"] = [{"name": "files", "configMap": {"name": "nowhere"}}]
    spec["containers"][0]["volumeMounts"] = [{"name": "files", "mountPath": "/files"}]
    await kube.make("deployments", sent)
    (pod,) = await kube.until_listed("pods", lambda items: items or None)

    def told(items: list[Json]) -> Json | None:
        return next((each for each in items if each["reason"] == "FailedMount"), None)

    about = f"involvedObject.uid={meta(pod)['uid']}"
    event = await kube.until_listed("events", told, fieldSelector=about)
    assert 'configmap "nowhere" not found' in event["message"]
    item = await kube.read("deployments", "web")
    sets = (await kube.list("replicasets")).ok()["items"]
    verdict = readiness(item, [await kube.read("pods", meta(pod)["name"])], [event], replica_sets=sets)
    assert verdict.state == "hopeless"
    assert "FailedMount" in verdict.message


async def test_a_pod_whose_claim_is_not_there_is_told_in_the_schedulers_words(kube: Kube) -> None:
    sent = app(kube, deployment, replicas=1)
    claimed = {"persistentVolumeClaim": {"claimName": "nowhere"}}
    sent["spec"]["template"]["spec"]["volumes"] = [{"name": "data", **claimed}]
    await kube.make("deployments", sent)
    _, verdict = await until_verdict(kube, "deployments", "web", "hopeless")
    assert "Unschedulable" in verdict.message
    assert 'persistentvolumeclaim "nowhere" not found' in verdict.message


async def test_the_last_words_of_a_container_that_crashes(kube: Kube) -> None:
    """Of the run before the present one, as long as the node keeps its log."""
    sent = app(kube, deployment, "crash", replicas=1)
    container = sent["spec"]["template"]["spec"]["containers"][0]
    if "command" in container:
        container["command"] = ["sh", "-c", "echo one; echo fatal; exit 3"]
    await kube.make("deployments", sent)

    def crashed(items: list[Json]) -> Json | None:
        statuses = [each for pod in items for each in pod["status"].get("containerStatuses") or []]
        return items[0] if any(each["restartCount"] for each in statuses) else None

    pod = await kube.until_listed("pods", crashed)
    said = await kube.cluster.log(ObjectRef("Pod", kube.namespace, meta(pod)["name"]), "app", lines=1, previous=True)
    assert "fatal" in said
    assert len(said.strip().splitlines()) == 1


async def test_the_log_of_a_container_without_a_former_run_or_that_is_none(kube: Kube) -> None:
    await kube.make("deployments", app(kube, deployment, replicas=1))
    await until_verdict(kube, "deployments", "web", "ready")
    pods = (await kube.list("pods")).ok()["items"]
    name = meta(pods[0])["name"]
    said = f'previous terminated container "app" in pod "{name}" not found'
    (await kube.get("pods", name, "log", container="app", previous="true")).refused(400, "BadRequest", said)
    none = f"container none is not valid for pod {name}"
    (await kube.get("pods", name, "log", container="none")).refused(400, "BadRequest", none)
    (await kube.get("pods", "nowhere", "log")).refused(404, "NotFound", 'pods "nowhere" not found')
    assert await kube.cluster.log(ObjectRef("Pod", kube.namespace, name), "app", most=1024) is not None


async def test_the_log_of_a_container_that_waits_is_refused_and_without_a_node_it_is_empty(kube: Kube) -> None:
    await kube.make("deployments", app(kube, deployment, "pull", replicas=1))
    await until_verdict(kube, "deployments", "web", "hopeless")
    pods = (await kube.list("pods")).ok()["items"]
    name = meta(pods[0])["name"]
    said = f'container "app" in pod "{name}" is waiting to start: '
    (await kube.get("pods", name, "log", container="app")).refused(400, "BadRequest", said)
    nowhere = app(kube, deployment, name="nowhere", replicas=1)
    nowhere["spec"]["template"]["spec"]["nodeSelector"] = {"kubemin.test/nowhere": "yes"}
    await kube.make("deployments", nowhere)
    await until_verdict(kube, "deployments", "nowhere", "hopeless")
    pods = (await kube.list("pods")).ok()["items"]
    pending = next(meta(pod)["name"] for pod in pods if not pod["spec"].get("nodeName"))
    assert await kube.cluster.log(ObjectRef("Pod", kube.namespace, pending), "app") == ""


async def test_a_pod_that_no_node_takes_is_told_in_the_schedulers_words(kube: Kube) -> None:
    sent = app(kube, deployment, replicas=1)
    sent["spec"]["template"]["spec"]["nodeSelector"] = {"kubemin.test/nowhere": "yes"}
    await kube.make("deployments", sent)
    _, verdict = await until_verdict(kube, "deployments", "web", "hopeless")
    assert "Unschedulable" in verdict.message
    assert "didn't match Pod's node affinity/selector" in verdict.message


async def test_a_statefulset_starts_its_pods_one_after_another(kube: Kube) -> None:
    await kube.make("services", service("db", clusterIP="None"))
    await kube.make("statefulsets", app(kube, statefulset, replicas=3))
    item, _ = await until_verdict(kube, "statefulsets", "db", "ready")
    assert item["status"]["readyReplicas"] == item["status"]["updatedReplicas"] == 3
    assert item["status"]["currentRevision"] == item["status"]["updateRevision"]
    pods = (await kube.list("pods", labelSelector="app=db")).ok()["items"]
    by_name = {meta(pod)["name"]: pod for pod in pods}
    assert list(by_name) == ["db-0", "db-1", "db-2"]
    times = [meta(by_name[name])["creationTimestamp"] for name in by_name]
    assert times == sorted(times)
    labels = meta(by_name["db-0"])["labels"]
    assert labels["controller-revision-hash"] == item["status"]["updateRevision"]
    assert labels["statefulset.kubernetes.io/pod-name"] == "db-0"

    (await kube.patch("statefulsets", "db", {"spec": {"replicas": 1}})).ok()
    await kube.until_gone("pods", "db-1")
    await until_verdict(kube, "statefulsets", "db", "ready")
    await kube.read("pods", "db-0")


@pytest.mark.volumes
async def test_claims_of_added_replicas_stay_when_they_go(kube: Kube) -> None:
    """Trap 17 and R6: scaled from 1 to 3 and back, claims 1 and 2 are left, and nobody's."""
    await kube.make("statefulsets", app(kube, statefulset, replicas=1, claim=True))
    await until_verdict(kube, "statefulsets", "db", "ready")
    (await kube.patch("statefulsets", "db", {"spec": {"replicas": 3}})).ok()
    await kube.until_listed("persistentvolumeclaims", lambda items: len(items) == 3)
    await kube.until("pods", "db-2", lambda item: item)
    (await kube.patch("statefulsets", "db", {"spec": {"replicas": 1}})).ok()
    await kube.until_gone("pods", "db-1")
    claims = (await kube.list("persistentvolumeclaims")).ok()["items"]
    assert [meta(claim)["name"] for claim in claims] == ["data-db-0", "data-db-1", "data-db-2"]
    for claim in claims[1:]:
        assert "ownerReferences" not in meta(claim)
        (await kube.delete("persistentvolumeclaims", meta(claim)["name"])).ok()
        await kube.until_gone("persistentvolumeclaims", meta(claim)["name"])
    await until_verdict(kube, "statefulsets", "db", "ready")


@pytest.mark.volumes
async def test_a_claim_binds_once_a_pod_uses_it_and_is_protected_while_one_does(kube: Kube) -> None:
    await kube.make("persistentvolumeclaims", pvc())
    sent = app(kube, deployment, replicas=1)
    spec = sent["spec"]["template"]["spec"]
    spec["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    spec["containers"][0]["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
    await kube.make("deployments", sent)
    await until_verdict(kube, "deployments", "web", "ready")
    claim = await kube.read("persistentvolumeclaims", "data")
    assert claim["status"]["phase"] == "Bound"
    assert claim["spec"]["volumeName"]
    more = {"spec": {"resources": {"requests": {"storage": "2Gi"}}}}
    is_pvc_expansion = await kube.patch("persistentvolumeclaims", "data", more)
    if is_pvc_expansion.code != 200:  # trap 7: as its class permits
        is_pvc_expansion.refused(403, "Forbidden", "only dynamically provisioned pvc can be resized")
    body = (await kube.delete("persistentvolumeclaims", "data")).ok()
    assert "deletionTimestamp" in meta(body)
    assert meta(await kube.read("persistentvolumeclaims", "data"))["finalizers"] == ["kubernetes.io/pvc-protection"]
    (await kube.delete("deployments", "web", propagationPolicy="Foreground")).ok()
    await kube.until_gone("persistentvolumeclaims", "data")


async def test_a_job_completes_or_fails_for_good(kube: Kube) -> None:
    good, bad = job("good", backoffLimit=0), job("bad", backoffLimit=0)
    for item, fate in ((good, "done"), (bad, "crash")):
        image, command = kube.image(fate)
        container = item["spec"]["template"]["spec"]["containers"][0]
        container["image"] = image
        if command:
            container["command"] = ["sh", "-c", "exit 0"] if fate == "done" else command
        await kube.make("jobs", item)
    item, _ = await until_verdict(kube, "jobs", "good", "ready")
    assert item["status"]["succeeded"] == 1
    item, verdict = await until_verdict(kube, "jobs", "bad", "hopeless")
    assert verdict.final or "CrashLoop" in verdict.message
    assert "BackoffLimitExceeded" in verdict.message


async def test_scaling_by_the_subresource_is_followed(kube: Kube) -> None:
    await kube.make("deployments", app(kube, deployment, replicas=1))
    await until_verdict(kube, "deployments", "web", "ready")
    (await kube.patch("deployments", "web", {"spec": {"replicas": 3}}, sub="scale", manager="hpa")).ok()
    item, verdict = await until_verdict(kube, "deployments", "web", "ready")
    while verdict.desired != 3:
        item, verdict = await until_verdict(kube, "deployments", "web", "ready")
    assert ("hpa", "Update", "scale") in entries(item)
    assert (await kube.get("deployments", "web", "scale")).ok()["status"]["replicas"] == 3


async def test_a_service_finds_its_ready_pods(kube: Kube) -> None:
    await kube.make("services", service())
    await kube.make("deployments", app(kube, deployment, replicas=2))
    await until_verdict(kube, "deployments", "web", "ready")

    def two(item: Json | None) -> bool:
        subsets = (item or {}).get("subsets", [])
        return len([address for subset in subsets for address in subset.get("addresses", [])]) == 2

    await kube.until("endpoints", "web", two)
