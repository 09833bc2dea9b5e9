"""A task completes: its revision becomes what the cluster has, to the letter (design §3)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from kubemin.spec.application import Application
from kubemin.spec.deployed import as_it_is, changes, deployed
from kubemin.spec.objects import ObjectRef
from kubemin.store import Tx, drafts, revisions, tasks
from kubemin.store.revisions import NewRevision, RevisionRow
from kubemin.store.tasks import Task

Refs = Mapping[str, list[list[str]]]
"""By component: kind, namespace and name of each of its objects."""


@dataclass(frozen=True)
class Completion:
    """What the application has once the task is completed. ``spec`` is that of the revision, ``former`` the last one.

    ``others`` are components that the task did not bring: they are as before.
    ``restarts`` and ``config_digests`` are those of all.
    """

    task: Task
    revision: RevisionRow | None
    spec: Any
    former: Any
    others: list[str]
    objects: Refs
    restarts: Mapping[str, str]
    config_digests: Mapping[str, str]

    @property
    def refs(self) -> set[ObjectRef]:
        """The objects."""
        return self.left | self.brought

    @property
    def left(self) -> set[ObjectRef]:
        """Those of the components that the task did not bring."""
        return {ObjectRef(*ref) for name, refs in self.objects.items() if name in self.others for ref in refs}

    @property
    def brought(self) -> set[ObjectRef]:
        """Those of all others."""
        return {ObjectRef(*ref) for name, refs in self.objects.items() if name not in self.others for ref in refs}

    @property
    def untouched(self) -> list[str]:
        """The components that the application has as they were before the task."""
        return [name for name in self.others if name in self.objects]

    async def record(self, tx: Tx) -> None:
        """Store it, in the transaction that ends the task, after that has landed."""
        task, revision = self.task, self.revision
        if revision is None:
            return
        if self.others:
            differs = changes(self.spec, self.former)
            await revisions.amend(
                tx,
                task.app_id,
                revision.number,
                spec=self.spec,
                changes=differs,
                restarts=self.restarts,
                config_digests=self.config_digests,
            )
            await tasks.set_spec(tx, task.id, {**task.spec, "objects": self.objects})
        if revision.replaces_draft:
            application = Application.model_validate(self.spec)
            await drafts.save(tx, application, application.workflow or [])


async def record_stopped_removal(tx: Tx, task: Task, lost: Collection[ObjectRef]) -> None:
    """Make what a removal that did not complete has left the current revision; ``lost``: what it has taken away.

    A component of which an object is lost is not deployed any more. To be called with the application's row locked.
    """
    current = await revisions.current(tx, task.app_id)
    there = None if current is None else await tasks.get(tx, current.task_id)
    if current is None or there is None:
        return
    objects: Refs = (there.spec or {}).get("objects", {})
    gone = {name for name, refs in objects.items() if any(ObjectRef(*ref) in lost for ref in refs)}
    if not gone:
        return
    left = [part["name"] for part in current.spec["component"] if part["name"] not in gone]
    if not left:
        await revisions.supersede(tx, task.app_id)
        return
    spec = as_it_is(deployed(current.spec, gone, None), left, current.spec)
    new = NewRevision(
        app_id=task.app_id,
        spec=spec,
        task_id=task.id,
        strategy=current.strategy,
        note="what a removal that was stopped has left",
        caller=task.caller,
        changes=changes(spec, current.spec),
        restarts={name: at for name, at in current.restarts.items() if name not in gone},
        config_digests={name: digest for name, digest in current.config_digests.items() if name not in gone},
    )
    await revisions.insert_current(tx, new)
    await tasks.set_spec(tx, task.id, {"objects": {name: refs for name, refs in objects.items() if name not in gone}})


async def completion(tx: Tx, task: Task, left_out: Collection[str] = ()) -> Completion:
    """Read it before the task ends, with the application's row locked.

    Components that the run does not deploy, and those of ``left_out``, which it could not bring, are as in the revision
    that is current now, which may be another one than when the run was asked for.
    """
    run = task.spec or {}
    objects: Refs = {name: refs for name, refs in run.get("objects", {}).items() if name not in left_out}
    row = None if task.revision is None else await revisions.get(tx, task.app_id, task.revision)
    others = [*run.get("others", ()), *left_out]
    if row is None or not others:
        return Completion(task, row, row and row.spec, None, [], objects, {}, {})
    current = await revisions.current(tx, task.app_id)
    there = None if current is None else await tasks.get(tx, current.task_id)
    former = current.spec if current else None
    kept = there.spec["objects"] if there else {}
    objects = {**objects, **{name: kept[name] for name in others if name in kept}}

    def of_all(mine: Mapping[str, str], before: Mapping[str, str]) -> dict[str, str]:
        brought = {name: text for name, text in mine.items() if name not in others}
        return {**brought, **{name: before[name] for name in others if name in before}}

    restarts = of_all(row.restarts, current.restarts if current else {})
    digests = of_all(row.config_digests, current.config_digests if current else {})
    return Completion(task, row, as_it_is(row.spec, others, former), former, others, objects, restarts, digests)
