"""JSON patch, merge patch, strategic merge patch."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fields import samples
from fields.strategies import deployments
from kubesim.jsondata import copy_json
from kubesim.patching import json_patch, merge_patch, strategic_merge_patch
from kubesim.problems import Problem

Object = dict[str, Any]

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["", "a"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "~/"]), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.sampled_from(["a", "b", "~/"]), JSON, max_size=3)


def escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def diff(old: Any, new: Any, path: str = "") -> list[Object]:
    """Operations that make ``new`` of ``old``."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return [] if repr(old) == repr(new) else [{"op": "replace", "path": path, "value": new}]
    operations = [{"op": "remove", "path": f"{path}/{escaped(key)}"} for key in old.keys() - new.keys()]
    for key, value in new.items():
        where = f"{path}/{escaped(key)}"
        operations += diff(old[key], value, where) if key in old else [{"op": "add", "path": where, "value": value}]
    return operations


@given(OBJECTS, OBJECTS)
def test_json_patch_there_and_back(old: Object, new: Object) -> None:
    before = copy_json(old)
    there = json_patch(old, diff(old, new))
    assert there == new
    assert old == before
    assert json_patch(there, diff(new, old)) == old


@pytest.mark.parametrize(
    ("operations", "result"),
    [
        ([{"op": "add", "path": "/l/1", "value": 9}], {"l": [1, 9, 2], "m": {"k": "v"}}),
        ([{"op": "add", "path": "/l/-", "value": 9}], {"l": [1, 2, 9], "m": {"k": "v"}}),
        ([{"op": "add", "path": "/l/2", "value": 9}], {"l": [1, 2, 9], "m": {"k": "v"}}),
        ([{"op": "remove", "path": "/l/0"}], {"l": [2], "m": {"k": "v"}}),
        ([{"op": "move", "from": "/m/k", "path": "/l/0"}], {"l": ["v", 1, 2], "m": {}}),
        ([{"op": "copy", "from": "/m", "path": "/n"}], {"l": [1, 2], "m": {"k": "v"}, "n": {"k": "v"}}),
        ([{"op": "test", "path": "/m", "value": {"k": "v"}}], {"l": [1, 2], "m": {"k": "v"}}),
        ([{"op": "test", "path": "/x", "value": None}], {"l": [1, 2], "m": {"k": "v"}}),
        ([{"op": "test", "path": "/x"}], {"l": [1, 2], "m": {"k": "v"}}),
        ([{"op": "replace", "path": "", "value": {}}], {}),
        ([{"op": "replace", "path": "/x", "value": 1}], {"l": [1, 2], "m": {"k": "v"}, "x": 1}),
        ([{"op": "replace", "path": "/l/-1", "value": 1}], {"l": [1, 1], "m": {"k": "v"}}),
        ([{"op": "add", "path": "/l/-1", "value": 9}], {"l": [1, 2, 9], "m": {"k": "v"}}),
        ([{"op": "add", "path": "/l/01", "value": 9}], {"l": [1, 9, 2], "m": {"k": "v"}}),
        ([{"op": "remove", "path": "/l/-2"}], {"l": [2], "m": {"k": "v"}}),
        ([{"op": "copy", "from": "/x", "path": "/m/k"}], {"l": [1, 2], "m": {"k": None}}),
        ([{"op": "add", "path": "/m/k"}], {"l": [1, 2], "m": {"k": None}}),
    ],
)
def test_operations(operations: list[Object], result: Object) -> None:
    assert json_patch({"l": [1, 2], "m": {"k": "v"}}, operations) == result


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "remove", "path": "/x"},
        {"op": "replace", "path": "/x/y", "value": 1},
        {"op": "replace", "path": "/l/1", "value": 1},
        {"op": "replace", "path": "/l/-", "value": 1},
        {"op": "replace", "path": "", "value": 1},
        {"op": "add", "path": "", "value": {}},
        {"op": "remove", "path": ""},
        {"op": "remove", "path": "/l/-2"},
        {"op": "copy", "from": "/l/1", "path": "/m/k"},
        {"op": "move", "from": "/x", "path": "/m/k"},
        {"op": "add", "path": "/x/y", "value": 1},
        {"op": "add", "path": "/l/3", "value": 1},
        {"op": "add", "path": "/l/x", "value": 1},
        {"op": "add", "path": "l", "value": 1},
        {"op": "move", "path": "/m/k/x", "from": "/m"},
        {"op": "move", "path": "/m"},
        {"op": "test", "path": "/l", "value": [True]},
        {"op": "test", "path": "/l", "value": [2.0]},
        {"op": "test", "path": "/l"},
        {"op": "what", "path": "/l"},
        {"path": "/l"},
        {"op": "remove"},
    ],
)
def test_operations_that_cannot_be_done(operation: Object) -> None:
    obj = {"l": [1, 2], "m": {"k": "v"}}
    before = copy_json(obj)
    with pytest.raises(Problem, match="the server rejected our request due to an error in our request") as caught:
        json_patch(obj, [{"op": "remove", "path": "/l/0"}, operation])
    assert (caught.value.code, caught.value.reason) == (422, "Invalid")
    assert obj == before


