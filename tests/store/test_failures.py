"""What goes wrong with databases, on real ones: which error it is, and what is stored afterwards."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import select, text

from kubemin.store import (
    CommitUnknown,
    Database,
    Full,
    Locked,
    StoreError,
    Unavailable,
    applications,
    tasks,
    transaction,
)
from kubemin.store.anew import begun_anew
from kubemin.store.backends import PARAMETERS, direct
from kubemin.store.backends.remote import RemotePool
from kubemin.store.errors import BadUrl
from kubemin.store.tables import write_probes
from tests.servers.postgresql import Postgresql
from tests.servers.process import free_port
from tests.servers.proxy import Proxy
from tests.store.conftest import Servers
from tests.store.rows import add_application, add_tasks, id_of, new_task, read_task
from tests.waiting import until_true

_HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""


async def test_another_process_holds_the_sqlite_file(tmp_path: Path) -> None:
    path = tmp_path / "kubemin.db"
    db = await Database.open(f"sqlite:///{path}", lock_seconds=0.05)
    await db.migrate()
    holder = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _HOLD, str(path), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    assert await holder.stdout.readline() == b"held\n"
    with pytest.raises(Locked):
        await add_tasks(db, "a")
    async with db.read() as tx:
        assert await tasks.page(tx) == []  # readers are not held up
    await holder.communicate(b"")
    await add_tasks(db, "a")
    await db.aclose()


@pytest.mark.parametrize("url", ["postgresql", "mariadb"], indirect=True)
async def test_another_transaction_holds_the_row(url: str, db: Database) -> None:
    await add_tasks(db, "a")
    hasty = await Database.open(url, lock_seconds=1)
    async with db.begin("hold") as tx:
        await tasks.cancel(tx, id_of("a"), "me", "stop")
        with pytest.raises(Locked):
            async with hasty.begin("cancel") as other:
                await tasks.cancel(other, id_of("a"), "you", "stop too")
    assert (await read_task(db, "a")).cancelled_by == "me"
    await hasty.aclose()


@pytest.mark.parametrize("url", ["postgresql", "mariadb"], indirect=True)
@pytest.mark.parametrize("anew", [False, True])
async def test_a_deadlock_is_broken(db: Database, anew: bool) -> None:
    """One of the two is ended, and nothing of it is stored; begun anew, it comes to its end."""
    await add_tasks(db, "a", "b")
    both, begun = asyncio.Barrier(2), 0

    async def cross(first: str, second: str) -> bool:
        nonlocal begun
        begun += 1
        anew_now = begun > 2
        async with db.begin("cross") as tx:
            await tasks.cancel(tx, id_of(first), "me", first)
            if not anew_now:
                await both.wait()
            await tasks.cancel(tx, id_of(second), "me", first)
        return True

    work = begun_anew(cross) if anew else cross
    outcomes = await asyncio.gather(work("a", "b"), work("b", "a"), return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == (
        ["bool", "bool"] if anew else ["Deadlock", "bool"]
    )
    assert begun > 2 if anew else begun == 2  # the one that was ended may be there again before the other has its row
    assert (await read_task(db, "a")).reason == (await read_task(db, "b")).reason


async def test_a_full_disk(sqlite: Database) -> None:
    async with sqlite.begin("limit") as tx:
        pages = await tx.scalar(text("PRAGMA page_count"))
        await tx.scalar(text(f"PRAGMA max_page_count = {pages + 8}"))

    async def too_much() -> None:
        async with sqlite.begin("insert") as tx:
            await tasks.insert(tx, new_task("a"))
            await tasks.insert(tx, new_task("b", spec="x" * 100_000))

    with pytest.raises(Full):
        await too_much()
    async with sqlite.read() as tx:
        assert await tasks.page(tx) == []
    async with sqlite.begin("space") as tx:
        await tx.scalar(text("PRAGMA max_page_count = 100000"))
    await add_tasks(sqlite, "a")


@pytest.mark.parametrize("scheme", ["postgresql", "mariadb"])
@pytest.mark.parametrize("rest", ["a,b/d", "/d?host=a:5432&host=b:5432", "/d?host=a,b"])
async def test_several_hosts_are_refused(scheme: str, rest: str) -> None:
    """asyncpg tries one after another: one that hangs would be all that a renewal of a lease has time for."""
    with pytest.raises(BadUrl, match="several hosts"):
        await Database.open(f"{scheme}://me@{rest}")


@pytest.mark.parametrize(
    "url",
    [
        f"{scheme}://me:hunter2@127.0.0.1{rest}"
        for scheme in ("postgresql", "mysql", "mariadb", "sqlite")
        for rest in ("/d?hunter2=x", "/d?ssl=hunter2", "/d?sslmode=hunter2", "/d?sslmode=allow&sslmode=allow",
            "/d?unix_socket=%00", "/d?timeout=hunter2", "/d?dsn=hunter2", "/d?user=a&password=hunter2",
            "/d?port=hunter2",
            "/d?charset=hunter2", "/d?statement_cache_size=hunter2", ":99999/d", ":0/d", ":hunter2/d")
    ] + ["sqlite:////tmp/x.db?mode=ro", "sqlite:////tmp/x.db?timeout=hunter2", "oracle://me:hunter2@h/d", "hunter2"],
)  # fmt: skip
async def test_a_url_that_cannot_be_used_is_a_sentence_without_its_parts(url: str) -> None:
    with pytest.raises(BadUrl) as raised:
        await Database.open(url)
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
async def test_every_parameter_that_is_known_reaches_the_driver(scheme: str, tmp_path: Path) -> None:
    """It takes it, and then finds nobody at the address."""
    values = {"sslmode": "disable", "ssl_check_hostname": "false"}
    for name in PARAMETERS[scheme]:
        value = values.get(name, "0" if name.endswith("_size") else str(tmp_path))
        db = await Database.open(f"{scheme}://me@127.0.0.1:{free_port()}/d?{name}={value}")
        with pytest.raises(Unavailable):
            await db.ping()
        await db.aclose()


async def test_a_probe_leaves_nothing_behind(db: Database) -> None:
    for _ in range(3):
        await db.probe_writing()
    async with db.read() as tx:
        assert await tx.rows(select(write_probes)) == []


@pytest.mark.parametrize(
    ("url", "statement", "error"),
    [
        ("postgresql", "DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '53100'; END $$", Full),
        ("postgresql", "DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '57P01'; END $$", Unavailable),
        ("postgresql", "DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40001'; END $$", Locked),
        *(
            ("postgresql", f"DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '{state}'; END $$", Unavailable)
            for state in ("25006", "25P03", "25P04", "57014", "08P01")
        ),
        ("mariadb", "SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1114", Full),
        ("mariadb", "SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1021", Full),
        *(
            ("mariadb", f"SIGNAL SQLSTATE '70100' SET MYSQL_ERRNO = {number}", Unavailable)
            for number in (1053, 1290, 1317, 1836, 1969, 3024)
        ),
    ],
    indirect=["url"],
)
async def test_what_servers_say(db: Database, statement: str, error: type[StoreError]) -> None:
    """Answers that cannot be brought about here by their cause: the server is told to give them."""
    with pytest.raises(error):
        async with db.begin("say") as tx:
            await tx.write(text(statement))
    await add_tasks(db, "a")


async def test_no_statement_that_fails_lets_its_own_error_out(db: Database) -> None:
    with pytest.raises(StoreError):
        async with db.begin("nonsense") as tx:
            await tx.write(text("UPDATE nothing SET x = 1"))


@pytest.mark.parametrize(
    "make",
    [
        lambda folder: f"sqlite:///{folder / 'absent' / 'kubemin.db'}",
        lambda folder: f"sqlite:///{folder}",
        lambda folder: f"postgresql://me:hunter2@127.0.0.1:{free_port()}/db",
        lambda folder: f"mariadb://me:hunter2@127.0.0.1:{free_port()}/db",
        lambda folder: f"mysql://me:hunter2@127.0.0.1:{free_port()}/db",
    ],
)
async def test_nobody_is_there(make: Callable[[Path], str], tmp_path: Path) -> None:

    async def ask() -> None:
        db = await Database.open(make(tmp_path))
        try:
            await db.ping()
        finally:
            await db.aclose()

    with pytest.raises(Unavailable) as raised:
        await ask()
    assert "hunter2" not in str(raised.value)


async def test_what_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "kubemin.db").write_bytes(b"not a database, by any means" * 100)
    db = await Database.open(f"sqlite:///{tmp_path / 'kubemin.db'}")
    for ask in (db.migrate, db.check_schema, db.ping):
        with pytest.raises(Unavailable):
            await ask()
    await db.aclose()


async def test_no_such_database(servers: Servers) -> None:
    for url in (servers.postgresql().url("absent"), servers.mariadb().url("absent")):
        db = await Database.open(url)
        with pytest.raises(Unavailable):
            await db.ping()
        await db.aclose()


async def test_a_server_that_dies_and_comes_back() -> None:
    with Postgresql() as server:
        db = await Database.open(server.url())
        await db.migrate()
        await add_tasks(db, "a")

        async def write() -> None:
            async with db.begin("write") as tx:
                await tasks.insert(tx, new_task("b"))
                server.stop()
                await tasks.insert(tx, new_task("c"))

        with pytest.raises(Unavailable):
            await write()
        with pytest.raises(Unavailable):
            await db.ping()
        server.start()
        await db.ping()
        async with db.read() as tx:
            assert [task.id for task in await tasks.page(tx)] == [id_of("a")]
        await db.aclose()


@dataclass
class Behind:
    """A database behind a proxy, and straight."""

    db: Database
    straight: Database
    proxy: Proxy
    at_commit: Callable[[], None] = lambda: None
    """Called when the commit of `_insert` is about to be sent, and all before it is answered."""
    committing: asyncio.Event = field(default_factory=asyncio.Event)

    async def hook(self, label: str) -> None:
        if label == "commit:test:before":
            self.proxy.seen.clear()
            self.at_commit()
            self.committing.set()

    async def landed(self) -> bool:
        async with self.straight.read() as tx:
            return await tasks.get(tx, id_of("a")) is not None


async def test_a_connection_that_was_idle_is_asked_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that came back while nobody looked is no reason to fail."""
    monkeypatch.setattr(direct, "TRUSTED_SECONDS", 0.0)
    with Postgresql() as server:
        db = await Database.open(server.url())
        await db.migrate()
        await db.ping()
        server.stop()
        server.start()
        await db.ping()
        await add_tasks(db, "a")
        await db.aclose()


