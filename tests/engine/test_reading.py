"""Which Pods may have read an object when they started (`kubemin.engine.objects.readers`)."""

from datetime import UTC, datetime
from typing import Any

import pytest

from kubemin.engine.objects.readers import is_required, may_have_read
from kubemin.spec.objects import Manifest, ObjectRef

SINCE = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
BEFORE, AFTER = "2026-01-01T11:59:59Z", "2026-01-01T12:00:00Z"
CONFIG, SECRET = ObjectRef("ConfigMap", "default", "conf"), ObjectRef("Secret", "default", "conf")

MOUNT, SUB_PATH = {"name": "v", "mountPath": "/v"}, {"name": "v", "mountPath": "/v", "subPath": "key"}
CONTAINERS: dict[str, tuple[ObjectRef, dict[str, Any]]] = {
    "envFrom": (CONFIG, {"envFrom": [{"configMapRef": {"name": "conf"}}]}),
    "envFrom, optional": (SECRET, {"envFrom": [{"secretRef": {"name": "conf", "optional": True}}]}),
    "env": (CONFIG, {"env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "conf", "key": "a"}}}]}),
    "env of a Secret": (SECRET, {"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "conf", "key": "a"}}}]}),
    "a subPath": (CONFIG, {"volumeMounts": [SUB_PATH]}),
    "a subPath of a Secret": (SECRET, {"volumeMounts": [{**MOUNT, "name": "s", "subPathExpr": "$(A)"}]}),
    "a subPath of a projected volume": (SECRET, {"volumeMounts": [{**SUB_PATH, "name": "p"}]}),
}
VOLUMES = [
    {"name": "v", "configMap": {"name": "conf"}},
    {"name": "s", "secret": {"secretName": "conf"}},
    {"name": "p", "projected": {"sources": [{"secret": {"name": "conf"}}]}},
]


def pod(state: dict[str, Any] | None, *, init: bool = False, phase: str = "Running", **container: Any) -> Manifest:
    named = {"name": "main", **container}
    status = [{"name": "main", "state": state}] if state is not None else []
    return {
        "metadata": {"name": "one", "namespace": "default", "uid": "1"},
        "spec": {"nodeName": "n", "volumes": VOLUMES, ("initContainers" if init else "containers"): [named]},
        "status": {"phase": phase, ("initContainerStatuses" if init else "containerStatuses"): status},
    }


def running(at: str) -> dict[str, Any]:
    return {"running": {"startedAt": at}}


@pytest.mark.parametrize("way", CONTAINERS)
def test_what_is_read_once(way: str) -> None:
    ref, container = CONTAINERS[way]
    assert may_have_read(pod(running(AFTER), **container), ref, SINCE)
    assert not may_have_read(pod(running(BEFORE), **container), ref, SINCE)
    others = [ObjectRef(ref.kind, "default", "other"), ObjectRef(ref.kind, "elsewhere", "conf")]
    others.append(CONFIG if ref is SECRET else SECRET)
    assert not any(may_have_read(pod(running(AFTER), **container), other, SINCE) for other in others)


def test_files_follow_by_themselves() -> None:
    """But what an init container has made of them stays."""
    assert not may_have_read(pod(running(AFTER), volumeMounts=[MOUNT]), CONFIG, SINCE)
    sidecar = pod(running(AFTER), init=True, restartPolicy="Always", volumeMounts=[MOUNT])
    assert not may_have_read(sidecar, CONFIG, SINCE)
    done = {"terminated": {"startedAt": AFTER, "exitCode": 0}}
    assert may_have_read(pod(done, init=True, volumeMounts=[MOUNT]), CONFIG, SINCE)
    done = {"terminated": {"startedAt": BEFORE, "exitCode": 0}}
    assert not may_have_read(pod(done, init=True, volumeMounts=[MOUNT]), CONFIG, SINCE)


@pytest.mark.parametrize(
    ("state", "may"),
    [
        (None, True),
        ({}, True),
        ({"waiting": {"reason": "ContainerCreating"}}, True),
        ({"waiting": {"reason": "CrashLoopBackOff"}}, False),
        ({"waiting": {"reason": "CreateContainerConfigError"}}, False),
        ({"waiting": {"reason": "ImagePullBackOff"}}, False),
        ({"terminated": {"startedAt": BEFORE, "exitCode": 1}}, True),
    ],
)
def test_what_starts_just_now_may_have_read_already(state: dict[str, Any] | None, *, may: bool) -> None:
    """And what is known to start later will read again."""
    found = pod(state, envFrom=[{"configMapRef": {"name": "conf"}}])
    assert may_have_read(found, CONFIG, SINCE) is may
    assert not may_have_read({**found, "spec": {**found["spec"], "nodeName": ""}}, CONFIG, SINCE)
    assert not may_have_read({**found, "status": {**found["status"], "phase": "Failed"}}, CONFIG, SINCE)
    going = {**found["metadata"], "deletionTimestamp": AFTER}
    assert not may_have_read({**found, "metadata": going}, CONFIG, SINCE)


def test_what_a_pod_cannot_start_without() -> None:
    optional = {"name": "conf", "optional": True}
    one = pod(None, envFrom=[{"configMapRef": optional}])
    one["spec"]["volumes"] = []
    assert not is_required(one, CONFIG)
    one["spec"]["volumes"] = [{"name": "v", "configMap": {"name": "conf"}}]
    assert is_required(one, CONFIG)
    assert not is_required(one, SECRET)
    one = pod(None, env=[{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "conf", "key": "a"}}}])
    one["spec"]["volumes"] = []
    assert is_required(one, CONFIG)
