"""What the cluster has after a run that does not name all components."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kubemin.spec.application import parse_application
from kubemin.spec.component import Component
from kubemin.spec.component_types import CONFIG, WEBSERVICE
from kubemin.spec.deployed import changes, covering, deployed
from kubemin.spec.workflow import Step, components_in_no_step
from tests.spec.strategies import applications

NAMES = ("api", "db", "web", "conf")
specs = st.dictionaries(st.sampled_from(NAMES), st.integers(1, 3)).map(
    lambda found: {"name": "shop", "component": [{"name": name, "replicas": n} for name, n in found.items()]}
)
some = st.lists(st.sampled_from(NAMES), unique=True)


def by_name(spec: dict[str, Any]) -> dict[str, Any]:
    return {part["name"]: part for part in spec["component"]}


@given(specs, some, st.none() | specs)
def test_what_is_not_deployed_is_as_it_was(posted: dict[str, Any], others: list[str], current: Any) -> None:
    was = by_name(current) if current else {}
    found = by_name(deployed(posted, others, current))
    for name in NAMES:
        expected = was.get(name) if name in others else by_name(posted).get(name)
        assert found.get(name) == expected
    again = {**posted, "component": list(found.values())}
    assert deployed(again, others, current) == again


@given(specs, st.none() | specs)
def test_changes_lead_from_one_to_the_other(spec: dict[str, Any], former: Any) -> None:
    found, was = changes(spec, former), by_name(former) if former else {}
    assert set(found["added"]) == by_name(spec).keys() - was.keys()
    assert set(found["removed"]) == was.keys() - by_name(spec).keys()
    assert all(by_name(spec)[name] != was[name] for name in found["changed"])


@given(st.lists(some, max_size=3), some)
def test_covering_steps_leave_no_component(groups: list[list[str]], components: list[str]) -> None:
    steps = [Step(name=f"rest-{n}" if n else "rest", components=group) for n, group in enumerate(groups) if group]
    types = {"conf": CONFIG}
    parts = [Component.model_validate({"name": name, "type": types.get(name, WEBSERVICE)}) for name in components]
    covered = covering(steps, parts)
    assert [step for step in covered if step in steps] == steps
    assert components_in_no_step(covered, components) == []
    named = [name for step in covered for name in step.components]
    assert "conf" not in components or any("conf" in group for group in groups) or named[0] == "conf"
    assert len({step.name for step in covered}) == len(covered)


@given(applications())
def test_what_was_posted_is_read_again_as_the_same(spec: dict[str, Any]) -> None:
    application = parse_application(spec)
    assert parse_application(application.posted()) == application
