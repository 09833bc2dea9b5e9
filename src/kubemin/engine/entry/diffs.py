"""Where revisions, the draft and the cluster differ, field by field; secrets are masked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from kubemin.cluster import Cluster
from kubemin.cluster.errors import Conflict
from kubemin.engine.backoff import Backoff
from kubemin.engine.deploy.dry_runs import unmarked, written
from kubemin.engine.deploy.replicas import Autoscalers, targets_of
from kubemin.engine.entry.compute_thread import ComputeThread
from kubemin.engine.entry.loading import stored
from kubemin.engine.errors import RevisionNotFound
from kubemin.engine.objects.diff import Hidden, field_values
from kubemin.engine.objects.live import read_many
from kubemin.plan import Job, make_plan
from kubemin.render import render
from kubemin.spec.application import Application, parse_application
from kubemin.spec.limits import Limits
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.store import Database, Tx, applications, holdings, journal, revisions
from kubemin.store.journal import ResourceRow

_TRIES = 5

Action = Literal["create", "delete", "change"]
Fields = tuple[tuple[str, Any, Any], ...]
"""Path, and the value on either side; None: absent."""
Side = int | Literal["current", "draft", "live"]


@dataclass(frozen=True)
class ObjectChange:
    """An object that is otherwise."""

    ref: ObjectRef
    action: Action
    fields: Fields = ()


@dataclass(frozen=True)
class RowChange:
    """A row of the journal; ``fields``: path, and its value before, as the task wrote it, and now."""

    row: ResourceRow
    fields: tuple[tuple[str, Any, Any, Any], ...]


@dataclass(frozen=True)
class _Spec:
    """An application as JSON, and what its rendering needs beside it."""

    data: Any
    config_key: str
    restarts: Mapping[str, str]
    recorded: Mapping[str, str] | None = None


class Diffs:
    """Compares. Raises `ClusterError` and `StoreError`."""

    def __init__(
        self,
        db: Database,
        cluster: Cluster,
        limits: Limits,
        compute_thread: ComputeThread,
        acting: Cluster | None = None,
    ) -> None:
        """``acting``: the cluster as whoever asks has it: by that objects are read. Dry runs, which who only looks may
        have no right to, are KubeMin's own; they show nothing that the object does not.
        """
        self._db = db
        self._acting = acting or cluster
        self._cluster = cluster
        self._limits = limits
        self._compute_thread = compute_thread

    async def between(self, app_id: str, begin: Side, end: Side) -> list[ObjectChange]:
        """What leads from one side to the other, by object.

        ``live`` is compared with what a run of the other side would make of it: what the cluster fills in, and what
        others have added, is no difference. Raises `RevisionNotFound`, `SpecError`, `Busy`.
        """
        if begin == end:
            return []
        if begin == "live":
            return [_turned(one) for one in await self.between(app_id, end, "live")]
        mine = await self._jobs(app_id, begin)
        if end == "live":
            return await self._drift(app_id, mine)
        theirs = await self._jobs(app_id, end)
        found = []
        for ref in sorted(mine.keys() | theirs.keys()):
            if ref in mine and ref in theirs:
                fields = _fields(ref, mine[ref].manifest, theirs[ref].manifest, guess=self._limits.guess_secrets)
                found += [ObjectChange(ref, "change", fields)] if fields else []
            else:
                found.append(ObjectChange(ref, "create" if ref in theirs else "delete"))
        return found

    async def of_task(self, task_id: str, seq: int | None = None) -> list[RowChange]:
        """What a task changed, by row of its journal, or in one row. Of pruned tasks only the rows are left."""
        async with self._db.read() as tx:
            rows = await journal.of_task(tx, task_id, seq)
        live = await read_many(self._acting, (row.ref for row in rows), "")
        return [RowChange(row, _row_fields(row, live.get(row.ref), guess=self._limits.guess_secrets)) for row in rows]

    async def _drift(self, app_id: str, jobs: Mapping[ObjectRef, Job]) -> list[ObjectChange]:
        async with self._db.read() as tx:
            held = [one.ref for one in await holdings.holdings(tx, app_id) if not one.kept and not one.template]
        live = await read_many(self._acting, {*jobs, *held}, app_id)
        autoscalers = Autoscalers(self._cluster, targets_of(job.manifest for job in jobs.values()))
        found: list[ObjectChange] = []
        for ref in sorted(live):
            now, job = live[ref], jobs.get(ref)
            if now is None:
                found += [ObjectChange(ref, "delete")] if job else []
            elif job is None:
                found += [ObjectChange(ref, "create")] if ref.kind != "Namespace" else []
            elif fields := await self._drift_of(autoscalers, job, now):
                found.append(ObjectChange(ref, "change", fields))
        return found

    async def _drift_of(self, autoscalers: Autoscalers, job: Job, live: Manifest) -> Fields:
        backoff, now = Backoff(), live
        for _ in range(_TRIES):
            try:
                wanted = await written(self._cluster, autoscalers, job, now)
                return _fields(job.ref, wanted, now, guess=self._limits.guess_secrets)
            except Conflict:  # it changed since it was read
                await backoff.pause()
                now = await self._acting.get(job.ref)
        return _fields(job.ref, job.manifest, now, guess=self._limits.guess_secrets)

    async def _jobs(self, app_id: str, side: Side) -> dict[ObjectRef, Job]:
        async with self._db.read() as tx:
            spec = await self._spec(tx, app_id, side)

        def rendered() -> dict[ObjectRef, Job]:
            application = parse_application(spec.data, self._limits)
            return _jobs_of(application, spec)

        return await self._compute_thread.do_if_large(rendered, spec.data)

    async def _spec(self, tx: Tx, app_id: str, side: Side) -> _Spec:
        row = await applications.with_key(tx, app_id)
        key = (row and row.config_key) or ""
        current = await revisions.current(tx, app_id)
        if side == "draft":
            draft = await stored(tx, app_id, None)
            return _Spec(draft.posted(), key, current.restarts if current else {})
        found = current if side == "current" else await revisions.get(tx, app_id, int(side))
        if found is None:
            raise RevisionNotFound(str(side))
        return _Spec(found.spec, key, found.restarts, found.config_digests)


def _jobs_of(application: Application, spec: _Spec) -> dict[ObjectRef, Job]:
    rendered = render(application, spec.config_key, spec.restarts, spec.recorded)
    stages = make_plan(application, rendered, ()).stages
    return {job.ref: job for stage in stages if stage.replaces is None for job in stage.jobs}


def _fields(ref: ObjectRef, one: Manifest, two: Manifest, *, guess: bool) -> Fields:
    hidden = Hidden(ref.kind, one, two, guess=guess)
    return tuple(
        (path, hidden.shown(path, old), hidden.shown(path, new))
        for path, (old, new) in field_values(unmarked(one), unmarked(two))
    )


def _turned(change: ObjectChange) -> ObjectChange:
    actions: Mapping[Action, Action] = {"create": "delete", "delete": "create", "change": "change"}
    return ObjectChange(change.ref, actions[change.action], tuple((path, b, a) for path, a, b in change.fields))


def _row_fields(row: ResourceRow, now: Manifest | None, *, guess: bool) -> tuple[tuple[str, Any, Any, Any], ...]:
    """Of an object that the task made, what is otherwise now; of one that it changed, what it changed as well."""
    there = [_whole(row.before), _whole(row.applied), now]
    versions = [unmarked(one) for one in there if one is not None]
    if there[1] is None or len(versions) == 1:
        return ()
    hidden = Hidden(row.ref.kind, *there, guess=guess)

    def placed(path: str, values: Sequence[Any]) -> tuple[str, Any, Any, Any]:
        left = iter(values)
        told = [None if one is None else hidden.shown(path, next(left)) for one in there]
        return path, told[0], told[1], told[2]

    return tuple(placed(path, values) for path, values in field_values(*versions))


def _whole(version: Any) -> Manifest | None:
    """A manifest that is complete: rows of what was let go of, or is forgotten, have labels only."""
    return version if isinstance(version, dict) and "kind" in version else None
