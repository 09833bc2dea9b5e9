"""Deploys, cancels, failures and removals while a process is killed each minute: `python -m bench.load.endurance`.

Two servers and three workers, PostgreSQL, Valkey and the cluster, each a process of its own; the callers have tokens,
and ask as the client does. One server and one worker are never killed: their memory is watched. The others, Valkey and
PostgreSQL are killed in turn (SIGKILL), and started again. At the end nothing may be lost: each task that was accepted
has ended as it was to, cluster and database agree, and the stream of all events and a webhook were told of each end.
"""

import argparse
import asyncio
import itertools
import random
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, aclosing, suppress
from dataclasses import dataclass, field

from sqlalchemy import func, select

from bench.fleet import Fleet, fleet
from bench.load.agreement import all_tasks, disagreements, given_up, snapshot, unsettled
from bench.load.callers import caller
from bench.load.listening import Follower, Target, target
from bench.load.processes import FLAT, Watch, growth
from bench.load.shop import ENDS, NAMESPACES, SPEED, Shop, Turn
from bench.managed import PATIENCE, until
from bench.report import median, show
from kubemin.client import flows
from kubemin.client.aio import AsyncClient
from kubemin.client.calls import applications, runs, tasks
from kubemin.client.errors import NotFound, SignalFailed
from kubemin.client.patience import Patience
from kubemin.cluster import Cluster
from kubemin.identity.grants import Role
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.store import tables
from tests.servers.process import free_port

SHOPS = 40
OWNERS = 4
"""Callers: each has its own limit of requests."""
LOOK = 10
"""Seconds between two looks at the processes; in a short minute more often."""
_HOLD = 8.0
"""Seconds, at most, until a task that is to be cancelled is cancelled."""