@pytest.mark.parametrize("patch", [{}, "x", None, [1]])
def test_malformed_json_patches(patch: Any) -> None:
    with pytest.raises(Problem) as caught:
        json_patch({}, patch)
    assert caught.value.code == 400


@given(OBJECTS, OBJECTS)
def test_merge_patch_sets_everything_it_names(obj: Object, patch: Object) -> None:
    before = copy_json(obj)
    merged = merge_patch(obj, patch)
    assert obj == before
    assert merge_patch(merged, patch) == merged
    for key, value in patch.items():
        if value is None:
            assert key not in merged
        elif not isinstance(value, dict):
            assert merged[key] == value
    assert all(merged[key] == obj[key] for key in obj.keys() - patch.keys())


def pod_patch(*containers: Object, **spec: Any) -> Object:
    return {"spec": {"template": {"spec": {"containers": list(containers), **spec}}}}


def patched_containers(live: list[Object], *patch: Object, **spec: Any) -> list[Object]:
    obj = samples.deployment(template=samples.template(*live))
    before = copy_json(obj)
    result = strategic_merge_patch("Deployment", obj, pod_patch(*patch, **spec))
    assert obj == before
    found: list[Object] = result["spec"]["template"]["spec"]["containers"]
    return found


def test_containers_merge_by_name() -> None:
    """What ``kubectl set image`` sends."""
    live = [samples.container("a", env=[{"name": "X", "value": "1"}]), samples.container("b")]
    found = patched_containers(live, {"name": "b", "image": "b:2"}, **{"$setElementOrder/containers": [{"name": "b"}]})
    assert found == [live[0], {"name": "b", "image": "b:2"}]


def test_items_are_deleted_and_lists_replaced() -> None:
    live = [samples.container("a"), samples.container("b")]
    assert patched_containers(live, {"name": "a", "$patch": "delete"}) == [live[1]]
    assert patched_containers(live, {"$patch": "replace"}, {"name": "c"}) == [{"name": "c"}]
    env = [{"name": "X", "value": "1"}, {"name": "Y", "value": "1"}]
    patch = {
        "name": "a",
        "$setElementOrder/env": [{"name": "Y"}, {"name": "Z"}],
        "env": [{"name": "Z", "value": "2"}, {"name": "X", "$patch": "delete"}],
    }
    found = patched_containers([samples.container("a", env=env)], patch)
    assert found[0]["env"] == [env[1], {"name": "Z", "value": "2"}]


