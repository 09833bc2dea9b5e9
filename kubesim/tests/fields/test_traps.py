"""The facts of a real 1.36 API server that are about fields, one test each. The numbers are those of traps.md."""

from collections.abc import Callable
from typing import Any

import pytest

from fields import samples
from fields.model import Server, bare, entries, refusal
from kubesim.jsondata import copy_json
from kubesim.managed.sets import has_path
from kubesim.patching import json_patch
from kubesim.problems import Problem


def test_1_a_forced_apply_takes_a_field_and_one_put_does_not_give_it_back() -> None:
    server = Server()
    config = samples.config_map({"a": "1", "b": "1"})
    server.apply(config, manager="helm")
    before = copy_json(server.obj)
    server.apply(samples.config_map({"a": "2"}), force=True)
    assert not has_path(entries(server.obj)["helm", "Apply"], "f:data", "f:a")
    server.put(bare(before), manager="deployer")
    assert bare(server.obj) == bare(before)
    assert entries(server.obj)["deployer", "Update"] == {"f:data": {"f:a": {}}}
    with pytest.raises(Problem, match="Apply failed with 1 conflict"):
        server.apply(samples.config_map({"a": "3", "b": "1"}), manager="helm")
    server.apply(samples.config_map({"b": "1"}), manager="helm")
    assert server.obj["data"]["a"] == "1", "the field the former owner drops stays"


def test_1_a_second_put_with_the_recorded_managed_fields_restores_ownership() -> None:
    server = Server()
    server.apply(samples.config_map({"a": "1", "b": "1"}), manager="helm")
    before = copy_json(server.obj)
    server.apply(samples.config_map({"a": "2"}), force=True)
    server.put(bare(before), manager="deployer")
    server.put(before, manager="deployer")
    assert server.obj["metadata"]["managedFields"] == before["metadata"]["managedFields"]
    server.apply(samples.config_map({"a": "3", "b": "1"}), manager="helm")
    server.apply(samples.config_map({"b": "1"}), manager="helm")
    assert server.obj["data"] == {"b": "1"}


def test_1_an_empty_entry_wipes_all_owners() -> None:
    server = Server()
    server.apply(samples.config_map({"a": "1"}), manager="helm")
    obj = copy_json(server.obj)
    obj["metadata"]["managedFields"] = [{}]
    server.put(obj)
    assert "managedFields" not in server.obj["metadata"]
    assert server.obj["data"] == {"a": "1"}


@pytest.mark.parametrize("make", [samples.config_map, samples.secret])
def test_7_immutable_is_for_ever(make: Callable[..., Any]) -> None:
    server = Server()
    server.create({**make({"a": "MQ=="}), "immutable": True})
    with pytest.raises(Problem) as caught:
        server.edit(immutable=None)
    assert refusal(caught.value) == [("immutable", "Forbidden: field is immutable when `immutable` is set")]
    with pytest.raises(Problem) as caught:
        server.edit(data__a="Mg==")
    assert refusal(caught.value) == [("data", "Forbidden: field is immutable when `immutable` is set")]
    server.edit(metadata__labels={"a": "1"})


def test_7_a_claim_template_keeps_its_labels() -> None:
    server = Server()
    claim = {**samples.claim(), "metadata": {"name": "data", "labels": {"a": "1"}}}
    server.create(samples.stateful_set(volumeClaimTemplates=[claim]))
    changed = copy_json(server.obj)
    changed["spec"]["volumeClaimTemplates"][0]["metadata"]["labels"]["a"] = "2"
    with pytest.raises(Problem) as caught:
        server.put(changed)
    assert caught.value.message == (
        'StatefulSet.apps "web" is invalid: spec: Forbidden: updates to statefulset spec for fields other than '
        "'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', "
        "'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
    )


def test_7_another_port_by_apply_is_a_second_port() -> None:
    server = Server()
    server.create(samples.service({"port": 80}), manager="other")
    with pytest.raises(Problem) as caught:
        server.apply(samples.service({"port": 81}), force=True)
    assert caught.value.code == 422
    assert [field for field, _ in refusal(caught.value)] == ["spec.ports[0].name", "spec.ports[1].name"]


def test_8_values_come_back_changed() -> None:
    server = Server()
    limits = {"cpu": "0.5", "memory": "1024Mi"}
    container = samples.container(command=[], env=[{"name": "A", "value": ""}], resources={"limits": limits})
    server.apply(samples.deployment(template=samples.template(container)))
    stored = server.obj["spec"]["template"]["spec"]["containers"][0]
    assert stored["resources"] == {"limits": {"cpu": "500m", "memory": "1Gi"}}
    assert stored["env"] == [{"name": "A"}]
    assert "command" not in stored
    fields = entries(server.obj)["deployer", "Apply"]["f:spec"]["f:template"]["f:spec"]["f:containers"]
    assert fields['k:{"name":"web"}']["f:env"]['k:{"name":"A"}'] == {".": {}, "f:name": {}, "f:value": {}}


def test_10_a_post_must_be_turned_into_an_apply_before_fields_can_be_dropped() -> None:
    server = Server()
    server.create(samples.config_map({"a": "1", "b": "1"}))
    server.apply(samples.config_map({"a": "1"}))
    assert server.obj["data"] == {"a": "1", "b": "1"}

    server = Server()
    server.create(samples.config_map({"a": "1", "b": "1"}))
    turn = [
        {"op": "test", "path": "/metadata/managedFields/0/operation", "value": "Update"},
        {"op": "replace", "path": "/metadata/managedFields/0/operation", "value": "Apply"},
    ]
    server.put(json_patch(server.obj, turn), manager="deployer")
    assert set(entries(server.obj)) == {("deployer", "Apply")}
    server.apply(samples.config_map({"a": "1"}))
    assert server.obj["data"] == {"a": "1"}


def test_13_a_scaler_owns_the_replicas() -> None:
    server = Server()
    server.apply(samples.deployment(replicas=1))
    server.edit(manager="hpa", subresource="scale", spec__replicas=5)
    server.apply(samples.deployment())
    assert server.obj["spec"]["replicas"] == 5
    with pytest.raises(Problem, match='conflict with "hpa" with subresource "scale"'):
        server.apply(samples.deployment(replicas=2))


def test_14_apply_merges_the_items_of_others() -> None:
    server = Server()
    env = [{"name": "THEIRS", "value": "1"}]
    theirs = samples.template(samples.container(ports=[{"containerPort": 80}], env=env), samples.container("sidecar"))
    server.create(samples.deployment(template=theirs), manager="other")
    ours = samples.template(samples.container(ports=[{"containerPort": 81}], env=[{"name": "OURS", "value": "1"}]))
    server.apply(samples.deployment(template=ours), force=True)
    pod = server.obj["spec"]["template"]["spec"]
    assert [item["name"] for item in pod["containers"]] == ["web", "sidecar"]
    assert [port["containerPort"] for port in pod["containers"][0]["ports"]] == [80, 81]
    assert [item["name"] for item in pod["containers"][0]["env"]] == ["THEIRS", "OURS"]
