"""Readiness: the server says so only while it can write."""

import asyncio

import httpx
import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import text
from starlette.types import ASGIApp

from kubemin.api.checks import DatabaseHealth, Health
from kubemin.api.deps import Deps
from kubemin.api.health_app import create_health_app
from kubemin.api.worker_app import create_worker_app
from kubemin.store import Database
from tests.api.conftest import Api
from tests.api.guarded import guarded_by


class Clock:
    """Time that passes only when told to."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


async def _pages(db: Database, most: int) -> None:
    """Give the database so much space."""
    async with db.begin("space") as tx:
        await tx.scalar(text(f"PRAGMA max_page_count = {most}"))


async def test_a_full_database_is_not_ready_and_the_reply_says_why(api: Api) -> None:
    await _pages(api.db, 1)
    assert (await api.get("/applications"))["applications"] == []
    answer = await api.http.get("/readyz")
    assert (answer.status_code, answer.json()["code"]) == (503, 503)
    assert answer.json()["message"] == "Not ready: nothing can be written: no space is left for the database."
    worker = create_worker_app(DatabaseHealth(api.db, 5), {}, {}, CollectorRegistry(), asyncio.Event(), sealed=False)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(worker), base_url="http://localhost") as http:
        assert (await http.get("/readyz")).status_code == 503


@pytest.mark.parametrize(
    ("away", "status"),
    [
        ((), 200),
        (("redis",), 200),
        (("cluster edge",), 200),
        (("cluster edge", "redis"), 200),
        (("cluster", "cluster edge"), 503),
        (("database",), 503),
    ],
)
async def test_a_worker_is_ready_as_long_as_it_can_run_some_task(away: tuple[str, ...], status: int) -> None:
    """So a rollout of workers waits for nothing that only saves time, nor for another cluster."""

    def health(name: str) -> Health:
        async def ask() -> str | None:
            return f"{name} does not answer" if name in away else None

        return ask

    clusters = {name: health(name) for name in ("cluster", "cluster edge")}
    others = {"redis": health("redis")}
    app = create_worker_app(health("database"), clusters, others, CollectorRegistry(), asyncio.Event(), sealed=True)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as http:
        answer = await http.get("/readyz")
        assert (await http.get("/healthz")).status_code == 200  # whatever is away: nobody is to start it anew for that
    assert answer.status_code == status
    if status == 200:
        checks = answer.json()["data"]["checks"]
        assert {one["name"] for one in checks if one["status"] == "down"} == set(away)
        assert answer.json()["data"]["status"] == ("degraded" if away else "ready")
    else:
        assert {one["field"] for one in answer.json()["errors"]} == set(away)


async def test_it_is_written_to_once_in_a_while(db: Database) -> None:
    clock = Clock()
    health = DatabaseHealth(db, 5, clock)
    await _pages(db, 1)
    assert await health() == "nothing can be written: no space is left for the database"
    await _pages(db, 100_000)
    clock.now += 4
    assert await health() is not None
    clock.now += 1
    assert await health() is None


async def test_a_database_that_can_only_be_read_is_not_ready(db: Database) -> None:
    async with db.begin("read only") as tx:
        await tx.write(text("PRAGMA query_only = ON"))
    wrong = await DatabaseHealth(db, 5)()
    assert wrong is not None
    assert wrong.startswith("nothing can be written: ")


@pytest.mark.parametrize("asks", [False, True], ids=["for nothing", "for a token"])
async def test_a_server_s_second_port_answers_anybody_under_any_host_and_has_nothing_else(
    deps: Deps, asks: bool
) -> None:
    """A kubelet and a Prometheus ask for the address of a Pod, and have no token where the API asks for one."""
    async with guarded_by(deps) as guarded:
        assert (await guarded.http.get("/metrics")).status_code == 401
        await _answers(create_health_app(guarded.deps if asks else deps))


async def _answers(app: ASGIApp) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://10.1.2.3:9090") as http:
        for path in ("/healthz", "/readyz", "/metrics"):
            answer = await http.get(path)
            assert answer.status_code == 200, path
            assert "kubemin" in answer.text or answer.json()["code"] == 0
        others = [
            await http.request(method, path)
            for method in ("GET", "POST", "DELETE", "OPTIONS")
            for path in ("/", "/page/", "/openapi.json", "/api/v1/applications", "//healthz", "/healthz/")
        ]
        others += [await http.post("/healthz"), await http.put("/metrics")]
        assert {(answer.status_code, answer.json()["code"]) for answer in others} == {(404, 404)}
