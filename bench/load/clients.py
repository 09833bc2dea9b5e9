"""Who asks a crowded server: a process of its own. It reads what to do from stdin, as JSON, and says what came of it.

Streams are opened first, and stay. Then requests come at random moments, so many a second in each step, whether or not
the ones before are answered: what waits counts. Pages keep their connections, and commands and pipelines open one each.
"""

import asyncio
import json
import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import aiohttp

from bench.load.shop import config

SECONDS = 60
"""After so long a request has failed."""

MIX = {
    "applications": 14,
    "applications, search": 3,
    "applications, failed": 3,
    "application": 10,
    "components": 6,
    "tasks": 12,
    "tasks of one": 8,
    "operations": 5,
    "status": 20,
    "stages": 5,
    "revisions": 4,
    "by name": 4,
    "audit": 1,
    "plan": 1,
    "apply": 3,
    "cancel": 1,
}
"""What is asked, and how often of a hundred: what the page, the command line and a pipeline ask."""
_COMMANDS = ("status", "stages", "revisions", "by name", "audit", "plan", "apply", "cancel")


@dataclass
class Step:
    """What came of the requests of one rate."""

    rate: float
    sent: int = 0
    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    failed: Counter[str] = field(default_factory=Counter)
    cancels: dict[str, tuple[float, float]] = field(default_factory=dict)
    """By task: when it was sent and when answered, by the machine's monotonic clock."""


@dataclass
class Streams:
    """Event streams, and what they bring."""

    open: int = 0
    broken: int = 0
    refused: int = 0
    events: int = 0
    delays: list[float] = field(default_factory=list)
    """From the time of an event until it is here, of one stream in ten."""


