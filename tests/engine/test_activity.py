"""The limit on how long nothing of a task may move."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from kubemin.engine.deploy.activity import Activity
from kubemin.engine.deploy.ready import Count


@given(st.lists(st.tuples(st.integers(1, 3), st.booleans())))
def test_time_counts_only_while_no_job_is_suspended(changes: list[tuple[int, bool]]) -> None:
    async def check() -> None:
        activity = Activity(60)
        held: set[int] = set()
        async with activity.limit:
            for job, suspended in changes:
                activity.suspend(job, suspended=suspended)
                held = held | {job} if suspended else held - {job}
                activity.moved()
                assert (activity.limit.when() is None) is bool(held)

    asyncio.run(check())


async def test_each_move_gives_the_whole_time_again_and_without_a_limit_there_is_none() -> None:
    activity, endless = Activity(60), Activity(None)
    async with activity.limit, endless.limit:
        first = activity.limit.when()
        assert first is not None
        activity.moved()
        assert (activity.limit.when() or 0) >= first
        endless.moved()
        assert endless.limit.when() is None


async def test_what_ends_late_may_still_report() -> None:
    activity = Activity(0.001)
    try:
        async with activity.limit:
            try:
                await asyncio.Event().wait()
            finally:
                activity.moved()
                activity.suspend(1, suspended=True)
    except TimeoutError:
        pass
    assert activity.limit.expired()


WAITS = st.tuples(st.sampled_from("ab"), st.none() | st.tuples(st.integers(0, 2), st.just(2)))


@given(WAITS, WAITS, st.booleans())
def test_what_a_job_waits_for_moves_with_its_count_and_unless_a_container_restarts_with_its_words(
    before: tuple[str, Count | None], after: tuple[str, Count | None], restarts: bool
) -> None:
    class Counted(Activity):
        moves = 0

        def moved(self) -> None:
            self.moves += 1

    async def check() -> None:
        activity = Counted(60)
        activity.waits(1, *before, restarts=False)
        activity.waits(2, *after, restarts=False)  # another job's words are its own
        activity.moves = 0
        activity.waits(1, *after, restarts=restarts)
        assert activity.moves == (before[1] != after[1] if restarts else before != after)

    asyncio.run(check())
