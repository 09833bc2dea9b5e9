"""A journal row that tells nothing more may be left out: what an application has is the same, now and later."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubemin.spec.ids import new_id
from kubemin.spec.objects import ObjectRef
from kubemin.spec.states import Cleanup, Purpose, ResourceState, TaskStatus, WriteKind
from kubemin.store import Database, holdings, journal, tasks
from kubemin.store.fold import Holding, fold, handed_to, may_be_passed, told
from kubemin.store.transaction import dump
from tests.store.rows import add_application, id_of, new_task

APP = id_of("shop")


@dataclass
class Row:
    """A journal row, as `holdings` reads it."""

    task_seq: int
    status: str
    cleanup: str
    task_id: str
    seq: int
    kind: str
    namespace: str
    name: str
    purpose: str
    state: str
    uid: str | None
    dependents: str | None
    adopted: bool | None
    was_there: bool = False
    priority: int | None = None
    api_version: str = "v1"
    job_seq: int = 1


@st.composite
def rows_of_task(draw: st.DrawFn, number: int) -> list[Row]:
    """A task's rows, at most one of an object; or that of another application's task, which passes an object on."""
    passes = draw(st.integers(0, 9)) == 0
    status = draw(st.sampled_from(TaskStatus))
    cleanup = draw(st.sampled_from(Cleanup))
    rows: list[Row] = []
    for name in draw(st.sets(st.sampled_from(["web", "job"]), min_size=1)):
        purpose = Purpose.HAND_OVER if passes else draw(st.sampled_from(Purpose))
        receiver = APP if passes else id_of("other")
        rows.append(
            Row(
                task_seq=number,
                status=status,
                cleanup=cleanup,
                task_id=f"{'theirs' if passes else 'ours'}-{number}",
                seq=len(rows),
                kind="PersistentVolumeClaim" if name == "job" else "Deployment",
                namespace="default",
                name=name,
                purpose=purpose,
                state=draw(st.sampled_from(ResourceState)),
                uid=draw(st.sampled_from([f"{name}-1", f"{name}-2", None])),
                dependents=dump(handed_to(receiver)) if purpose is Purpose.HAND_OVER else None,
                adopted=draw(st.sampled_from([None, True, False])),
                was_there=draw(st.booleans()),
                priority=draw(st.sampled_from([None, 5])),
            )
        )
    return rows


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Row], list[Row], list[Row]]:
    """What the journals say; the same rows when those that were not final have gone on; and what came after."""
    count = draw(st.integers(1, 7))
    tasks_of = [draw(rows_of_task(number)) for number in range(1, count + 4)]
    now = [row for rows in tasks_of[:count] for row in rows]
    ends: dict[str, dict[str, Any]] = {}
    later: list[Row] = []
    for row in now:
        settled = TaskStatus(row.status).ended and row.cleanup in ("none", "done", "abandoned")
        if not settled:
            ends.setdefault(row.task_id, {"status": draw(st.sampled_from(TaskStatus)), "cleanup": "none"})
            row = replace(row, **ends[row.task_id], state=draw(st.sampled_from(ResourceState)))
        later.append(row)
    in_use = {row.uid for row in later if row.purpose == Purpose.USE and row.state != ResourceState.RELEASED}
    in_use |= {one.uid for one in fold(ours(later), APP).holdings}
    after = [row for rows in tasks_of[count:] for row in rows]
    return now, later, [row for row in after if row.task_id.startswith("ours") or row.uid in in_use]


def ours(rows: Sequence[Row]) -> list[Row]:
    """Those of the application's own tasks."""
    return [row for row in rows if row.task_id.startswith("ours")]


def passed(rows: Sequence[Row]) -> list[Row]:
    """Those of others, of what the application uses."""
    used = {row.uid for row in ours(rows) if may_be_passed(row) and row.uid and TaskStatus(row.status).ended}
    states = (ResourceState.INTENT, ResourceState.RELEASED)
    return [row for row in rows if row.task_id.startswith("theirs") and row.uid in used and row.state in states]


def has(rows: Sequence[Row], left_out: Sequence[Row] = ()) -> dict[ObjectRef, Holding]:
    """What the application has."""
    gone = {(row.task_id, row.seq) for row in left_out}
    left = [row for row in rows if (row.task_id, row.seq) not in gone]
    return {one.ref: one for one in fold([*ours(left), *passed(left)], APP).holdings}


@given(histories())
def test_what_is_told_changes_nothing(history: tuple[list[Row], list[Row], list[Row]]) -> None:
    now, later, after = history
    known = told(ours(now), passed(now), APP)
    assert has(now, known) == has(now)
    assert has([*later, *after], known) == has([*later, *after])
    for uid in {row.uid for row in ours(now) if row.purpose == Purpose.USE}:
        uses = [row for row in ours(now) if row.purpose == Purpose.USE and row.uid == uid]
        completed = [row for row in uses if row.status == TaskStatus.COMPLETED and row.state != ResourceState.RELEASED]
        assert [row for row in completed if row not in known][-1:] == completed[-1:], "who uses it has said so last"


@pytest.mark.parametrize("replaced", [False, True])
async def test_an_application_is_told_by_few_rows_however_often_it_was_deployed(
    sqlite: Database, replaced: bool
) -> None:
    """Also one whose object is another one each time."""
    await add_application(sqlite)
    ref = ObjectRef("Deployment", "default", "web")
    for number in range(60):
        async with sqlite.begin("deploy") as tx:
            await tasks.insert(tx, new_task(new_id(), id=new_id()))
            [task] = await tasks.claim(tx, "w", 60, 3, 1)
            first = number == 0 or replaced
            await journal.add(
                tx,
                task.id,
                [
                    journal.NewResource(
                        seq=1,
                        job_seq=1,
                        ref=ref,
                        uid=f"uid-{number if replaced else 0}",
                        state=ResourceState.CREATED if first else ResourceState.CHANGED,
                        before=None if first else {},
                        adopted=None if first else False,
                    )
                ],
            )
            await journal.add_writes(tx, task.id, [journal.NewWrite(f"token-{number}", 1, WriteKind.APPLY)])
            found = await holdings.holdings(tx, APP, task.id)
            await tasks.finish(tx, task.id, task.lease_epoch, TaskStatus.COMPLETED, "", Cleanup.NONE)
        assert [(one.ref, one.uid) for one in found] == [(ref, f"uid-{number if replaced else 0}")]
    async with sqlite.begin("late") as tx:
        assert len(await tx.rows(holdings._OWN, {"of_app": APP})) < 40
        assert await tasks.reopen_cleanup(tx, task.id)
    async with sqlite.read() as tx:
        rows = await tx.rows(holdings._OWN, {"of_app": APP})
    assert replaced or len(rows) == 60, "whose cleanup begins anew may change them: they are all asked again"
