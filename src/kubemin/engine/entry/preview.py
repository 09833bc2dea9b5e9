"""What a run would do: asked of the cluster by dry runs, without a task and without a write."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from kubemin.cluster import Cluster
from kubemin.engine.cleanup.letting_go import LettingGo, objects_to_let_go
from kubemin.engine.cleanup.permitted import check_letting_go
from kubemin.engine.deploy.adoption import Adoption
from kubemin.engine.deploy.dry_runs import JobPreview
from kubemin.engine.deploy.namespaces import missing
from kubemin.engine.deploy.preflight import Inquiry
from kubemin.engine.deploy.replicas import Autoscalers, targets_of
from kubemin.engine.deploy.unchanged import Unchanged
from kubemin.engine.entry.admission import Admit, admit_removal, admit_run
from kubemin.engine.entry.compute_thread import ComputeThread
from kubemin.engine.entry.outside import present, with_what_is_missing
from kubemin.engine.entry.partings import Parting, parting, with_kept_claims
from kubemin.engine.entry.prepare import Preparation
from kubemin.engine.entry.sources import Source
from kubemin.engine.errors import AppNotFound
from kubemin.engine.expects import Expects
from kubemin.engine.journal.last_writes import read_last_writes
from kubemin.engine.journal.rows import Resource
from kubemin.engine.options import ExecOptions
from kubemin.plan import Plan, hook_of_others
from kubemin.settings.engine import EngineSettings
from kubemin.spec.limits import Limits
from kubemin.spec.objects import ObjectRef
from kubemin.store import Database, applications, holdings, shares

_MOST_ASKED = 100


@dataclass(frozen=True)
class Preview:
    """The plan, the forecast of each job by its ``seq``, what would be made before it, and let go of after it."""

    plan: Plan
    preview_jobs: Mapping[int, JobPreview]
    namespaces: tuple[str, ...]
    parting: Parting
    expects: Expects
    """What a run is to expect that does just this."""


class Previews:
    """Tells what runs would do. Raises `ClusterError`, `StoreError`, `Busy`."""

    def __init__(
        self,
        db: Database,
        cluster: Cluster,
        limits: Limits,
        *,
        settings: EngineSettings | None = None,
        compute_thread: ComputeThread | None = None,
        acting: Cluster | None = None,
    ) -> None:
        """``acting``: the cluster as whoever asks has it: by that are the dry runs, and the objects read."""
        self._acting = acting or cluster
        self._compute_thread = compute_thread or ComputeThread()
        self._db = db
        self._cluster = cluster
        self._limits = limits
        self._settings = settings or EngineSettings()

    async def of(self, source: Source, options: ExecOptions, admit: Admit | None = None) -> Preview:
        """What the run would do now; ``admit``: whether the caller may.

        Raises `SpecError`, `NotFoundError`, `NeverDeployed` too, and what ``admit`` raises.
        """
        async with self._db.read() as tx:
            basis = await source.look(tx)
        settings = self._settings
        concurrency, rules = settings.sequential_max_concurrency, settings.rules
        preparation = Preparation(source, options.strategy, self._limits, concurrency, rules)
        prepare = partial(preparation.of, basis)
        prepared = await self._compute_thread.do_if_large(prepare, preparation.data(basis))
        plan, app_id = prepared.plan, source.app_id
        how = LettingGo(delete_volumes=options.delete_volumes)
        has = prepared.has | {ObjectRef("Namespace", "", ref.namespace) for ref in prepared.has}
        async with self._db.read() as tx:
            if admit is not None:
                await admit_run(tx, prepared, admit)
            untouched = [name for name in prepared.others if name in prepared.objects]
            left = {ref for name in untouched for ref in prepared.objects[name]}
            stay = (await shares.uses_after(tx, app_id, left=left)).stay
            rows = await objects_to_let_go(tx, app_id, how, but=has, used=stay, left=untouched)
            used = await shares.used_by_others(tx, _uids(rows), app_id)
            kept = {held.ref for held in await holdings.holdings(tx, app_id) if held.kept}
        coming = await missing(self._cluster, plan) if options.create_namespace else []
        may = self._settings.adopt if options.adopt is None else options.adopt
        adoption = Adoption(self._application_name, may, self._settings.allow_rbac_names)
        autoscalers = Autoscalers(self._cluster, targets_of(job.manifest for job in plan.jobs))
        unchanged = Unchanged(autoscalers, partial(read_last_writes, self._db), options.take_over)
        inquiry = Inquiry(
            self._cluster,
            self._acting,
            adoption,
            autoscalers,
            unchanged,
            {},
            take_over=options.take_over,
            guess=settings.guess_secrets,
        )
        await inquiry.read(job for job in plan.jobs if job.ref.namespace not in coming)
        skipped = {job.seq: why for job in plan.jobs if (why := hook_of_others(prepared.deployed, job)) is not None}
        skipped |= await inquiry.unneeded(plan, coming)
        found = await inquiry.preview_jobs([job for job in plan.jobs if job.seq not in skipped], coming)
        found |= {job.seq: JobPreview("skip", (skipped[job.seq],)) for job in plan.jobs if job.seq in skipped}
        found = await with_what_is_missing(self._acting, plan.jobs, found, has, coming)
        await self._check_letting_go(app_id, rows, used, how)
        goes = await parting(self._cluster, app_id, rows, how, used=used, jobs=plan.jobs)
        found = await with_kept_claims(self._cluster, app_id, plan.jobs, found, kept)
        expects = Expects.of(plan, prepared.current_number, prepared.known_key, inquiry.snapshot)
        return Preview(plan, found, tuple(coming), goes, expects)

    async def _application_name(self, app_id: str) -> str | None:
        async with self._db.read() as tx:
            row = await applications.get(tx, app_id)
        return None if row is None or row.cluster != self._cluster.name else row.name

    async def there(self, refs: Collection[ObjectRef]) -> set[ObjectRef]:
        """Those of the objects that the cluster has, or cannot be asked about; of very many all, unasked."""
        return set(refs) if len(refs) > _MOST_ASKED else await present(self._acting, refs)

    async def of_deletion(
        self, app_id: str, *, keep_resources: bool, delete_volumes: bool, admit: Admit | None = None
    ) -> Parting:
        """What deleting the application would do now; ``admit`` as in `of`. Raises `AppNotFound`."""
        how = LettingGo(keep_resources, delete_volumes, name_kept=True)
        async with self._db.read() as tx:
            row = await applications.get(tx, app_id)
            if row is None:
                raise AppNotFound(app_id)
            if admit is not None:
                await admit_removal(tx, row, admit)
            rows = await objects_to_let_go(tx, app_id, how)
            used = await shares.used_by_others(tx, _uids(rows), app_id)
        await self._check_letting_go(app_id, rows, used, how)
        return await parting(self._cluster, app_id, rows, how, used=used)

    async def _check_letting_go(
        self, app_id: str, rows: Sequence[Resource], used: Collection[str], how: LettingGo
    ) -> None:
        """Raise `CallerForbidden` where a run would be refused for that."""
        mine = [row for row in rows if row.uid not in used]
        await check_letting_go(self._acting, self._cluster, app_id, mine, delete_volumes=how.delete_volumes)


def _uids(rows: Sequence[Resource]) -> list[str]:
    return [row.uid for row in rows if row.uid is not None]
