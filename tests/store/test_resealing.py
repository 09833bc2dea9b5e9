"""Rotation: killed anywhere, twice at once, beside writers, it loses nothing and ends with all under the first key."""

import asyncio
import secrets
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, select, update

from kubemin.sealing.sealer import Sealer
from kubemin.spec.component import Component
from kubemin.spec.objects import ObjectRef
from kubemin.store import (
    Database,
    KeyInUse,
    Unreadable,
    applications,
    components,
    evidence,
    journal,
    resealing,
    revisions,
    sealing_keys,
    tables,
    tasks,
    workflows,
)
from tests.store.rows import id_of, new_task

KEYS = {key_id: secrets.token_bytes(32) for key_id in ("old", "new", "third")}
SECRET = {"data": {"password": "hunter2"}}
APPS = ("shop", "other")


def sealer(*ids: str) -> Sealer:
    return Sealer({key_id: KEYS[key_id] for key_id in ids})


class Killed(Exception):
    """The process has ended here."""


async def fill(db: Database, apps: Sequence[str] = APPS) -> None:
    """A value in every column that is sealed."""
    async with db.begin("fill") as tx:
        for app in apps:
            new = applications.NewApplication(id=id_of(app), name=app, config_key="hunter2")
            await applications.insert(tx, new)
            flow = workflows.NewWorkflow(id=id_of(f"flow-{app}"), app_id=id_of(app), name="deploy", steps=[SECRET])
            await workflows.insert(tx, flow)
            given = {"name": "s", "type": "secret", "properties": {"secret": SECRET["data"]}}
            await components.replace_components(tx, id_of(app), [Component.model_validate(given)])
            new_revision = revisions.NewRevision(app_id=id_of(app), spec=SECRET, task_id=id_of(app))
            await revisions.insert_next(tx, new_revision)
            keyed = {"idempotency_key": "k", "body_hash": "hunter2"}
            await tasks.insert(tx, new_task(app, app, spec=SECRET, plan=SECRET, **keyed))
            ref = ObjectRef("Secret", "d", "s")
            rows = [journal.NewResource(seq=seq, job_seq=1, ref=ref, before=SECRET, applied=SECRET) for seq in (1, 2)]
            await journal.add(tx, id_of(app), rows)
            await evidence.add(tx, id_of(app), {"web": SECRET})


async def check(db: Database, apps: Sequence[str] = APPS) -> None:
    """All of it is as it was."""
    async with db.read() as tx:
        for app in apps:
            row = await applications.with_key(tx, id_of(app))
            assert row is not None
            assert row.config_key == "hunter2"
            assert [flow.steps for flow in await workflows.of_application(tx, id_of(app))] == [[SECRET]]
            (part,) = await components.of_application(tx, id_of(app))
            assert part.read.properties.secret == SECRET["data"]
            revision = await revisions.get(tx, id_of(app), 1)
            assert revision is not None
            assert revision.spec == SECRET
            task, known = await tasks.get(tx, id_of(app)), await tasks.by_idempotency_key(tx, "", id_of(app), "k")
            assert task is not None
            assert known is not None
            assert (task.spec, task.plan, known.body_hash) == (SECRET, SECRET, "hunter2")
            for resource in await journal.of_task(tx, id_of(app)):
                assert (resource.before, resource.applied) == (SECRET, SECRET)
            assert await evidence.of_task(tx, id_of(app)) == [("web", SECRET, "")]


async def used(db: Database) -> set[str]:
    """The keys that values are sealed with; ``""`` for plain text."""
    return {key_id for counts in (await sealing_keys.count(db)).values() for key_id in counts}


async def no_pause(_: float) -> None:
    await asyncio.sleep(0)


async def rotated(db: Database) -> int:
    sealed = 0
    async with aclosing(resealing.rotate(db, no_pause)) as passes:
        async for one in passes:
            sealed = max(sealed, one.sealed)
    return sealed


@pytest.fixture
async def plain(url: str) -> AsyncIterator[Database]:
    """A database without a key, with a value in every column."""
    db = await Database.open(url)
    await fill(db)
    yield db
    await db.aclose()


