"""Leases beside bad bodies: `python -m bench.bodies [--clients N] [--seconds S] [--tasks T]`.

Clients post bodies of 800 KB that are wrong throughout to one `kubemin serve`, whose worker holds running tasks.
"""

import argparse
import asyncio
import json
import time

import httpx

from bench.fleet import Fleet, fleet
from bench.report import percentile, show
from kubemin.store import tasks

LABELS = 49_000


async def measure(clients: int, seconds: float, count: int) -> None:
    """Print how the tasks and the clients fared."""
    part = {"name": "web", "type": "webservice", "image": "web:1"}
    labels = {f"!{number}": "!!!" for number in range(LABELS)}
    body = json.dumps({"name": "shop", "component": [{**part, "properties": {"labels": labels}}]}).encode()
    async with fleet() as made:
        url = await made.server()
        held = await made.grow(count)
        before = await _epochs(made, list(held.values()))
        asked, answers, health = time.monotonic() + seconds, list[int](), list[float]()

        async def post(http: httpx.AsyncClient) -> None:
            while time.monotonic() < asked:
                headers = {"Content-Type": "application/json"}
                answers.append((await http.post("/api/v1/applications/try", content=body, headers=headers)).status_code)

        async def look(http: httpx.AsyncClient) -> None:
            while time.monotonic() < asked:
                already_requested = time.monotonic()
                await http.get("/api/v1/applications?page=1&pageSize=1")
                health.append(1000 * (time.monotonic() - already_requested))
                await asyncio.sleep(0.1)

        async with httpx.AsyncClient(base_url=url, timeout=120) as http, asyncio.TaskGroup() as group:
            group.create_task(look(http))
            for _ in range(clients):
                group.create_task(post(http))
        after = await _epochs(made, list(held.values()))
    lost = sum(before[task_id] != after.get(task_id) for task_id in before)
    others = str(len(answers) - answers.count(200) - answers.count(503))
    row = (str(count), str(lost), str(answers.count(200)), str(answers.count(503)), others)
    show(
        f"{clients} clients posting bad bodies of {len(body) // 1000} KB for {seconds:g} s",
        ("tasks", "leases lost", "answered", "told to wait", "other", "a small GET, ms p50", "p99"),
        [(*row, f"{percentile(health, 0.5):.0f}", f"{percentile(health, 0.99):.0f}")],
    )


async def _epochs(made: Fleet, task_ids: list[str]) -> dict[str, int]:
    async with made.db.read() as tx:
        return {task_id: state.lease_epoch for task_id, state in (await tasks.statuses(tx, task_ids)).items()}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--tasks", type=int, default=10)
    given = parser.parse_args()
    asyncio.run(measure(given.clients, given.seconds, given.tasks))
