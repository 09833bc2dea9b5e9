"""Warnings: what is allowed, and probably not meant. What is fine is not warned of."""

from typing import Any

import pytest
import yaml
from hypothesis import given

from kubemin.cli.by_code import WARNINGS
from kubemin.spec.application import Application, parse_application
from kubemin.spec.issues import WarningCode
from kubemin.spec.likely_mistakes import outside
from kubemin.spec.limits import Limits
from kubemin.spec.objects import ObjectRef
from kubemin.spec.warnings import warnings_of
from tests.docs.markdown import ROOT
from tests.spec.strategies import application_data

Json = dict[str, Any]


def web(**more: Any) -> Json:
    return {"name": "web", "type": "webservice", "image": "web:1", "properties": {"ports": [{"port": 80}]}, **more}


DB = {"name": "db", "type": "store", "image": "db:1", "properties": {"ports": [{"port": 5432}]}}
SETTINGS = {"name": "settings", "type": "config", "properties": {"conf": {"A": "1"}}}


def read(*parts: Json) -> Application:
    return parse_application({"name": "shop", "component": list(parts)})


def env(value: str) -> Json:
    return web(properties={"env": {"URL": value}, "ports": [{"port": 80}]})


def reading(**traits: Any) -> Json:
    return web(traits=traits)


def found(*parts: Json) -> dict[str, WarningCode]:
    return {one.field: WarningCode(one.code) for one in warnings_of(read(*parts))}


def routed(service: str) -> Json:
    return reading(ingress=[{"routes": [{"backend": {"serviceName": service}}]}])


def stateful(**spec: Any) -> Json:
    pod = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "x", "image": "x:1"}]}}
    whole = {"selector": {"matchLabels": {"a": "b"}}, "template": pod, **spec}
    one = {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "x"}, "spec": whole}
    return {"name": "x", "type": "manifests", "properties": {"manifests": [one]}}


