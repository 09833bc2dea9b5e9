"""Tokens, sessions, and what somebody sees, on every database."""

import pytest

from kubemin.spec.scope import Scope
from kubemin.store import Database, applications, components, events, one_time, overview, sessions, tasks, tokens
from kubemin.store.sessions import NewSession
from kubemin.store.tokens import NewToken
from tests.store.rows import id_of, new_task

IDLE = 60.0


async def made(db: Database, token_id: str, seconds: float | None = None) -> None:
    new = NewToken(
        id=token_id, name="ci", owner="ada", hash="0" * 64, grants=[{"role": "viewer"}], made_by="me", seconds=seconds
    )
    async with db.begin("token") as tx:
        assert (await tokens.insert(tx, new)).grants == [{"role": "viewer"}]


async def test_a_token_is_valid_until_it_ends(db: Database) -> None:
    for token_id, seconds in (("ever", None), ("soon", 60.0), ("over", -1.0), ("gone", None)):
        await made(db, token_id, seconds)
    async with db.begin("revoke") as tx:
        assert await tokens.revoke(tx, "gone", "bea")
        assert not await tokens.revoke(tx, "gone", "eve")
        assert not await tokens.revoke(tx, "none", "eve")
        await tokens.mark_used(tx, "ever", 60)
        first = await tokens.get(tx, "ever")
        await tokens.mark_used(tx, "ever", 60)  # not again within the minute
        assert await tokens.get(tx, "ever") == first
        await tokens.mark_used(tx, "ever", -1)
    async with db.read() as tx:
        found = {one.id: one for one in await tokens.page(tx)}
        assert {name for name, one in found.items() if one.valid} == {"ever", "soon"}
        assert await tokens.valid_ones(tx, found) == {"ever", "soon"}
        assert found["gone"].revoked_by == "bea"
        assert first is not None
        assert first.used_at is not None
        assert found["ever"].used_at is not None
        assert found["ever"].used_at >= first.used_at
        assert await tokens.page(tx, "nobody") == []
        assert await tokens.get(tx, "none") is None


async def test_what_counts_once_is_taken_once(db: Database) -> None:
    async with db.begin("remember") as tx:
        assert await one_time.remember(tx, "1", 60)
        assert not await one_time.remember(tx, "1", 60)
        assert await one_time.remember(tx, "2", -1)
        assert not await one_time.take(tx, "2")  # it is over
        assert not await one_time.take(tx, "3")
        assert await one_time.remember(tx, "2", 60)  # what is over is forgotten
    for expected in (True, False):
        async with db.begin("take") as tx:
            assert await one_time.take(tx, "1") is expected


OF_ISSUER = {"a": ("ada", "s1"), "b": ("ada", "s2"), "c": ("ada", None), "d": ("bea", "s3"), "e": (None, None)}


@pytest.mark.parametrize(
    ("subject", "sid", "ended"),
    [
        ("ada", None, "abc"),
        (None, "s1", "a"),
        ("ada", "s1", "ac"),  # of c it is not known to which it belongs
        ("bea", "s1", ""),
        ("eve", None, ""),
        ("ada", "s9", "c"),
    ],
)
async def test_the_sessions_of_an_issuers_session_end(
    db: Database, subject: str | None, sid: str | None, ended: str
) -> None:
    for name, (of_subject, of_sid) in OF_ISSUER.items():
        async with db.begin("session") as tx:
            await sessions.insert(tx, NewSession(hash=name, name="x", subject=of_subject, sid=of_sid, seconds=60))
    async with db.begin("end") as tx:
        assert sorted(await sessions.end_of_issuer(tx, subject, sid)) == list(ended)
    async with db.read() as tx:
        assert await sessions.open_ones(tx, OF_ISSUER, IDLE) == set(OF_ISSUER) - set(ended)


