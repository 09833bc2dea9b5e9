"""The benches of load, at the smallest size: that they run, and find nothing wrong."""

from pathlib import Path

import pytest

from bench.load import crowd, endurance, filling, history, sample

pytestmark = pytest.mark.proof


@pytest.fixture(autouse=True)
def _kept_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Databases of other runs are not taken."""
    for module in (sample, filling):
        monkeypatch.setattr(module, "folder", lambda: tmp_path)


async def test_nothing_is_lost_while_processes_are_killed() -> None:
    assert await endurance.measure(minutes=3, minute=4, rate=3) == []


async def test_what_a_history_costs() -> None:
    found, names = await history.measure([10, 20], postgresql=False, rounds=1, warm_up=1, times=1)
    assert [place.size for place in found] == [10, 20]
    assert all(place.cpu and place.wall and place.reads.keys() == set(names) for place in found)


async def test_a_crowd_is_answered() -> None:
    found, memory = await crowd.measure(tasks=10, running=6, streams=6, rates=[5], seconds=3)
    [step] = found
    assert (step.failed, step.lost, step.told["open"]) == (0, 0, 6)
    assert memory.keys() == {"server-1", "server-2", "worker-1", "worker-2"}
