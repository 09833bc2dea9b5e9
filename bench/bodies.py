"""Leases beside bad requests: `python -m bench.bodies [--clients N] [--seconds S] [--tasks T]`.

Clients, in a process of their own, send the worst requests that are known to one `kubemin serve`, whose worker holds
running tasks: bodies of 800 KB that are wrong throughout, bodies of deep and wide values, runs of an application of 500
components, and its plan and components. When each lease is renewed is read from the database.
"""

import argparse
import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import httpx
from sqlalchemy import select

from bench.fleet import Fleet, fleet
from bench.report import percentile, show
from kubemin.settings.engine import EngineSettings
from kubemin.store import tasks
from kubemin.store.tables import tasks as rows

LABELS = 49_000
_JSON = {"Content-Type": "application/json"}
_LOOK = 0.1


def _bodies() -> list[bytes]:
    part = {"name": "web", "type": "webservice", "image": "web:1"}
    labels = {f"!{number}": "!!!" for number in range(LABELS)}
    wide: dict[str, Any] = {f"key-{number}": {"a": [1, {"b": "c"}]} for number in range(9_000)}
    bad = [
        {"name": "shop", "component": [{**part, "properties": {"labels": labels}}]},
        {"name": "shop", "component": [{**part, "properties": {"env": wide}}]},
        {"name": "shop", "component": [{**part, "name": f"!{number}", "image": ""} for number in range(500)]},
    ]
    return [json.dumps(body).encode() for body in bad]


async def _ask(url: str, app_id: str, clients: int, seconds: float) -> None:
    """Send requests, and print how many were answered, by status, and how long a small one took."""
    until = time.monotonic() + seconds
    answers, small = Counter[int](), list[float]()
    large = f"/api/v1/applications/{app_id}"
    requests: list[tuple[str, str, bytes | None]] = [("POST", "/api/v1/applications/try", body) for body in _bodies()]
    requests += [
        ("POST", f"{large}/workflow/exec", b'{"onActive": "reject"}'),
        ("GET", f"{large}/components", None),
        ("GET", "/api/v1/applications", None),
        ("GET", "/api/v1/tasks?pageSize=200", None),
    ]

    async def client(number: int) -> None:
        async with httpx.AsyncClient(base_url=url, timeout=120) as http:
            turn = number
            while time.monotonic() < until:
                method, path, body = requests[turn % len(requests)] if number % 2 else requests[0]
                turn += 1
                answers[(await http.request(method, path, content=body, headers=_JSON)).status_code] += 1

    async def look() -> None:
        async with httpx.AsyncClient(base_url=url, timeout=120) as http:
            while time.monotonic() < until:
                sent = time.monotonic()
                await http.get("/healthz")
                small.append(time.monotonic() - sent)
                await asyncio.sleep(_LOOK)

    await asyncio.gather(look(), *(client(number) for number in range(clients)))
    print(json.dumps({"answers": answers, "small": small}))


async def measure(clients: int, seconds: float, count: int) -> None:
    """Print how the tasks and the clients fared."""
    most = EngineSettings().max_components
    parts = [{"name": f"part-{number}", "type": "webservice", "image": "web:1"} for number in range(most)]
    async with fleet() as made:
        url = await made.server()
        held = list((await made.grow(count)).values())
        async with httpx.AsyncClient(base_url=url, timeout=60) as http:
            saved = await http.post("/api/v1/applications", json={"name": "large", "component": parts})
            app_id = saved.json()["data"]["id"]
        before = await _epochs(made, held)
        command = ["-m", "bench.bodies", "--ask", url, app_id, "--clients", str(clients), "--seconds", str(seconds)]
        asking = await asyncio.create_subprocess_exec(sys.executable, *command, stdout=asyncio.subprocess.PIPE)
        said, pauses = await _pauses_between_renewals(made, held, asking)
        after = await _epochs(made, held)
    interval = EngineSettings().lease_seconds / 3
    late = [max(0.0, pause - interval) for pause in pauses]
    answers = {int(status): number for status, number in said["answers"].items()}
    lost = sum(before[task_id] != after.get(task_id) for task_id in before)
    row = [str(count), str(lost), str(len(pauses)), *(f"{percentile(late, share):.2f}" for share in (0.5, 0.99, 1))]
    row += [str(answers.pop(503, 0)), str(sum(answers.values()))]
    row += [f"{1000 * percentile(said['small'], share):.0f}" for share in (0.5, 0.99)]
    columns = ("tasks", "lost", "renewals", "late s p50", "p99", "max", "told to wait", "answered", "healthz ms", "p99")
    note = f"renewed every {interval:g} s; a lease is lost once its renewal is {2 * interval:g} s late"
    show(f"{clients} clients with the worst requests for {seconds:g} s: {lost} leases lost", columns, [row], [note])


async def _pauses_between_renewals(
    made: Fleet, held: Sequence[str], asking: asyncio.subprocess.Process
) -> tuple[dict[str, Any], list[float]]:
    """What the clients printed, and the seconds between two renewals of each lease until then."""
    saying = asyncio.create_task(asking.communicate())
    asked = select(rows.c.id, rows.c.lease_expires_at).where(rows.c.id.in_(held))
    expiries: dict[str, list[float]] = {task_id: [] for task_id in held}
    while not saying.done():
        async with made.db.read() as tx:
            for row in await tx.rows(asked):
                seen, expires = expiries[row.id], row.lease_expires_at
                if expires is not None and (not seen or seen[-1] != expires.timestamp()):
                    seen.append(expires.timestamp())
        await asyncio.wait([saying], timeout=_LOOK)
    out, _ = await saying
    return json.loads(out), [b - a for seen in expiries.values() for a, b in pairwise(seen)]


async def _epochs(made: Fleet, task_ids: Sequence[str]) -> dict[str, int]:
    async with made.db.read() as tx:
        return {task_id: state.lease_epoch for task_id, state in (await tasks.statuses(tx, task_ids)).items()}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--tasks", type=int, default=10)
    parser.add_argument("--ask", nargs=2, metavar=("URL", "APP"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.ask:
        url, app_id = given.ask
        asyncio.run(_ask(url, app_id, given.clients, given.seconds))
    else:
        asyncio.run(measure(given.clients, given.seconds, given.tasks))
