"""The demo: all of it, and that it does not pass over what is not as it was."""

import copy
from typing import Any

import pytest

from kubemin.cli import snapshot
from kubemin.spec.objects import ObjectRef
from tests.cli.kubemin import Kubemin

REF = ObjectRef("ConfigMap", "default", "settings")
OWNER = {"manager": "ops", "operation": "Update", "time": "2026-01-01T00:00:00Z", "fieldsV1": {"f:data": {"f:a": {}}}}
CONFIG: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {
        "name": "settings",
        "namespace": "default",
        "uid": "1",
        "resourceVersion": "7",
        "annotations": {"owner": "ops"},
        "managedFields": [OWNER],
    },
    "data": {"a": "1"},
}


def _changed(**metadata: Any) -> snapshot.Snapshot:
    obj = copy.deepcopy(CONFIG)
    obj["metadata"] |= metadata
    return {REF: snapshot.comparable(obj)}


BEFORE = _changed()


def test_what_only_counts_up_is_the_same() -> None:
    assert snapshot.differences(BEFORE, _changed(resourceVersion="9", generation=3)) == []
    assert snapshot.differences(BEFORE, _changed(managedFields=[{**OWNER, "time": "2027-01-01T00:00:00Z"}])) == []
    assert snapshot.fields(CONFIG["data"]) == 1


def test_everything_else_is_not() -> None:
    assert snapshot.differences(BEFORE, {}) == ["ConfigMap/default/settings is gone"]
    assert snapshot.differences({}, BEFORE) == ["ConfigMap/default/settings is left over"]
    value = {REF: snapshot.comparable({**CONFIG, "data": {"a": "2"}})}
    assert snapshot.differences(BEFORE, value) == ["ConfigMap/default/settings differs in data.a"]
    for metadata in (
        {"uid": "2"},
        {"annotations": {"owner": "ops", "kubemin.io/write-token": "x"}},
        {"managedFields": [{**OWNER, "manager": "kubemin"}]},
        {"finalizers": ["x"]},
    ):
        assert len(snapshot.differences(BEFORE, _changed(**metadata))) == 1, metadata


@pytest.mark.proof
def test_the_demo_holds(kubemin: Kubemin) -> None:
    answer = kubemin("demo", env={"KUBEMIN_KUBECONFIG": "of-a-cluster-of-mine.yaml", "KUBEMIN_PORT": "1"})
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "fields: identical" in answer.stdout
    assert "\nAll of it held, in " in answer.stdout
    assert answer.stderr == ""
