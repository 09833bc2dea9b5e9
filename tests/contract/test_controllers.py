"""What controllers make of an object, as far as it needs no running Pod: labels find it, claims decide (trap 9, R6)."""

import pytest

from kubemin.cluster.readiness import readiness
from tests.manifests import deployment, job, service, statefulset

from .kube import Json, Kube, entries, meta, owners

pytestmark = pytest.mark.controllers

HASH = "pod-template-hash"
REVISION = "deployment.kubernetes.io/revision"


WRITE_TOKEN = ("metadata", "annotations", "kubemin.io/write-token")


def controller_of(item: Json) -> Json:
    found: Json = next(each for each in meta(item)["ownerReferences"] if each.get("controller"))
    return found


def controllers_only(managers: set[str]) -> bool:
    """Somebody owns it, and not whoever wrote the object. What controllers are called is up to the distribution."""
    return bool(managers) and "me" not in managers


async def replica_sets(kube: Kube, count: int) -> list[Json]:
    def enough(items: list[Json]) -> list[Json] | None:
        return sorted(items, key=lambda item: int(meta(item)["annotations"][REVISION])) if len(items) == count else None

    return await kube.until_listed("replicasets", enough)


async def settled(kube: Kube, plural: str, name: str) -> Json:
    """The object once its controller has seen its generation."""

    def seen(item: Json | None) -> Json | None:
        return item if item and item["status"].get("observedGeneration", 0) >= meta(item)["generation"] else None

    return await kube.until(plural, name, seen)


async def test_deployments_whose_selectors_overlap_keep_what_is_theirs(kube: Kube) -> None:
    """A canary has the labels of the stable Pods and one more: ownership, and not labels, tells whose a Pod is."""
    stable = await kube.make("deployments", deployment(replicas=2))
    sent = deployment(replicas=1)
    sent["metadata"]["name"] = "web-canary"
    labels = {"app": "web", "track": "canary"}
    sent["spec"]["selector"] = {"matchLabels": labels}
    sent["spec"]["template"]["metadata"]["labels"] = labels
    canary = await kube.make("deployments", sent)
    for one, count in ((stable, 2), (canary, 1)):
        await settled(kube, "deployments", meta(one)["name"])

        def whole(item: Json | None, count: int = count) -> Json | None:
            return item if item and item["status"].get("replicas") == count else None

        await kube.until("deployments", meta(one)["name"], whole)
    found = await kube.until_listed("replicasets", lambda items: items if len(items) == 2 else None)
    assert {controller_of(one)["uid"]: one["spec"]["replicas"] for one in found} == {
        meta(stable)["uid"]: 2,
        meta(canary)["uid"]: 1,
    }


