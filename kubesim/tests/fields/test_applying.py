"""Server-side apply: merging, conflicts, what goes and what stays."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fields import samples
from fields.model import Server, bare, entries
from fields.strategies import CONFIGS, PAIRS
from kubesim import managed
from kubesim.admit.schema import Items, Scalar, kind_schema
from kubesim.jsondata import copy_json
from kubesim.managed.merging import merge
from kubesim.managed.sets import has_path, paths
from kubesim.problems import Problem

Object = dict[str, Any]


def causes(problem: Problem) -> list[tuple[str, str]]:
    assert problem.code == 409
    assert problem.reason == "Conflict"
    assert {cause["reason"] for cause in problem.details["causes"]} == {"FieldManagerConflict"}
    return [(cause["field"], cause["message"]) for cause in problem.details["causes"]]


def test_apply_on_nothing_creates() -> None:
    server = Server()
    server.apply(
        samples.deployment(replicas=2, template=samples.template(samples.container(ports=[{"containerPort": 80}])))
    )
    assert server.obj["spec"]["strategy"]["type"] == "RollingUpdate"
    assert server.obj["metadata"]["managedFields"] == [
        {
            "apiVersion": "apps/v1",
            "fieldsType": "FieldsV1",
            "fieldsV1": {
                "f:spec": {
                    "f:replicas": {},
                    "f:selector": {},
                    "f:template": {
                        "f:metadata": {"f:labels": {"f:app": {}}},
                        "f:spec": {
                            "f:containers": {
                                'k:{"name":"web"}': {
                                    ".": {},
                                    "f:image": {},
                                    "f:name": {},
                                    "f:ports": {
                                        'k:{"containerPort":80,"protocol":"TCP"}': {".": {}, "f:containerPort": {}}
                                    },
                                }
                            }
                        },
                    },
                }
            },
            "manager": "deployer",
            "operation": "Apply",
            "time": "2026-01-01T00:00:01Z",
        }
    ]


def test_a_conflict_names_the_field_and_its_owner() -> None:
    server = Server()
    server.create(samples.deployment(replicas=1), manager="kubectl")
    with pytest.raises(Problem) as caught:
        server.apply(samples.deployment(replicas=2), manager="deployer")
    assert causes(caught.value) == [(".spec.replicas", 'conflict with "kubectl" using apps/v1')]
    assert caught.value.message == (
        'Apply failed with 1 conflict: conflict with "kubectl" using apps/v1: .spec.replicas'
    )


def test_several_conflicts_are_listed_by_manager() -> None:
    server = Server()
    server.create(samples.config_map({"a": "1", "b": "1"}), manager="one")
    server.apply(samples.config_map({"c": "1"}), manager="two")
    with pytest.raises(Problem) as caught:
        server.apply(samples.config_map({"a": "2", "b": "2", "c": "2"}), manager="three")
    assert sorted(causes(caught.value)) == [
        (".data.a", 'conflict with "one" using v1'),
        (".data.b", 'conflict with "one" using v1'),
        (".data.c", 'conflict with "two"'),
    ]
    assert caught.value.message == (
        "Apply failed with 3 conflicts: "
        'conflicts with "one" using v1:\n- .data.a\n- .data.b\nconflicts with "two":\n- .data.c'
    )


def test_the_owner_of_a_subresource_is_named_with_it() -> None:
    server = Server()
    server.create(samples.deployment(replicas=1))
    server.edit(manager="hpa", subresource="scale", spec__replicas=4)
    with pytest.raises(Problem) as caught:
        server.apply(samples.deployment(replicas=2))
    assert causes(caught.value) == [(".spec.replicas", 'conflict with "hpa" with subresource "scale" using apps/v1')]


def test_the_same_value_is_owned_together() -> None:
    server = Server()
    server.apply(samples.config_map({"a": "1"}), manager="one")
    server.apply(samples.config_map({"a": "1"}), manager="two")
    assert entries(server.obj) == {
        ("one", "Apply"): {"f:data": {"f:a": {}}},
        ("two", "Apply"): {"f:data": {"f:a": {}}},
    }
    server.apply(samples.config_map(), manager="one")
    assert server.obj["data"] == {"a": "1"}
    server.apply(samples.config_map(), manager="two")
    assert "data" not in server.obj


def test_force_takes_from_updaters_and_appliers() -> None:
    server = Server()
    server.create(samples.config_map({"a": "1"}), manager="one")
    server.apply(samples.config_map({"b": "1"}), manager="two")
    server.apply(samples.config_map({"a": "2", "b": "2"}), manager="three", force=True)
    assert entries(server.obj) == {
        ("one", "Update"): {"f:data": {}},
        ("three", "Apply"): {"f:data": {"f:a": {}, "f:b": {}}},
    }
    assert server.obj["data"] == {"a": "2", "b": "2"}


def test_what_the_applier_drops_goes() -> None:
    server = Server()
    server.apply(samples.deployment(template=samples.template(samples.container("a"), samples.container("b"))))
    server.apply(samples.deployment(template=samples.template(samples.container("b"))))
    assert [item["name"] for item in server.obj["spec"]["template"]["spec"]["containers"]] == ["b"]


@pytest.mark.parametrize(("manager", "stays"), [("updater", False), ("applier", True)])
def test_a_dropped_item_stays_only_if_somebody_else_owns_the_item(manager: str, stays: bool) -> None:
    """An update owns what it sets inside the item, an apply of the same item owns the item too."""
    server = Server()
    server.apply(samples.deployment(template=samples.template(samples.container("a"), samples.container("b"))))
    env = [{"name": "A", "value": "1"}]
    if stays:
        server.apply(samples.deployment(template=samples.template(samples.container("a", env=env))), manager=manager)
    else:
        other = copy_json(server.obj)
        other["spec"]["template"]["spec"]["containers"][0]["env"] = env
        server.put(other, manager=manager)
    server.apply(samples.deployment(template=samples.template(samples.container("b"))))
    names = [item["name"] for item in server.obj["spec"]["template"]["spec"]["containers"]]
    assert names == (["a", "b"] if stays else ["b"])


def test_defaults_of_what_is_dropped_come_back() -> None:
    server = Server()
    server.apply(samples.deployment(replicas=3))
    server.apply(samples.deployment())
    assert server.obj["spec"]["replicas"] == 1


def test_an_update_of_an_applied_field_takes_it() -> None:
    server = Server()
    server.apply(samples.config_map({"a": "1", "b": "1"}))
    server.edit(manager="other", data__a="2")
    assert entries(server.obj) == {
        ("deployer", "Apply"): {"f:data": {"f:b": {}}},
        ("other", "Update"): {"f:data": {"f:a": {}}},
    }
    server.apply(samples.config_map({"b": "1"}))
    assert server.obj["data"] == {"a": "2", "b": "1"}


def test_atomic_values_are_replaced_whole() -> None:
    server = Server()
    server.create(samples.service(selector={"app": "web", "tier": "x"}), manager="one")
    config = samples.service(selector={"app": "web"})
    with pytest.raises(Problem) as caught:
        server.apply(config)
    assert causes(caught.value) == [(".spec.selector", 'conflict with "one" using v1')]
    server.apply(config, force=True)
    assert server.obj["spec"]["selector"] == {"app": "web"}


def test_an_empty_map_is_owned_and_an_empty_list_is_not() -> None:
    server = Server()
    server.apply({**samples.config_map({}), "metadata": {"name": "conf", "finalizers": [], "labels": {"a": "1"}}})
    assert entries(server.obj)["deployer", "Apply"] == {"f:data": {}, "f:metadata": {"f:labels": {"f:a": {}}}}


def test_apply_is_refused_with_managed_fields_and_another_version() -> None:
    server = Server()
    server.create(samples.deployment())
    with pytest.raises(Problem, match=r"metadata\.managedFields must be nil") as caught:
        server.apply(server.obj)
    assert caught.value.code == 400
    with pytest.raises(Problem, match="Incorrect version specified in apply patch") as caught:
        server.apply({**samples.deployment(), "apiVersion": "apps/v2"})
    assert caught.value.code == 400


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"foo": 1}, ".spec.foo: field not declared in schema"),
        (
            {"template": samples.template(samples.container(foo=1), foo=2), "foo": 3, "bar": 4},
            "errors:\n"
            '  .spec.template.spec.containers[name="web"].foo: field not declared in schema\n'
            "  .spec.template.spec.foo: field not declared in schema\n"
            "  .spec.foo: field not declared in schema",
        ),
        ({"replicas": "2"}, ".spec.replicas: expected numeric (int or float), got string"),
        (
            {"template": samples.template(samples.container("a"), samples.container("a"))},
            '.spec.template.spec.containers: duplicate entries for key [name="a"]',
        ),
        (
            {"template": samples.template(samples.container(ports=[{"name": "p"}]))},
            None,
        ),
    ],
)
def test_a_configuration_that_does_not_fit(spec: Object, message: str | None) -> None:
    """Protocol has a default, so that a port without a number still has a key: that is validation's matter."""
    server = Server()
    with pytest.raises(Problem) as caught:
        server.apply(samples.deployment(**spec))
    if message is None:
        assert caught.value.code == 422
        return
    assert caught.value.code == 500
    assert caught.value.message == f"failed to create typed patch object (ns/web; apps/v1, Kind=Deployment): {message}"


