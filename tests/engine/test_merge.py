"""The three-way merge: our change is taken back, and nothing else."""

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kubemin.engine.objects.diff import changed_paths
from kubemin.engine.objects.managed_fields import restored_managed_fields, writers_since
from kubemin.engine.objects.merge import restoration
from kubemin.engine.objects.ownership import applied_view

_leaves = st.one_of(st.integers(0, 3), st.sampled_from(["a", "b", "c"]), st.booleans())
_names = st.sampled_from(["x", "y", "z", "w"])
_values = st.recursive(
    _leaves,
    lambda inner: st.one_of(st.dictionaries(_names, inner, max_size=3), st.lists(inner, max_size=3)),
    max_leaves=8,
)
_env = st.lists(st.tuples(_names, _leaves), max_size=4, unique_by=lambda pair: pair[0]).map(
    lambda pairs: [{"name": name, "value": value} for name, value in pairs]
)


@st.composite
def _objects(draw: st.DrawFn) -> dict[str, Any]:
    obj: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Thing",
        "metadata": {"name": "thing", "uid": "u", "resourceVersion": str(draw(st.integers(1, 9)))},
        "spec": draw(st.dictionaries(_names, _values, max_size=3)) | {"env": draw(_env)},
        "status": draw(_leaves),
    }
    for key in ("labels", "annotations"):
        if draw(st.booleans()):
            obj["metadata"][key] = draw(st.dictionaries(_names, st.text("ab", max_size=1), max_size=3))
    return obj


def _content(obj: dict[str, Any]) -> dict[str, Any]:
    meta = {key: obj["metadata"].get(key) for key in ("labels", "annotations")}
    return {"spec": obj["spec"], **meta}


@given(_objects(), _objects())
def test_undisturbed_change_is_taken_back_whole(before: dict[str, Any], applied: dict[str, Any]) -> None:
    undone = restoration(before, applied, applied)
    assert _content(undone.body) == _content(before)
    assert undone.kept == ()
    assert undone.body["metadata"]["resourceVersion"] == applied["metadata"]["resourceVersion"]
    assert undone.body["status"] == applied["status"]


@given(_objects(), _objects())
def test_nothing_of_ours_means_nothing_to_do(before: dict[str, Any], current: dict[str, Any]) -> None:
    undone = restoration(before, before, current)
    assert undone.body == current
    assert not undone.changed
    assert undone.kept == ()


@given(_objects(), _objects(), _objects())
def test_restoring_twice_is_restoring_once(
    before: dict[str, Any], applied: dict[str, Any], current: dict[str, Any]
) -> None:
    once = restoration(before, applied, current)
    twice = restoration(before, applied, once.body)
    assert _content(twice.body) == _content(once.body)


@given(_objects(), _objects(), _objects())
def test_what_others_changed_stays_theirs(
    before: dict[str, Any], applied: dict[str, Any], current: dict[str, Any]
) -> None:
    undone = restoration(before, applied, current)
    for name, value in current["spec"].items():
        was, ours = before["spec"].get(name), applied["spec"].get(name)
        if was == ours and name != "env":
            assert undone.body["spec"][name] == value


@given(_objects(), _objects(), _objects())
def test_inputs_are_not_changed(before: dict[str, Any], applied: dict[str, Any], current: dict[str, Any]) -> None:
    copies = copy.deepcopy((before, applied, current))
    restoration(before, applied, current)
    assert (before, applied, current) == copies


def _deployment(image: str, replicas: int, env: dict[str, str], **labels: str) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "api", "uid": "u", "resourceVersion": "1", "labels": labels},
        "spec": {
            "replicas": replicas,
            "template": {
                "spec": {
                    "containers": [
                        {
                            "name": "api",
                            "image": image,
                            "env": [{"name": name, "value": value} for name, value in env.items()],
                        }
                    ]
                }
            },
        },
    }


def test_a_scale_by_somebody_else_stays_and_is_named() -> None:
    before = _deployment("api:1", 1, {"A": "1"})
    applied = _deployment("api:2", 2, {"A": "1", "B": "2"})
    current = _deployment("api:2", 5, {"A": "1", "B": "2"})
    undone = restoration(before, applied, current)
    assert undone.kept == ("spec.replicas",)
    assert undone.body["spec"]["replicas"] == 5
    assert undone.body["spec"]["template"] == before["spec"]["template"]


def test_list_items_are_told_apart_by_name() -> None:
    before = _deployment("api:1", 1, {"A": "1"})
    applied = _deployment("api:1", 1, {"A": "2", "B": "2"})
    current = _deployment("api:1", 1, {"A": "2", "B": "changed", "C": "theirs"})
    undone = restoration(before, applied, current)
    assert undone.kept == ("spec.template.spec.containers[api].env[B]",)
    env = undone.body["spec"]["template"]["spec"]["containers"][0]["env"]
    assert env == [
        {"name": "A", "value": "1"},
        {"name": "B", "value": "changed"},
        {"name": "C", "value": "theirs"},
    ]


