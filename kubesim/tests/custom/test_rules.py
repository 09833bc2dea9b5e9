"""Rules in CEL: what an object may be, and what may follow what it was."""

from typing import Any

import pytest

from kubesim.custom.rules import are_followed
from kubesim.jsondata import Object, copy_json
from kubesim.problems import Problem
from kubesim.registry import Registry

from .samples import KEY, SPEC, definition, version, widget, world

pytestmark = pytest.mark.skipif(not are_followed(), reason="no library for CEL is installed")


def ruled(**rules: Object) -> Registry:
    """A cluster with widgets whose fields have these rules; ``spec`` names the whole of it."""
    spec = copy_json(SPEC)
    for name, rule in rules.items():
        holder = spec if name == "spec" else spec["properties"][name]
        holder["x-kubernetes-validations"] = [rule]
    return world(definition(version(spec=spec)))


def put(registry: Registry, **spec: Any) -> Object:
    """Make the widget, or change it to this."""
    sent = widget(spec=spec)
    try:
        now = registry.get(KEY, "default", "a")
    except Problem:
        return registry.create(KEY, "default", sent, manager="me")
    sent["metadata"]["resourceVersion"] = now["metadata"]["resourceVersion"]
    return registry.update(KEY, "default", "a", sent, manager="me")


def refused(registry: Registry, **spec: Any) -> list[tuple[str, str, str]]:
    with pytest.raises(Problem) as caught:
        put(registry, **spec)
    assert caught.value.code == 422
    return [(one["field"], one["reason"], one["message"]) for one in caught.value.details["causes"]]


def test_a_rule_is_about_each_state() -> None:
    rule = "!has(self.args) || size(self.args) <= self.size"
    registry = ruled(spec={"rule": rule})
    told = [("spec", "FieldValueInvalid", f'Invalid value: "object": failed rule: {rule}')]
    assert refused(registry, size=0, args=["a"]) == told
    put(registry, size=1, args=["a"])
    assert refused(registry, size=1, args=["a", "b"]) == told


def test_a_transition_is_judged_where_there_was_something() -> None:
    registry = ruled(size={"rule": "self >= oldSelf", "message": "may only grow"})
    put(registry, size=2)
    put(registry, size=3)
    assert refused(registry, size=2) == [("spec.size", "FieldValueInvalid", 'Invalid value: "integer": may only grow')]
    put(registry)
    put(registry, size=1)


def test_what_was_so_before_is_not_judged_again() -> None:
    """A rule that came later: what breaks it may stay, and may not be brought anew."""
    registry = world(definition(version()))
    put(registry, size=2, args=["x"])
    made = copy_json(registry.get("customresourcedefinitions", "", KEY))
    schema = made["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    schema["properties"]["spec"]["properties"]["size"]["x-kubernetes-validations"] = [{"rule": "self < 2"}]
    registry.update("customresourcedefinitions", "", KEY, made, manager="me")
    put(registry, size=2, args=["y"])
    put(registry, size=1)
    assert refused(registry, size=3)


def test_items_are_compared_by_their_keys_and_only_where_they_have_some() -> None:
    rule = {"rule": "self == oldSelf", "message": "is as it was", "reason": "FieldValueForbidden"}
    spec = copy_json(SPEC)
    spec["properties"]["ports"]["items"]["properties"]["number"]["x-kubernetes-validations"] = [rule]
    spec["properties"]["args"]["items"]["x-kubernetes-validations"] = [rule]
    spec["properties"]["labels"]["additionalProperties"]["x-kubernetes-validations"] = [rule]
    spec["properties"]["whole"]["properties"]["a"]["x-kubernetes-validations"] = [rule]
    registry = world(definition(version(spec=spec)))
    put(registry, ports=[{"name": "x", "number": 1}], args=["a"], labels={"k": "v"}, whole={"a": "1"})
    put(registry, ports=[{"name": "y", "number": 2}, {"name": "x", "number": 1}], args=["b"], whole={"a": "2"})
    assert refused(registry, ports=[{"name": "x", "number": 9}, {"name": "y", "number": 8}]) == [
        ("spec.ports[0].number", "FieldValueForbidden", "Forbidden: is as it was"),
        ("spec.ports[1].number", "FieldValueForbidden", "Forbidden: is as it was"),
    ]
    put(registry, labels={"k": "v"})
    assert [where for where, _, _ in refused(registry, labels={"k": "w"})] == ["spec.labels[k]"]


def test_what_the_library_does_not_know_is_passed_over() -> None:
    registry = ruled(mode={"rule": "isURL(self)"}, size={"rule": "self.nothing > 1"})
    put(registry, size=1, mode="fast")


def test_an_object_that_is_invalid_anyway_is_not_asked_about() -> None:
    registry = ruled(size={"rule": "self < 5", "message": "is small"})
    (_, unchecked) = refused(registry, size=7, mode="other")
    assert "some validation rules were not checked" in unchecked[2]
