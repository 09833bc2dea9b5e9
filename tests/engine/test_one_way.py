"""What cannot be taken back, or perhaps not, is told before it is done (trap 47)."""

import copy
from typing import Any

import pytest

from kubemin.engine.objects.one_way import never_back, rules_against
from kubemin.spec.objects import Manifest
from kubemin.spec.states import Cleanup, ResourceState, TaskStatus
from kubesim.controllers.operators import Operator
from kubesim.custom.rules import are_followed
from tests.engine.instance import Instance, web
from tests.engine.test_manifests import GROUP, LIMITS, config, definition, manifests, run, widget

DEFINITIONS = "customresourcedefinitions"
GROWS = {"rule": "self >= oldSelf", "message": "may only grow"}
SIZE = "a rule of its definition may refuse to take this back: may only grow"


@pytest.fixture(autouse=True)
def allowed(instance: Instance) -> None:
    instance.service._limits = LIMITS


def growing() -> Manifest:
    """Widgets whose size may only grow."""
    made = definition("Widget")
    spec = made["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    spec["properties"]["size"]["x-kubernetes-validations"] = [GROWS]
    return made


def early(size: int, **spec: Any) -> Manifest:
    """A widget that is written before workloads, for which some tests wait."""
    made = widget("one", size=size, **spec)
    made["metadata"]["annotations"] = {"kubemin.io/priority": "5"}
    return made


async def told(instance: Instance, *components: dict[str, Any]) -> dict[str, str]:
    """What a dry run says, by kind."""
    task = await run(instance, *components, dry_run=True)
    return {job.kind: job.info for job in await instance.jobs(task.id)}


async def test_it_is_told_before_the_first_write(instance: Instance) -> None:
    instance.sim.controllers.operate(Operator(f"widgets.{GROUP}", seconds=0.1))
    async with instance.worker():
        await run(instance, manifests("all", growing(), early(1), config("c", a="1")))
        later = growing()
        (version,) = later["spec"]["versions"]
        later["spec"]["versions"] = [{**version, "storage": False}, {**version, "name": "v2"}]
        frozen = {**config("c", a="1"), "immutable": True}
        said = await told(instance, manifests("all", later, early(2), frozen))
        same = await told(instance, manifests("all", growing(), early(1, ports=[{"name": "a"}])))
    assert SIZE in said[f"Widget.{GROUP}"]
    assert "objects are stored as v2 from then on" in said["CustomResourceDefinition"]
    assert "it becomes immutable" in said["ConfigMap"]
    assert "may refuse" not in same[f"Widget.{GROUP}"]


@pytest.mark.skipif(not are_followed(), reason="no library for CEL is installed")
async def test_a_restore_that_a_rule_refuses_is_named_and_done_once_the_rule_is_gone(instance: Instance) -> None:
    bundle = [growing(), early(1)]
    instance.sim.controllers.operate(Operator(f"widgets.{GROUP}", seconds=0.1))
    async with instance.worker():
        await run(instance, manifests("all", *bundle))
        changed = manifests("all", growing(), early(2))
        task = await run(instance, changed, web("late", "late:never"), timeout_seconds=2)
        assert (task.status, task.cleanup) == (TaskStatus.TIMEOUT, Cleanup.INCOMPLETE)
        (row,) = [one for one in await instance.journal(task.id) if one.ref.name == "one"]
        assert row.state is ResourceState.CHANGED
        assert "the API server refuses the restore" in (row.why or "")
        assert "may only grow" in (row.why or "")
        registry = instance.sim.registry
        eased = _without_rules(registry.get(DEFINITIONS, "", f"widgets.{GROUP}"))
        registry.update(DEFINITIONS, "", f"widgets.{GROUP}", eased, manager="ada")
        await instance.service.retry_cleanup(task.id)

        async def done() -> bool | None:
            return (await instance.task(task.id)).cleanup is Cleanup.DONE or None

        await instance.until(done)
    (one,) = instance.sim.registry.scan(f"widgets.{GROUP}")
    assert one["spec"]["size"] == 1


def _without_rules(stored: Manifest) -> Manifest:
    made = copy.deepcopy(stored)
    spec = made["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    del spec["properties"]["size"]["x-kubernetes-validations"]
    return made


def _ruled(schema: dict[str, Any]) -> Manifest:
    return {"spec": {"versions": [{"name": "v1", "schema": {"openAPIV3Schema": schema}}, {"name": "v2"}]}}


def _rule(message: str = "", rule: str = "self == oldSelf") -> list[dict[str, str]]:
    return [{"rule": rule, **({"message": message} if message else {})}]


SCHEMA = {
    "properties": {
        "spec": {
            "x-kubernetes-validations": _rule("whole"),
            "properties": {
                "size": {"x-kubernetes-validations": _rule(rule="self\n < 9")},
                "ports": {"items": {"properties": {"number": {"x-kubernetes-validations": _rule("number")}}}},
                "labels": {"additionalProperties": {"x-kubernetes-validations": _rule("label")}},
            },
        },
        "other": {"properties": {"a": {"x-kubernetes-validations": _rule(rule="self\n  == oldSelf")}}},
    }
}


@pytest.mark.parametrize(
    ("path", "messages"),
    [
        ("spec.size", ["whole"]),
        ("spec.ports[a].number", ["whole", "number"]),
        ("spec.ports[a].name", ["whole"]),
        ("spec.ports", ["whole", "number"]),
        ("spec.labels.x", ["whole", "label"]),
        ("spec", ["whole", "number", "label"]),
        ("other.a", ["self == oldSelf"]),
        ("other.b", []),
        ("metadata.labels.x", []),
    ],
)
def test_rules_count_where_they_meet_what_changes(path: str, messages: list[str]) -> None:
    start = "a rule of its definition may refuse to take this back: "
    assert rules_against(_ruled(SCHEMA), "v1", [path]) == [start + one for one in messages]
    assert rules_against(_ruled(SCHEMA), "v2", [path]) == []
    assert rules_against(_ruled(SCHEMA), "v3", [path]) == []


def test_many_rules_are_counted() -> None:
    fields = {f"f{number}": {"x-kubernetes-validations": _rule(f"rule {number}")} for number in range(9)}
    found = rules_against(_ruled({"properties": {"spec": {"properties": fields}}}), "v1", ["spec"])
    assert [one.rpartition(": ")[2] for one in found] == ["rule 0", "rule 1", "rule 2", "6 more"]


def test_a_change_that_can_be_taken_back_is_not_told() -> None:
    one: Manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "1"}}
    assert never_back(one, {**one, "data": {"a": "2"}}) == []
    assert never_back({**one, "immutable": True}, {**one, "immutable": True}) == []
    other = {**one, "apiVersion": "example.com/v1"}
    assert never_back(other, {**other, "immutable": True}) == []
    made = definition("Widget")
    assert never_back(made, copy.deepcopy(made)) == []
