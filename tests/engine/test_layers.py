"""Jobs of later stages that write an object again: it has one row, and is undone in one piece (design §4)."""

import pytest

from kubemin.engine.objects.ownership import token_of
from kubemin.spec.objects import Manifest
from kubemin.spec.states import ResourceState, WriteKind
from kubesim.faults import Fault
from tests.engine.held import Held, config_map, essence, owners


def rows(held: Held) -> list[tuple[ResourceState, int]]:
    return [(row.state, row.job_seq) for row in held.journal.resources.values()]


async def before(held: Held) -> Manifest:
    """An object that was there before: of the application, by another hand."""
    return held.sim.registry.create("configmaps", "default", config_map(a="0", old="x"), manager="kubectl")


def edit(held: Held, **data: str) -> None:
    held.sim.registry.patch(
        "configmaps", "default", "settings", "application/merge-patch+json", {"data": data}, manager="somebody"
    )


@pytest.mark.parametrize("taken_over", [False, True])
async def test_what_the_task_made_goes_whatever_later_jobs_did_to_it(held: Held, taken_over: bool) -> None:
    await held.ensure(config_map(a="1"), job=1)
    held = await held.successor() if taken_over else held
    written = await held.ensure(config_map(a="2"), job=2)
    assert written["data"] == {"a": "2"}
    assert rows(held) == [(ResourceState.CREATED, 1)]
    held = await held.successor() if taken_over else held
    assert await held.roll_back() == []
    assert await held.look(written) is None
    assert rows(held) == [(ResourceState.DELETED, 1)]


@pytest.mark.parametrize("taken_over", [False, True])
async def test_what_was_there_is_as_it_was_however_many_jobs_changed_it(held: Held, taken_over: bool) -> None:
    former = await before(held)
    for job in (1, 2, 3):
        written = await held.ensure(config_map(a=str(job), b="new"), job=job)
        assert written["data"] == {"a": str(job), "b": "new", "old": "x"}
        held = await held.successor() if taken_over else held
    assert await held.roll_back() == []
    now = await held.look(former)
    assert now is not None
    assert essence(now) == essence(former)
    assert owners(now) == owners(former)
    assert rows(held) == [(ResourceState.RESTORED, 1)]


async def test_what_others_did_between_two_jobs_stays(held: Held) -> None:
    """A run may hold for days between them. Only what the task itself changed goes back."""
    former = await before(held)
    await held.ensure(config_map(a="1", b="new"), job=1)
    edit(held, old="y", theirs="z")
    await held.ensure(config_map(a="2", b="new"), job=2)
    assert await held.roll_back() == []
    now = await held.look(former)
    assert now is not None
    assert now["data"] == {"a": "0", "old": "y", "theirs": "z"}
    assert token_of(now) is None


@pytest.mark.parametrize("made", [True, False])
async def test_a_lost_answer_of_a_later_job_is_told_by_its_own_token(held: Held, made: bool) -> None:
    """The token of the earlier job says nothing about the later one's request."""
    former = None if made else await before(held)
    await held.ensure(config_map(a="1"), job=1)
    held.sim.faults.add(Fault("drop", verb="apply", resource="configmaps", when="after"))
    written = await held.ensure(config_map(a="2"), job=2)
    assert written["data"]["a"] == "2"
    assert await held.roll_back() == []
    assert essence(await held.look(written)) == essence(former)


@pytest.mark.parametrize("made", [True, False])
async def test_a_later_job_that_was_recorded_and_never_sent(held: Held, made: bool) -> None:
    """Its worker died between the two: the successor writes it, or undoes what the earlier job did."""
    former = None if made else await before(held)
    written = await held.ensure(config_map(a="1"), job=1)
    tracker = held.tracker(2)
    row = tracker.resource(next(iter(held.journal.resources.values())).ref)
    await held.journal.flush()
    await held.journal.write_ahead(row, WriteKind.APPLY, written["metadata"]["resourceVersion"], job_seq=2)
    successor = await held.successor()
    again = await successor.ensure(config_map(a="2"), job=2)
    assert again["data"]["a"] == "2"
    assert await successor.roll_back() == []
    assert essence(await held.look(written)) == essence(former)


async def test_clean_of_a_later_job_undoes_the_object(held: Held) -> None:
    former = await before(held)
    await held.ensure(config_map(a="1"), job=1)
    await held.ensure(config_map(a="2"), job=2)
    await held.roll_back([row for row in held.journal.resources.values() if row.ref.name == "settings"])
    assert essence(await held.look(former)) == essence(former)
