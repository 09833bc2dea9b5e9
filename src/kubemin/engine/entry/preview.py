"""What a run would do: asked of the cluster by dry runs, without a task and without a write."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kubemin.cluster import Cluster
from kubemin.engine.cleanup.removal import standing
from kubemin.engine.deploy.namespaces import missing
from kubemin.engine.deploy.preflight import Forecast, forecasts
from kubemin.engine.entry.compute_thread import Desk
from kubemin.plan import Plan, make_plan
from kubemin.render import Identity, render
from kubemin.spec.application import Application
from kubemin.spec.objects import ObjectRef
from kubemin.spec.workflow import Step
from kubemin.store import Database, components

_NO_ID = "0" * 24
"""Stands for the id of an application that is not stored yet."""
_SMALL = 20  # components


@dataclass(frozen=True)
class Outlook:
    """The plan, the forecast of each job by its ``seq``, and what would be made before it and removed after it."""

    plan: Plan
    forecasts: Mapping[int, Forecast]
    namespaces: tuple[str, ...]
    removes: tuple[ObjectRef, ...]


class Outlooks:
    """Tells what runs would do. Raises `ClusterError`, `StoreError`, `Busy`."""

    def __init__(
        self, db: Database, cluster: Cluster, *, sequential_concurrency: int = 1, desk: Desk | None = None
    ) -> None:
        self._desk = desk or Desk()
        self._db = db
        self._cluster = cluster
        self._concurrency = sequential_concurrency

    async def of(
        self, application: Application, app_id: str | None, steps: Sequence[Step], *, create_namespace: bool = False
    ) -> Outlook:
        """What running ``steps`` of the application, stored as ``app_id`` or not stored yet, would do now."""
        known: dict[str, int] = {}
        if app_id is not None:
            async with self._db.read() as tx:
                known = {part.name: part.id for part in await components.of_application(tx, app_id)}
        ids = {component.name: known.get(component.name, 0) for component in application.component}

        def planned() -> tuple[Plan, set[ObjectRef]]:
            rendered = render(application, Identity(app_id or _NO_ID, ids))
            plan = make_plan(application, rendered, steps, concurrency=self._concurrency)
            return plan, {ObjectRef.of(one.manifest) for one in rendered}

        plan, has = await self._desk.do(planned) if len(ids) > _SMALL else planned()
        removes: list[ObjectRef] = []
        if app_id is not None:
            has |= {ObjectRef("Namespace", "", ref.namespace) for ref in has}
            async with self._db.read() as tx:
                removes = [row.ref for row in await standing(tx, app_id, but=has)]
        coming = await missing(self._cluster, plan) if create_namespace else []
        found = await forecasts(self._cluster, plan.jobs, coming)
        return Outlook(plan, found, tuple(coming), tuple(sorted(removes)))
