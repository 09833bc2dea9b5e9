"""How components do, in one word: of each kind, and of several."""

from typing import Any

import pytest

from kubemin.cluster.readiness import readiness
from kubemin.engine.entry.component_states import state_of, worst_of
from kubemin.spec.kinds import KINDS, kind_of
from kubemin.spec.objects import Manifest
from kubemin.spec.states import ComponentState


def made(kind: str, spec: Any = None, **status: Any) -> Manifest:
    """An object whose controller has seen it."""
    facts = kind_of(kind)
    meta = {"name": "a", "namespace": "default", "uid": "u", "generation": 1}
    return {
        "apiVersion": facts.api_version_in(facts.version or "v1"),
        "kind": facts.kind,
        "metadata": meta,
        "spec": spec or {},
        "status": {"observedGeneration": 1, **status},
    }


def having(condition: str) -> Any:
    return [{"type": condition, "status": "True", "reason": "x"}]


def scaled(number: int) -> Any:
    return {"replicas": number, "updatedReplicas": number, "availableReplicas": number, "readyReplicas": number}


def on_nodes(number: int) -> Any:
    names = ("desiredNumberScheduled", "updatedNumberScheduled", "numberAvailable")
    return dict.fromkeys(names, number)


@pytest.mark.parametrize(
    ("obj", "state"),
    [
        (made("Job", conditions=having("Complete"), succeeded=1), "Completed"),
        (made("Job", conditions=having("Failed")), "Failed"),
        (made("Job", active=1), "Pending"),
        (made("Job", {"suspend": True}), "Suspended"),
        (made("Job", {"suspend": True}, conditions=having("Complete")), "Completed"),
        (made("CronJob", {"schedule": "* * * * *"}), "Scheduled"),
        (made("CronJob", {"schedule": "* * * * *", "suspend": True}), "Suspended"),
        (made("Deployment", {"replicas": 2}, **scaled(2)), "Running"),
        (made("Deployment", {"replicas": 2}, **scaled(1)), "Pending"),
        (made("Deployment", {"replicas": 0}, **scaled(0)), "Idle"),
        (made("Deployment", {"replicas": 0}, **scaled(1)), "Pending"),
        (made("StatefulSet", {"replicas": 1}, **scaled(1)), "Running"),
        (made("StatefulSet", {"replicas": 0}, **scaled(0)), "Idle"),
        (made("DaemonSet", **on_nodes(3)), "Running"),
        (made("DaemonSet", **on_nodes(0)), "Idle"),
        (made("ConfigMap"), "Ready"),
        (made("Secret"), "Ready"),
        (made("Certificate.cert-manager.io", conditions=having("Ready")), "Ready"),
    ],
    ids=lambda one: one if isinstance(one, str) else one["kind"],
)
def test_of_each_kind(obj: Manifest, state: str) -> None:
    assert state_of(obj, readiness(obj)) == state


def test_what_has_no_pods_never_runs() -> None:
    for name in KINDS:
        if kind_of(name).controller is None:
            obj = made(name, conditions=having("Ready"))
            assert state_of(obj, readiness(obj)) not in (ComponentState.RUNNING, ComponentState.IDLE), name


@pytest.mark.parametrize(
    ("states", "worst"),
    [
        (["Ready", "Completed"], "Completed"),
        (["Ready", "Running"], "Running"),
        (["Idle", "Ready"], "Idle"),
        (["Suspended", "Running"], "Running"),
        (["Completed", "Running", "Pending"], "Pending"),
        (["Running", "Failed", "Pending"], "Failed"),
        ([], "Not Deploy"),
    ],
)
def test_of_several(states: list[str], worst: str) -> None:
    assert worst_of([ComponentState(one) for one in states]) == worst
