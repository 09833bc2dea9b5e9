"""What a run needs that takes long to compute, and so is computed outside of its transaction."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from kubemin.engine.entry.sources import Basis, Source, Wanted
from kubemin.engine.options import ExecOptions
from kubemin.plan import Plan, make_plan
from kubemin.render import Rendered, digests_of, render
from kubemin.spec.application import Application, as_run, parse_application, way_of
from kubemin.spec.deployed import changes, deployed
from kubemin.spec.ids import new_id
from kubemin.spec.limits import Limits
from kubemin.spec.objects import ObjectRef
from kubemin.spec.readiness import ReadinessRule
from kubemin.spec.reading import is_large
from kubemin.spec.strategy import StrategySpec
from kubemin.spec.workflow import components_in_no_step
from kubemin.store import revisions, tasks
from kubemin.telemetry.requests import request_now
from kubemin.telemetry.tracing import traceparent_now


@dataclass(frozen=True)
class PreparedRun:
    """A run, as it follows from ``basis``.

    ``spec`` is what the cluster has once it is completed: the application as JSON. ``others`` are the components that
    it does not deploy; ``objects`` what each component makes that the application then has; ``config_digests`` as they
    are rendered.
    """

    basis: Basis
    wanted: Wanted
    application: Application
    plan: Plan
    plan_json: Any
    spec: Any
    others: list[str]
    objects: Mapping[str, list[ObjectRef]]
    config_digests: Mapping[str, str]

    @property
    def has(self) -> set[ObjectRef]:
        """The objects that the application is to have."""
        return {ref for refs in self.objects.values() for ref in refs}

    @property
    def deployed(self) -> set[str]:
        """The components that are deployed."""
        return {part["name"] for part in self.basis.current.spec["component"]} if self.basis.current else set()

    @property
    def current_number(self) -> int | None:
        """The number of the revision that is deployed; None where there is none."""
        return self.basis.current.number if self.basis.current else None

    @property
    def known_key(self) -> str:
        """The key of digests that are shown; empty where the application is new, and has none yet."""
        return "" if self.basis.stored is None else self.wanted.config_key

    def new_task(
        self,
        app_id: str,
        options: ExecOptions,
        caller: str,
        idempotency_key: str | None,
        body_hash: str | None,
    ) -> tasks.NewTask:
        """The run as a task, to insert."""
        named = {name: refs for name, refs in self.objects.items() if name not in self.others}
        return tasks.NewTask(
            id=new_id(),
            app_id=app_id,
            app_name=self.application.name,
            cluster=self.application.cluster,
            namespace=self.application.namespace,
            project=self.application.project or "",
            workflow_id=self.wanted.workflow_id,
            workflow_name=self.wanted.workflow_name,
            spec={
                "objects": {
                    name: [[ref.kind, ref.namespace, ref.name] for ref in refs] for name, refs in named.items()
                },
                "others": self.others,
            },
            options=options.write(),
            plan=self.plan_json,
            caller=caller,
            idempotency_key=idempotency_key,
            body_hash=body_hash,
            request_id=request_now(),
            traceparent=traceparent_now(),
        )

    def new_revision(self, app_id: str, task_id: str, caller: str, note: str) -> revisions.NewRevision:
        """The revision that the task brings, to insert."""
        current = self.basis.current
        return revisions.NewRevision(
            app_id=app_id,
            spec=self.spec,
            task_id=task_id,
            strategy=way_of(part for part in self.application.component if part.name not in self.others),
            note=note,
            caller=caller,
            changes=changes(self.spec, current.spec if current else None),
            restarts=self.wanted.restarts,
            config_digests=self.config_digests,
            replaces_draft=self.wanted.replaces_draft,
        )


@dataclass(frozen=True)
class Preparation:
    """Computes what is to run, and its plan. ``strategy`` is the run's own."""

    source: Source
    strategy: StrategySpec | None
    limits: Limits
    concurrency: int
    rules: Sequence[ReadinessRule]
    """When objects are ready, as the settings say."""

    def takes_long(self, basis: Basis) -> bool:
        """Whether this is too much for the loop, and for a transaction."""
        return is_large(self.data(basis))

    def data(self, basis: Basis) -> list[Any]:
        """What is read: by its size is told whether that takes long."""
        rows = [row.spec for row in (basis.current, basis.former) if row is not None]
        parts = [part.spec for part in (basis.stored.parts if basis.stored else ())]
        return [*rows, *parts, self.source.sent]

    def of(self, basis: Basis) -> PreparedRun:
        """The run as it follows from what it builds upon. Raises `SpecError`."""
        return _prepared(basis, self.source.read(basis, self.limits), self)


def _prepared(basis: Basis, wanted: Wanted, preparation: Preparation) -> PreparedRun:
    strategy, limits = preparation.strategy, preparation.limits
    posted = wanted.application.posted()
    current = basis.current.spec if basis.current else None
    others = components_in_no_step(wanted.steps, [part.name for part in wanted.application.component])
    application = wanted.application
    if others and current is not None:
        application = parse_application(deployed(posted, others, current, or_posted=True), limits)
    asked, application = application, as_run(application, strategy, limits, plain=wanted.plain)
    rendered = render(application, wanted.config_key, wanted.restarts)
    if not wanted.hooks:
        rendered = [one if one.hook is None else replace(one, hook=one.hook.never()) for one in rendered]
    as_posted: list[Rendered] = []
    if strategy is not None:
        # The strategy is the run's alone: at its end the cluster has what the revision says.
        own = render(asked, wanted.config_key, wanted.restarts)
        as_posted = [one for one, run in zip(own, rendered, strict=True) if one.manifest != run.manifest]
    plan = make_plan(
        application,
        rendered,
        wanted.steps,
        concurrency=preparation.concurrency,
        as_posted=as_posted,
        rules=preparation.rules,
    )
    spec = deployed(posted, others, current)
    has = {part["name"] for part in spec["component"]}
    objects: defaultdict[str, list[ObjectRef]] = defaultdict(list)
    for one in rendered:
        if one.component in has and not (one.hook and one.hook.goes):
            objects[one.component].append(ObjectRef.of(one.manifest))
    return PreparedRun(basis, wanted, application, plan, plan.to_json(), spec, others, objects, digests_of(rendered))
