"""Verdicts, kind by kind: objects as the API server shows them, and the sentence that a person reads."""

import copy
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubemin.cluster import readiness as judged
from kubemin.cluster.excerpts import excerpt
from kubemin.cluster.readiness import Verdict, is_waited_for
from kubemin.spec.kinds import KINDS
from kubemin.spec.objects import Manifest
from tests.manifests import deployment


def readiness(
    item: Manifest | None,
    pods: Sequence[Manifest] = (),
    events: Sequence[Manifest] = (),
    *,
    replica_sets: Sequence[Manifest] = (),
) -> Verdict:
    """The verdict, which is the same by what the caches keep of Pods and ReplicaSets."""
    verdict = judged.readiness(item, pods, events, replica_sets=replica_sets)
    kept = (
        [excerpt(kind, copy.deepcopy(one)) for one in of] for kind, of in (("Pod", pods), ("ReplicaSet", replica_sets))
    )
    kept_pods, kept_sets = kept
    assert judged.readiness(item, kept_pods, events, replica_sets=kept_sets) == verdict
    return verdict


def merged(base: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    found = copy.deepcopy(dict(base))
    for key, value in change.items():
        found[key] = merged(found.get(key) or {}, value) if isinstance(value, Mapping) else value
    return found


def template(image: str = "app:1") -> dict[str, Any]:
    return {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "app", "image": image}]}}


def rolled_out(**change: Any) -> Manifest:
    """A Deployment that is ready, but for the change."""
    state = {
        "metadata": {"generation": 2, "uid": "d"},
        "status": {"observedGeneration": 2, "replicas": 3, "updatedReplicas": 3, "availableReplicas": 3},
    }
    return merged(merged(deployment(replicas=3), state), change)


def replica_set(uid: str, image: str) -> Manifest:
    found = merged(template(image), {"metadata": {"labels": {"pod-template-hash": uid}, "creationTimestamp": None}})
    owner = {"uid": "d", "controller": True}
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {"name": uid, "uid": uid, "ownerReferences": [owner]},
        "spec": {"template": found},
    }


def a_pod(name: str = "web-1", *, owner: str = "rs", revision: str = "", **status: Any) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "uid": name,
            "ownerReferences": [{"uid": owner, "controller": True}],
            "labels": {"controller-revision-hash": revision},
        },
        "status": {"phase": "Pending", **status},
    }


def container(state: dict[str, Any] | None = None, *, name: str = "app", **more: Any) -> dict[str, Any]:
    return {"name": name, "ready": False, "restartCount": 0, "state": state or {}, **more}


def waits(reason: str, message: str | None = None) -> dict[str, Any]:
    return {"waiting": {"reason": reason} | ({"message": message} if message else {})}


def ended(code: int, reason: str = "Error", message: str = "") -> dict[str, Any]:
    return {"terminated": {"exitCode": code, "reason": reason} | ({"message": message} if message else {})}


PULL = a_pod(containerStatuses=[container(waits("ImagePullBackOff", 'Back-off pulling image "app:2"'))])
PULL_SAID = 'Pod web-1: container app: ImagePullBackOff: Back-off pulling image "app:2"'


@pytest.mark.parametrize(
    ("change", "state", "said"),
    [
        ({}, "ready", "3 of 3 replicas are available"),
        (
            {"spec": {"replicas": 0}, "status": {"replicas": 0, "updatedReplicas": 0, "availableReplicas": 0}},
            "ready",
            "0 of 0",
        ),
        ({"metadata": {"generation": 3}}, "waiting", "not seen by its controller"),
        ({"status": {"observedGeneration": None}}, "waiting", "not seen by its controller"),
        ({"status": {"updatedReplicas": 1}}, "waiting", "1 of 3 replicas are updated"),
        ({"status": {"replicas": 4}}, "waiting", "1 old replicas still have to go"),
        ({"status": {"replicas": 4, "updatedReplicas": 4}}, "waiting", "1 replicas too many"),
        ({"status": {"availableReplicas": 2}}, "waiting", "2 of 3 updated replicas are available"),
        ({"status": {"availableReplicas": None}}, "waiting", "0 of 3 updated replicas are available"),
        ({"status": {"updatedReplicas": 1}, "spec": {"paused": True}}, "waiting", "paused"),
        (
            {
                "status": {
                    "availableReplicas": 0,
                    "conditions": [
                        {
                            "type": "Progressing",
                            "status": "False",
                            "reason": "ProgressDeadlineExceeded",
                            "message": "took too long",
                        }
                    ],
                }
            },
            "hopeless",
            "ProgressDeadlineExceeded: took too long",
        ),
        (
            {
                "status": {
                    "updatedReplicas": 1,
                    "conditions": [
                        {
                            "type": "ReplicaFailure",
                            "status": "True",
                            "reason": "FailedCreate",
                            "message": "exceeded quota: q",
                        }
                    ],
                }
            },
            "hopeless",
            "FailedCreate: exceeded quota: q",
        ),
        (
            {
                "status": {
                    "conditions": [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]
                }
            },
            "ready",
            "3 of 3",
        ),
    ],
)
def test_rolled_out(change: dict[str, Any], state: str, said: str) -> None:
    verdict = readiness(rolled_out(**change))
    assert (verdict.state, verdict.desired) == (state, 0 if "0 of 0" in said else 3)
    assert "Deployment web" in verdict.message
    assert said in verdict.message