def test_labels_that_we_brought_go_and_theirs_stay() -> None:
    before = _deployment("api:1", 1, {})
    del before["metadata"]["labels"]
    applied = _deployment("api:1", 1, {}, ours="1")
    current = _deployment("api:1", 1, {}, ours="1", theirs="2")
    undone = restoration(before, applied, current)
    assert undone.body["metadata"]["labels"] == {"theirs": "2"}
    assert undone.kept == ()


def _entry(manager: str, fields: dict[str, Any], operation: str = "Update") -> dict[str, Any]:
    return {
        "manager": manager,
        "operation": operation,
        "apiVersion": "v1",
        "time": "2026-01-01T00:00:00Z",
        "fieldsType": "FieldsV1",
        "fieldsV1": fields,
    }


def _owned(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "Thing", "metadata": {"name": "thing", "managedFields": list(entries)}}


def test_ownership_goes_back_to_whom_we_took_it_from() -> None:
    theirs = _entry("kubectl", {"f:data": {"f:a": {}, "f:b": {}}}, "Apply")
    before = _owned(theirs)
    applied = _owned(_entry("kubectl", {"f:data": {"f:b": {}}}, "Apply"), _entry("kubemin", {"f:data": {"f:a": {}}}))
    since = _entry("someone", {"f:data": {"f:c": {}}})
    current = _owned(*applied["metadata"]["managedFields"], since)
    assert restored_managed_fields(before, applied, current, "kubemin") == [theirs, since]


def test_an_owner_from_whom_we_took_all_and_who_wrote_again_has_both() -> None:
    before = _owned(_entry("kubectl", {"f:data": {"f:a": {}}}))
    applied = _owned(_entry("kubemin", {"f:data": {"f:b": {}}}))
    current = _owned(*applied["metadata"]["managedFields"], _entry("kubectl", {"f:data": {"f:c": {}}}))
    both = _entry("kubectl", {"f:data": {"f:a": {}, "f:c": {}}})
    assert restored_managed_fields(before, applied, current, "kubemin") == [both]


@given(st.sampled_from(("kubectl", "someone")), st.sets(_names), st.sets(_names), st.sets(_names))
def test_without_an_answer_owners_are_put_back_as_with_one(
    editor: str, had: set[str], ours: set[str], edited: set[str]
) -> None:
    """Whoever edits after our write has what they edited, whether or not we know what our write had made."""

    def owned(**fields: set[str]) -> dict[str, Any]:
        entries = [_entry(manager, {"f:data": {f"f:{one}": {} for one in names}}) for manager, names in fields.items()]
        found = _owned(*(one for one in entries if one["fieldsV1"]["f:data"]))
        return {**found, "data": {name: "v" for names in fields.values() for name in names}}

    before = owned(kubectl=had)
    applied = owned(kubectl=had - ours, kubemin=ours)
    left = {"kubectl": had - ours - edited, "kubemin": ours - edited}
    current = owned(**{**left, editor: left.get(editor, set()) | edited})
    known = restored_managed_fields(before, applied, current, "kubemin")
    told = restored_managed_fields(before, applied_view(before, current), current, "kubemin")
    assert _fields(told) == _fields(known)


def _fields(entries: list[dict[str, Any]]) -> dict[str, set[str]]:
    return {one["manager"]: set(one["fieldsV1"]["f:data"]) for one in entries}


def test_who_has_written_since_is_who_owns_what_they_did_not() -> None:
    old, ours = _entry("helm", {"f:data": {"f:b": {}}}), _entry("kubemin", {"f:data": {"f:a": {}}})
    applied = _owned(old, ours)
    report = {**_entry("kube-controller-manager", {"f:status": {}}), "subresource": "status"}
    later = [{**old, "time": "2027-01-01T00:00:00Z"}, _entry("kubectl-edit", {"f:data": {"f:a": {}}}), report]
    assert writers_since(applied, applied, "kubemin") == []
    assert writers_since(applied, _owned(*later), "kubemin") == ["kubectl-edit"]
    more = _entry("helm", {"f:data": {"f:b": {}, "f:c": {}}})
    assert writers_since(applied, _owned(more, ours), "kubemin") == ["helm"]


def test_changed_paths_name_the_fields() -> None:
    before, after = _deployment("api:1", 1, {"A": "1"}), _deployment("api:2", 1, {"A": "2"})
    assert changed_paths(before, after) == [
        "spec.template.spec.containers[api].image",
        "spec.template.spec.containers[api].env[A].value",
    ]
