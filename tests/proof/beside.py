"""What strategies bring beside a component's own objects: it is there only meanwhile."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import TYPE_CHECKING

from kubemin.plan import Plan
from kubemin.spec.labels import TRACK
from kubemin.spec.names import beside_name
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.states import JobStatus

if TYPE_CHECKING:
    from tests.proof.world import World


def is_beside(manifest: Manifest) -> bool:
    """Whether the object is none of those that the application has."""
    return TRACK in manifest["metadata"].get("labels", {})


def left_out(plan: Plan, skipped: Collection[int]) -> set[ObjectRef]:
    """The objects that a run did not bring at all: ``skipped`` are its jobs that had nothing to do."""
    brought = {job.ref for job in plan.jobs if job.seq not in skipped}
    return {job.ref for job in plan.jobs} - brought


def of_track(manifest: Manifest, track: str) -> Manifest:
    """One like it beside it; its Pods are its own."""
    meta = manifest["metadata"]
    named = {**manifest, "metadata": {**meta, "name": beside_name(manifest["kind"], meta["name"], track)}}
    if manifest["kind"] != "Deployment":
        return named
    spec, labels = manifest["spec"], {"app": named["metadata"]["name"]}
    template = {**spec["template"], "metadata": {"labels": labels}}
    return {**named, "spec": {**spec, "selector": {"matchLabels": labels}, "template": template}}


async def counts(world: World) -> Counter[str]:
    """How the round's runs ended that had brought something beside, by what it was."""
    found: Counter[str] = Counter()
    for task_id in world.tasks[world.already_requested :]:
        task = await world.task(task_id)
        rows = await world.records.jobs(task_id)
        begun = {row.seq for row in rows if row.started_at is not None and row.status is not JobStatus.SKIPPED}
        brought = [job.manifest for job in world.plan_of(task_id).jobs if job.seq in begun and is_beside(job.manifest)]
        for track in {manifest["metadata"]["labels"][TRACK] for manifest in brought}:
            found[f"way {track} {task.status}"] += 1
    return found
