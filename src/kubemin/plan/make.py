"""How stages are cut."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from kubemin.plan.model import Job, Plan, Stage
from kubemin.render import Rendered
from kubemin.spec.application import Application
from kubemin.spec.component import Component
from kubemin.spec.kinds import WRITTEN, kind_name
from kubemin.spec.workflow import Mode, Step, default_workflow


@dataclass(frozen=True, slots=True)
class _Batch:
    """Components whose jobs run together, by priority."""

    step: str
    mode: Mode
    components: tuple[str, ...]


def make_plan(
    application: Application, rendered: Sequence[Rendered], workflow: Sequence[Step], *, concurrency: int = 1
) -> Plan:
    """The stages in which a workflow brings its components' manifests into the cluster.

    ``concurrency`` bounds the jobs of one priority in a StepByStep step. An empty workflow means one DAG step with
    every component; of a given one, components that no step names are left out.
    """
    components = {component.name: component for component in application.component}
    stages: list[Stage] = []
    seq = 0
    for batch in _batches(workflow or default_workflow(list(components))):
        mine = [item for name in batch.components for item in rendered if item.component == name]
        for priority, items in groupby(sorted(mine, key=_priority), key=_priority):
            jobs = []
            for item in items:
                seq += 1
                jobs.append(_job(seq, item, components[item.component], batch.step))
            at_once = None if batch.mode is Mode.DAG else concurrency
            stages.append(Stage(len(stages), batch.step, batch.mode, priority, at_once, tuple(jobs)))
    return Plan(tuple(stages))


def _batches(workflow: Sequence[Step]) -> Iterator[_Batch]:
    for step in workflow:
        if step.mode is Mode.DAG:
            targets = [*step.targets, *(name for sub in step.sub_steps for name in sub.targets)]
            yield _Batch(step.name, step.mode, tuple(targets))
            continue
        for name in step.targets:
            yield _Batch(step.name, step.mode, (name,))
        for sub in step.sub_steps:
            for name in sub.targets:
                yield _Batch(f"{step.name}/{sub.name}", step.mode, (name,))


def _priority(item: Rendered) -> int:
    return WRITTEN[kind_name(item.manifest)].priority


def _job(seq: int, item: Rendered, component: Component, step: str) -> Job:
    manifest = item.manifest
    return Job(
        seq=seq,
        name=f"{item.component}/{manifest['kind']}/{manifest['metadata']['name']}",
        component=item.component,
        component_type=component.type,
        step=step,
        manifest=manifest,
        fetch=item.fetch,
        requires=item.requires,
        share=item.share,
        hopeless_after=component.properties.hopeless_after,
        adopt=component.adopt,
    )
