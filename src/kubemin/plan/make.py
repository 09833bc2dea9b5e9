"""How stages are cut."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, groupby

from kubemin.plan.model import Hold, Job, Plan, Portion, Stage
from kubemin.plan.strategies import Wait, turns
from kubemin.render import Rendered
from kubemin.spec.application import Application
from kubemin.spec.component import Component
from kubemin.spec.kinds import written
from kubemin.spec.objects import ObjectRef
from kubemin.spec.order import place_of
from kubemin.spec.readiness import ReadinessRule, readiness_of
from kubemin.spec.workflow import Mode, Step, default_workflow


@dataclass(frozen=True, slots=True)
class _Batch:
    """Components whose jobs run together, by priority; of a pause none. ``part``: the place of the step."""

    part: int
    step: Step
    name: str
    components: tuple[str, ...]


def make_plan(
    application: Application,
    rendered: Sequence[Rendered],
    workflow: Sequence[Step],
    *,
    concurrency: int = 1,
    as_posted: Sequence[Rendered] = (),
    rules: Sequence[ReadinessRule] = (),
) -> Plan:
    """The stages in which a workflow brings its components' manifests into the cluster.

    ``concurrency`` bounds the jobs of one priority in a StepByStep step. An empty workflow means one DAG step with
    every component; of a given one, components that no step names are left out. ``as_posted``: what the application
    itself says of workloads that the strategy of the run alone has rendered otherwise; at last they are brought to it.
    ``rules`` say when objects are ready, where neither they themselves nor their components do.
    """
    components = {component.name: component for component in application.component}
    stages: list[Stage] = []
    numbers = count(1)
    taken = {ObjectRef.of(item.manifest) for item in rendered if not item.if_absent}
    for batch in _batches(workflow or default_workflow(list(components))):
        if batch.step.is_pause:
            stages.append(_stage(len(stages), batch, 0, (), None, hold=_pause(next(numbers), batch.step)))
            continue
        mine = list(_once([item for name in batch.components for item in rendered if item.component == name], taken))
        for (priority, *_), items in groupby(sorted(mine, key=_turn), key=_turn):
            at_once = None if batch.step.mode is Mode.DAG else concurrency
            for turn in turns(list(items), application, as_posted):
                jobs = tuple(
                    _job(next(numbers), item, components[item.component], batch.name, turn.portions.get(place), rules)
                    for place, item in enumerate(turn.items)
                )
                hold = _wait(next(numbers), turn.wait) if turn.wait else None
                stages.append(_stage(len(stages), batch, priority, jobs, at_once, hold, turn.replaces))
    return Plan(tuple(stages))


def _stage(
    index: int,
    batch: _Batch,
    priority: int,
    jobs: tuple[Job, ...],
    concurrency: int | None,
    hold: Hold | None = None,
    replaces: ObjectRef | None = None,
) -> Stage:
    step = batch.step
    return Stage(
        index,
        batch.name,
        step.mode,
        priority,
        concurrency,
        jobs,
        part=batch.part,
        hold=hold,
        replaces=replaces,
        on_failure=step.on_failure,
        timeout_seconds=None if step.is_pause else step.timeout_seconds,
    )


def _pause(seq: int, step: Step) -> Hold:
    return Hold(seq, step.name, seconds=step.seconds, timeout_seconds=step.timeout_seconds)


def _wait(seq: int, wait: Wait) -> Hold:
    return Hold(seq, wait.name, wait.component, wait.seconds, wait.timeout_seconds)


def _once(items: Sequence[Rendered], taken: set[ObjectRef]) -> Iterator[Rendered]:
    """Without volume claims that another component brings already: several may use one. Adds what it lets through."""
    for item in items:
        ref = ObjectRef.of(item.manifest)
        if not (item.if_absent and ref in taken):
            taken.add(ref)
            yield item


def _batches(workflow: Sequence[Step]) -> Iterator[_Batch]:
    for part, step in enumerate(workflow):
        if step.is_pause:
            yield _Batch(part, step, step.name, ())
            continue
        if step.mode is Mode.DAG:
            targets = [*step.targets, *(name for sub in step.sub_steps for name in sub.targets)]
            yield _Batch(part, step, step.name, tuple(targets))
            continue
        for name in step.targets:
            yield _Batch(part, step, step.name, (name,))
        for sub in step.sub_steps:
            for name in sub.targets:
                yield _Batch(part, step, f"{step.name}/{sub.name}", (name,))


def _turn(item: Rendered) -> tuple[int, int, str]:
    """What comes together has the same, and what is smaller comes first. A hook comes alone."""
    if item.hook is None:
        return place_of(item.manifest), 0, ""
    ref = ObjectRef.of(item.manifest)
    return item.hook.priority, written(ref.kind).priority, str(ref)


def _job(
    seq: int,
    item: Rendered,
    component: Component,
    step: str,
    portion: Portion | None,
    rules: Sequence[ReadinessRule],
) -> Job:
    manifest = item.manifest
    return Job(
        seq=seq,
        name=f"{item.component}/{manifest['kind']}/{manifest['metadata']['name']}",
        component=item.component,
        component_type=component.type,
        step=step,
        manifest=manifest,
        fetch=item.fetch,
        if_absent=item.if_absent,
        share=item.share,
        hopeless_after=component.properties.hopeless_after,
        adopt=component.adopt,
        portion=portion,
        hook=item.hook,
        readiness=readiness_of(manifest, (*component.readiness, *rules)),
    )