async def opened(url: str, *ids: str, **how: object) -> Database:
    db = await Database.open(url, codec=sealer(*ids), **how)  # type: ignore[arg-type]
    await sealing_keys.begin(db)
    return db


def files_with(folder: Path, text: bytes) -> list[str]:
    """The files that have these bytes in them."""
    return [file.name for file in folder.iterdir() if text in file.read_bytes()]


def test_every_column_that_is_sealed_is_known() -> None:
    assert {str(column) for column in sealing_keys.sealed_columns()} == {
        "applications.config_key",
        "components.spec",
        "evidence.pods",
        "resources.applied",
        "resources.before",
        "revisions.spec",
        "tasks.body_hash",
        "tasks.plan",
        "tasks.spec",
        "workflows.steps",
    }


async def test_plain_text_and_old_keys_are_read_and_are_sealed_anew(plain: Database, url: str) -> None:
    assert await used(plain) == {""}
    for order in (("old",), ("new", "old"), ("third", "new")):
        db = await opened(url, *order)
        await check(db)
        assert await rotated(db) == 2 * (8 + 2 * 2)
        await check(db)
        assert await used(db) == {order[0]}
        assert await rotated(db) == 0
        async with db.read() as tx:
            assert await sealing_keys.is_complete(tx, order[0])
            for table in tables.metadata.sorted_tables:
                assert "hunter2" not in str(await tx.rows(select(table)))
        await db.aclose()


@pytest.mark.parametrize("each", [7, pytest.param(1, marks=pytest.mark.proof)])
async def test_killed_at_any_commit_it_is_gone_on_with(plain: Database, url: str, each: int) -> None:
    at, ended = 0, False
    while not ended:
        at += each
        commits = 0

        async def dies(point: str, at: int = at) -> None:
            nonlocal commits
            commits += point.startswith("commit:reseal")
            if commits == at:
                raise Killed

        db = await opened(url, "old", hook=dies)
        try:
            await rotated(db)
            ended = True
        except Killed:
            assert not ended
        await db.aclose()
        await check(await _reader(url))
    db = await _reader(url)
    assert await used(db) == {"old"}


_READERS: list[Database] = []


async def test_a_key_that_a_process_without_it_forgot_is_known_again(url: str) -> None:
    """Such a process began while nothing was sealed with it yet: it must learn of the key, and begin no task."""
    db = await opened(url, "new")
    other = await Database.open(url)
    await sealing_keys.begin(other)

    async def ended(_: float) -> None:
        raise Killed

    with pytest.raises(Killed):
        await resealing.keep_sealed(db, pause=ended)
    async with other.read() as tx:
        assert await sealing_keys.missing(tx, other.codec) == ["new"]
    await other.aclose()
    await db.aclose()


@pytest.fixture(autouse=True)
async def closed_readers() -> AsyncIterator[None]:
    yield
    while _READERS:
        await _READERS.pop().aclose()


async def _reader(url: str) -> Database:
    _READERS.append(await Database.open(url, codec=sealer("old", "new")))
    return _READERS[-1]


async def test_two_at_once_and_a_writer_beside_them_lose_nothing(plain: Database, url: str) -> None:
    first, second = [await opened(url, "new", "old") for _ in range(2)]
    writer = await opened(url, "old", "new")
    newer = {"data": {"password": "newer"}}

    async def write() -> None:
        for app in APPS:
            async with writer.begin("write") as tx:
                await journal.update_many(tx, id_of(app), [(1, {"applied": newer}), (2, {"applied": newer})])

    await asyncio.gather(rotated(first), rotated(second), write())
    await rotated(first)
    async with first.read() as tx:
        for app in APPS:
            assert {row.applied["data"]["password"] for row in await journal.of_task(tx, id_of(app))} == {"newer"}
    assert await used(first) == {"new"}
    for db in (first, second, writer):
        await db.aclose()