def test_what_is_being_deleted_is_not_ready() -> None:
    verdict = readiness(rolled_out(metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"}))
    assert verdict == Verdict("waiting", "Deployment web is being deleted")


def test_only_pods_of_the_current_template_make_a_deployment_hopeless() -> None:
    rolling = rolled_out(status={"updatedReplicas": 1, "replicas": 4, "availableReplicas": 2})
    sets = [replica_set("old", "app:0"), replica_set("rs", "app:1")]
    assert readiness(rolling, [PULL], replica_sets=sets).message == f"Deployment web: {PULL_SAID}"
    of_old = merged(PULL, {"metadata": {"ownerReferences": [{"uid": "old", "controller": True}]}})
    assert readiness(rolling, [of_old], replica_sets=sets).state == "waiting"
    # On the way back the bad ReplicaSet is the younger one, and still not the current one.
    back = merged(rolling, {"spec": {"template": template("app:0")}})
    assert readiness(back, [PULL], replica_sets=sets).state == "waiting"
    assert readiness(back, [of_old], replica_sets=sets).state == "hopeless"


def test_without_replica_sets_pods_count_only_when_no_old_ones_are_left() -> None:
    assert readiness(rolled_out(status={"availableReplicas": 0}), [PULL]).state == "hopeless"
    assert readiness(rolled_out(status={"availableReplicas": 0, "updatedReplicas": 2}), [PULL]).state == "waiting"


def stateful(**change: Any) -> Manifest:
    return merged(
        {
            "apiVersion": "apps/v1",
            "kind": "StatefulSet",
            "metadata": {"name": "db", "generation": 2, "uid": "s"},
            "spec": {"replicas": 3, "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}},
            "status": {
                "observedGeneration": 2,
                "replicas": 3,
                "readyReplicas": 3,
                "availableReplicas": 3,
                "updatedReplicas": 3,
                "currentRevision": "new",
                "updateRevision": "new",
            },
        },
        change,
    )


@pytest.mark.parametrize(
    ("change", "state", "said"),
    [
        ({}, "ready", "3 of 3 replicas are ready"),
        ({"metadata": {"generation": 3}}, "waiting", "not seen by its controller"),
        ({"status": {"readyReplicas": 2}}, "waiting", "2 of 3 replicas are ready"),
        ({"status": {"replicas": 4}}, "waiting", "1 replicas too many"),
        ({"status": {"currentRevision": "old", "updatedReplicas": 1}}, "waiting", "1 of 3 replicas are updated"),
        ({"status": {"currentRevision": "old"}}, "waiting", "3 of 3 replicas are updated"),
        ({"status": {"availableReplicas": 1}}, "ready", "3 of 3"),
        ({"status": {"availableReplicas": 1}, "spec": {"minReadySeconds": 5}}, "waiting", "1 of 3 replicas are ready"),
        (
            {
                "spec": {"updateStrategy": {"rollingUpdate": {"partition": 2}}},
                "status": {"currentRevision": "old", "updatedReplicas": 1},
            },
            "ready",
            "3 of 3",
        ),
        (
            {
                "spec": {"updateStrategy": {"rollingUpdate": {"partition": 1}}},
                "status": {"currentRevision": "old", "updatedReplicas": 1},
            },
            "waiting",
            "1 of 2 replicas are updated",
        ),
        (
            {
                "spec": {"updateStrategy": {"type": "OnDelete", "rollingUpdate": None}},
                "status": {"currentRevision": "old", "updatedReplicas": 0},
            },
            "ready",
            "3 of 3",
        ),
    ],
)
def test_statefulset(change: dict[str, Any], state: str, said: str) -> None:
    verdict = readiness(stateful(**change))
    assert (verdict.state, verdict.desired) == (state, 3)
    assert said in verdict.message


def test_only_pods_of_the_new_revision_make_a_statefulset_hopeless() -> None:
    rolling = stateful(status={"readyReplicas": 2, "updatedReplicas": 1, "currentRevision": "old"})
    stuck = [container(waits("ErrImagePull", "no such image"))]
    new, old = (
        a_pod("db-2", revision="new", containerStatuses=stuck),
        a_pod("db-1", revision="old", containerStatuses=stuck),
    )
    assert readiness(rolling, [new]).message == "StatefulSet db: Pod db-2: container app: ErrImagePull: no such image"
    verdict = readiness(rolling, [old])
    assert verdict.state == "waiting"
    assert "Pod db-1 is of an older revision, does not get ready and holds up the others" in verdict.message


def event(reason: str, message: str, uid: str, kind: str = "Warning", at: str = "2026-01-01T00:00:00Z") -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "reason": reason,
        "message": message,
        "type": kind,
        "involvedObject": {"uid": uid},
        "lastTimestamp": at,
    }


def test_a_refused_pod_makes_a_statefulset_hopeless() -> None:
    short = stateful(status={"readyReplicas": 1, "replicas": 1, "updatedReplicas": 1})
    events = [
        event("FailedCreate", "older", "s", at="2026-01-01T00:00:00Z"),
        event("FailedCreate", "exceeded quota", "s", at="2026-01-02T00:00:00Z"),
        event("FailedCreate", "of another", "t", at="2026-01-03T00:00:00Z"),
        event("SuccessfulCreate", "fine", "s", kind="Normal", at="2026-01-01T12:00:00Z"),
    ]
    assert readiness(short, [], events).message == "StatefulSet db: exceeded quota"
    made = event("SuccessfulCreate", "fine", "s", kind="Normal", at="2026-01-02T00:00:00Z")
    assert readiness(short, [], [*events, made]).state == "waiting"
    assert readiness(stateful(status={"readyReplicas": 1}), [], events).state == "waiting"


def job(**change: Any) -> Manifest:
    return merged(
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": "mig", "uid": "j"},
            "spec": {"completions": 1},
            "status": {},
        },
        change,
    )


def having(*conditions: tuple[str, str, str]) -> dict[str, Any]:
    return {
        "status": {
            "conditions": [
                {"type": kind, "status": "True", "reason": reason, "message": said} for kind, reason, said in conditions
            ]
        }
    }


@pytest.mark.parametrize(
    ("change", "state", "said", "final"),
    [
        ({}, "waiting", "0 of 1 completed", False),
        ({"status": {"failed": 2, "active": 1}}, "waiting", "0 of 1 completed, 2 tries failed", False),
        (having(("Complete", "", "")), "ready", "complete", False),
        (having(("SuccessCriteriaMet", "", "")), "waiting", "last Pods are being ended", False),
        (having(("Failed", "BackoffLimitExceeded", "too many")), "hopeless", "BackoffLimitExceeded: too many", True),
        (having(("FailureTarget", "DeadlineExceeded", "")), "hopeless", "DeadlineExceeded", True),
        ({"spec": {"suspend": True}}, "waiting", "suspended", False),
    ],
)
def test_job(change: dict[str, Any], state: str, said: str, final: bool) -> None:
    verdict = readiness(job(**change))
    assert (verdict.state, verdict.final) == (state, final)
    assert said in verdict.message


def test_a_jobs_pods_and_refusals_count() -> None:
    assert readiness(job(), [PULL]).message == f"Job mig: {PULL_SAID}"
    assert readiness(job(), [], [event("FailedCreate", "forbidden", "j")]).state == "hopeless"


POD_TROUBLES: list[tuple[dict[str, Any], str | None]] = [
    ({"containerStatuses": [container(waits("ContainerCreating"))]}, None),
    ({"containerStatuses": [container(waits("PodInitializing"))]}, None),
    (
        {"containerStatuses": [container(waits("ErrImagePull", "no such host"))]},
        "container app: ErrImagePull: no such host",
    ),
    (
        {"containerStatuses": [container(waits("InvalidImageName", "bad ref"))]},
        "container app: InvalidImageName: bad ref",
    ),
    (
        {"containerStatuses": [container(waits("CreateContainerConfigError", 'configmap "c" not found'))]},
        'container app: CreateContainerConfigError: configmap "c" not found',
    ),
    (
        {
            "containerStatuses": [
                container(
                    waits("CrashLoopBackOff", "back-off 10s"), lastState=ended(3, message="boom\n"), restartCount=1
                )
            ]
        },
        "container app: CrashLoopBackOff: it ended with exit code 3: boom",
    ),
    (
        {
            "containerStatuses": [
                container(waits("CrashLoopBackOff"), lastState=ended(137, "OOMKilled"), restartCount=1)
            ]
        },
        "container app: CrashLoopBackOff: it ended with exit code 137 (OOMKilled)",
    ),
    (
        {"containerStatuses": [container(waits("CrashLoopBackOff", "back-off 10s"), restartCount=1)]},
        "container app: CrashLoopBackOff: back-off 10s",
    ),
    ({"containerStatuses": [container({"running": {}}, lastState=ended(1), restartCount=2)]}, None),
    (
        {"containerStatuses": [container({"running": {}}, lastState=ended(1), restartCount=3)]},
        None,
    ),
    ({"containerStatuses": [container({"running": {}}, lastState=ended(1), restartCount=9) | {"ready": True}]}, None),
    (
        {
            "initContainerStatuses": [
                container(waits("CrashLoopBackOff"), name="init", lastState=ended(2), restartCount=4)
            ]
        },
        "init container init: CrashLoopBackOff: it ended with exit code 2",
    ),
    (
        {
            "conditions": [
                {
                    "type": "PodScheduled",
                    "status": "False",
                    "reason": "Unschedulable",
                    "message": "0/3 nodes are available",
                }
            ]
        },
        "Unschedulable: 0/3 nodes are available",
    ),
    ({"conditions": [{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}]}, None),
    ({"phase": "Failed", "containerStatuses": [container(waits("ErrImagePull"))]}, None),
]


@pytest.mark.parametrize(("status", "said"), POD_TROUBLES)
def test_a_pod_says_why_it_will_not_run(status: dict[str, Any], said: str | None) -> None:
    verdict = readiness(rolled_out(status={"availableReplicas": 0}), [a_pod(**status)])
    expected = f"Deployment web: Pod web-1: {said}" if said else "Deployment web: 0 of 3 updated replicas are available"
    assert verdict.message == expected


def test_a_terminating_pod_is_no_evidence_and_many_are_summed_up() -> None:
    short = rolled_out(status={"availableReplicas": 0})
    gone = merged(PULL, {"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}})
    assert readiness(short, [gone]).state == "waiting"
    others = [merged(PULL, {"metadata": {"name": f"web-{n}"}}) for n in (3, 1, 2)]
    assert readiness(short, others).message == f"Deployment web: {PULL_SAID.replace('web-1', 'web-1 (and 2 more)')}"


def test_a_missing_volume_is_told_by_events_until_the_pod_has_started() -> None:
    short = rolled_out(status={"availableReplicas": 0})
    waiting = a_pod(containerStatuses=[container(waits("ContainerCreating"))])
    missing = event("FailedMount", 'MountVolume.SetUp failed for volume "c": configmap "c" not found', "web-1")
    assert "FailedMount: MountVolume.SetUp failed" in readiness(short, [waiting], [missing]).message
    assert readiness(short, [waiting], [event("FailedMount", "timed out", "web-1")]).state == "waiting"
    started = a_pod(containerStatuses=[container({"running": {}}, started=True)])
    assert readiness(short, [started], [missing]).state == "waiting"


@pytest.mark.parametrize("kind", sorted(kind for kind in KINDS if not is_waited_for(kind)))
def test_other_kinds_are_ready_when_they_exist(kind: str) -> None:
    item = {"apiVersion": KINDS[kind].api_version, "kind": kind, "metadata": {"name": "x", "uid": "x"}}
    assert readiness(item) == Verdict("ready", f"{kind} x exists", 1)


def test_a_kind_of_another_group_is_not_taken_for_ours() -> None:
    item = {"apiVersion": "example.com/v1", "kind": "Deployment", "metadata": {"name": "x"}}
    assert readiness(item) == Verdict("ready", "Deployment.example.com x exists", 1)


def test_what_does_not_exist_is_waited_for() -> None:
    assert readiness(None) == Verdict("waiting", "It does not exist yet")


def certificate(generation: int = 1, **status: Any) -> dict[str, Any]:
    """An object of a kind that nobody has told us about."""
    meta = {"name": "x", "generation": generation}
    return {"apiVersion": "example.com/v1", "kind": "Certificate", "metadata": meta, "status": status}


def said(kind: str, status: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "status": status, **more}


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ({}, "ready"),
        ({"observedGeneration": 1}, "waiting"),
        ({"observedGeneration": 2}, "ready"),
        ({"conditions": [said("Ready", "True")]}, "ready"),
        ({"conditions": [said("Ready", "True", observedGeneration=1)]}, "waiting"),
        ({"conditions": [said("Ready", "False", reason="NoIssuer", message="the issuer is not there")]}, "waiting"),
        ({"conditions": [said("Ready", "Unknown")]}, "waiting"),
        ({"conditions": [said("Established", "True"), said("NamesAccepted", "True")]}, "ready"),
        ({"conditions": [said("Reconciling", "True", reason="Progressing"), said("Ready", "True")]}, "waiting"),
        ({"conditions": [said("Stalled", "True", reason="Denied")]}, "hopeless"),
        ({"conditions": [said("Stalled", "False"), said("Ready", "True")]}, "ready"),
        ({"conditions": [said("Synced", "False")]}, "ready"),
        (
            {"parents": [{"conditions": [said("Accepted", "True")]}, {"conditions": [said("Accepted", "False")]}]},
            "waiting",
        ),
    ],
)
def test_any_kind_is_ready_by_what_all_controllers_say_alike(status: dict[str, Any], state: str) -> None:
    assert readiness(certificate(generation=2, **status)).state == state


def test_what_a_controller_says_is_what_a_person_reads() -> None:
    waits = readiness(certificate(conditions=[said("Ready", "False", reason="NoIssuer", message="it is not there")]))
    assert waits.message == "Certificate.example.com x: Ready is False: NoIssuer: it is not there"


@pytest.mark.parametrize("strategy", ["RollingUpdate", "OnDelete"])
@pytest.mark.parametrize("numbers", list(itertools.product(range(3), repeat=3)))
def test_a_daemon_set_is_ready_once_each_node_has_a_current_pod(numbers: tuple[int, int, int], strategy: str) -> None:
    desired, updated, available = numbers
    item = {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "log", "generation": 1},
        "spec": {"updateStrategy": {"type": strategy}},
        "status": {
            "observedGeneration": 1,
            "desiredNumberScheduled": desired,
            "updatedNumberScheduled": updated,
            "numberAvailable": available,
        },
    }
    ready = available >= desired and (updated >= desired or strategy == "OnDelete")
    assert readiness(item).state == ("ready" if ready else "waiting")


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.dictionaries(
        st.sampled_from(["replicas", "observedGeneration", "phase", "template", "selector", "type", "updateStrategy"]),
        inner,
    ),
    max_leaves=8,
)