@asynccontextmanager
async def _behind_a_proxy(url: str, servers: Servers, *, answer_seconds: float = 30) -> AsyncIterator[Behind]:
    server = servers.postgresql() if "postgresql" in url else servers.mariadb()
    straight = await Database.open(url)
    await straight.migrate()
    async with Proxy(server.port) as proxy:
        behind: Behind

        async def hook(label: str) -> None:
            await behind.hook(label)

        db = await Database.open(
            server.url(url.rpartition("/")[2], port=proxy.port), hook=hook, answer_seconds=answer_seconds
        )
        behind = Behind(db, straight, proxy)
        async with db.begin("connect") as tx:
            await tx.now()
        yield behind
        proxy.heal()
        await db.aclose()
    await straight.aclose()


remote = pytest.mark.parametrize("url", ["postgresql", "mariadb"], indirect=True)


@remote
async def test_a_connection_whose_end_was_seen_is_used_no_more(url: str, servers: Servers) -> None:
    """However short ago it answered: the first request after the server's restart is no reason to fail either."""
    async with _behind_a_proxy(url, servers) as behind:
        has_ended = await _end_of_the_idle_one(behind.db)
        behind.proxy.cut()
        await until_true(has_ended)
        await add_tasks(behind.db, "a")
        assert await behind.landed()