def test_items_without_any_key_are_refused() -> None:
    with pytest.raises(Problem, match="omits all key fields"):
        Server().apply(samples.deployment(template=samples.template({"image": "x"})))


def test_scale_is_applied_too() -> None:
    server = Server()
    server.create(samples.deployment(replicas=1))
    scale = {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "web"}, "spec": {"replicas": 3}}
    with pytest.raises(Problem):
        server.apply(scale, manager="hpa", subresource="scale")
    server.apply(scale, manager="hpa", subresource="scale", force=True)
    assert server.obj["spec"]["replicas"] == 3
    assert entries(server.obj)["hpa", "Apply/scale"] == {"f:spec": {"f:replicas": {}}}


def test_status_is_applied_under_its_own_entry() -> None:
    server = Server()
    server.create(samples.deployment())
    config = {**samples.deployment(replicas=7), "status": {"replicas": 1}}
    server.apply(config, manager="controller", subresource="status", force=True)
    assert entries(server.obj)["controller", "Apply/status"]["f:status"] == {"f:replicas": {}}
    assert "f:spec" not in entries(server.obj)["controller", "Apply/status"]


@pytest.mark.parametrize(
    ("live", "config", "merged"),
    [
        ("abc", "ab", "abc"),
        ("ab", "ba", "ba"),
        ("abc", "cdef", "abcdef"),
        ("abcgf", "cdef", "abcgdef"),
        ("cdef", "ace", "acdef"),
        ("abcxyz", "defxyz", "abcdefxyz"),
        ("cagf", "cfag", "cfag"),
        ("abcd", "defa", "bcdefa"),
        ("abcdefghij", "1b2h3e4kl", "a1bcdfg2hij3e4kl"),
        ("", "ab", "ab"),
        ("ab", "", "ab"),
    ],
)
def test_order_of_merged_lists(live: str, config: str, merged: str) -> None:
    node = Items(Scalar("str"), atomic=False, keys=(), merge_key="")
    assert merge(node, list(live), list(config)) == list(merged)