@dataclass
class Endurance:
    """One run. ``minute``: seconds from a kill to the next."""

    made: Fleet
    minutes: int
    minute: float
    rate: float
    """Tasks a second, if the servers take as many."""
    told: Target
    chance: random.Random = field(default_factory=lambda: random.Random(14))
    shops: list[Shop] = field(default_factory=list)
    pids: dict[str, int] = field(default_factory=dict)
    kills: Counter[str] = field(default_factory=Counter)
    sizes: list[tuple[int, int]] = field(default_factory=list)
    """Of each minute: tasks, and bytes of the database."""
    over: bool = False

    async def run(self) -> list[str]:
        """All of it; what is wrong afterwards."""
        async with AsyncExitStack() as stack:
            ports = [free_port() for _ in range(2)]
            urls = [await self._serve(f"server-{number}", port) for number, port in enumerate(ports, 1)]
            for number in (1, 2, 3):
                await self._work(f"worker-{number}")
            cluster = await Cluster.connect(kubeconfig=None, context=None, url=self.made.cluster.url, timeout=30)
            await stack.enter_async_context(aclosing(cluster))
            strangers = await _strangers(cluster)
            follower = Follower(urls, await caller(self.made.db, "follower", Role.VIEWER))
            watch = Watch(lambda: self.pids)
            async with asyncio.TaskGroup() as group:
                beside = [
                    group.create_task(follower.follow()),
                    group.create_task(watch.look(min(LOOK, self.minute / 6), self.minute)),
                ]
                asking = [group.create_task(self._live(urls, number)) for number in range(SHOPS)]
                await self._kill_each_minute(ports)
                self.over = True
                await asyncio.gather(*asking)
                await self._settled()
                rows = await all_tasks(self.made.db)
                ends = {row.id for row in rows}
                await _patiently(lambda: ends <= follower.ends.keys())
                await _patiently(lambda: ends <= self.told.told.keys())
                for one in beside:
                    one.cancel()
            self._show(watch, sum(map(given_up, rows)))
            wrong = await disagreements(self.made.db, cluster, self.shops, strangers)
            wrong += self._of_listeners(ends, follower)
            return wrong + self._of_log() + await self._of_audit() + _of_memory(watch)

    # -- processes

    async def _serve(self, name: str, port: int) -> str:
        url = await self.made.api(port)
        self.pids[name] = self.made.processes[-1].process.pid
        return url

    async def _work(self, name: str) -> None:
        self.pids[name] = (await self.made.worker(most=200)).process.pid

    async def _kill_each_minute(self, ports: list[int]) -> None:
        victims: dict[str, Callable[[], Awaitable[object]]] = {
            "worker-2": lambda: self._work("worker-2"),
            "server-2": lambda: self._serve("server-2", ports[1]),
            "worker-3": lambda: self._work("worker-3"),
            "Valkey": lambda: asyncio.to_thread(self.made.valkey.start),
            "PostgreSQL": lambda: asyncio.to_thread(self.made.postgres.start),
        }
        began = time.monotonic()
        turns = itertools.cycle(victims)
        for number in range(1, self.minutes + 1):
            pause = began + number * self.minute - time.monotonic()
            await asyncio.sleep(max(0.0, pause))
            await self._grown()
            if number == self.minutes:
                return
            name = next(turns)
            self.kills[name] += 1
            await self._kill(name)
            await asyncio.sleep(self.chance.uniform(0, min(5, self.minute / 4)))
            await victims[name]()
            print(f"minute {number}: {name} was killed; {self.sizes[-1][0]} tasks", file=sys.stderr, flush=True)

    async def _kill(self, name: str) -> None:
        match name:
            case "Valkey":
                await asyncio.to_thread(self.made.valkey.stop)
            case "PostgreSQL":
                await asyncio.to_thread(self.made.postgres.stop)
            case _:
                pid = self.pids[name]
                [process] = [one for one in self.made.processes if one.process.pid == pid]
                await process.kill()

    async def _grown(self) -> None:
        size = int(await asyncio.to_thread(self.made.postgres.sql, "SELECT pg_database_size('postgres')"))
        async with self.made.db.read() as tx:
            self.sizes.append((int(await tx.scalar(select(func.count()).select_from(tables.tasks))), size))

    # -- what is asked for

    async def _live(self, urls: list[str], number: int) -> None:
        shop, chance = Shop(number), random.Random(number)
        self.shops.append(shop)
        token = await caller(self.made.db, f"team-{number % OWNERS}")
        async with AsyncClient(urls[number % len(urls)], token) as client, asyncio.TaskGroup() as following:
            for turn in itertools.count():
                await asyncio.sleep(chance.expovariate(self.rate / SHOPS))
                if self.over:
                    return
                fate = shop.fate(chance)
                if fate == "delete":
                    await _all_ended(client, shop)
                    await self._delete(client, shop, turn)
                    continue
                task_id = await self._apply(client, shop, turn, fate)
                if fate == "cancel":
                    await asyncio.sleep(chance.uniform(0, min(_HOLD, self.minute / 4)))
                    await _cancel(client, shop, task_id)
                if chance.random() < 0.7:  # else the next one queues behind it
                    following.create_task(client.wait(task_id, patience=_patience()))

    async def _apply(self, client: AsyncClient, shop: Shop, turn: int, fate: str) -> str:
        hopeless = 0.2 if fate == "bad" else None
        call = runs.applying(shop.application(turn, fate), None, runs.new_key(), {"hopeless_after_seconds": hopeless})
        done = await client.do(flows.patiently(call, _patience()))
        shop.app_id = done["appId"]
        shop.turns.append(Turn(turn, fate, done["taskId"]))
        return done["taskId"]

    async def _delete(self, client: AsyncClient, shop: Shop, turn: int) -> None:
        task_id = ""
        with suppress(NotFound):  # it was deleted before
            call = applications.deleting(shop.app_id, None, None, runs.new_key())
            task_id = (await client.do(flows.patiently(call, _patience())))["taskId"]
        shop.turns.append(Turn(turn, "delete", task_id))
        if task_id:
            await client.wait(task_id, patience=_patience())

    async def _settled(self) -> None:
        async def check() -> bool:
            return not unsettled(await all_tasks(self.made.db))

        await until(check, 0.5)

    # -- what must be true afterwards

    def _of_listeners(self, ends: set[str], follower: Follower) -> list[str]:
        found = []
        for task_id in sorted(ends):
            if follower.ends[task_id] != 1:
                found.append(f"the stream of all events told {follower.ends[task_id]} times that {task_id} ended")
            if self.told.told[task_id] != 1:
                found.append(f"the webhook got {self.told.told[task_id]} messages about the end of {task_id}")
        return found

    def _of_log(self) -> list[str]:
        lines = (self.made.folder / "log").read_text().splitlines()
        return [f"the log says {line[:4000]}" for line in lines if any(what in line for what in _FAULTS)]

    async def _of_audit(self) -> list[str]:
        """Each run that was answered is in the audit."""
        audit = tables.audit.c
        async with self.made.db.read() as tx:
            known = {row.task_id for row in await tx.rows(select(audit.task_id).where(audit.task_id != ""))}
        asked = [turn.task_id for shop in self.shops for turn in shop.turns if turn.task_id]
        return [f"the run {task_id} was answered, and is not in the audit" for task_id in asked if task_id not in known]

    def _show(self, watch: Watch, lost: int) -> None:
        turns = Counter(turn.fate for shop in self.shops for turn in shop.turns)
        survivors = ("server-1", "worker-1")
        rows = [
            (
                name,
                "-" if name in survivors else str(self.kills[name]),
                *(f"{of[place]:.0f}" for of in (rss, files) for place in (len(of) // 3, -1)),
                f"{max(rss):.0f}",
                f"{growth(rss):+.1%}" if name in survivors else "",
            )
            for name in self.pids
            if (rss := watch.rss(name)) and (files := watch.files(name))
        ]
        said = ", ".join(f"{count} {fate} ({ENDS[fate]})" for fate, count in sorted(turns.items()))
        (first, begun), (last, end) = self.sizes[len(self.sizes) // 3], self.sizes[-1]
        third = f"minute {len(watch.rss('worker-1')) // 3 + 1}"
        show(
            f"{self.minutes} minutes of {self.minute:g} s, a kill each",
            ("process", "kills", f"RSS MiB, {third}", "last", f"files, {third}", "last", "most MiB", "growth an hour"),
            rows,
            [
                f"tasks: {said}; kills: {', '.join(f'{count} of {name}' for name, count in self.kills.items())}",
                f"given up after as many attempts as a task has, and put back: {lost}",
                f"database: {end / 2**20:.0f} MiB, {(end - begun) / max(1, last - first) / 1024:.1f} KiB a task "
                f"after {third}",
                f"RSS MiB of worker-1 by minute: {' '.join(f'{one:.0f}' for one in watch.rss('worker-1'))}",
                f"RSS MiB of server-1 by minute: {' '.join(f'{one:.0f}' for one in watch.rss('server-1'))}",
            ],
        )


_FAULTS = ("Traceback", "never retrieved", "unexpected")


async def _strangers(cluster: Cluster) -> dict[ObjectRef, Manifest]:
    """Make the namespaces, and what is not ours in them."""
    for namespace in NAMESPACES:
        await cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
        for number in range(5):
            meta = {"name": f"theirs-{number}", "namespace": namespace}
            await cluster.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"a": "1"}})
    found = await snapshot(cluster)
    return {ref: obj for ref, obj in found.items() if ref.name.startswith("theirs-")}


