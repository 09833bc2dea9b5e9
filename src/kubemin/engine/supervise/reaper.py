"""The reaper of a cluster watches for what a dead process's late request made (design §6).

No time bounds a late request, so every object with a write token is judged. If its task did not complete, or if it is
not the object that the task's journal knows, the task's cleanup is opened again, and the worker that claims the task
undoes it.
"""

import asyncio
from collections.abc import Collection

import structlog

from kubemin.cluster.errors import ClusterError
from kubemin.cluster.informers import Informers
from kubemin.dispatch import Doorbell
from kubemin.engine.objects.live import get_or_none
from kubemin.engine.objects.ownership import controlled, task_of, token_of
from kubemin.engine.options import ExecOptions
from kubemin.engine.supervise.run import RunDeps
from kubemin.repeated import Repeated
from kubemin.spec.kinds import OWN
from kubemin.spec.objects import ObjectRef
from kubemin.spec.states import Cleanup, ResourceState, TaskStatus, WriteKind
from kubemin.store import journal, kinds, tasks
from kubemin.store.errors import StoreError

log = structlog.get_logger(__name__)

_SWEEP = 5.0
_GATHER = 0.5  # seconds: a deploy's objects come one by one, and are judged together


class Reaper:
    """Runs beside a worker. Any number of them may run: reopening is one conditional update."""

    def __init__(self, deps: RunDeps, doorbell: Doorbell, watched: Collection[str] = OWN) -> None:
        """``watched``: kinds that are watched in any case; any other is once a task has written an object of it."""
        self._db = deps.db
        self._cluster = deps.cluster
        self._informers: Informers = deps.informers
        self._doorbell = doorbell
        self._kinds = sorted(watched)
        self._seen: dict[ObjectRef, tuple[str, str]] = {}
        """Write token and uid of objects whose task may not be settled yet."""
        self._news = asyncio.Event()

    async def run(self) -> None:
        """Watch until cancelled."""
        async with asyncio.TaskGroup() as group:
            for kind in self._kinds:
                group.create_task(self._watch(kind))
            group.create_task(self._watch_others(group))
            group.create_task(self._judge_all())

    async def _watch_others(self, group: asyncio.TaskGroup) -> None:
        watched = set(self._kinds)
        reads = Repeated(log, "the reaper cannot read which kinds were written; it tries again")
        while True:
            try:
                async with self._db.read() as tx:
                    new = await kinds.written(tx, self._cluster.name) - watched
            except StoreError as error:
                reads.failed(error)
                new = frozenset()
            else:
                reads.succeeded()
            for kind in sorted(new):
                group.create_task(self._watch(kind))
            watched |= new
            await asyncio.sleep(_SWEEP)

    async def _watch(self, kind: str) -> None:
        async for change, obj in self._informers.follow(kind):
            ref = ObjectRef.of(obj)
            token = None if change == "DELETED" or controlled(obj) else token_of(obj)
            seen_as = None if token is None else (token, obj["metadata"]["uid"])
            if seen_as is None:
                self._seen.pop(ref, None)
            elif self._seen.get(ref) != seen_as:
                self._seen[ref] = seen_as
                self._news.set()

    async def _judge_all(self) -> None:
        """Judge what was seen; what belongs to a task still under way is kept, and judged again once it ended."""
        judgements = Repeated(log, "the reaper cannot judge; it tries again")
        while True:
            try:
                async with asyncio.timeout(_SWEEP):
                    await self._news.wait()
                    await asyncio.sleep(_GATHER)
            except TimeoutError:
                pass
            self._news.clear()
            try:
                await self._judge(dict(self._seen))
            except (StoreError, ClusterError) as error:
                judgements.failed(error)
            else:
                judgements.succeeded()

    async def _judge(self, seen: dict[ObjectRef, tuple[str, str]]) -> None:
        if not seen:
            return
        async with self._db.read() as tx:
            going = await tasks.under_way(tx, {task_of(token) for token, _ in seen.values()})
            judged = {ref: seen_as for ref, seen_as in seen.items() if task_of(seen_as[0]) not in going}
            owners = await journal.owners_of(tx, {token for token, _ in judged.values()})
        for ref, seen_as in judged.items():
            token, uid = seen_as
            owner = owners.get(token)
            if owner is None or owner.cluster != self._cluster.name:
                self._forget(ref, seen_as)  # nobody's, or a copy of another cluster's: see `kubemin orphans`
            elif owner.cleanup is Cleanup.ABANDONED:
                self._forget(ref, seen_as)  # a person has given it up: see `kubemin orphans`
            elif owner.status.ended and owner.cleanup in (Cleanup.NONE, Cleanup.DONE):
                if owner.left_behind(uid) or _came_back(owner):
                    await self._reopen(ref, token, owner.task_id)
                self._forget(ref, seen_as)

    async def _reopen(self, ref: ObjectRef, token: str, task_id: str) -> None:
        live = await get_or_none(self._cluster, ref)
        if live is None or token_of(live) != token:
            return
        async with self._db.begin("reopen") as tx:
            reopened = await tasks.reopen_cleanup(tx, task_id)
        if reopened:
            log.warning(
                "a late request landed; its task's cleanup is opened again",
                task=task_id,
                object=str(ref),
                cluster=self._cluster.name,
            )
            await self._doorbell.ring()

    def _forget(self, ref: ObjectRef, seen_as: tuple[str, str]) -> None:
        if self._seen.get(ref) == seen_as:
            del self._seen[ref]


def _came_back(owner: journal.TokenOwner) -> bool:
    """Whether a change of a task that was rolled back is there again.

    Put back, for one, by the next task, which had found it there while the former's cleanup was incomplete.
    """
    if owner.kind not in (WriteKind.APPLY, WriteKind.REPLACE) or owner.status is TaskStatus.COMPLETED:
        return False
    if owner.cleanup is not Cleanup.DONE:
        return False
    on_purpose = owner.state is ResourceState.KEPT and not ExecOptions.read(owner.options).restore
    return owner.state is not ResourceState.CHANGED and not on_purpose