def test_order_of_items() -> None:
    live = [samples.container(name) for name in "abc"]
    order = {"$setElementOrder/containers": [{"name": "c"}, {"name": "a"}]}
    assert [item["name"] for item in patched_containers(live, {"name": "a"}, **order)] == ["b", "c", "a"]
    # Without an order, what is new comes first.
    assert [item["name"] for item in patched_containers(live, {"name": "d"})] == ["d", "a", "b", "c"]


def test_sets_of_scalars() -> None:
    obj = samples.config_map(finalizers=["a/a", "b/b"])
    patch = {"metadata": {"$deleteFromPrimitiveList/finalizers": ["a/a"], "finalizers": ["c/c"]}}
    assert sorted(strategic_merge_patch("ConfigMap", obj, patch)["metadata"]["finalizers"]) == ["b/b", "c/c"]


def test_retain_keys_change_the_member_of_a_union() -> None:
    """What ``kubectl apply`` sends for another strategy."""
    obj = samples.deployment(strategy={"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}})
    patch = {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}
    assert strategic_merge_patch("Deployment", obj, patch)["spec"]["strategy"] == {"type": "Recreate"}
    wrong = {"spec": {"strategy": {"$retainKeys": ["rollingUpdate"], "type": "Recreate"}}}
    with pytest.raises(Problem) as caught:
        strategic_merge_patch("Deployment", obj, wrong)
    assert caught.value.code == 400


def test_maps_are_replaced_deleted_and_cleared() -> None:
    obj = samples.service(selector={"app": "web"})
    merged = strategic_merge_patch("Service", obj, {"spec": {"selector": {"b": "1"}}})
    assert merged["spec"]["selector"] == {"app": "web", "b": "1"}
    replaced = strategic_merge_patch("Service", obj, {"spec": {"selector": {"b": "1", "$patch": "replace"}}})
    assert replaced["spec"]["selector"] == {"b": "1"}
    deleted = strategic_merge_patch("Service", obj, {"spec": {"selector": {"$patch": "delete"}}})
    assert deleted["spec"]["selector"] == {}
    assert "selector" not in strategic_merge_patch("Service", obj, {"spec": {"selector": None}})["spec"]


def test_service_ports_merge_by_port() -> None:
    obj = samples.service({"port": 80, "name": "a"}, {"port": 81, "name": "b"})
    patch = {"spec": {"ports": [{"port": 80, "targetPort": 8080}]}}
    assert strategic_merge_patch("Service", obj, patch)["spec"]["ports"] == [
        {"port": 80, "name": "a", "targetPort": 8080},
        {"port": 81, "name": "b"},
    ]


def test_lists_without_a_merge_key_are_replaced() -> None:
    found = patched_containers([samples.container("a", args=["1", "2"])], {"name": "a", "args": ["3"]})
    assert found[0]["args"] == ["3"]


@pytest.mark.parametrize(
    ("patch", "code"),
    [
        ([], 400),
        ({"spec": {"$patch": "explode"}}, 422),
        (pod_patch({"image": "x"}), 422),
        (pod_patch({"name": "a", "$patch": "explode"}), 422),
        (pod_patch({"name": "a"}, **{"$setElementOrder/containers": [{"name": "b"}]}), 422),
        (pod_patch({"name": "a"}, **{"$setElementOrder/containers": "x"}), 400),
    ],
)
def test_patches_that_do_not_fit(patch: Any, code: int) -> None:
    with pytest.raises(Problem) as caught:
        strategic_merge_patch("Deployment", samples.deployment(), patch)
    assert caught.value.code == code


@given(deployments(), deployments())
def test_strategic_merge_is_idempotent(live: Object, patch: Object) -> None:
    before = copy_json(live)
    merged = strategic_merge_patch("Deployment", live, patch)
    assert live == before
    assert strategic_merge_patch("Deployment", merged, patch) == merged
    names = [item["name"] for item in merged["spec"]["template"]["spec"]["containers"]]
    assert set(names) >= {item["name"] for item in patch["spec"]["template"]["spec"]["containers"]}
    assert len(names) == len(set(names))
