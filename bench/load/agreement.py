"""Whether database and cluster agree, once all tasks have ended: what is wrong, in sentences."""

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import func, select

from bench.load.shop import ENDS, Shop, has_more
from kubemin.cluster import Cluster
from kubemin.engine.entry.orphans import Orphans
from kubemin.engine.objects.ownership import application_of, controlled, token_of
from kubemin.spec.kinds import KINDS
from kubemin.spec.labels import FENCE, MANAGED_BY, MANAGER
from kubemin.spec.limits import Limits
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.states import Cleanup, JobStatus, ResourceState, TaskStatus
from kubemin.store import Database, tables
from tests.proof.compare import lacking
from tests.proof.owned import has
from tests.proof.revisions import as_stored

_SETTLED = (Cleanup.NONE, Cleanup.DONE)
_BRIEF = ("seq", "id", "app_id", "type", "status", "cleanup", "reason", "attempt", "lease_owner", "active_app")
Row = Any


async def all_tasks(db: Database) -> list[Row]:
    """Every task, the oldest first."""
    async with db.read() as tx:
        return list(await tx.rows(select(*(tables.tasks.c[name] for name in _BRIEF)).order_by(tables.tasks.c.seq)))


def unsettled(rows: Sequence[Row]) -> list[Row]:
    """Tasks of which something is still to come."""
    return [row for row in rows if not TaskStatus(row.status).ended or row.cleanup not in _SETTLED]


def given_up(row: Row) -> bool:
    """Whether it failed as its workers died or lost it too often (`KUBEMIN_MAX_ATTEMPTS`): it is rolled back then."""
    return bool(row.status == TaskStatus.FAILED and row.reason.startswith("given up after "))


async def snapshot(cluster: Cluster) -> dict[ObjectRef, Manifest]:
    """All that people or KubeMin made."""
    kinds = [kind for kind in KINDS if kind not in ("Event", "PersistentVolume")]
    listings = await asyncio.gather(*(cluster.list(kind) for kind in kinds))
    return {ObjectRef.of(obj): obj for listing in listings for obj in listing.items}


async def disagreements(
    db: Database, cluster: Cluster, shops: Sequence[Shop], strangers: Mapping[ObjectRef, Manifest]
) -> list[str]:
    """Compare all there is. ``strangers``: what was there before, as it was."""
    rows = await all_tasks(db)
    live = await snapshot(cluster)
    found = _of_tasks(rows, shops)
    found += await _of_rows(db)
    for shop in shops:
        found += await _of_shop(db, shop, rows, live)
    completed = {row.id for row in rows if row.status == TaskStatus.COMPLETED}
    found += _of_marks(live, completed)
    found += [f"{one.ref} is an orphan: {one.why}" for one in await Orphans(db, cluster, Limits()).find()]
    found += [
        f"{ref} is a stranger's, and is not as it was: {lacking(was, live.get(ref))}"
        for ref, was in strangers.items()
        if ref not in live or live[ref]["metadata"]["resourceVersion"] != was["metadata"]["resourceVersion"]
    ]
    return found


def _of_tasks(rows: Sequence[Row], shops: Sequence[Shop]) -> list[str]:
    """Each task that was accepted is there, and has ended as it was to; none is there twice."""
    found = [
        f"task {row.id} is {row.status}, its cleanup {row.cleanup}, held by {row.lease_owner}: {row.reason}"
        for row in rows
        if unsettled([row]) or row.lease_owner is not None or row.active_app is not None
    ]
    by_id = {row.id: row for row in rows}
    asked = {turn.task_id: turn for shop in shops for turn in shop.turns if turn.task_id}
    found += [f"task {task_id} was accepted, and is not there" for task_id in asked.keys() - by_id.keys()]
    found += [
        f"task {task_id} ({turn.fate}) is {by_id[task_id].status}: {by_id[task_id].reason}"
        for task_id, turn in asked.items()
        if task_id in by_id and by_id[task_id].status != ENDS[turn.fate] and not given_up(by_id[task_id])
    ]
    unasked = [row for row in rows if row.id not in asked and row.type != "delete"]
    return found + [f"task {row.id} is there, and nobody was told of it" for row in unasked]