async def test_a_session_is_open_until_it_or_its_token_ends(db: Database) -> None:
    await made(db, "token")
    opened = {
        "1": NewSession(hash="1", name="ada", groups=["a", "b"], seconds=60),
        "2": NewSession(hash="2", name="ada", token_id="token", seconds=60),
        "3": NewSession(hash="3", name="ada", seconds=-1),
    }
    for one in opened.values():
        async with db.begin("session") as tx:
            await sessions.insert(tx, one)
    async with db.read() as tx:
        assert await sessions.open_ones(tx, opened, IDLE) == {"1", "2"}
        assert await sessions.open_ones(tx, opened, -1) == set()  # nobody has used them for so long
        first, second = await sessions.get(tx, "1", IDLE), await sessions.get(tx, "2", IDLE)
        assert first is not None
        assert second is not None
        assert (first.groups, first.grants) == (("a", "b"), None)
        assert second.grants == [{"role": "viewer"}]
        assert await sessions.get(tx, "3", IDLE) is None
        assert await sessions.get(tx, "1", -1) is None
    async with db.begin("end") as tx:
        await sessions.mark_used(tx, "1", 0)
        await tokens.revoke(tx, "token", "ada")
        assert await sessions.end(tx, "1")
        assert not await sessions.end(tx, "1")
        assert await sessions.end_all(tx, "eve") == 0
    async with db.read() as tx:
        assert await sessions.open_ones(tx, opened, IDLE) == set()


APPS = {"red": ("shop", "red"), "blue": ("shop", "blue"), "far": ("far", "red")}
SIGHTS = [
    ([], set()),
    ([Scope()], {"red", "blue", "far", "gone"}),
    ([Scope(namespaces=frozenset({"shop"}))], {"red", "blue"}),
    ([Scope(projects=frozenset({"red"}))], {"red", "far"}),
    ([Scope(namespaces=frozenset({"shop"}), projects=frozenset({"red"}))], {"red"}),
    ([Scope(applications=frozenset({"far", "gone"}))], {"far", "gone"}),
    ([Scope(projects=frozenset({"old"}))], {"gone"}),
    ([Scope(namespaces=frozenset({"far"})), Scope(applications=frozenset({"blue"}))], {"far", "blue"}),
    ([Scope(clusters=frozenset({"default"}), namespaces=frozenset({"far"}))], {"far"}),
    ([Scope(clusters=frozenset({"edge"}))], set()),
]


async def test_each_sees_what_their_scopes_have(db: Database) -> None:
    """A task is where its application is now; where that is gone, where it was."""
    async with db.begin("fill") as tx:
        for name, (namespace, project) in APPS.items():
            new = applications.NewApplication(id=id_of(name), name=name, namespace=namespace, project=project)
            await applications.insert(tx, new)
            await tasks.insert(tx, new_task(f"t-{name}", name, namespace=namespace, project="before"))
        await tasks.insert(tx, new_task("t-gone", "gone", namespace="gone", project="old"))
        for name in (*APPS, "gone"):
            await events.append_many(tx, id_of(f"t-{name}"), [])
    async with db.read() as tx:
        for sight, expected in SIGHTS:
            wanted = applications.Filter(sight=sight)
            assert {one.name for one in await applications.page(tx, wanted)} == expected - {"gone"}
            assert await applications.count(tx, wanted) == len(expected - {"gone"})
            assert {one.app_name for one in await tasks.page(tx, sight=sight)} == expected
            assert len(await tasks.page(tx, sight=sight, limit=1)) == min(1, len(expected))
            assert set(await tasks.beginning_with(tx, "t-", 9, sight)) == {id_of(f"t-{one}") for one in expected}
            assert sum(one.tasks for one in await overview.queues(tx, sight)) == len(expected)
            assert await overview.incomplete(tx, 5, sight) == ([], 0)
            assert await components.of_templates(tx, ["web"], sight) == []
        assert {one.app_name for one in await tasks.page(tx)} == {*APPS, "gone"}
        found = await tasks.brief(tx, id_of("t-red"))
        gone = await tasks.brief(tx, id_of("t-gone"))
        assert found is not None
        assert gone is not None
        assert found.project == "red"
        assert gone.project == "old"
