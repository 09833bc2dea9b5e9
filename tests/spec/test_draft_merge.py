"""Saving a draft: what the web console leaves out of a component stays as it is stored."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given

from kubemin.spec.application import Application, parse_application
from kubemin.spec.component import Component
from kubemin.spec.config import MASK
from kubemin.spec.draft_merge import LOOKS, NAMES, SHOWN, with_what_is_stored
from kubemin.spec.model import SpecModel
from tests.spec.strategies import application_data, applications

Json = dict[str, Any]


def saved(stored: Application, sent: list[Json]) -> list[Json]:
    """The components as they are stored after ``sent`` was saved over ``stored``."""
    draft = Application.model_validate({"name": stored.name, "namespace": stored.namespace, "component": sent})
    merged = with_what_is_stored(draft, {part.name: part for part in stored.component})
    return [part.dump() for part in merged.component]


def replied(application: Application) -> list[Json]:
    """The components as GET …/components shows them, with the names of their namespaces and masked secrets."""
    parts = [part.dump() for part in application.component]
    for part in parts:
        part["namespace"] = part["namespace"] or application.namespace
        part["properties"]["secret"] = dict.fromkeys(part["properties"]["secret"], MASK)
    return parts


def _some(part: Json, *names: str) -> Json:
    """These fields, of lists and objects only those with something in them."""
    return {name: part[name] for name in names if part.get(name) not in (None, [], {})}


def _container(traits: Json) -> Json:
    envs = [
        {"name": env["name"], "valueFrom": _some(env["valueFrom"], "secret", "field")} for env in traits.get("envs", ())
    ]
    fields = ("type", "name", "mountPath", "subPath", "size", "sourceName")
    return {"envs": envs, "storage": [_some(one, *fields) for one in traits.get("storage", ())]}


def _init(container: Json) -> Json:
    properties = _some(container["properties"], "image", "env", "command")
    return {"name": container["name"], "properties": properties, "traits": _container(container["traits"])}


def _sidecar(container: Json) -> Json:
    return {**_some(container, "name", "image", "command"), "traits": _container(container["traits"])}


def _rbac(entry: Json) -> Json:
    rules = [{name: rule[name] for name in ("apiGroups", "resources", "verbs")} for rule in entry["rules"]]
    return {**_some(entry, "serviceAccount", "roleName", "bindingName", "roleLabels"), "rules": rules}


def console(part: Json) -> Json:
    """What the web console sends of a component that it was shown, unchanged."""
    properties = part["properties"]
    sent = {"name": part["name"], "type": part["type"], "replicas": part["replicas"] or 1}
    if part["type"] in ("config", "secret"):
        return {**sent, "properties": _some(properties, {"config": "conf"}.get(part["type"], "secret"))}
    traits = part["traits"]
    probe = ("type", "exec", "initialDelaySeconds", "periodSeconds", "timeoutSeconds")
    shown = {
        **_container(traits),
        "probes": [{name: one[name] for name in probe if name in one} for one in traits["probes"]],
        "init": [_init(one) for one in traits["init"]],
        "sidecar": [_sidecar(one) for one in traits["sidecar"]],
        "rbac": [_rbac(one) for one in traits["rbac"]],
        "ingress": traits["ingress"],
    }
    sent |= {"image": part["image"], "properties": _some(properties, "ports", "env", "command")}
    traits = {name: value for name, value in shown.items() if value}
    return {**sent, **({"traits": traits} if traits else {})}


@given(applications())
def test_saving_what_a_reply_showed_changes_nothing(stored: Application) -> None:
    assert saved(stored, replied(stored)) == [part.dump() for part in stored.component]


@given(applications())
def test_saving_what_the_console_makes_of_it_changes_nothing(stored: Application) -> None:
    assert saved(stored, [console(part) for part in replied(stored)]) == [part.dump() for part in stored.component]


def _lost(sent: SpecModel, merged: SpecModel, path: str = "") -> Iterator[str]:
    """Fields that were sent, and are not what is stored."""
    for name in sent.model_fields_set:
        mine, now = getattr(sent, name), getattr(merged, name)
        if isinstance(mine, SpecModel):
            yield from _lost(mine, now, f"{path}.{name}")
        elif isinstance(mine, list) and mine and isinstance(mine[0], SpecModel):
            assert len(mine) == len(now), f"{path}.{name}"
            for index, (one, other) in enumerate(zip(mine, now, strict=True)):
                yield from _lost(one, other, f"{path}.{name}[{index}]")
        elif mine != now:
            yield f"{path}.{name}"


@given(applications(), application_data())
def test_a_field_that_was_sent_is_what_is_stored(stored: Application, sent: Json) -> None:
    """But for the three that mean something else: one replica for none, the own namespace, and a mask."""
    draft = Application.model_validate(sent)
    known = dict(zip([part.name for part in draft.component], stored.component, strict=False))
    merged = with_what_is_stored(draft, known)
    assert len(merged.component) == len(draft.component)
    for one, other in zip(draft.component, merged.component, strict=True):
        lost = set(_lost(one, other))
        if one.replicas == 1 and other.replicas == 0:
            lost -= {".replicas"}
        if one.namespace == draft.namespace:
            lost -= {".namespace"}
        assert not lost


@given(applications())
def test_a_component_of_a_new_name_has_no_memory(stored: Application) -> None:
    sent = [{**console(part), "name": "brand-new"} for part in replied(stored)[:1]]
    fresh = Application.model_validate({"name": "fresh", "component": sent})
    assert saved(stored, sent) == [part.dump() for part in fresh.component]


def _one(**fields: Any) -> Application:
    part = {"name": "web", "type": "webservice", "image": "web:1", **fields}
    return parse_application({"name": "shop", "component": [part]})


def _saved_traits(stored: Json, sent: Json) -> Json:
    part = {"name": "web", "type": "webservice", "image": "web:1", "traits": sent}
    [component] = saved(_one(traits=stored), [part])
    traits: Json = component["traits"]
    return traits


_HTTP = {"httpGet": {"path": "/", "port": 80}}


@pytest.mark.parametrize(
    ("stored", "sent", "kept"),
    [
        ({"type": "readiness", **_HTTP}, {"type": "readiness"}, ["httpGet"]),
        ({"type": "readiness", **_HTTP}, {"type": "readiness", "exec": {"command": ["true"]}}, ["exec"]),
        ({"type": "readiness", **_HTTP}, {"type": "liveness", "exec": {"command": ["true"]}}, ["exec"]),
        ({"type": "readiness", **_HTTP, "failureThreshold": 9}, {"type": "readiness"}, ["failureThreshold", "httpGet"]),
    ],
)
def test_a_probe_keeps_its_handler_unless_another_one_is_sent(stored: Json, sent: Json, kept: list[str]) -> None:
    [probe] = _saved_traits({"probes": [stored]}, {"probes": [sent]})["probes"]
    assert sorted(probe.keys() - {"type"}) == kept


def test_an_absent_field_that_the_console_shows_is_gone() -> None:
    stored = {"storage": [{"name": "data", "type": "persistent", "tmpCreate": True, "subPath": "a", "size": "5Gi"}]}
    [volume] = _saved_traits(stored, {"storage": [{"name": "data", "type": "persistent"}]})["storage"]
    assert (volume["tmpCreate"], volume.get("subPath"), volume["size"]) == (True, None, "1Gi")
    assert _saved_traits(stored, {"envs": [{"name": "A", "valueFrom": {"static": "x"}}]})["storage"] == []


_RULES = [
    {"apiGroups": [""], "resources": ["pods"], "resourceNames": [name], "verbs": ["get"]} for name in ("one", "two")
]


@pytest.mark.parametrize(
    ("sent", "names"),
    [
        ([["get"], ["get"]], [["one"], ["two"]]),
        ([["get"]], [["one"]]),
        ([["get"], ["get", "list"]], [["one"], ["two"]]),
        ([["get"], ["get"], ["list"]], [["one"], ["two"], []]),
    ],
)
def test_a_rule_keeps_what_narrows_it(sent: list[list[str]], names: list[list[str]]) -> None:
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": verbs} for verbs in sent]
    [entry] = _saved_traits({"rbac": [{"rules": _RULES}]}, {"rbac": [{"rules": rules}]})["rbac"]
    assert [rule["resourceNames"] for rule in entry["rules"]] == names


@pytest.mark.parametrize("gone", [0, 1])
def test_a_container_without_a_name_is_recognised_by_its_looks(gone: int) -> None:
    stored = [{"image": image, "args": [image]} for image in ("a:1", "b:1")]
    sent = [{"image": image} for image in ("a:1", "b:1")]
    del sent[gone]
    [left] = _saved_traits({"sidecar": stored}, {"sidecar": sent})["sidecar"]
    assert left["args"] == [left["image"]]


def test_masked_secrets_are_the_stored_ones() -> None:
    stored = parse_application(
        {
            "name": "shop",
            "component": [{"name": "keys", "type": "secret", "properties": {"secret": {"A": "old", "B": "old"}}}],
        }
    )
    sent = {"name": "keys", "type": "secret", "properties": {"secret": {"A": MASK, "B": "new", "C": MASK}}}
    [part] = saved(stored, [sent])
    assert part["properties"]["secret"] == {"A": "old", "B": "new", "C": MASK}


def test_the_tables_name_fields_that_there_are() -> None:
    for table in (SHOWN, NAMES, LOOKS):
        for model, fields in table.items():
            assert set(fields) <= model.model_fields.keys(), model.__name__
    assert NAMES.keys() <= SHOWN.keys()
    assert Component in SHOWN


def test_a_nested_container_keeps_what_the_console_shows_of_none() -> None:
    nested = {"probes": [{"type": "liveness", **_HTTP}], "envFrom": [{"type": "config", "sourceName": "c"}]}
    stored = {"sidecar": [{"name": "log", "image": "log:1", "traits": {**nested, "resources": {"cpu": "1"}}}]}
    sent = {"sidecar": [{"name": "log", "image": "log:2", "traits": {}}]}
    [container] = _saved_traits(stored, sent)["sidecar"]
    assert (container["image"], container["traits"]["resources"]) == ("log:2", {"cpu": "1"})
    assert len(container["traits"]["probes"]) == len(container["traits"]["envFrom"]) == 1