@given(st.sampled_from(sorted(KINDS)), json_like, json_like)
def test_parts_that_are_absent_or_odd_raise_nothing(kind: str, spec: Any, status: Any) -> None:
    verdict = readiness(
        {"apiVersion": KINDS[kind].api_version, "kind": kind, "metadata": {"name": "x"}, "spec": spec, "status": status}
    )
    assert verdict.message


def test_a_restart_count_alone_proves_nothing() -> None:
    """A restart rule may want the restarts. What was hopeless stays so until the container is ready, however."""
    short = rolled_out(status={"availableReplicas": 0})
    again = a_pod(containerStatuses=[container({"running": {}}, lastState=ended(1), restartCount=99)])
    verdict = readiness(short, [again])
    assert (verdict.state, verdict.restarted) == ("waiting", True)
    first = a_pod(containerStatuses=[container({"running": {}}, restartCount=0)])
    assert not readiness(short, [first]).restarted
    well = a_pod(containerStatuses=[container({"running": {}}, lastState=ended(1), restartCount=99) | {"ready": True}])
    assert not readiness(short, [well]).restarted


def test_a_sidecar_that_crashes_does_not_keep_a_job_from_its_end() -> None:
    sidecar = container(waits("CrashLoopBackOff"), name="proxy", lastState=ended(1), restartCount=9)
    spec = {"restartPolicy": "Never", "initContainers": [{"name": "proxy", "restartPolicy": "Always"}]}
    begun = a_pod(initContainerStatuses=[sidecar], containerStatuses=[container({"running": {}})]) | {"spec": spec}
    assert readiness(job(), [begun]).state == "waiting"
    waiting = a_pod(initContainerStatuses=[sidecar], containerStatuses=[container(waits("PodInitializing"))])
    assert readiness(job(), [waiting | {"spec": spec}]).message == (
        "Job mig: Pod web-1: sidecar proxy: CrashLoopBackOff: it ended with exit code 1"
    )
    serving = begun | {"spec": {"initContainers": spec["initContainers"]}}
    assert readiness(rolled_out(status={"availableReplicas": 0}), [serving]).state == "hopeless"


def test_a_job_that_has_succeeded_or_is_suspended_is_not_hopeless_by_its_pods() -> None:
    assert readiness(job(**having(("SuccessCriteriaMet", "SuccessPolicy", ""))), [PULL]).state == "waiting"
    held_back = readiness(job(spec={"suspend": True}), [PULL])
    assert (held_back.state, held_back.suspended) == ("waiting", True)
