"""What an application has, by its current revision; and what a completed task has put back of its own accord."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubemin.render import render
from kubemin.spec.application import parse_application
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.states import JobStatus
from kubemin.store import Database, applications, revisions
from kubemin.store.tasks import Task
from tests.proof.manifests import LIMITS

if TYPE_CHECKING:
    from tests.proof.world import World


async def undone_by(world: World, task: Task) -> set[str]:
    """Of a completed task: the components that it put back, as their step failed and was to continue."""
    rows = await world.records.jobs(task.id)
    return {row.component for row in rows if row.status not in (JobStatus.COMPLETED, JobStatus.SKIPPED)} - {""}


async def has(db: Database, app_id: str) -> dict[ObjectRef, Manifest]:
    """The objects that the current revision says that the application has; hooks that go have gone with its run."""
    async with db.read() as tx:
        row, application = await revisions.current(tx, app_id), await applications.with_key(tx, app_id)
    if row is None or application is None:
        return {}
    rendered = render(
        parse_application(row.spec, LIMITS), application.config_key or "", row.restarts, row.config_digests
    )
    return {ObjectRef.of(one.manifest): one.manifest for one in rendered if not (one.hook and one.hook.goes)}
