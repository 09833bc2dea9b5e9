"""Pods are replaced when configuration of the application that they read changes, and only then."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubemin.render import render
from kubemin.spec.application import parse_application
from kubemin.spec.labels import CONFIG_DIGEST

KEY = "an example of random bytes"

Json = dict[str, Any]

CONF: Json = {"name": "settings", "type": "config", "properties": {"conf": {"LEVEL": "a", "OTHER": "b"}}}
PASSWORD: Json = {"name": "password", "type": "secret", "properties": {"secret": {"pin": "1234"}}}
FETCHED: Json = {"name": "fetched", "type": "config", "properties": {"conf": {"config.url": "https://a.example/1"}}}
ELSEWHERE: Json = {**CONF, "namespace": "other"}

READS: dict[str, tuple[Json, Json, str]] = {
    "envFrom": ({"envFrom": [{"type": "config", "sourceName": "settings"}]}, CONF, "conf"),
    "secret envFrom": ({"envFrom": [{"type": "secret", "sourceName": "password"}]}, PASSWORD, "secret"),
    "env": ({"envs": [{"name": "A", "valueFrom": {"config": {"name": "settings", "key": "LEVEL"}}}]}, CONF, "conf"),
    "secret env": (
        {"envs": [{"name": "A", "valueFrom": {"secret": {"name": "password", "key": "pin"}}}]},
        PASSWORD,
        "secret",
    ),
    "volume": ({"storage": [{"name": "v", "type": "config", "sourceName": "settings"}]}, CONF, "conf"),
    "secret volume": ({"storage": [{"name": "v", "type": "secret", "sourceName": "password"}]}, PASSWORD, "secret"),
    "fetched": ({"storage": [{"name": "v", "type": "config", "sourceName": "fetched"}]}, FETCHED, "conf"),
}
KEYS = st.text("0123456789abcdef", min_size=1)
PLACES = ("component", "init", "sidecar")


def _traits(traits: Json, place: str) -> Json:
    match place:
        case "init":
            return {"init": [{"properties": {"image": "x"}, "traits": traits}]}
        case "sidecar":
            return {"sidecar": [{"image": "x", "traits": traits}]}
    return traits


def _web(traits: Json, kind: str = "webservice", **properties: Any) -> Json:
    return {"name": "web", "type": kind, "image": "nginx", "traits": traits, "properties": properties}


def _template(*components: Json, key: str = KEY, kind: str = "webservice") -> Json:
    application = parse_application({"name": "shop", "component": list(components)})
    kinds = {"webservice": "Deployment", "store": "StatefulSet", "job": "Job"}
    (workload,) = [one.manifest for one in render(application, key) if one.manifest["kind"] == kinds[kind]]
    template: Json = workload["spec"]["template"]
    return template


def _digest(*components: Json, key: str = KEY, kind: str = "webservice") -> str | None:
    found: str | None = _template(*components, key=key, kind=kind)["metadata"].get("annotations", {}).get(CONFIG_DIGEST)
    return found


def _changed(component: Json, field: str) -> Json:
    other = copy.deepcopy(component)
    data = other["properties"][field]
    data[next(iter(data))] += "5"
    return other


@pytest.mark.parametrize("kind", ["webservice", "store"])
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("how", READS)
def test_a_changed_value_changes_the_template(how: str, place: str, kind: str) -> None:
    traits, source, field = READS[how]
    web = _web(_traits(traits, place), kind)
    before = _template(web, source, kind=kind)
    after = _template(web, _changed(source, field), kind=kind)
    assert before["metadata"].pop("annotations") != after["metadata"].pop("annotations")
    assert before == after
    assert _digest(web, source, kind=kind) == _digest(source, web, kind=kind)


@pytest.mark.parametrize("how", READS)
def test_what_is_not_read_or_not_ours_changes_nothing(how: str) -> None:
    traits, source, field = READS[how]
    unread = {**_changed(source, field), "name": "unread"}
    web = _web(traits)
    assert _digest(web, source, unread) == _digest(web, source)
    assert _digest(_web({}), source) is None
    assert _digest(web) is None
    assert _digest(web, {**source, "namespace": "other"}) is None
    assert _digest(web, {**source, "traits": {"share": {"strategy": "ignore"}}}) is None


@pytest.mark.parametrize("how", READS)
def test_it_can_be_turned_off_and_jobs_have_none(how: str) -> None:
    traits, source, field = READS[how]
    assert _digest(_web(traits, restartOnConfigChange=False), source) is None
    assert _digest(_web(traits, restartOnConfigChange=True), source) == _digest(_web(traits), source)
    job = _web(traits, "job")
    assert _template(job, source, kind="job") == _template(job, _changed(source, field), kind="job")


@given(st.text(max_size=4), KEYS, KEYS)
def test_nobody_can_try_a_secret_without_the_key(pin: str, one: str, other: str) -> None:
    secret = {**PASSWORD, "properties": {"secret": {"pin": pin.replace("\0", "")}}}
    web = _web(READS["secret env"][0])
    assert _digest(web, secret, key="") is None
    assert (_digest(web, secret, key=one) == _digest(web, secret, key=other)) is (one == other)
