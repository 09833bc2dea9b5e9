"""A process whose database is away when it starts waits for it, and does not wait for what waiting does not mend."""

import asyncio
from collections.abc import Iterator

import pytest

from kubemin.store import Database
from tests.cli.kubemin import Kubemin
from tests.servers.mariadb import Mariadb, mariadb_or_skip
from tests.servers.postgresql import Postgresql

COMMANDS = [
    pytest.param(["worker", "--simulate"], "worker ready", 0, id="worker"),
    pytest.param(
        ["serve", "--workers", "0", "--simulate", "--port", "0"], "ready at", 0, id="serve", marks=pytest.mark.proof
    ),
    pytest.param(["migrate"], "is up to date", 143, id="migrate", marks=pytest.mark.proof),
]
"""Each with what it says once it is there, and its exit code after a SIGTERM while it waits."""
PASSWORD = "unspoken"


async def _migrate(url: str) -> None:
    db = await Database.open(url)
    await db.migrate()
    await db.aclose()


@pytest.fixture(scope="module")
def server() -> Iterator[Postgresql]:
    """With the schema."""
    with Postgresql() as started:
        asyncio.run(_migrate(started.url()))
        yield started


def environment(server: Postgresql, **more: str) -> dict[str, str]:
    url = server.url().replace("kubemin@", f"kubemin:{PASSWORD}@")
    return {"KUBEMIN_DATABASE_URL": url, "KUBEMIN_LOG_FORMAT": "json", **more}


@pytest.mark.parametrize(("command", "done", "code"), COMMANDS)
def test_it_waits_and_says_for_what(
    kubemin: Kubemin, server: Postgresql, command: list[str], done: str, code: int
) -> None:
    server.stop()
    try:
        process = kubemin.start(*command, env=environment(server))
        line = process.wait_for(r".*waiting for the database.*")[0]
        assert f"127.0.0.1:{server.port}" in line
        assert "Connection" in line, "what is wrong"
        assert PASSWORD not in line
    finally:
        server.start()
    process.wait_for(done)
    process.stop()


def test_a_worker_that_runs_says_so_once(kubemin: Kubemin, server: Postgresql) -> None:
    worker = kubemin.start("worker", "--simulate", env=environment(server, KUBEMIN_POLL_SECONDS="0.01"))
    worker.wait_for("worker ready")
    server.stop()
    try:
        worker.wait_for("cannot claim")
    finally:
        server.start()
    worker.wait_for('"before": "cannot claim"')
    worker.stop()
    assert worker.errors.count('"event": "cannot claim"') == 1


@pytest.mark.parametrize(("command", "done", "code"), COMMANDS)
def test_a_sigterm_ends_the_waiting(kubemin: Kubemin, command: list[str], done: str, code: int) -> None:
    """Also of PID 1, which no signal ends that it does not handle. A migration that was stopped is not one that ran."""
    process = kubemin.start(*command, env=environment(Postgresql(), KUBEMIN_DATABASE_WAIT_SECONDS="1000"))
    process.wait_for("waiting for the database")
    assert process.stop() == code


def test_it_does_not_wait_for_ever(kubemin: Kubemin) -> None:
    away = Postgresql()
    answer = kubemin("worker", "--simulate", env=environment(away, KUBEMIN_DATABASE_WAIT_SECONDS="0.1"))
    assert answer.returncode == 1
    assert "0.1 s were not enough to reach" in answer.stderr
    assert str(away.port) in answer.stderr
    assert PASSWORD not in answer.stderr


@pytest.mark.proof
def test_what_no_waiting_mends_is_said_at_once(kubemin: Kubemin, server: Postgresql) -> None:
    def refusal(url: str) -> str:
        env = {"KUBEMIN_DATABASE_URL": url, "KUBEMIN_DATABASE_WAIT_SECONDS": "1000"}
        answer = kubemin("worker", "--simulate", env=env)
        assert answer.returncode == 1
        assert "waiting for" not in answer.stderr
        return answer.stderr

    assert '"nowhere" does not exist' in refusal(server.url("nowhere"))
    assert "run `kubemin migrate`" in refusal(server.url(server.create_database()))
    server.sql("CREATE ROLE other LOGIN PASSWORD 'right'")
    rules = server.folder / "data" / "pg_hba.conf"
    rules.write_text(f"host all other all scram-sha-256\n{rules.read_text()}")
    server.sql("SELECT pg_reload_conf()")
    wrong = refusal(server.url().replace("kubemin@", "other:wrong@"))
    assert 'password authentication failed for user "other"' in wrong


@pytest.mark.proof
def test_mariadb_says_so_too(kubemin: Kubemin) -> None:
    mariadb_or_skip()
    with Mariadb() as server:
        env = {"KUBEMIN_DATABASE_URL": server.url("nowhere"), "KUBEMIN_DATABASE_WAIT_SECONDS": "1000"}
        answer = kubemin("worker", "--simulate", env=env)
        assert answer.returncode == 1
        assert "Unknown database 'nowhere'" in answer.stderr
        assert "waiting for" not in answer.stderr