async def _end_of_the_idle_one(db: Database) -> Callable[[], bool]:
    """Whether the driver has seen the end of the connection that the next transaction would get."""
    pool = db._writer.pool
    if isinstance(pool, direct.DirectPool):
        [session] = pool._idle
        return lambda: bool(session.driver.is_closed())
    assert isinstance(pool, RemotePool)
    async with pool.engine.connect() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
    return lambda: pool._has_ended(driver)


async def _insert(db: Database) -> None:
    async with db.begin("test") as tx:
        await tasks.insert(tx, new_task("a"))


@remote
async def test_the_answer_to_a_commit_is_lost(url: str, servers: Servers) -> None:
    async with _behind_a_proxy(url, servers) as behind:

        def lose() -> None:
            behind.proxy.drop_answers = True

        behind.at_commit = lose
        inserting = asyncio.create_task(_insert(behind.db))
        while not await behind.landed():
            assert not inserting.done()
        behind.proxy.cut()
        with pytest.raises(CommitUnknown):
            await inserting
        behind.proxy.heal()
        async with behind.db.read() as tx:
            assert await tasks.get(tx, id_of("a")) is not None  # read back


@remote
async def test_a_commit_is_lost_before_it_arrives(url: str, servers: Servers) -> None:
    async with _behind_a_proxy(url, servers) as behind:

        def lose() -> None:
            behind.proxy.drop_requests = True

        behind.at_commit = lose
        inserting = asyncio.create_task(_insert(behind.db))
        await behind.committing.wait()
        await behind.proxy.seen.wait()
        behind.proxy.cut()
        with pytest.raises(CommitUnknown):
            await inserting
        behind.proxy.heal()
        behind.at_commit = lambda: None
        assert not await behind.landed()
        await _insert(behind.db)


@remote
async def test_a_commit_that_is_never_answered(url: str, servers: Servers) -> None:
    async with _behind_a_proxy(url, servers, answer_seconds=3) as behind:
        behind.at_commit = behind.proxy.stall
        with pytest.raises(CommitUnknown):
            await _insert(behind.db)


@remote
async def test_a_commit_runs_to_its_end_under_a_cancel(url: str, servers: Servers) -> None:
    async with _behind_a_proxy(url, servers) as behind:
        behind.at_commit = behind.proxy.stall
        inserting = asyncio.create_task(_insert(behind.db))
        await behind.committing.wait()
        await behind.proxy.seen.wait()
        for _ in range(3):
            inserting.cancel()
            await asyncio.sleep(0)
        assert not await behind.landed()
        assert not inserting.done()
        behind.proxy.heal()
        with pytest.raises(asyncio.CancelledError):
            await inserting
        assert await behind.landed()