async def test_a_value_that_was_written_since_it_was_read_stays_as_it_was_written(plain: Database, url: str) -> None:
    newer, done = {"data": {"password": "newer"}}, False
    writer = await opened(url, "old")

    async def writes_between(point: str) -> None:
        nonlocal done
        if point == "commit:reseal:after" and not done:  # the first of the pass: `applications` come before `tasks`
            done = True
            async with writer.begin("write") as tx:
                await tasks.set_spec(tx, id_of("shop"), newer)

    db = await opened(url, "new", "old", hook=writes_between)
    await rotated(db)
    async with db.read() as tx:
        task = await tasks.get(tx, id_of("shop"))
        assert task is not None
        assert task.spec == newer
    for one in (db, writer):
        await one.aclose()


async def test_of_what_was_in_plain_text_nothing_is_left_in_an_sqlite_file(tmp_path: Path, migrated: Path) -> None:
    url = f"sqlite:///{shutil.copy(migrated, tmp_path / 'kubemin.db')}"
    db = await Database.open(url)
    await fill(db)
    await db.aclose()
    assert files_with(tmp_path, b"hunter2") == ["kubemin.db"]
    db = await opened(url, "old")
    await rotated(db)
    await db.aclose()
    assert files_with(tmp_path, b"hunter2") == []


async def test_a_missing_or_wrong_key_is_told_with_its_name_and_the_table(plain: Database, url: str) -> None:
    db = await opened(url, "old")
    await rotated(db)
    await db.aclose()
    blind = await Database.open(url, codec=sealer("new"))
    for one in (plain, blind):
        with pytest.raises(Unreadable, match=r'applications\.config_key are sealed with the key "old"'):
            await sealing_keys.begin(one)
        with pytest.raises(Unreadable, match=r'tasks\.spec of shop.*the key "old"'):
            async with one.read() as tx:
                await tasks.get(tx, id_of("shop"))
        assert '"old"' in str(await sealing_keys.MissingKeys(one)())
    await blind.aclose()
    wrong = await Database.open(url, codec=Sealer({"old": KEYS["new"]}))
    with pytest.raises(Unreadable, match=r"sealing_keys\.proof.*does not open"):
        await sealing_keys.begin(wrong)
    await wrong.aclose()


async def test_a_key_that_nothing_is_sealed_with_any_more_may_go(plain: Database, url: str) -> None:
    for order in (("old",), ("new", "old"), ("new",)):
        db = await opened(url, *order)
        await rotated(db)
        assert await sealing_keys.MissingKeys(db)() is None
        await db.aclose()


async def test_what_is_moved_or_changed_does_not_open_and_the_rest_is_sealed_anew(plain: Database, url: str) -> None:
    db = await opened(url, "old")
    await rotated(db)
    async with db.begin("move") as tx:
        moved = await tx.scalar(select(tables.tasks.c.spec).where(tables.tasks.c.id == id_of("shop")))
        await tx.write(update(tables.tasks).where(tables.tasks.c.id == id_of("other")).values(spec=moved))
    with pytest.raises(Unreadable, match=r"tasks\.spec of other.*moved"):
        async with db.read() as tx:
            await tasks.get(tx, id_of("other"))
    await db.aclose()
    db = await opened(url, "new", "old")
    with pytest.raises(Unreadable, match=r"tasks\.spec of other"):
        await rotated(db)
    counts = await sealing_keys.count(db)
    assert {column for column, of in counts.items() if set(of) != {"new"}} == {"tasks.spec"}
    assert counts["tasks.spec"] == {"new": 1, "old": 1}
    await db.aclose()


async def kept_sealed(db: Database, rounds: int) -> None:
    """As a server does it in the background, so many rounds."""

    async def pause(seconds: float) -> None:
        nonlocal rounds
        rounds -= seconds > 0
        if rounds <= 0:
            raise Killed

    with pytest.raises(Killed):
        await resealing.keep_sealed(db, share=1, pause=pause)


def refuses(db: Database) -> bool:
    """Whether it takes no plain text any more."""
    return db.sealing.only


_PLAIN = '{"data":{"password":"forged"}}'


async def put_in(db: Database, column: Column[Any], text: str) -> None:
    """Whoever may write into the database puts a text in place of all values of a column."""
    async with db.begin("forge") as tx:
        assert await tx.write(update(column.table).where(column.is_not(None)).values({column: text}))


