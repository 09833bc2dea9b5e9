"""Whatever is done to the keys, in any order: nobody is cancelled without a cancel, and no cancel is lost."""

import asyncio
from dataclasses import dataclass, field

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kubemin.signals import Cancelled, TakenOver
from kubemin.signals.redis import RedisSignals
from tests.servers.valkey import Valkey
from tests.signals.helpers import Clock, Inbox

KEY = "kubemin:workflow:cancel:t"
SENTINEL = "kubemin:workflow:sentinel:{kubemin:workflow:cancel:t}"
TTL = 30.0

Step = tuple[str, int]
PEACE = ("claim", "look", "look", "leave", "pause", "flush", "expire")
WAR = (*PEACE, "cancel", "delete", "overwrite")


def scripts(of: tuple[str, ...], workers: int) -> st.SearchStrategy[list[Step]]:
    return st.lists(st.tuples(st.sampled_from(of), st.integers(0, workers - 1)), min_size=3, max_size=14)


@dataclass
class Worker:
    """One connection and its watch, if it has one."""

    signals: RedisSignals
    clock: Clock
    epoch: int = 0
    inbox: Inbox | None = None
    seen: list[Inbox] = field(default_factory=list)

    @property
    def watching(self) -> bool:
        return self.inbox is not None and not self.inbox


async def run(url: str, valkey: Valkey, script: list[Step]) -> None:
    valkey.run("FLUSHALL")
    clocks = [Clock() for _ in range(3)]
    workers = [Worker(RedisSignals(url, ttl=TTL, clock=clock), clock) for clock in clocks]
    epochs = 0
    someone_cancelled = False
    for what, number in script:
        worker = workers[number]
        if what == "claim":
            epochs += 1
            worker.epoch, worker.inbox = epochs, Inbox()
            worker.seen.append(worker.inbox)
            await worker.signals.watch("t", worker.epoch, worker.inbox)
        elif what == "look":
            await worker.signals.poll()
        elif what == "leave":
            await worker.signals.unwatch("t")
            worker.inbox = None
        elif what == "pause":
            worker.clock.now += TTL
        elif what == "cancel":
            await worker.signals.cancel("t", "stop")
            someone_cancelled = True
        elif what == "delete":
            valkey.run("DEL", KEY)
            someone_cancelled = True
        elif what == "overwrite":
            valkey.run("SET", KEY, "stop")
            someone_cancelled = True
        elif what == "flush":
            valkey.run("FLUSHALL")
        elif not valkey.run("GET", KEY):
            continue
        elif ":" in valkey.run("GET", KEY):  # a token expires, and its sentinel before it
            valkey.run("DEL", SENTINEL, KEY)
            for other in workers:
                other.clock.now += TTL
    told = [signal for worker in workers for inbox in worker.seen for signal in inbox]
    assert all(len(inbox) <= 1 for worker in workers for inbox in worker.seen)
    if not someone_cancelled:
        assert not any(isinstance(signal, Cancelled) for signal in told)

    # However it was: two looks of everyone leave one watcher, with the highest epoch, and a cancel ends that one.
    for worker in workers * 2:
        await worker.signals.poll()
    watching = [worker for worker in workers if worker.watching]
    assert len(watching) <= 1 or any(isinstance(signal, Cancelled) for signal in told)
    await workers[0].signals.cancel("t", "stop")
    for worker in workers:
        await worker.signals.poll()
    assert not any(worker.watching for worker in workers)
    for worker in watching:
        assert worker.inbox == [Cancelled("stop")]
    if not someone_cancelled and epochs:
        assert all(inbox[0] in (TakenOver(), Cancelled("stop")) for worker in workers for inbox in worker.seen if inbox)
    for worker in workers:
        await worker.signals.aclose()


@settings(max_examples=2 * settings().max_examples, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(scripts(PEACE, 2) | scripts(WAR, 3))
def test_no_cancel_out_of_nothing_and_none_lost(valkey: Valkey, script: list[Step]) -> None:
    asyncio.run(run(valkey.url, valkey, script))