async def _cancel(client: AsyncClient, shop: Shop, task_id: str) -> None:
    call = tasks.cancelling(shop.app_id, task_id, "the bench wants it so", None, None)
    with suppress(SignalFailed):  # it is recorded, and the worker reads the row
        await client.do(flows.patiently(call, _patience()))


async def _all_ended(client: AsyncClient, shop: Shop) -> None:
    """Else the removal would supersede them."""
    for turn in shop.turns:
        if turn.task_id and not turn.ended:
            await client.wait(turn.task_id, patience=_patience())
            turn.ended = True


def _patience() -> Patience:
    return Patience(PATIENCE)


async def _patiently(check: Callable[[], bool]) -> None:
    """Wait for it, and give up without a word: what is missing is named afterwards."""
    deadline = time.monotonic() + 60
    while not check() and time.monotonic() < deadline:  # noqa: ASYNC110  nobody tells
        await asyncio.sleep(0.5)


def _of_memory(watch: Watch) -> list[str]:
    found = []
    for name in ("server-1", "worker-1"):
        for what, minutes in (("memory", watch.rss(name)), ("open files", watch.files(name))):
            if len(minutes) >= 20 and growth(minutes) > FLAT:
                found.append(f"the {what} of {name} grow by {growth(minutes):.0%} an hour, from {median(minutes):.0f}")
    return found


async def measure(minutes: int, minute: float, rate: float) -> list[str]:
    """Run it, and show it; what is wrong."""
    async with target() as told, fleet(speed=SPEED) as made:
        made.settings = {"KUBEMIN_AUTH": "token", "KUBEMIN_NOTIFICATIONS": told.setting}
        return await Endurance(made, minutes, minute, rate, told).run()


def main() -> None:
    """Run the benchmark; exit with 1 where something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=int, default=30)
    parser.add_argument("--minute", type=float, default=60, help="seconds of one, for a try")
    parser.add_argument("--rate", type=float, default=1.5, help="tasks a second")
    given = parser.parse_args()
    wrong = asyncio.run(measure(given.minutes, given.minute, given.rate))
    for one in wrong[:100]:
        print(f"WRONG: {one}")
    print("nothing is lost: database and cluster agree" if not wrong else f"{len(wrong)} things are wrong")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