@given(CONFIGS, st.booleans())
def test_applying_twice_changes_nothing(config: Object, made: bool) -> None:
    server = Server()
    if made:
        server.create(config, manager="other")
    # Forced: a spelling that the server changes (0.5 is 500m) is another value to the eye of the merge.
    server.apply(config, force=True)
    before = copy_json(server.obj)
    server.apply(config, force=True)
    assert server.obj == before


@given(PAIRS)
def test_applying_then_omitting_leaves_only_what_is_applied(pair: tuple[Object, Object]) -> None:
    """After a second apply the object is what the second alone would have made, but for defaults that stay."""
    first, second = pair
    server, fresh = Server(), Server()
    server.apply(first)
    server.apply(second)
    fresh.apply(second)
    assert entries(server.obj) == entries(fresh.obj)
    if second["kind"] == "ConfigMap":
        assert bare(server.obj) == bare(fresh.obj)
        return
    ours, theirs = (obj["spec"]["template"]["spec"]["containers"] for obj in (server.obj, fresh.obj))
    assert ours == theirs
    assert server.obj["metadata"].get("labels") == fresh.obj["metadata"].get("labels")
    assert server.obj["spec"]["replicas"] == fresh.obj["spec"]["replicas"]


@given(PAIRS)
def test_an_applier_never_loses_what_it_applies_and_others_keep_the_rest(pair: tuple[Object, Object]) -> None:
    theirs, ours = pair
    server = Server()
    server.apply(theirs, manager="other")
    before = copy_json(server.obj)
    server.apply(ours, force=True)
    mine, other = entries(server.obj)["deployer", "Apply"], entries(server.obj).get(("other", "Apply"), {})
    alone = Server()
    alone.apply(ours)
    assert mine == entries(alone.obj)["deployer", "Apply"]
    taken = [path for path in paths(entries(before)["other", "Apply"]) if not has_path(other, *path)]
    for path in taken:
        node = mine
        for key in path:
            assert key in node, path  # an empty map that was owned is taken by owning something in it
            node = node[key]


