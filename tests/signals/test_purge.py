"""`purge` throws away what ended tasks left, and nothing else."""

from collections.abc import Sequence

import pytest

from kubemin.signals import SignalError
from kubemin.signals.purge import purge
from kubemin.signals.redis import RedisSignals
from tests.servers.valkey import Valkey
from tests.signals.helpers import Inbox


async def test_keys_of_ended_tasks_go_and_others_stay(valkey: Valkey, signals: RedisSignals) -> None:
    inbox = Inbox()
    await signals.watch("live", 1, inbox)
    with valkey.client() as client:
        client.mset({f"kubemin:workflow:cancel:old{number}": "what an older version wrote" for number in range(1200)})
    valkey.run("SET", "kubemin:workflow:other", "1")
    asked: list[str] = []

    async def ended(task_ids: Sequence[str]) -> list[str]:
        asked.extend(task_ids)
        assert len(task_ids) <= 500
        return [task_id for task_id in task_ids if task_id.startswith("old")]

    purged = await purge(valkey.url, ended)
    assert sorted(purged) == sorted(f"old{number}" for number in range(1200))
    assert set(asked) == {*purged, "live"}
    assert sorted(valkey.run("KEYS", "kubemin:workflow:[co]*")) == [
        "kubemin:workflow:cancel:live",
        "kubemin:workflow:other",
    ]
    await signals.poll()
    assert inbox == []


async def test_a_task_that_is_still_watched_is_not_cancelled_by_a_purge(valkey: Valkey, signals: RedisSignals) -> None:
    """An ended task may be watched: its rollback runs."""
    inbox = Inbox()
    await signals.watch("t1", 1, inbox)

    async def ended(task_ids: Sequence[str]) -> Sequence[str]:
        return task_ids

    assert await purge(valkey.url, ended) == ["t1"]
    await signals.poll()
    assert inbox == []


async def test_nothing_to_purge(valkey: Valkey) -> None:
    async def ended(_: Sequence[str]) -> list[str]:
        raise AssertionError("nothing to ask about")

    assert await purge(valkey.url, ended) == []


async def test_a_redis_that_is_away_is_an_error() -> None:
    async def ended(_: Sequence[str]) -> list[str]:
        return []

    with pytest.raises(SignalError):
        await purge("redis://127.0.0.1:1", ended)