@remote
async def test_a_connection_that_breaks_between_statements(url: str, servers: Servers) -> None:
    async with _behind_a_proxy(url, servers) as behind:

        async def broken() -> None:
            async with behind.db.begin("broken") as tx:
                await tasks.insert(tx, new_task("a"))
                behind.proxy.cut()
                await tx.now()

        with pytest.raises(Unavailable):
            await broken()
        assert not await behind.landed()
        await _insert(behind.db)
        assert await behind.landed()


@remote
async def test_a_statement_that_is_never_answered_can_be_cancelled(
    url: str, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transaction, "CANCEL_SECONDS", 0.05)
    async with _behind_a_proxy(url, servers) as behind:
        behind.proxy.stall()
        behind.proxy.seen.clear()
        inserting = asyncio.create_task(_insert(behind.db))
        await behind.proxy.seen.wait()
        inserting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await inserting
        behind.proxy.heal()
        assert not await behind.landed()
        await _insert(behind.db)


@remote
async def test_a_statement_that_is_never_answered_has_an_end(url: str, servers: Servers) -> None:
    async with _behind_a_proxy(url, servers, answer_seconds=3) as behind:
        behind.proxy.stall()
        with pytest.raises(Unavailable):
            await _insert(behind.db)
        behind.proxy.heal()
        assert not await behind.landed()
        await _insert(behind.db)


async def test_a_cancelled_wait_for_the_sqlite_lock(tmp_path: Path) -> None:
    """The wait is inside the driver's thread, and has an end of its own; the cancel is raised then."""
    path = tmp_path / "kubemin.db"
    db = await Database.open(f"sqlite:///{path}", lock_seconds=3)
    await db.migrate()
    other = await Database.open(f"sqlite:///{path}")
    async with other.begin("hold") as tx:
        await applications.insert(tx, applications.NewApplication(id=id_of("shop"), name="shop"))
        waiting = asyncio.create_task(add_application(db, "blog"))
        done, _ = await asyncio.wait({waiting}, timeout=0.1)
        assert not done
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    await add_application(db, "wiki")
    async with db.read() as tx:
        assert [row.name for row in await applications.page(tx)] == ["wiki", "shop"]
    await other.aclose()
    await db.aclose()


@remote
async def test_a_transaction_in_which_nothing_happens_is_ended(url: str, db: Database) -> None:
    """Its process sleeps, or its machine is gone: what it had locked is free for others."""
    await add_tasks(db, "a")
    sleeper = await Database.open(url, idle_seconds=1)

    async def sleep_in_a_transaction() -> None:
        async with sleeper.begin("sleeps") as tx:
            assert await tasks.cancel(tx, id_of("a"), "nobody", "never stored") is not None
            async with db.begin("wakes") as other:  # waits for the row until the server gives it free
                assert await tasks.cancel(other, id_of("a"), "ada", "stored") is not None
            await tx.now()

    with pytest.raises(StoreError):
        await sleep_in_a_transaction()
    assert (await read_task(db, "a")).reason == "stored"
    async with sleeper.read() as tx:
        assert await tasks.get(tx, id_of("a")) is not None  # it comes back by itself
    await sleeper.aclose()


@pytest.mark.parametrize(
    ("method", "when", "error"),
    [("fetch", "read", Unavailable), ("execute", "commit", CommitUnknown), ("execute", "begin", Unavailable)],
)
async def test_a_connection_that_the_server_ended_is_replaced_whenever_that_is_seen(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch, method: str, when: str, error: type[StoreError]
) -> None:
    """asyncpg has an error of its own for a connection whose end it has read half: whatever is asked, it is lost."""
    db = await Database.open(postgresql_url)
    monkeypatch.setattr(direct, "TRUSTED_SECONDS", 0.0)
    count = select(write_probes.c.id)

    async def broken(*_: object, **__: object) -> None:
        raise asyncpg.InternalClientError("cannot switch to state 12; another operation (2) is in progress")

    async def look(breaks: str = "") -> None:
        with monkeypatch.context() as patch:
            if breaks == "begin":
                patch.setattr(asyncpg.Connection, method, broken)
            async with db.begin("look") as tx:
                if breaks == "read":
                    patch.setattr(asyncpg.Connection, method, broken)
                assert await tx.rows(count) == []
                if breaks == "commit":
                    patch.setattr(asyncpg.Connection, method, broken)

    await look()
    await look()  # from now on the statement is kept
    with pytest.raises(error, match="broke"):
        await look(when)
    await look()
    await db.aclose()
