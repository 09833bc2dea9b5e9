"""The page in a browser: `python -m bench.page [--seconds 60] [--tasks 5000] [--components 500]`.

An application of so many components runs, and the database has so many tasks that ended. Each view is opened in
Chromium and left open: how long until its content is there, what the browser's main thread works for that, and what the
server and the browser work while nothing happens. Then the application is restarted while its task is shown.
"""

import argparse
import asyncio
import time
from dataclasses import dataclass
from typing import Any

import httpx
from playwright.async_api import CDPSession, Page, async_playwright
from sqlalchemy import ColumnElement, func, literal_column, select, update

from bench.fleet import Fleet, fleet
from bench.managed import PATIENCE, until
from bench.report import show
from bench.simulated import cpu_of
from kubemin.spec.states import TaskStatus
from kubemin.store import tables, tasks
from tests.browser.browser import program
from tests.store.rows import add_application, new_task

NAME = "large"
SPEED = 20.0
"""Of the cluster: a Deployment then has 30 s before it is given up."""


@dataclass
class Tab:
    """A page, and what it costs."""

    page: Page
    session: CDPSession
    server: int
    """The server's process id."""
    requests: int = 0

    async def metrics(self) -> dict[str, float]:
        """Seconds of the main thread so far: all, and scripts."""
        found = await self.session.send("Performance.getMetrics")
        named = {one["name"]: float(one["value"]) for one in found["metrics"]}
        return {"all": named["TaskDuration"], "script": named["ScriptDuration"], "server": cpu_of(self.server)}

    async def view(self, name: str, address: str, there: str, seconds: float) -> list[str]:
        """Open a view, and leave it open."""
        await self.page.goto("about:blank")
        before, began = await self.metrics(), time.perf_counter()
        await self.page.goto(address)
        await self.page.locator(there).first.wait_for()
        shown, first = await self.metrics(), time.perf_counter() - began
        await asyncio.sleep(5)  # until the stream has begun, and the view has been read again
        rest, self.requests = await self.metrics(), 0
        await asyncio.sleep(seconds)
        end = await self.metrics()
        minute = 60 / seconds
        return [
            name,
            f"{first:.2f} s",
            f"{shown['all'] - before['all']:.2f} s",
            f"{self.requests * minute:.0f}",
            f"{(end['server'] - rest['server']) * minute:.2f} s",
            f"{(end['all'] - rest['all']) * minute:.2f} s",
        ]


async def run_large(http: httpx.AsyncClient, components: int) -> tuple[str, str]:
    """Deploy the application, to its end; the ids of it and of its task."""
    parts = [{"name": f"c{n}", "type": "webservice", "image": "web:1"} for n in range(components)]
    body = {"application": {"name": NAME, "component": parts}}
    data = (await http.post("/apply", json=body)).raise_for_status().json()["data"]
    await ended(http, data["taskId"])
    return data["appId"], data["taskId"]


async def ended(http: httpx.AsyncClient, task_id: str) -> None:
    """Wait for a task's end."""

    async def check() -> bool:
        reply = (await http.get(f"/workflow/tasks/{task_id}/status")).json()["data"]
        return TaskStatus(reply["status"]).ended

    await until(check, 0.5)


async def fill(made: Fleet, count: int) -> None:
    """Tasks that ended, ten an application."""
    now: ColumnElement[Any] = literal_column(str(time.time()))
    for number in range(count // 10):
        await add_application(made.db, f"app-{number}")
    async with made.db.begin("fill") as tx:
        for number in range(count):
            await tasks.insert(tx, new_task(f"old-{number}", f"app-{number // 10}"))
        done = {"status": TaskStatus.COMPLETED, "started_at": now, "ended_at": now}
        await tx.write(update(tables.tasks).where(tables.tasks.c.workflow_name == "flow").values(**done))


async def measure(made: Fleet, given: argparse.Namespace) -> None:
    """All of it."""
    await made.worker()
    url = await made.api()
    server = made.processes[-1].process.pid
    rows: list[list[str]] = []
    async with httpx.AsyncClient(base_url=f"{url}/api/v1", timeout=PATIENCE) as http, async_playwright() as playwright:
        await fill(made, given.tasks)
        app_id, task_id = await run_large(http, given.components)
        browser = await playwright.chromium.launch(executable_path=program(), args=["--no-sandbox"])
        page = await browser.new_page()
        page.set_default_timeout(PATIENCE * 1000)
        session = await page.context.new_cdp_session(page)
        await session.send("Performance.enable")
        tab = Tab(page, session, server)

        def count(request: Any) -> None:
            tab.requests += "/api/v1/" in request.url

        page.on("request", count)
        before = cpu_of(server)
        await asyncio.sleep(given.seconds)
        rows.append(["no tab", "", "", "", f"{(cpu_of(server) - before) * 60 / given.seconds:.2f} s", ""])
        views = {
            "applications": (f"{url}/#/applications", "tbody tr"),
            "application": (f"{url}/#/applications/{app_id}", "tbody tr"),
            "tasks": (f"{url}/#/tasks", "tbody tr"),
            "task": (f"{url}/#/tasks/{task_id}", ".card"),
            "operations": (f"{url}/#/operations", "h2"),
        }
        for name, (address, there) in views.items():
            rows.append(await tab.view(name, address, there, given.seconds))
        columns = ["view", "content", "browser until then", "requests a minute", "server a minute", "browser a minute"]
        show(f"{given.tasks} tasks, {given.components} components", columns, rows)
        events = [await restarted(made, http, tab, f"{url}/#", app_id, view) for view in ("tasks", "applications")]
        await browser.close()
    show("A restart while it is shown", ["view", "events", "browser an event", "script an event", "server"], events)


async def restarted(made: Fleet, http: httpx.AsyncClient, tab: Tab, base: str, app_id: str, view: str) -> list[str]:
    """Restart all components while the task, or the application, is shown."""
    task_id = (await http.post(f"/applications/{app_id}/restart", json={})).raise_for_status().json()["data"]["taskId"]
    await tab.page.goto(f"{base}/{view}/{task_id if view == 'tasks' else app_id}")
    before = await tab.metrics()
    await ended(http, task_id)
    await asyncio.sleep(3)
    after = await tab.metrics()
    async with made.db.read() as tx:
        events = tables.events.c
        number = await tx.scalar(select(func.count()).where(events.task_id == task_id))
    return [
        view,
        str(number),
        f"{(after['all'] - before['all']) / number * 1000:.2f} ms",
        f"{(after['script'] - before['script']) / number * 1000:.2f} ms",
        f"{after['server'] - before['server']:.2f} s",
    ]


async def main() -> None:
    """Measure, and show it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--tasks", type=int, default=5000)
    parser.add_argument("--components", type=int, default=500)
    given = parser.parse_args()
    async with fleet(speed=SPEED) as made:
        await measure(made, given)


if __name__ == "__main__":
    asyncio.run(main())