async def _of_rows(db: Database) -> list[str]:
    """No job, no row of a journal, no hold on a shared object is left open."""
    jobs, resources, tasks = tables.jobs.c, tables.resources.c, tables.tasks.c
    ended = [status for status in JobStatus if status.ended]
    undone = [state for state in ResourceState if state.settled or state is ResourceState.OBSERVED]
    questions = {
        "jobs are open": select(func.count()).where(jobs.status.not_in(ended)),
        "shared objects are held": select(func.count()).select_from(tables.shares),
        "journal rows of tasks that did not complete are open": select(func.count())
        .select_from(tables.resources.join(tables.tasks, resources.task_id == tasks.id))
        .where(tasks.status != TaskStatus.COMPLETED, resources.state.not_in(undone)),
        "journal rows are intents": select(func.count()).where(resources.state == ResourceState.INTENT),
    }
    async with db.read() as tx:
        counts = {what: await tx.scalar(question) for what, question in questions.items()}
    return [f"{count} {what}" for what, count in counts.items() if count]


async def _of_shop(db: Database, shop: Shop, rows: Sequence[Row], live: Mapping[ObjectRef, Manifest]) -> list[str]:
    """The cluster has what the current revision says, and nothing more; and that is what the last turn asked for."""
    wanted = await has(db, shop.app_id) if shop.app_id else {}
    mine = {ref: obj for ref, obj in live.items() if application_of(obj) == shop.app_id and not controlled(obj)}
    found = [f"{ref} is of the current revision of {shop.name}, and is not there" for ref in wanted.keys() - mine]
    found += [f"{ref} is there, and no current revision of {shop.name} has it" for ref in mine.keys() - wanted.keys()]
    for ref in wanted.keys() & mine.keys():
        lacks = lacking(as_stored(wanted[ref]), live[ref])
        found += [f"{ref} is not as the current revision says: {one}" for one in lacks]
    turns = {turn.task_id: turn for turn in shop.turns}
    done = [row for row in rows if row.app_id == shop.app_id and row.status == TaskStatus.COMPLETED]
    last = turns.get(done[-1].id) if done and done[-1].type != "delete" else None
    return found + _of_turn(shop, None if last is None else last.number, mine)


def _of_turn(shop: Shop, turn: int | None, mine: Mapping[ObjectRef, Manifest]) -> list[str]:
    """What the application has, told by what was asked for and not by the database."""
    kinds = Counter(ref.kind for ref in mine)
    expected = {"ConfigMap": 1 + has_more(turn), "Deployment": 1, "Service": 1} if turn is not None else {}
    if kinds != expected:
        return [f"{shop.name} has {dict(kinds)} after turn {turn}, and should have {expected}"]
    said = {obj["data"]["turn"] for obj in mine.values() if obj["kind"] == "ConfigMap"} | {
        obj["spec"]["template"]["spec"]["containers"][0]["image"].removeprefix("web:").partition("-")[0]
        for obj in mine.values()
        if obj["kind"] == "Deployment"
    }
    return [] if said <= {str(turn)} else [f"{shop.name} has objects of turns {sorted(said)}, and not only of {turn}"]


def _of_marks(live: Mapping[ObjectRef, Manifest], completed: Collection[str]) -> list[str]:
    """What is ours carries the token of a task that completed, and no fence."""
    found = []
    for ref, obj in live.items():
        token = token_of(obj)
        if token and token.partition(".")[0] not in completed:
            found.append(f"{ref} carries the token {token} of a task that did not complete")
        if FENCE in (obj["metadata"].get("annotations") or {}):
            found.append(f"{ref} carries a fence")
        ours = (obj["metadata"].get("labels") or {}).get(MANAGED_BY) == MANAGER
        if ours and application_of(obj) is None:
            found.append(f"{ref} is ours, and says of no application")
    return found