async def test_once_all_is_sealed_plain_text_is_refused(plain: Database, url: str) -> None:
    """In the process that sealed it and in any that begins later; also when they seal with another key by then."""
    db = await opened(url, "old")
    await kept_sealed(db, 3)
    for order in (("old",), ("new", "old"), ("new",)):
        later = await opened(url, *order)
        await rotated(later)
        await check(later)
        await later.aclose()
    later = await opened(url, "new")
    for column in sealing_keys.sealed_columns():
        keys = [column.table.c[name] for name in column.info["sealed_by"]]
        async with later.read() as tx:
            were = await tx.rows(select(*keys, column.label("was")).where(column.is_not(None)))
        await put_in(later, column, _PLAIN)
        with pytest.raises(Unreadable, match=f"{column} of .* in plain text"):
            await read_all(later)
        with pytest.raises(Unreadable, match=f"{column} of .* in plain text"):  # nor does a rotation seal it
            await rotated(later)
        for row in were:
            async with later.begin("mend") as tx:
                mine = [one == value for one, value in zip(keys, tuple(row)[:-1], strict=True)]
                await tx.write(update(column.table).where(*mine).values({column: row.was}))
    await check(later)
    await put_in(later, tables.resources.c.before, _PLAIN)
    later.sealing.only = False  # as `kubemin key rotate --accept-plain`
    await rotated(later)
    assert await used(later) == {"new"}
    for one in (later, db):
        await one.aclose()


async def read_all(db: Database) -> None:
    async with db.read() as tx:
        for app in APPS:
            await applications.with_key(tx, id_of(app))
            await components.of_application(tx, id_of(app))
            await revisions.get(tx, id_of(app), 1)
            await tasks.get(tx, id_of(app))
            found = [flow.unreadable for flow in await workflows.of_application(tx, id_of(app)) if flow.unreadable]
            found += [one.unreadable for one in await evidence.of_task(tx, id_of(app)) if one.unreadable]
            found += [why for row in await journal.of_task(tx, id_of(app)) for why in row.unreadable.values()]
            if found:
                raise Unreadable("; ".join(found))


async def test_plain_text_is_refused_only_when_nobody_stores_it_any_more(
    plain: Database, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process without the key goes on for a moment; then it stores nothing, and only then is plain text refused."""
    db = await opened(url, "old")
    await kept_sealed(db, 1)
    assert await used(db) == {"old"}
    assert not refuses(db)
    async with plain.begin("late") as tx:  # it does not know yet
        await journal.update_many(tx, id_of("shop"), [(1, {"applied": SECRET})])
    await check(db)
    monkeypatch.setattr("kubemin.store.database.PLAIN_SECONDS", 0)
    with pytest.raises(KeyInUse, match='the encryption key "old" is in use'):
        async with plain.begin("later") as tx:
            await journal.update_many(tx, id_of("shop"), [(1, {"applied": SECRET})])
    async with plain.begin("a cancel") as tx:  # stores nothing that is sealed
        assert await tasks.cancel(tx, id_of("shop"), "ada", "no") is not None
    await kept_sealed(db, 2)
    assert not refuses(db)  # it has sealed what came late
    await kept_sealed(db, 2)
    assert refuses(db)
    assert await used(db) == {"old"}
    await check(db)
    await db.aclose()


async def test_who_writes_into_the_database_cannot_have_plain_text_read_again(plain: Database, url: str) -> None:
    """That it is refused is sealed itself: neither a state nor a proof of one's own turns it off."""
    db = await opened(url, "old")
    await kept_sealed(db, 3)
    async with db.begin("forge") as tx:
        await tx.write(update(tables.sealing_keys).values(complete=False))
    later = await opened(url, "old")
    assert refuses(later)
    await later.aclose()
    async with db.begin("forge") as tx:
        await tx.write(update(tables.sealing_keys).values(proof='"kubemin"'))
    forged = await Database.open(url, codec=sealer("old"))
    with pytest.raises(Unreadable, match=r"sealing_keys\.proof"):
        await sealing_keys.begin(forged)
    for one in (db, forged):
        await one.aclose()
