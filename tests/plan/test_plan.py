"""Stages: kept as text, and what holds for every plan."""

import json
from collections.abc import Iterable, Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubemin.cli.plan_text import describe
from kubemin.plan import Plan, make_plan
from kubemin.render import Rendered
from kubemin.spec.application import Application, parse_application
from kubemin.spec.kinds import kind_name, written
from kubemin.spec.objects import ObjectRef
from kubemin.spec.workflow import Mode, Step
from tests.render.cases import PLANS, golden_plan, manifests, planned_cases, read
from tests.spec.strategies import applications

CASES = planned_cases()


def plan_of(application: Application, concurrency: int = 1) -> Plan:
    return make_plan(application, manifests(application), application.steps(), concurrency=concurrency)


def named(steps: Sequence[Step]) -> list[str]:
    """The components that the steps name, in order."""
    names: list[str] = []
    for step in steps:
        names += step.targets
        for sub in step.sub_steps:
            names += sub.targets
    return names


@pytest.mark.parametrize("name", CASES)
def test_described(name: str) -> None:
    assert golden_plan(read(CASES[name])) == (PLANS / f"{name}.txt").read_text()


def test_no_golden_file_is_left_over() -> None:
    assert {path.stem for path in PLANS.glob("*.txt")} == set(CASES)


def _once(items: Iterable[Rendered]) -> Iterator[Rendered]:
    """Without further ones of a volume claim that is only named."""
    named_claims = set[ObjectRef]()
    for item in items:
        ref = ObjectRef.of(item.manifest)
        if not item.if_absent or ref not in named_claims:
            yield item
        named_claims |= {ref} if item.if_absent else set()


@given(applications(), st.integers(1, 8))
def test_one_manifest_is_one_job(application: Application, concurrency: int) -> None:
    plan = plan_of(application, concurrency)
    wanted = named(application.steps())
    rendered = manifests(application)
    expected = list(_once(item for name in wanted for item in rendered if item.component == name))

    def key(component: str, manifest: object) -> str:
        return f"{component} {json.dumps(manifest)}"

    assert sorted(key(job.component, job.manifest) for job in plan.jobs) == sorted(
        key(item.component, item.manifest) for item in expected
    )
    seqs = [seq for stage in plan.stages for seq in stage.seqs]
    assert seqs == list(range(1, len(expected) + len([stage for stage in plan.stages if stage.hold]) + 1))
    assert len({job.name for job in plan.jobs}) == len(expected)


@given(applications(), st.integers(1, 8))
def test_stages_are_in_order(application: Application, concurrency: int) -> None:
    plan = plan_of(application, concurrency)
    steps = {step.name: step for step in application.steps()}
    order = named(application.steps())
    places: list[tuple[int, int]] = []
    for index, stage in enumerate(plan.stages):
        step = steps[stage.step.partition("/")[0]]
        assert stage.index == index
        if step.is_pause:
            continue
        assert stage.jobs
        assert stage.mode is step.mode
        assert {written(kind_name(job.manifest)).priority for job in stage.jobs} == {stage.priority}
        assert {job.step for job in stage.jobs} == {stage.step}
        components = {job.component for job in stage.jobs}
        if stage.mode is Mode.DAG:
            assert stage.concurrency is None
            group = min(order.index(name) for name in named([step]))
        else:
            assert stage.concurrency == concurrency
            assert len(components) == 1
            group = order.index(components.pop())
        places.append((group, stage.priority))
    assert places == sorted(set(places))


@given(applications())
def test_each_component_is_planned_once_in_the_order_of_the_steps(application: Application) -> None:
    """A step's stages stand together, with what the step says; a pause is one stage, at its place."""
    steps = application.steps()
    plan = plan_of(application)
    making = {item.component for item in manifests(application)}
    planned: list[str] = []
    for part in plan.parts:
        step = steps[part[0].part]
        assert {stage.on_failure for stage in part} == {step.on_failure}
        assert {stage.timeout_seconds for stage in part} == {None if step.is_pause else step.timeout_seconds}
        holds = [stage.hold for stage in part if stage.hold]
        mine = {job.component for stage in part for job in stage.jobs}
        if step.is_pause:
            (hold,) = holds
            assert (hold.name, hold.seconds, hold.timeout_seconds) == (step.name, step.seconds, step.timeout_seconds)
            assert not mine
        else:
            assert not holds
            assert mine == {name for name in named([step]) if name in making}
        planned += mine
    places = [part[0].part for part in plan.parts]
    assert places == sorted(set(places))
    assert len(planned) == len(set(planned))
    assert set(planned) == {name for name in named(steps) if name in making}


@given(applications())
def test_written_and_read_again(application: Application) -> None:
    plan = plan_of(application)
    assert Plan.from_json(json.loads(json.dumps(plan.to_json()))) == plan


@given(applications())
def test_jobs_know_their_objects(application: Application) -> None:
    types = {component.name: component.type for component in application.component}
    for job in plan_of(application).jobs:
        assert job.component_type == types[job.component]
        kind = kind_name(job.manifest)
        assert job.ref.kind == kind
        assert job.name == f"{job.component}/{kind.partition('.')[0]}/{job.ref.name}"


@given(applications())
def test_a_description_shows_every_job_and_no_secret(application: Application) -> None:
    plan = plan_of(application)
    text = describe(plan)
    assert all(str(job.ref) in text for job in plan.jobs)
    for job in plan.jobs:
        for value in job.manifest.get("data", {}).values():
            assert len(value) < 8 or value not in text


def test_the_service_of_a_canary_takes_nothing_of_the_nodes() -> None:
    """Only the Ingress controller asks it: no port of the nodes, no load balancer, and no name outside."""
    route = {"backend": {"serviceName": "web"}}
    part = {
        "name": "web",
        "type": "webservice",
        "image": "web:1",
        "strategy": {"type": "canary", "steps": [{"weight": 5}]},
        "properties": {
            "ports": [{"port": 80, "name": "http", "targetPort": 8080, "nodePort": 30080}],
            "service": {
                "type": "LoadBalancer",
                "annotations": {"example.org/zone": "x"},
                "sessionAffinity": "ClientIP",
            },
        },
        "traits": {"ingress": [{"ingressClassName": "nginx", "routes": [route]}]},
    }
    plan = plan_of(parse_application({"name": "shop", "component": [part]}))
    [beside] = [job.manifest for job in plan.jobs if job.ref.kind == "Service" and job.ref.name.endswith("-canary")]
    assert "annotations" not in beside["metadata"]
    assert beside["spec"].pop("selector")
    port = {"name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP"}
    assert beside["spec"] == {"type": "ClusterIP", "ports": [port]}
