"""Who owns what after creates and updates."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fields import samples
from fields.model import Server, bare, entries
from fields.strategies import NAMES, PAIRS, TRIPLES
from kubesim.jsondata import copy_json
from kubesim.managed.sets import has_path, paths

DEPLOYMENT_FIELDS = {
    "f:metadata": {"f:labels": {".": {}, "f:app": {}}},
    "f:spec": {
        "f:progressDeadlineSeconds": {},
        "f:replicas": {},
        "f:revisionHistoryLimit": {},
        "f:selector": {},
        "f:strategy": {"f:rollingUpdate": {".": {}, "f:maxSurge": {}, "f:maxUnavailable": {}}, "f:type": {}},
        "f:template": {
            "f:metadata": {"f:labels": {".": {}, "f:app": {}}},
            "f:spec": {
                "f:containers": {
                    'k:{"name":"web"}': {
                        ".": {},
                        "f:image": {},
                        "f:imagePullPolicy": {},
                        "f:name": {},
                        "f:ports": {
                            ".": {},
                            'k:{"containerPort":80,"protocol":"TCP"}': {
                                ".": {},
                                "f:containerPort": {},
                                "f:protocol": {},
                            },
                        },
                        "f:resources": {},
                        "f:terminationMessagePath": {},
                        "f:terminationMessagePolicy": {},
                    }
                },
                "f:dnsPolicy": {},
                "f:restartPolicy": {},
                "f:schedulerName": {},
                "f:securityContext": {},
                "f:terminationGracePeriodSeconds": {},
            },
        },
    },
}


def test_a_created_deployment_as_a_real_server_records_it() -> None:
    server = Server()
    obj = samples.deployment(template=samples.template(samples.container(ports=[{"containerPort": 80}])))
    obj["metadata"]["labels"] = {"app": "web"}
    server.create(obj, manager="kubectl-create")
    assert server.obj["metadata"]["managedFields"] == [
        {
            "apiVersion": "apps/v1",
            "fieldsType": "FieldsV1",
            "fieldsV1": DEPLOYMENT_FIELDS,
            "manager": "kubectl-create",
            "operation": "Update",
            "time": "2026-01-01T00:00:01Z",
        }
    ]


def test_a_created_stateful_set_and_service() -> None:
    server = Server()
    server.create(samples.stateful_set(volumeClaimTemplates=[{**samples.claim(), "metadata": {"name": "data"}}]))
    spec = entries(server.obj)["deployer", "Update"]["f:spec"]
    assert spec["f:volumeClaimTemplates"] == {}
    assert spec["f:serviceName"] == {}
    assert spec["f:updateStrategy"] == {"f:rollingUpdate": {".": {}, "f:partition": {}}, "f:type": {}}
    assert spec["f:persistentVolumeClaimRetentionPolicy"] == {".": {}, "f:whenDeleted": {}, "f:whenScaled": {}}
    server = Server()
    server.create(samples.service())
    assert entries(server.obj)["deployer", "Update"]["f:spec"] == {
        "f:internalTrafficPolicy": {},
        "f:ports": {
            ".": {},
            'k:{"port":80,"protocol":"TCP"}': {".": {}, "f:port": {}, "f:protocol": {}, "f:targetPort": {}},
        },
        "f:selector": {},
        "f:sessionAffinity": {},
        "f:type": {},
    }


def test_metadata_that_is_tracked_and_that_is_not() -> None:
    server = Server()
    owner = {"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "u-1", "controller": True}
    server.create(
        samples.config_map(
            {"a": "1"},
            generateName="c-",
            generation=7,
            labels={"l": "1"},
            annotations={"a": "1"},
            finalizers=["x.io/f"],
            ownerReferences=[owner],
        )
    )
    assert entries(server.obj)["deployer", "Update"] == {
        "f:data": {".": {}, "f:a": {}},
        "f:metadata": {
            "f:annotations": {".": {}, "f:a": {}},
            "f:finalizers": {".": {}, 'v:"x.io/f"': {}},
            "f:generateName": {},
            "f:labels": {".": {}, "f:l": {}},
            "f:ownerReferences": {".": {}, 'k:{"uid":"u-1"}': {}},
        },
    }


def test_an_update_takes_what_it_changes_and_shares_what_it_does_not() -> None:
    server = Server()
    server.create(samples.config_map({"a": "1", "b": "1"}), manager="one")
    server.edit(manager="two", data={"a": "2", "b": "1", "c": "1"})
    assert entries(server.obj) == {
        ("one", "Update"): {"f:data": {".": {}, "f:b": {}}},
        ("two", "Update"): {"f:data": {"f:a": {}, "f:c": {}}},
    }


def test_an_entry_with_nothing_left_vanishes() -> None:
    server = Server()
    server.create(samples.config_map({"a": "1"}), manager="one")
    server.edit(manager="two", data__b="1")
    server.edit(manager="three", data__b=None)
    assert set(entries(server.obj)) == {("one", "Update")}


def test_times_move_only_with_what_is_owned() -> None:
    server = Server()
    server.create(samples.config_map({"a": "1"}), manager="one")
    server.edit(manager="two", data__b="1")
    before = copy_json(server.obj)
    server.put(server.obj, manager="three")
    assert server.obj == before
    server.edit(manager="two", data__b="2")
    times = {entry["manager"]: entry["time"] for entry in server.obj["metadata"]["managedFields"]}
    assert times == {"one": "2026-01-01T00:00:01Z", "two": "2026-01-01T00:00:04Z"}


def test_status_has_an_entry_of_its_own() -> None:
    server = Server()
    server.create(samples.deployment(), manager="kubectl")
    server.edit(manager="kubectl", subresource="status", status__replicas=1)
    found = entries(server.obj)
    assert found["kubectl", "Update/status"] == {"f:status": {"f:replicas": {}}}
    assert "f:status" not in found["kubectl", "Update"]


def test_conditions_are_told_apart_by_type() -> None:
    server = Server()
    server.create(samples.deployment())
    condition = {"type": "Available", "status": "True"}
    server.edit(manager="controller", subresource="status", status__conditions=[condition])
    assert entries(server.obj)["controller", "Update/status"] == {
        "f:status": {
            "f:conditions": {
                ".": {},
                'k:{"type":"Available"}': {
                    ".": {},
                    "f:lastTransitionTime": {},
                    "f:lastUpdateTime": {},
                    "f:status": {},
                    "f:type": {},
                },
            }
        }
    }


def test_a_status_in_a_write_of_the_object_is_nobodys() -> None:
    server = Server()
    server.create({**samples.deployment(), "status": {"replicas": 9}})
    assert "f:status" not in entries(server.obj)["deployer", "Update"]


def test_scale_takes_the_replicas() -> None:
    server = Server()
    server.create(samples.deployment(replicas=1))
    server.edit(manager="hpa", subresource="scale", spec__replicas=4)
    found = entries(server.obj)
    assert found["hpa", "Update/scale"] == {"f:spec": {"f:replicas": {}}}
    assert not has_path(found["deployer", "Update"], "f:spec", "f:replicas")


def test_a_scale_of_replicas_that_nobody_owns_is_not_recorded() -> None:
    server = Server()
    server.apply(samples.deployment())
    before = server.obj["metadata"]["managedFields"]
    server.edit(manager="hpa", subresource="scale", spec__replicas=4)
    assert server.obj["spec"]["replicas"] == 4
    assert server.obj["metadata"]["managedFields"] == before


def test_more_than_ten_updaters_are_folded_into_one() -> None:
    server = Server()
    server.create(samples.config_map({"k0": "1"}), manager="m0")
    for number in range(1, 12):
        server.edit(manager=f"m{number}", **{f"data__k{number}": "1"})
    found = entries(server.obj)
    assert len(found) == 10
    assert found["ancient-changes", "Update"] == {"f:data": {".": {}, "f:k0": {}, "f:k1": {}, "f:k2": {}}}


def test_order_of_entries() -> None:
    server = Server()
    server.create(samples.config_map({"a": "1"}), manager="z")
    server.apply(samples.config_map({"b": "1"}), manager="y")
    server.edit(manager="x", data__c="1")
    listed = [(entry["operation"], entry["manager"]) for entry in server.obj["metadata"]["managedFields"]]
    assert listed == [("Apply", "y"), ("Update", "z"), ("Update", "x")]


@pytest.mark.parametrize("sent", [None, "absent"])
def test_no_managed_fields_in_a_put_keep_the_recorded_ones(sent: Any) -> None:
    server = Server()
    server.create(samples.config_map({"a": "1"}))
    before = copy_json(server.obj)
    obj = copy_json(before)
    obj["metadata"].pop("managedFields")
    if sent != "absent":
        obj["metadata"]["managedFields"] = sent
    assert server.put(obj) == before


@pytest.mark.parametrize(
    "broken",
    [
        {"operation": "Merge"},
        {"apiVersion": ""},
        {"fieldsType": "FieldsV2"},
        {"fieldsV1": {"no-colon": {}}},
        {"fieldsV1": {"k:not json": {}}},
    ],
)
def test_an_invalid_list_is_ignored(broken: dict[str, Any]) -> None:
    server = Server()
    server.create(samples.config_map({"a": "1"}))
    before = copy_json(server.obj)
    obj = copy_json(before)
    obj["metadata"]["managedFields"] = [{**obj["metadata"]["managedFields"][0], **broken}]
    assert server.put(obj) == before


@pytest.mark.parametrize("wipe", [[{}], []])
def test_a_wiped_object_is_not_tracked_until_the_first_apply(wipe: list[Any]) -> None:
    server = Server()
    server.create(samples.config_map({"a": "1"}))
    obj = copy_json(server.obj)
    obj["metadata"]["managedFields"] = wipe
    server.put(obj)
    assert "managedFields" not in server.obj["metadata"]
    server.edit(data__a="2")
    assert "managedFields" not in server.obj["metadata"]
    server.apply(samples.config_map({"b": "1"}))
    assert entries(server.obj) == {
        ("before-first-apply", "Update"): {"f:data": {".": {}, "f:a": {}}},
        ("deployer", "Apply"): {"f:data": {"f:b": {}}},
    }


def test_the_spelling_of_sent_keys_does_not_matter() -> None:
    server = Server()
    server.create(samples.service())
    before = copy_json(server.obj)
    obj = copy_json(before)
    ports = obj["metadata"]["managedFields"][0]["fieldsV1"]["f:spec"]["f:ports"]
    ports['k:{"protocol": "TCP", "port": 80}'] = ports.pop('k:{"port":80,"protocol":"TCP"}')
    assert server.put(obj) == before


def test_an_object_with_nothing_to_own_is_never_tracked() -> None:
    server = Server()
    server.create(samples.config_map())
    server.edit(data__a="1")
    assert "managedFields" not in server.obj["metadata"]


@given(TRIPLES)
def test_every_value_has_one_owner_after_updates(objs: tuple[dict[str, Any], ...]) -> None:
    """The sets of updaters are disjoint but for parents, and cover what a create would own."""
    server = Server()
    for number, obj in enumerate(objs):
        if number:
            server.put(obj, manager=f"m{number}")
        else:
            server.create(obj, manager="m0")
    fresh = Server()
    fresh.create(bare(server.obj), manager="all")
    wanted = set(paths(entries(fresh.obj)["all", "Update"]))
    owned = [set(paths(fields)) for fields in entries(server.obj).values()]
    assert set().union(*owned) == wanted
    assert sum(map(len, owned)) == len(wanted)


@given(PAIRS, NAMES)
def test_two_puts_of_before_restore_object_and_ownership(pair: tuple[dict[str, Any], ...], manager: str) -> None:
    server = Server()
    server.create(pair[0], manager="a")
    server.edit(manager="b", metadata__labels={"b": "x"})
    before = copy_json(server.obj)
    server.put(pair[1], manager=manager)
    unowned = copy_json(before)
    unowned["metadata"].pop("managedFields")
    server.put(unowned, manager="deployer")
    assert bare(server.obj) == bare(before)
    server.put(before, manager="deployer")
    assert bare(server.obj) == bare(before)
    # A write that would change nothing but times is none.
    assert entries(server.obj) == entries(before)


@given(st.data(), PAIRS)
def test_a_put_of_what_is_there_is_nothing(data: st.DataObject, pair: tuple[dict[str, Any], ...]) -> None:
    server = Server()
    server.create(pair[0], manager="a")
    server.put(pair[1], manager="b")
    before = copy_json(server.obj)
    server.put(server.obj, manager=data.draw(NAMES))
    assert server.obj == before