async def test_a_deployment_gets_a_replica_set_of_its_template(kube: Kube) -> None:
    sent = deployment()
    sent["metadata"] |= {"labels": {"ours": "yes"}, "annotations": {"kubemin.io/write-token": "t1", "note": "x"}}
    made = await kube.make("deployments", sent)
    (found,) = await replica_sets(kube, 1)
    owner = controller_of(found)
    assert owner == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "name": "web",
        "uid": meta(made)["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    digest = meta(found)["labels"][HASH]
    assert meta(found)["name"] == f"web-{digest}"
    assert meta(found)["labels"] == {"app": "web", HASH: digest}
    assert found["spec"]["selector"]["matchLabels"] == {"app": "web", HASH: digest}
    template = found["spec"]["template"]
    assert template["metadata"]["labels"] == {"app": "web", HASH: digest}
    assert template["spec"] == made["spec"]["template"]["spec"]
    # Trap 9: the claim is copied to it, but its owner there is the controller.
    assert meta(found)["annotations"]["kubemin.io/write-token"] == "t1"
    assert controllers_only(owners(found, *WRITE_TOKEN))
    later = await settled(kube, "deployments", "web")
    assert meta(later)["annotations"][REVISION] == "1"
    assert owners(later, *WRITE_TOKEN) == {"me"}
    assert {subresource for manager, _, subresource in entries(later) if manager != "me"} == {"status"}


async def test_a_new_template_gets_another_and_the_former_one_its_own_again(kube: Kube) -> None:
    """Trap 6: after a change and the way back our ReplicaSet is left, with none of the revisions it began with."""
    before = await kube.make("deployments", deployment())
    (first,) = await replica_sets(kube, 1)
    (await kube.patch("deployments", "web", deployment(image="app:2"), kind="strategic")).ok()
    await replica_sets(kube, 2)
    await settled(kube, "deployments", "web")
    (await kube.patch("deployments", "web", {"spec": before["spec"]}, kind="strategic")).ok()

    def third(items: list[Json]) -> Json | None:
        return next((item for item in items if meta(item)["annotations"][REVISION] == "3"), None)

    again = await kube.until_listed("replicasets", third)
    assert meta(again)["uid"] == meta(first)["uid"]
    ours = next(item for item in await replica_sets(kube, 2) if meta(item)["uid"] != meta(first)["uid"])
    assert ours["spec"]["replicas"] == 0
    assert meta(await settled(kube, "deployments", "web"))["annotations"][REVISION] == "3"


async def test_a_deployment_takes_its_replica_sets_with_it(kube: Kube) -> None:
    made = await kube.make("deployments", deployment())
    (found,) = await replica_sets(kube, 1)
    options = {"preconditions": {"uid": meta(made)["uid"]}, "propagationPolicy": "Foreground"}
    body = (await kube.delete("deployments", "web", **options)).body
    assert meta(body)["finalizers"] == ["foregroundDeletion"]
    await kube.until_gone("deployments", "web")
    (await kube.get("replicasets", meta(found)["name"])).refused(404, "NotFound")


async def test_a_statefulset_gets_a_revision_of_its_template(kube: Kube) -> None:
    made = await kube.make("statefulsets", statefulset())
    later = await settled(kube, "statefulsets", "db")
    assert later["status"]["currentRevision"] == later["status"]["updateRevision"]
    (revision,) = (await kube.list("controllerrevisions")).ok()["items"]
    assert meta(revision)["name"] == later["status"]["updateRevision"]
    assert controller_of(revision)["uid"] == meta(made)["uid"]
    assert revision["revision"] == 1
    (await kube.patch("statefulsets", "db", statefulset(image="app:2"), kind="strategic")).ok()
    await kube.until_listed("controllerrevisions", lambda items: len(items) == 2)
    back = statefulset()
    (await kube.patch("statefulsets", "db", back, kind="strategic")).ok()
    revisions = await kube.until_listed(
        "controllerrevisions", lambda items: items if {3} <= {item["revision"] for item in items} else None
    )
    assert {item["revision"] for item in revisions} == {2, 3}


async def test_a_service_copies_its_labels_to_its_endpoints(kube: Kube) -> None:
    """Trap 9: what carries our labels need not be ours."""
    sent = service()
    sent["metadata"]["labels"] = {"kubemin.io/task-id": "t"}
    sent["metadata"]["annotations"] = {"kubemin.io/write-token": "t1"}
    made = await kube.make("services", sent)
    slices = await kube.until_listed(
        "endpointslices", lambda items: items or None, labelSelector="kubernetes.io/service-name=web"
    )
    assert meta(slices[0])["labels"]["kubemin.io/task-id"] == "t"
    assert controller_of(slices[0])["uid"] == meta(made)["uid"]
    assert "kubemin.io/write-token" not in meta(slices[0]).get("annotations", {}) or controllers_only(
        owners(slices[0], *WRITE_TOKEN)
    )
    endpoints = await kube.until("endpoints", "web", lambda item: item)
    assert meta(endpoints)["labels"]["kubemin.io/task-id"] == "t"
    (await kube.delete("services", "web")).ok()
    await kube.until_gone("endpoints", "web")


async def test_a_claim_that_a_statefulset_makes_is_the_controllers(kube: Kube) -> None:
    """Trap 9 and R6: no owner, no label of a task, and left behind."""
    sent = statefulset(replicas=1, claim=True)
    sent["metadata"]["labels"] = {"kubemin.io/task-id": "t"}
    await kube.make("statefulsets", sent)
    claim = await kube.until("persistentvolumeclaims", "data-db-0", lambda item: item)
    assert "ownerReferences" not in meta(claim)
    assert meta(claim)["labels"] == {"app": "db"}
    assert controllers_only(owners(claim, "spec", "resources"))
    (await kube.delete("statefulsets", "db", propagationPolicy="Background")).ok()
    await kube.until_gone("statefulsets", "db")
    assert "deletionTimestamp" not in meta(await kube.read("persistentvolumeclaims", "data-db-0"))


async def test_a_quota_refuses_and_the_deployment_says_so(kube: Kube) -> None:
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none"}, "spec": {"hard": {"pods": "0"}}}
    await kube.make("resourcequotas", quota)
    await kube.until("resourcequotas", "none", lambda item: item if item and item["status"].get("hard") else None)
    await kube.make("deployments", deployment(replicas=1))

    def failed(item: Json | None) -> Json | None:
        conditions = item["status"].get("conditions", []) if item else []
        return next((each for each in conditions if each["type"] == "ReplicaFailure"), None)

    condition = await kube.until("deployments", "web", failed)
    assert (condition["status"], condition["reason"]) == ("True", "FailedCreate")
    assert "exceeded quota: none, requested: pods=1, used: pods=0, limited: pods=0" in condition["message"]


@pytest.mark.parametrize(("plural", "body"), [("statefulsets", statefulset(replicas=1)), ("jobs", job())])
async def test_a_quota_refuses_and_of_a_statefulset_or_job_only_events_say_so(
    kube: Kube, plural: str, body: Json
) -> None:
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none"}, "spec": {"hard": {"pods": "0"}}}
    await kube.make("resourcequotas", quota)
    await kube.until("resourcequotas", "none", lambda item: item if item and item["status"].get("hard") else None)
    made = await kube.make(plural, body)

    def refused(items: list[Json]) -> Json | None:
        return next((each for each in items if each["reason"] == "FailedCreate"), None)

    event = await kube.until_listed("events", refused, fieldSelector=f"involvedObject.uid={meta(made)['uid']}")
    assert event["type"] == "Warning"
    assert "exceeded quota: none, requested: pods=1, used: pods=0, limited: pods=0" in event["message"]
    now = await kube.read(plural, meta(made)["name"])
    assert not [each for each in now["status"].get("conditions", []) if each["status"] == "True"]


async def test_an_old_replica_set_that_is_deleted_stays_away(kube: Kube) -> None:
    """R6: what our update left behind may be cleaned up under its Deployment."""
    await kube.make("deployments", deployment())
    (first,) = await replica_sets(kube, 1)
    (await kube.patch("deployments", "web", deployment(image="app:2"), kind="strategic")).ok()
    await replica_sets(kube, 2)
    await settled(kube, "deployments", "web")
    (await kube.delete("replicasets", meta(first)["name"], propagationPolicy="Background")).ok()
    await kube.until_gone("replicasets", meta(first)["name"])
    (await kube.patch("deployments", "web", {"spec": {"minReadySeconds": 1}})).ok()
    await settled(kube, "deployments", "web")
    (left,) = (await kube.list("replicasets")).ok()["items"]
    assert meta(left)["uid"] != meta(first)["uid"]


async def test_an_old_revision_of_a_statefulset_that_is_deleted_stays_away(kube: Kube) -> None:
    await kube.make("statefulsets", statefulset())
    first = (await settled(kube, "statefulsets", "db"))["status"]["updateRevision"]
    (await kube.patch("statefulsets", "db", statefulset(image="app:2"), kind="strategic")).ok()

    def moved(item: Json | None) -> Json | None:
        status = (item or {}).get("status", {})
        return item if first not in (status.get("updateRevision"), status.get("currentRevision")) else None

    await kube.until("statefulsets", "db", moved)
    (await kube.delete("controllerrevisions", first, propagationPolicy="Background")).ok()
    (await kube.patch("statefulsets", "db", {"spec": {"minReadySeconds": 1}})).ok()
    await settled(kube, "statefulsets", "db")
    revisions = (await kube.list("controllerrevisions")).ok()["items"]
    assert first not in {meta(item)["name"] for item in revisions}


async def test_a_rollout_that_makes_no_progress_is_given_up_by_its_controller(kube: Kube) -> None:
    """Whether no node takes the Pods, or their image cannot be pulled."""
    sent = deployment(image="image.invalid/never:1", replicas=1)
    sent["spec"]["progressDeadlineSeconds"] = 2
    await kube.make("deployments", sent)

    def late(item: Json | None) -> Json | None:
        conditions = item["status"].get("conditions", []) if item else []
        return next((each for each in conditions if each["type"] == "Progressing" and each["status"] == "False"), None)

    condition = await kube.until("deployments", "web", late)
    assert condition["reason"] == "ProgressDeadlineExceeded"
    assert "has timed out progressing" in condition["message"]
    verdict = readiness(await kube.read("deployments", "web"))
    assert verdict.state == "hopeless"
    assert "ProgressDeadlineExceeded" in verdict.message


async def test_a_stateful_set_that_is_scaled_up_makes_claims_one_after_another(kube: Kube) -> None:
    """R6: each Pod's claims come with it, before it is scheduled; the next Pod waits until the one before is ready."""
    await kube.make("statefulsets", statefulset(image="image.invalid/never:1", replicas=2, claim=True))
    pod = await kube.until("pods", "db-0", lambda item: item)
    (volume,) = [each for each in pod["spec"]["volumes"] if "persistentVolumeClaim" in each]
    assert volume["persistentVolumeClaim"]["claimName"] == "data-db-0"
    claim = await kube.read("persistentvolumeclaims", "data-db-0")
    assert meta(claim)["creationTimestamp"] <= meta(pod)["creationTimestamp"]
    (await kube.get("persistentvolumeclaims", "data-db-1")).refused(404, "NotFound")
    (await kube.delete("statefulsets", "db", propagationPolicy="Foreground")).ok()
    await kube.until_gone("statefulsets", "db")
    (await kube.get("pods", "db-0")).refused(404, "NotFound")  # gone means: its Pods too


async def test_a_job_that_is_deleted_in_the_foreground_takes_its_pods_with_it(kube: Kube) -> None:
    await kube.make("jobs", job(image="image.invalid/never:1"))
    (pod,) = await kube.until_listed("pods", lambda items: items or None)
    assert controller_of(pod)["kind"] == "Job"
    (await kube.delete("jobs", "mig", propagationPolicy="Foreground")).ok()
    await kube.until_gone("jobs", "mig")
    (await kube.get("pods", meta(pod)["name"])).refused(404, "NotFound")


async def test_a_copied_claim_that_is_taken_off_stays_off(kube: Kube) -> None:
    """Controllers copy annotations forward, to ReplicaSets and ControllerRevisions, and do not look after them."""
    marked = {"annotations": {"kubemin.io/write-token": "t1"}}
    for plural, body in (("deployments", deployment()), ("statefulsets", statefulset())):
        body["metadata"] |= marked
        await kube.make(plural, body)
        name, copies = meta(body)["name"], "replicasets" if plural == "deployments" else "controllerrevisions"
        (copy,) = await kube.until_listed(copies, lambda items: items or None)
        assert meta(copy)["annotations"]["kubemin.io/write-token"] == "t1"
        assert controllers_only(owners(copy, *WRITE_TOKEN))
        await settled(kube, plural, name)
        off = {"metadata": {"annotations": {"kubemin.io/write-token": None}}}
        (await kube.patch(plural, name, off)).ok()
        off["metadata"]["uid"] = meta(copy)["uid"]
        bare = (await kube.patch(copies, meta(copy)["name"], off)).ok()
        assert "kubemin.io/write-token" not in meta(bare).get("annotations", {})
        (await kube.patch(plural, name, {"spec": {"minReadySeconds": 1}})).ok()
        await settled(kube, plural, name)
        assert "kubemin.io/write-token" not in meta(await kube.read(copies, meta(copy)["name"])).get("annotations", {})


async def test_a_pod_whose_hash_is_changed_is_let_go_and_another_takes_its_place(kube: Kube) -> None:
    """Trap 37: it stays as it is, with the labels that a Service selects, and its owner counts without it."""
    await kube.make("deployments", deployment(replicas=1))
    (replica_set,) = await replica_sets(kube, 1)
    (found,) = await kube.until_listed("pods", lambda items: items if len(items) == 1 else None)
    name = meta(found)["name"]
    body = {"metadata": {"uid": meta(found)["uid"], "labels": {HASH: "let-go"}}}
    (await kube.patch("pods", name, body, kind="merge")).ok()

    def replaced(items: list[Json]) -> list[Json] | None:
        owners = [meta(item).get("ownerReferences") for item in items if meta(item)["name"] == name]
        return items if len(items) == 2 and owners == [None] else None

    items = await kube.until_listed("pods", replaced)
    (other,) = [item for item in items if meta(item)["name"] != name]
    (released,) = [item for item in items if meta(item)["name"] == name]
    assert meta(released)["uid"] == meta(found)["uid"]
    assert meta(released)["labels"]["app"] == "web"
    assert "deletionTimestamp" not in meta(released)
    assert controller_of(other)["uid"] == meta(replica_set)["uid"]
    assert meta(other)["labels"][HASH] == meta(replica_set)["labels"][HASH]
    later = await settled(kube, "deployments", "web")
    assert later["spec"] == (await kube.get("deployments", "web")).ok()["spec"]