T = "component[0].traits"
SUSPECT: list[tuple[Json, str, WarningCode]] = [
    (
        reading(envFrom=[{"type": "config", "sourceName": "setings"}]),
        f"{T}.envFrom[0].sourceName",
        WarningCode.NOT_IN_APPLICATION,
    ),
    (
        reading(envs=[{"name": "A", "valueFrom": {"secret": {"name": "settings", "key": "a"}}}]),
        f"{T}.envs[0].valueFrom.secret.name",
        WarningCode.NOT_IN_APPLICATION,
    ),
    (reading(storage=[{"name": "x", "type": "secret"}]), f"{T}.storage[0].name", WarningCode.NOT_IN_APPLICATION),
    (routed("shop"), f"{T}.ingress[0].routes[0].backend.serviceName", WarningCode.NOT_IN_APPLICATION),
    (
        reading(ingress=[{"tls": [{"secretName": "cert"}], "routes": [{"backend": {"serviceName": "web"}}]}]),
        f"{T}.ingress[0].tls[0].secretName",
        WarningCode.NOT_IN_APPLICATION,
    ),
    (
        reading(sidecar=[{"image": "s:1", "traits": {"envFrom": [{"type": "secret", "sourceName": "no"}]}}]),
        f"{T}.sidecar[0].traits.envFrom[0].sourceName",
        WarningCode.NOT_IN_APPLICATION,
    ),
    (env("http://db:5432"), "component[0].properties.env.URL", WarningCode.UNKNOWN_HOST),
    (env("postgresql://user:pass@shop-bd:5432/x?a=b"), "component[0].properties.env.URL", WarningCode.UNKNOWN_HOST),
    (env("jdbc:postgresql://elsewhere/x"), "component[0].properties.env.URL", WarningCode.UNKNOWN_HOST),
    (env("${DB_HOST}"), "component[0].properties.env.URL", WarningCode.UNFILLED_VARIABLE),
    (web(image="web:${TAG}"), "component[0].image", WarningCode.UNFILLED_VARIABLE),
    (web(image="registry.example:5000/team/web"), "component[0].image", WarningCode.UNPINNED_IMAGE),
    (web(image="web:latest"), "component[0].image", WarningCode.UNPINNED_IMAGE),
    (reading(init=[{"properties": {"image": "x"}}]), f"{T}.init[0].properties.image", WarningCode.UNPINNED_IMAGE),
    (
        stateful(template={"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "x", "image": "x"}]}}),
        "component[0].properties.manifests[0].spec.template.spec.containers[0].image",
        WarningCode.UNPINNED_IMAGE,
    ),
    (
        stateful(persistentVolumeClaimRetentionPolicy={"whenDeleted": "Delete"}),
        "component[0].properties.manifests[0].spec.persistentVolumeClaimRetentionPolicy",
        WarningCode.CLAIMS_DELETED,
    ),
]
FINE: list[Json] = [
    web(),
    stateful(),
    reading(envFrom=[{"type": "config", "sourceName": "settings"}, {"type": "config", "sourceName": "shop-settings"}]),
    reading(storage=[{"name": "settings", "type": "config"}, {"name": "data", "type": "persistent"}]),
    routed("web"),
    routed("shop-db"),
    *map(
        env, ("http://shop-db:5432", "http://${{ components.db.host }}:5432/", "https://kubernetes", "http://db.other")
    ),
    *map(
        env,
        ("redis:6379", "file://x", "http://localhost:1", "http://10.0.0.1:80", "$${X}", "$(A)", "https://a.example"),
    ),
    web(image="web@sha256:" + "0" * 64),
    web(image="registry.example:5000/web:1"),
    web(properties={"command": ["sh", "-c", "echo ${HOME}"]}),
    {**SETTINGS, "name": "more", "properties": {"conf": {"nginx.conf": "${uri}"}}},
]


@pytest.mark.parametrize(("part", "field", "code"), SUSPECT, ids=[f"{code}-{field}" for _, field, code in SUSPECT])
def test_it_is_warned_of_at_its_field(part: Json, field: str, code: WarningCode) -> None:
    assert found(part, DB, SETTINGS) == {field: code}


@pytest.mark.parametrize("part", FINE, ids=range(len(FINE)))
def test_what_is_fine_is_not_warned_of(part: Json) -> None:
    assert found(part, DB, SETTINGS) == {}


@pytest.mark.parametrize("file", sorted((ROOT / "examples").glob("**/*.yaml")), ids=lambda path: path.stem)
def test_examples_are_fine(file: Any) -> None:
    limits = Limits(allow_cluster_kinds="*", allow_host_path=True, allow_rbac_names="*", allow_annotations="*")
    for data in yaml.safe_load_all(file.read_text()):
        if "component" in data:
            found = warnings_of(parse_application(data, limits))
            # Secrets with certificates are made in the cluster, by others.
            assert [one for one in found if ".tls[" not in one.field] == []


def test_the_nearest_name_is_told() -> None:
    (one,) = warnings_of(read(reading(envFrom=[{"type": "config", "sourceName": "setings"}]), DB, SETTINGS))
    assert one.nearest == "settings"
    (one,) = warnings_of(read(env("http://db:5432"), DB))
    assert "${{ components.db.host }}" in one.message


def test_what_the_cluster_has_is_fine() -> None:
    application = read(reading(envFrom=[{"type": "secret", "sourceName": "shared"}]), DB)
    assert [one.ref for one in outside(application)] == [ObjectRef("Secret", "default", "shared")]
    assert warnings_of(application, []) == []


@given(application_data())
def test_a_warning_holds_no_value_and_has_a_code_that_is_known(data: Json) -> None:
    for one in warnings_of(parse_application(data)):
        assert one.code in list(WarningCode)
        assert one.message.endswith((".", "?"))


def test_a_secret_that_looks_like_a_variable_is_in_no_message() -> None:
    (one,) = warnings_of(read(env("hush${hush}"), DB))
    assert "hush" not in one.message


def test_each_code_is_explained_and_translated() -> None:
    text = (ROOT / "docs" / "format.md").read_text()
    assert [code for code in WarningCode if f"| `{code}` |" not in text] == []
    assert WARNINGS.keys() == set(WarningCode)
