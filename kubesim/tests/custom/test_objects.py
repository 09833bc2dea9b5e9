"""Custom resources at the API: what is written is what is read, and who owns it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubesim.jsondata import Object, copy_json
from kubesim.problems import Problem
from kubesim.registry import Registry
from kubesim.verbs import APPLY, MERGE_PATCH, STRATEGIC_MERGE_PATCH

from .samples import KEY, definition, serve, version, widget, world

WORDS = st.sampled_from(["x", "y", "z"])
PORTS = st.lists(
    st.fixed_dictionaries({"name": WORDS}, optional={"number": st.integers(1, 3)}),
    min_size=1,  # an empty list of named items belongs to nobody
    max_size=3,
    unique_by=lambda port: port["name"],
)
SPECS = st.fixed_dictionaries(
    {"size": st.integers(0, 3)},
    optional={
        "mode": st.sampled_from(["slow", "fast"]),
        "ports": PORTS,
        "tags": st.lists(WORDS, min_size=1, max_size=3, unique=True),
        "args": st.lists(WORDS, max_size=2),
        "labels": st.dictionaries(WORDS, WORDS, max_size=2),
        "whole": st.fixed_dictionaries({}, optional={"a": WORDS, "b": WORDS}),
        "free": st.dictionaries(WORDS, st.dictionaries(WORDS, WORDS, max_size=2) | WORDS, max_size=2),
        "share": st.just("10%") | st.integers(0, 3),
    },
)


def applied(registry: Registry, spec: Object, manager: str = "me", **options: Any) -> Object:
    body = widget(spec=spec)
    return registry.patch(KEY, "default", "a", APPLY, body, manager=manager, **options)


def owners(obj: Object) -> dict[str, Object]:
    return {entry["manager"]: entry["fieldsV1"] for entry in obj["metadata"].get("managedFields", ())}


def holds(whole: Any, part: Any) -> bool:
    """Whether all of ``part`` is in ``whole``."""
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(key in whole and holds(whole[key], part[key]) for key in part)
    if isinstance(part, list) and isinstance(whole, list):
        return all(any(holds(item, wanted) for item in whole) for wanted in part)
    return bool(whole == part)


@given(SPECS)
def test_what_is_applied_is_read(spec: Object) -> None:
    registry = world()
    first = applied(registry, spec)
    assert holds(first["spec"], spec)
    assert registry.get(KEY, "default", "a") == first
    # Once more changes nothing, not even the version.
    assert applied(registry, spec) == first


@given(SPECS, SPECS)
def test_what_nobody_applies_any_more_goes(before: Object, after: Object) -> None:
    """Two configurations of one manager, one after the other, leave what the second alone would."""
    registry, alone = world(), world()
    applied(registry, before)
    found, wanted = applied(registry, after), applied(alone, after)
    kept = {"free", "labels", "ports", "tags", "args", "whole"}  # an empty one may stay where one was
    assert {key: value for key, value in found["spec"].items() if value or key not in kept} == {
        key: value for key, value in wanted["spec"].items() if value or key not in kept
    }
    assert owners(found) == owners(wanted)


@given(SPECS, SPECS)
def test_a_conflict_is_about_what_both_want_otherwise(mine: Object, theirs: Object) -> None:
    registry = world()
    applied(registry, mine)
    try:
        found = applied(registry, theirs, manager="you")
    except Problem as problem:
        refused: int | None = problem.code
        found = applied(registry, theirs, manager="you", force=True)
    else:
        refused = None
    assert refused in (None, 409)
    assert holds(found["spec"], theirs)


def test_lists_are_merged_as_their_type_says() -> None:
    registry = world()
    applied(registry, {"ports": [{"name": "x"}], "tags": ["x"], "args": ["x"], "free": {"a": {"b": 1}}})
    spec = {"ports": [{"name": "y", "number": 7}], "tags": ["y"], "free": {"a": {"c": 2}}}
    found = applied(registry, spec, manager="you")["spec"]
    assert found["ports"] == [{"name": "x", "number": 80}, {"name": "y", "number": 7}]
    assert sorted(found["tags"]) == ["x", "y"]
    assert found["free"] == {"a": {"b": 1, "c": 2}}
    with pytest.raises(Problem, match=r"conflict with \"me\": \.spec\.args"):
        applied(registry, {"args": ["y"]}, manager="you")
    with pytest.raises(Problem, match=r"\.spec\.unknown: field not declared in schema"):
        applied(registry, {"unknown": 1})


def test_a_strategic_merge_patch_is_refused() -> None:
    registry = world()
    applied(registry, {})
    with pytest.raises(Problem) as refused:
        registry.patch(KEY, "default", "a", STRATEGIC_MERGE_PATCH, {"spec": {"size": 1}}, manager="me")
    assert refused.value.code == 415


def test_the_generation_counts_changes_of_the_spec_and_the_status_is_written_by_itself() -> None:
    registry = world()
    made = registry.create(KEY, "default", widget(spec={"size": 1}, status={"size": 1}), manager="me")
    assert "status" not in made
    assert made["metadata"]["generation"] == 1
    labelled = registry.patch(KEY, "default", "a", MERGE_PATCH, {"metadata": {"labels": {"a": "b"}}}, manager="me")
    assert labelled["metadata"]["generation"] == 1
    body = {"metadata": {"labels": {"a": "c"}}, "spec": {"size": 5}, "status": {"size": 1}}
    told = registry.patch(KEY, "default", "a", MERGE_PATCH, body, manager="controller", subresource="status")
    assert (told["spec"]["size"], told["metadata"]["labels"], told["status"]) == (1, {"a": "b"}, {"size": 1})
    assert owners(told)["controller"] == {"f:status": {".": {}, "f:size": {}}}
    changed = registry.patch(KEY, "default", "a", MERGE_PATCH, {"spec": {"size": 2}}, manager="me")
    assert (changed["metadata"]["generation"], changed["status"]) == (2, {"size": 1})


def test_without_a_status_subresource_the_status_is_a_field_like_any_other() -> None:
    registry = Registry()
    registry.create("namespaces", "", {"metadata": {"name": "default"}}, manager="test")
    registry.create("customresourcedefinitions", "", definition(version()), manager="test")
    serve(registry, registry.get("customresourcedefinitions", "", KEY))
    made = registry.create(KEY, "default", widget(status={"x": 1}), manager="me")
    assert made["status"] == {"x": 1}
    changed = registry.patch(KEY, "default", "a", MERGE_PATCH, {"status": {"x": 2}}, manager="me")
    assert changed["metadata"]["generation"] == 2
    assert owners(changed)["me"]["f:status"] == {".": {}, "f:x": {}}


def test_an_update_needs_a_version() -> None:
    registry = world()
    made = registry.create(KEY, "default", widget(), manager="me")
    with pytest.raises(Problem, match="must be specified for an update"):
        registry.update(KEY, "default", "a", widget(spec={"size": 1}), manager="me")
    body = {**widget(spec={"size": 1}), "metadata": made["metadata"]}
    assert registry.update(KEY, "default", "a", body, manager="me")["spec"]["size"] == 1


def test_what_became_invalid_may_stay_but_not_be_made() -> None:
    registry = world()
    applied(registry, {"size": 7})
    narrow = registry.get("customresourcedefinitions", "", KEY)
    properties = narrow["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
    properties["spec"]["properties"]["size"]["maximum"] = 5
    registry.update("customresourcedefinitions", "", KEY, narrow, manager="test")
    assert applied(registry, {"size": 7, "mode": "fast"})["spec"]["mode"] == "fast"
    with pytest.raises(Problem, match="should be less than or equal to 5"):
        applied(registry, {"size": 8})


def test_owners_that_speak_in_a_version_that_is_lost_refuse_an_apply_and_go_with_any_other_write() -> None:
    registry = world(definition(version(subresources={"status": {}}), version("v1beta1", storage=False)))
    applied(registry, {"size": 1})
    said: Object = {"fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {"f:mode": {}}}}
    entry = {"manager": "old", "operation": "Update", "apiVersion": "example.com/v1beta1", **said}
    made = copy_json(registry.get(KEY, "default", "a"))
    made["metadata"]["managedFields"].append(entry)
    registry.update(KEY, "default", "a", made, manager="me")
    assert set(owners(applied(registry, {"size": 2}))) == {"me", "old"}
    less = copy_json(registry.get("customresourcedefinitions", "", KEY))
    less["spec"]["versions"].pop()
    registry.update("customresourcedefinitions", "", KEY, less, manager="test")
    with pytest.raises(Problem, match=r"invalid group/version: example\.com/v1beta1") as lost:
        applied(registry, {"size": 3})
    assert (lost.value.code, lost.value.reason) == (500, "")
    told = registry.patch(KEY, "default", "a", MERGE_PATCH, {"status": {}}, manager="c", subresource="status")
    assert owners(told) == {}
    assert applied(registry, {"size": 3}, force=True)["spec"]["size"] == 3


def test_defaults_of_a_later_schema_are_read_from_older_objects() -> None:
    registry = world()
    applied(registry, {"size": 7})
    wider = registry.get("customresourcedefinitions", "", KEY)
    properties = wider["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    properties["late"] = {"type": "string", "default": "now"}
    del properties["mode"]
    registry.update("customresourcedefinitions", "", KEY, wider, manager="test")
    found = applied(registry, {"size": 6})["spec"]
    assert found == {"size": 6, "late": "now"}


def test_the_scale_is_where_the_definition_says() -> None:
    registry = world()
    registry.create(KEY, "default", widget(spec={"size": 1}), manager="me")
    body = {"spec": {"replicas": 3}}
    found = registry.patch(KEY, "default", "a", MERGE_PATCH, body, manager="scaler", subresource="scale")
    assert (found["spec"]["size"], found["metadata"]["generation"]) == (3, 2)
    assert owners(found)["scaler"] == {"f:spec": {"f:size": {}}}
