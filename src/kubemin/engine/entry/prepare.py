"""What a run needs that takes long to compute, and so is computed outside of its transaction."""

from dataclasses import dataclass
from typing import Any

from kubemin.engine.entry.compute_thread import ComputeThread
from kubemin.engine.entry.loading import Loaded, Stored
from kubemin.engine.options import ExecOptions
from kubemin.plan import Plan, make_plan
from kubemin.render import render
from kubemin.spec.ids import new_id
from kubemin.spec.limits import Limits
from kubemin.spec.objects import ObjectRef
from kubemin.spec.reading import is_large
from kubemin.store import tasks


@dataclass(frozen=True)
class PreparedRun:
    """A run of an application as it was ``stored``."""

    stored: Stored
    loaded: Loaded
    plan: Plan
    plan_json: Any
    refs: list[ObjectRef]

    def new_task(
        self, options: ExecOptions, caller: str, idempotency_key: str | None, body_hash: str | None
    ) -> tasks.NewTask:
        """The run as a task, to insert."""
        return tasks.NewTask(
            id=new_id(),
            app_id=self.loaded.app_id,
            app_name=self.loaded.application.name,
            workflow_id=self.loaded.workflow_id,
            workflow_name=self.loaded.workflow_name,
            spec={"objects": [[ref.kind, ref.namespace, ref.name] for ref in self.refs]},
            options=options.write(),
            plan=self.plan_json,
            caller=caller,
            idempotency_key=idempotency_key,
            body_hash=body_hash,
        )


async def prepare_run(found: Stored, limits: Limits, concurrency: int, compute_thread: ComputeThread) -> PreparedRun:
    """Compute the plan of what is stored; of a large application not on the loop. Raises `SpecError`, `Busy`."""

    def prepared() -> PreparedRun:
        loaded = found.read(limits)
        rendered = render(loaded.application, loaded.config_key)
        plan = make_plan(loaded.application, rendered, loaded.steps, concurrency=concurrency)
        return PreparedRun(found, loaded, plan, plan.to_json(), [ObjectRef.of(one.manifest) for one in rendered])

    large = is_large([part.spec for part in found.parts])
    return await compute_thread.do(prepared) if large else prepared()
