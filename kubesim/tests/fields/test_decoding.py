"""Decoding: empty and unknown fields vanish, what is always there is there, wrong types are named."""

from typing import Any

import pytest
from hypothesis import given

from fields import samples
from fields.strategies import deployments
from kubesim.admit import decode, default, unknown_fields
from kubesim.admit.schema import is_known
from kubesim.jsondata import copy_json
from kubesim.problems import Problem
from kubesim.resources import RESOURCES


def decoded(obj: dict[str, Any]) -> dict[str, Any]:
    obj = copy_json(obj)
    decode(obj["kind"], obj)
    return obj


def test_empty_values_vanish_and_pointers_stay() -> None:
    obj = decoded(
        samples.deployment(
            replicas=0,
            paused=False,
            minReadySeconds=0,
            template=samples.template(
                samples.container(command=[], env=[{"name": "A", "value": ""}], stdin=False, workingDir=""),
                nodeSelector={},
                hostNetwork=False,
                automountServiceAccountToken=False,
                volumes=[{"name": "v", "emptyDir": {}}],
            ),
        )
    )
    spec = obj["spec"]
    assert spec["replicas"] == 0
    assert "paused" not in spec
    assert "minReadySeconds" not in spec
    pod = spec["template"]["spec"]
    assert pod["containers"] == [{"name": "web", "image": "web:1", "env": [{"name": "A"}], "resources": {}}]
    assert pod["automountServiceAccountToken"] is False
    assert pod["volumes"] == [{"name": "v", "emptyDir": {}}]
    assert "nodeSelector" not in pod
    assert "hostNetwork" not in pod


def test_an_empty_storage_class_is_not_an_absent_one() -> None:
    assert decoded(samples.claim(storageClassName=""))["spec"]["storageClassName"] == ""


def test_nulls_vanish() -> None:
    obj = decoded(samples.deployment(replicas=None, strategy=None))
    assert "replicas" not in obj["spec"]
    assert obj["spec"]["strategy"] == {}
    assert decoded(samples.config_map({"a": None}))["data"] == {"a": ""}  # type: ignore[dict-item]


def test_lists_that_are_always_there_are_null_when_empty() -> None:
    group = "rbac.authorization.k8s.io/v1"
    role = {"apiVersion": group, "kind": "Role", "metadata": {"name": "r"}, "rules": []}
    assert decoded(role)["rules"] is None


def test_unknown_fields_are_named_and_dropped() -> None:
    obj = samples.deployment(
        foo=1, template=samples.template(samples.container(imagex="x", ports=[{"containerPort": 1, "portName": "p"}]))
    )
    obj["metadata"]["labelz"] = {}
    assert set(unknown_fields("Deployment", obj)) == {
        "spec.foo",
        "metadata.labelz",
        "spec.template.spec.containers[0].imagex",
        "spec.template.spec.containers[0].ports[0].portName",
    }
    obj = decoded(obj)
    assert unknown_fields("Deployment", obj) == []
    assert "foo" not in obj["spec"]


def test_a_kind_without_a_table_keeps_everything() -> None:
    obj = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w", "labels": {}}, "spec": {"x": []}}
    assert unknown_fields("Widget", obj) == []
    assert decoded(obj) == {**obj, "metadata": {"name": "w"}}


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            {"replicas": "3"},
            "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
        (
            {"template": samples.template(samples.container(env=[{"name": "A", "value": 1}]))},
            "json: cannot unmarshal number into Go struct field EnvVar.spec.template.spec.containers.env.value"
            " of type string",
        ),
        (
            {"template": samples.template(samples.container(resources={"limits": {"cpu": "1 core"}}))},
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
        ),
        (
            {"replicas": 2**31},
            "json: cannot unmarshal number 2147483648 into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
        ({"template": []}, "json: cannot unmarshal array into Go struct field DeploymentSpec.spec.template"),
    ],
)
def test_values_of_the_wrong_type_are_400(spec: dict[str, Any], message: str) -> None:
    with pytest.raises(Problem) as caught:
        decoded(samples.deployment(**spec))
    assert caught.value.code == 400
    assert caught.value.message.startswith(f'Deployment in version "v1" cannot be handled as a Deployment: {message}')


def test_secret_data_must_be_base64() -> None:
    with pytest.raises(Problem, match="illegal base64 data"):
        decoded(samples.secret({"a": "not base64!"}))


@given(deployments())
def test_reading_twice_changes_nothing(obj: dict[str, Any]) -> None:
    default("Deployment", obj)
    again = copy_json(obj)
    default("Deployment", again)
    assert again == obj


def test_every_kind_served_has_a_table() -> None:
    assert [resource.kind for resource in RESOURCES.values() if not is_known(resource.kind)] == []