@given(PAIRS)
def test_without_force_either_nothing_is_taken_or_all_is_refused(pair: tuple[Object, Object]) -> None:
    theirs, ours = pair
    server = Server()
    server.apply(theirs, manager="other")
    before = copy_json(server.obj)
    refused: Problem | None = None
    try:
        server.apply(ours)
    except Problem as problem:
        refused = problem
    if refused is None:
        assert entries(server.obj)["other", "Apply"] == entries(before)["other", "Apply"]
    else:
        assert causes(refused)
        assert server.obj == before


@given(PAIRS)
def test_forced_apply_and_two_puts_restore_everything(pair: tuple[Object, Object]) -> None:
    theirs, ours = pair
    server = Server()
    server.apply(theirs, manager="helm")
    server.edit(manager="kubectl", metadata__annotations={"note": "x"})
    before = copy_json(server.obj)
    server.apply(ours, force=True)
    server.put(bare(before), manager="deployer")
    assert bare(server.obj) == bare(before)
    server.put(before, manager="deployer")
    assert bare(server.obj) == bare(before)
    assert entries(server.obj) == entries(before)


def test_uid_and_version_of_the_configuration_come_out_for_the_registry_to_check() -> None:
    server = Server()
    server.apply(samples.config_map({"a": "1"}))
    config = samples.config_map({"a": "2"}, uid="another", resourceVersion="7")
    merged = managed.apply(server.live, config, manager="deployer", force=False, now=server.tick())
    assert (merged["metadata"]["uid"], merged["metadata"]["resourceVersion"]) == ("another", "7")
    assert entries(merged) == {("deployer", "Apply"): {"f:data": {"f:a": {}}}}


def test_the_table_of_deployments_has_the_list_types_of_the_real_one() -> None:
    def node(path: str) -> Any:
        found: Any = kind_schema("Pod")
        for step in path.split("."):
            found = found.fields[step].node if hasattr(found, "fields") else found.item.fields[step].node
        return found

    keyed = {
        "spec.containers": "name",
        "spec.initContainers": "name",
        "spec.containers.ports": "containerPort protocol",
        "spec.containers.env": "name",
        "spec.containers.volumeMounts": "mountPath",
        "spec.volumes": "name",
        "spec.imagePullSecrets": "name",
        "spec.hostAliases": "ip",
        "spec.topologySpreadConstraints": "topologyKey whenUnsatisfiable",
        "spec.resourceClaims": "name",
        "status.conditions": "type",
        "metadata.ownerReferences": "uid",
    }
    for path, keys in keyed.items():
        assert [name for name, _ in node(path).keys] == keys.split(), path
        assert not node(path).atomic, path
    for path in ("spec.tolerations", "spec.containers.envFrom", "spec.containers.args", "spec.nodeSelector"):
        assert node(path).atomic, path
    finalizers = node("metadata.finalizers")
    assert not finalizers.atomic
    assert finalizers.keys == ()


LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def client_side_applied(replicas: int, tamper: bool = False) -> Server:
    """A Deployment as ``kubectl apply`` made it, on the client's side."""
    server = Server()
    obj = samples.deployment(replicas=replicas)
    obj["metadata"]["annotations"] = {LAST_APPLIED: json.dumps(obj) + "\n"}
    server.create(obj, manager="kubectl-client-side-apply")
    if tamper:
        server.edit(manager="kubectl-client-side-apply", spec__replicas=7)
    return server


def test_kubectl_takes_what_it_applied_on_the_clients_side() -> None:
    server = client_side_applied(replicas=1)
    config = samples.deployment(replicas=2)
    with pytest.raises(Problem, match="kubectl-client-side-apply"):
        server.apply(config, manager="other")
    server.apply(config, manager="kubectl")
    assert server.obj["spec"]["replicas"] == 2
    assert json.loads(server.obj["metadata"]["annotations"][LAST_APPLIED]) == config


def test_but_not_what_changed_since() -> None:
    server = client_side_applied(replicas=1, tamper=True)
    with pytest.raises(Problem) as caught:
        server.apply(samples.deployment(replicas=2), manager="kubectl")
    assert causes(caught.value) == [(".spec.replicas", 'conflict with "kubectl-client-side-apply" using apps/v1')]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"apiVersion":"v1"}', '{"apiVersion":"apps/v1","kind":"Deployment","spec":7}']
)
def test_an_annotation_that_says_nothing(text: str) -> None:
    server = Server()
    obj = samples.deployment(replicas=1)
    obj["metadata"]["annotations"] = {LAST_APPLIED: text}
    server.create(obj, manager="one")
    with pytest.raises(Problem, match="Apply failed with 1 conflict"):
        server.apply(samples.deployment(replicas=2), manager="kubectl")