@dataclass
class Clients:
    """``given``: the servers' addresses, the callers' tokens, what is there."""

    given: dict[str, Any]
    chance: random.Random = field(default_factory=lambda: random.Random(14))
    streams: Streams = field(default_factory=Streams)
    number: int = 0
    waiting: list[list[str]] = field(default_factory=list)
    """Applications with their tasks that wait, to be cancelled."""

    async def run(self) -> None:
        """All steps."""
        self.waiting = [list(pair) for pair in self.given["waiting"]]
        async with asyncio.TaskGroup() as group:
            listening = [group.create_task(self._listen(number)) for number in range(self.given["streams"])]
            while self.streams.open < len(listening) and not self.streams.refused:  # noqa: ASYNC110  all count it
                await asyncio.sleep(0.1)
            for rate in self.given["rates"]:
                say("begin", {"rate": rate})
                self.streams.delays.clear()
                step = await self._step(rate, self.given["seconds"])
                say("end", self._told(step))
            for one in listening:
                one.cancel()

    def _told(self, step: Step) -> dict[str, Any]:
        return {
            "rate": step.rate,
            "sent": step.sent,
            "seconds": step.seconds,
            "failed": step.failed,
            "cancels": step.cancels,
            "open": self.streams.open,
            "broken": self.streams.broken,
            "refused": self.streams.refused,
            "events": self.streams.events,
            "delays": self.streams.delays,
            "cpu": time.process_time(),
        }

    # -- requests

    async def _step(self, rate: float, seconds: float) -> Step:
        step = Step(rate)
        timeout = aiohttp.ClientTimeout(total=SECONDS)
        ways: dict[bool, Any] = {}
        async with (
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=timeout) as kept,
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0, force_close=True), timeout=timeout) as anew,
            asyncio.TaskGroup() as group,
        ):
            ways = {False: kept, True: anew}
            began = due = time.monotonic()
            while (due := due + self.chance.expovariate(rate)) < began + seconds:
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                [name] = self.chance.choices(list(MIX), list(MIX.values()))
                group.create_task(self._one(ways[name in _COMMANDS], step, name, due))
        return step

    async def _one(self, session: aiohttp.ClientSession, step: Step, name: str, due: float) -> None:
        step.sent += 1
        ask = _WRITES.get(name)
        try:
            status = await (ask(self, session, step) if ask else self._get(session, self._path(name)))
        except (aiohttp.ClientError, OSError) as error:  # also a timeout
            step.failed[f"{name}: {type(error).__name__}"] += 1
            return
        if status != 200:
            step.failed[f"{name}: {status}"] += 1
        else:
            step.seconds[name].append(time.monotonic() - due)

    def _path(self, name: str) -> str:
        app = self.chance.choice(self.given["apps"])
        task = self.chance.choice(self.given["tasks"] + [pair[1] for pair in self.waiting[:50]])
        match name:
            case "applications":
                return "applications?pageSize=50&page=1"
            case "applications, search":
                return f"applications?search=shop-{self.chance.randrange(20)}-&pageSize=50&page=1"
            case "applications, failed":
                return "applications?status=failed&pageSize=50&page=1"
            case "application":
                return f"applications/{app['id']}"
            case "components" | "revisions":
                return f"applications/{app['id']}/{name}"
            case "by name":
                return f"applications/{app['namespace']}~{app['name']}"
            case "tasks":
                return "tasks?pageSize=50"
            case "tasks of one":
                return f"tasks?appId={app['id']}&pageSize=20"
            case "operations":
                return "operations"
            case "audit":
                return "audit?pageSize=50"
        return f"workflow/tasks/{task}/{name}"

    def _ask(self) -> tuple[str, dict[str, str]]:
        """An address, and who asks there."""
        token = self.chance.choice(self.given["tokens"])
        return f"{self.chance.choice(self.given['urls'])}/api/v1/", {"Authorization": f"Bearer {token}"}

    async def _get(self, session: aiohttp.ClientSession, path: str) -> int:
        base, heads = self._ask()
        async with session.get(base + path, headers=heads) as answer:
            await answer.read()
            return answer.status

    async def _post(self, session: aiohttp.ClientSession, path: str, body: dict[str, Any]) -> int:
        base, heads = self._ask()
        async with session.post(base + path, json=body, headers=heads) as answer:
            await answer.read()
            return answer.status

    def _application(self) -> dict[str, Any]:
        self.number += 1
        name = f"crowd-{self.number}"
        web = {"name": name, "type": "webservice", "image": "web:1", "properties": {"ports": [{"port": 80}]}}
        return {"application": {"name": name, "component": [config(f"{name}-conf", self.number), web]}}

    async def apply(self, session: aiohttp.ClientSession, step: Step) -> int:
        """A new application of three objects, that completes."""
        del step
        return await self._post(session, "apply", self._application())

    async def plan(self, session: aiohttp.ClientSession, step: Step) -> int:
        """What that would do."""
        del step
        return await self._post(session, "apply", {**self._application(), "dryRun": True})

    async def cancel(self, session: aiohttp.ClientSession, step: Step) -> int:
        """Cancel a task that waits."""
        app_id, task_id = self.waiting.pop()
        sent = time.monotonic()
        status = await self._post(session, f"applications/{app_id}/workflow/cancel", {"taskId": task_id})
        step.cancels[task_id] = (sent, time.monotonic())
        return status

    # -- streams

    async def _listen(self, number: int) -> None:
        """Each second one follows all tasks, as a page does; the others a task that waits."""
        urls, tokens, tasks = self.given["urls"], self.given["tokens"], self.given["waiting"]
        path = "events?type=task&type=cleanup"
        if number % 2:
            path = f"workflow/tasks/{tasks[number // 2 % len(tasks)][1]}/events"
        heads = {"Authorization": f"Bearer {tokens[number % len(tokens)]}"}
        timeout = aiohttp.ClientTimeout(total=None, sock_read=60)
        await asyncio.sleep(number / 50)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while True:
                with suppress(aiohttp.ClientError, OSError):
                    await self._hear(session, f"{urls[number % len(urls)]}/api/v1/{path}", heads, number)
                await asyncio.sleep(1)

    async def _hear(self, session: aiohttp.ClientSession, url: str, heads: dict[str, str], number: int) -> None:
        async with session.get(url, headers=heads) as stream:
            if stream.status != 200:
                self.streams.refused += 1
                return
            self.streams.open += 1
            ended = False
            try:
                async for line in stream.content:
                    if line.startswith(b"data:"):
                        self.streams.events += 1
                        if number % 10 == 0:
                            at = json.loads(line[5:])["at"].replace("Z", "+00:00")
                            age = datetime.now(UTC) - datetime.fromisoformat(at)
                            self.streams.delays.append(age.total_seconds())
                    ended = ended or line.startswith(b"event: end")
            finally:
                self.streams.open -= 1
                self.streams.broken += not ended  # counted also at the very end, which nobody reads


_WRITES: dict[str, Callable[[Clients, aiohttp.ClientSession, Step], Awaitable[int]]] = {
    "apply": Clients.apply,
    "plan": Clients.plan,
    "cancel": Clients.cancel,
}


def say(what: str, value: dict[str, Any]) -> None:
    """A line for whoever started this."""
    print(what, json.dumps(value), flush=True)


if __name__ == "__main__":
    asyncio.run(Clients(json.loads(sys.stdin.readline())).run())
