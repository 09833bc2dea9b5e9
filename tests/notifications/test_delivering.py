"""What is delivered, how often, and in which order, on each database."""

import asyncio
from contextlib import suppress

from sqlalchemy import insert, select, update
from structlog.testing import capture_logs

from kubemin.notifications.deliverer import PAUSES
from kubemin.notifications.sending import Sender
from kubemin.spec.states import Cleanup, TaskStatus
from kubemin.store import Database, applications, deliveries, outbox, tables, tasks
from kubemin.store.clock import now
from kubemin.store.deliveries import DeliveryState
from tests.notifications.receiver import Receiver, answers, receiving
from tests.notifications.rows import PUBLIC, all_deliveries, at_work, deliverer, due_now, ended, prepared, target, types
from tests.store.rows import claim, id_of, new_task
from tests.waiting import until


async def states(db: Database) -> list[tuple[str, str]]:
    return [(one.event.data["taskId"].rstrip("."), str(one.state)) for one in await all_deliveries(db)]


async def test_what_ends_is_delivered_once(db: Database, receiver: Receiver) -> None:
    await prepared(db)
    await ended(db, "one")
    async with at_work(deliverer(db, target(receiver.url))):
        (got,) = await receiver.has(1)
        assert got.json["type"] == "task.failed"
        assert got.json["data"]["taskId"] == id_of("one")
        await ended(db, "two", TaskStatus.COMPLETED, reason="")
        assert [one.json["type"] for one in await receiver.has(2)] == ["task.failed", "task.completed"]


async def test_two_servers_send_each_message_once_and_in_order(db: Database, receiver: Receiver) -> None:
    apps = ("shop", "blog", "mail")
    await prepared(db, *apps)
    names = [f"{app}-{turn}" for turn in range(5) for app in apps]
    for name in names:
        await ended(db, name, app=name.partition("-")[0])
    async with at_work(*(deliverer(db, target(receiver.url)) for _ in range(2))):
        await receiver.has(len(names))

        async def all_ended() -> bool:
            return all(state == "delivered" for _, state in await states(db))

        await until(all_ended)
    got = [one.json["data"]["taskId"].rstrip(".") for one in receiver.got]
    assert sorted(got) == sorted(names)
    for app in apps:
        assert [name for name in got if name.startswith(app)] == [name for name in names if name.startswith(app)]


async def test_a_sender_that_died_has_its_message_sent_again_with_the_same_id(db: Database, receiver: Receiver) -> None:
    await prepared(db)
    await ended(db, "one")
    dying, other = deliverer(db, target(receiver.url)), deliverer(db, target(receiver.url))
    assert await dying.take() is False
    receiver.hold = asyncio.Event()
    sending = asyncio.create_task(dying.deliver(target(receiver.url)))
    await receiver.has(1)
    sending.cancel()  # after the send, before anything is recorded
    with suppress(asyncio.CancelledError):
        await sending
    assert not await other.deliver(target(receiver.url)), "while the first one may still be sending nobody else does"
    await due_now(db)
    receiver.hold.set()
    assert await other.deliver(target(receiver.url))
    first, second = receiver.got
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    assert await states(db) == [("one", "delivered")]


async def test_who_was_overtaken_records_nothing(sqlite: Database, receiver: Receiver) -> None:
    await prepared(sqlite)
    await ended(sqlite, "one")
    late = deliverer(sqlite, target(receiver.url))
    await late.take()
    async with sqlite.begin("claim") as tx:
        (first,) = await deliveries.claim(tx, "ops", 4, 60)
    await due_now(sqlite)
    async with sqlite.begin("claim") as tx:
        (second,) = await deliveries.claim(tx, "ops", 4, 60)
        assert await deliveries.end(tx, second, DeliveryState.DELIVERED, 200)
    async with sqlite.begin("late") as tx:
        assert not await deliveries.try_later(tx, first, 5, None, "too late")
        assert not await deliveries.end(tx, first, DeliveryState.DEAD, None, "too late")
    assert await states(sqlite) == [("one", "delivered")]


async def test_it_is_tried_for_a_day_with_growing_pauses_and_then_dead(sqlite: Database, receiver: Receiver) -> None:
    await prepared(sqlite)
    await ended(sqlite, "one")
    receiver.answer = answers("500 Oh no", body="hush-hush")
    sends, to = deliverer(sqlite, target(receiver.url)), target(receiver.url)
    await sends.take()
    for pause in PAUSES:
        assert await sends.deliver(to)
        (one,) = await all_deliveries(sqlite)
        assert (one.state, one.http_status, one.error) == (DeliveryState.WAITING, 500, "it answered 500")
        assert one.next_at is not None
        assert one.tried_at is not None
        assert pause - 1 <= (one.next_at - one.tried_at).total_seconds() <= pause * 1.1 + 100
        assert not await sends.deliver(to), "it waits"
        await due_now(sqlite)
    await sends.deliver(to)
    (one,) = await all_deliveries(sqlite)
    assert (one.state, one.attempts, one.next_at) == (DeliveryState.DEAD, len(PAUSES) + 1, None)
    assert not await sends.deliver(to)
    assert sum(PAUSES) >= 24 * 3600
    receiver.answer = answers("204 No Content")
    async with sqlite.begin("retry") as tx:
        assert await deliveries.retry(tx, one.id)
    assert await sends.deliver(to)
    assert await states(sqlite) == [("one", "delivered")]
    async with sqlite.begin("retry") as tx:
        assert not await deliveries.retry(tx, one.id), "it is delivered"


async def test_a_target_that_is_gone_is_left_alone(sqlite: Database, receiver: Receiver) -> None:
    await prepared(sqlite)
    await ended(sqlite, "one")
    receiver.answer = answers("410 Gone")
    sends = deliverer(sqlite, target(receiver.url))
    await sends.take()
    await sends.deliver(target(receiver.url))
    assert await states(sqlite) == [("one", "dead")]


async def test_a_target_may_ask_for_a_longer_pause(sqlite: Database, receiver: Receiver) -> None:
    await prepared(sqlite)
    await ended(sqlite, "one")
    receiver.answer = answers("429 Too Many", "Retry-After: 900")
    sends = deliverer(sqlite, target(receiver.url))
    await sends.take()
    await sends.deliver(target(receiver.url))
    (one,) = await all_deliveries(sqlite)
    assert one.next_at is not None
    assert one.tried_at is not None
    assert (one.next_at - one.tried_at).total_seconds() >= 899


async def test_a_message_waits_for_the_former_one_but_not_for_ever(db: Database, receiver: Receiver) -> None:
    await prepared(db, "shop", "blog")
    await ended(db, "one")
    await ended(db, "two")
    await ended(db, "other", app="blog")
    to = target(receiver.url)
    sends = deliverer(db, to)
    await sends.take()
    receiver.once = [answers("500 No")]
    await sends.deliver(to)
    assert sorted(one.json["data"]["taskId"].rstrip(".") for one in receiver.got) == ["one", "other"]
    for _ in range(deliveries.WAITS_FOR - 1):
        receiver.got.clear()
        receiver.once = [answers("500 No")]
        await due_now(db)
        await sends.deliver(to)
        assert [one.json["data"]["taskId"].rstrip(".") for one in receiver.got] == ["one"]
    receiver.got.clear()
    await sends.deliver(to)
    assert [one.json["data"]["taskId"].rstrip(".") for one in receiver.got] == ["two"]


async def test_one_target_that_hangs_holds_up_no_other(sqlite: Database, receiver: Receiver) -> None:
    await prepared(sqlite)
    async with receiving(None) as hangs:
        sender = Sender(PUBLIC, seconds=3600)
        sends = deliverer(sqlite, target(hangs.url, "hangs"), target(receiver.url), sender=sender)
        async with at_work(sends):
            for turn in range(6):
                await ended(sqlite, f"t{turn}")
            await receiver.has(6)
            assert len(hangs.got) == 1, "the application's next message waits for the first"


async def test_nobody_to_tell_writes_nothing_down(db: Database) -> None:
    async with db.begin("prepare"):
        pass
    await ended(db, "one")
    assert await types(db) == []


async def test_each_end_is_written_down_with_its_transaction(db: Database) -> None:
    await prepared(db)
    for status in (TaskStatus.COMPLETED, TaskStatus.FAILED, TaskStatus.TIMEOUT):
        await ended(db, str(status), status)
    async with db.begin("insert") as tx:
        await tasks.insert(tx, new_task("four"))
        assert await tasks.cancel(tx, id_of("four"), "bea", "wrong version")
        assert await tasks.cancel(tx, id_of("four"), "bea", "wrong version") is None
    assert await types(db) == ["task.completed", "task.failed", "task.timeout", "task.cancelled"]
    try:
        async with db.begin("rolled back") as tx:
            await tasks.insert(tx, new_task("five"))
            assert await tasks.cancel(tx, id_of("five"), "bea", "wrong version")
            raise RuntimeError
    except RuntimeError:
        pass
    assert len(await types(db)) == 4


async def test_a_cleanup_that_stays_incomplete_is_told_once_and_when_it_is_done(db: Database) -> None:
    await prepared(db)
    task = await ended(db, "one", cleanup=Cleanup.PENDING)
    for _ in range(3):
        async with db.begin("cleanup") as tx:
            epoch = task.lease_epoch
            assert await tasks.set_cleanup(tx, task.id, epoch, Cleanup.RUNNING)
            assert await tasks.set_cleanup(tx, task.id, epoch, Cleanup.INCOMPLETE, "Pod/x: stuck", 0)
            assert await tasks.retry_cleanup_now(tx, task.id)
        again = await claim(db)
        assert again is not None
        task = again
    async with db.begin("cleanup") as tx:
        assert await tasks.set_cleanup(tx, task.id, task.lease_epoch, Cleanup.DONE)
    assert await types(db) == ["task.failed", "cleanup.incomplete", "cleanup.done"]


async def test_a_cleanup_that_is_done_at_once_is_not_told(sqlite: Database) -> None:
    await prepared(sqlite)
    task = await ended(sqlite, "one", cleanup=Cleanup.PENDING)
    async with sqlite.begin("cleanup") as tx:
        assert await tasks.set_cleanup(tx, task.id, task.lease_epoch, Cleanup.DONE)
    assert await types(sqlite) == ["task.failed"]


async def test_giving_a_cleanup_up_is_told(sqlite: Database) -> None:
    await prepared(sqlite)
    task = await ended(sqlite, "one", cleanup=Cleanup.PENDING)
    async with sqlite.begin("cleanup") as tx:
        assert await tasks.set_cleanup(tx, task.id, task.lease_epoch, Cleanup.INCOMPLETE, "Pod/x: stuck")
        assert await tasks.abandon_cleanup(tx, task.id, "given up by ada")
    assert await types(sqlite) == ["task.failed", "cleanup.incomplete", "cleanup.abandoned"]


async def test_a_dry_run_is_not_told(sqlite: Database) -> None:
    await prepared(sqlite)
    await ended(sqlite, "one", options={"dry_run": True})
    assert await types(sqlite) == []


async def test_what_nobody_wants_and_what_is_old_is_forgotten(db: Database, receiver: Receiver) -> None:
    await prepared(db)
    await ended(db, "one")
    sends = deliverer(db, target(receiver.url, namespaces=["test"]))
    await sends.take()
    assert await types(db) == []
    await ended(db, "two")
    sends = deliverer(db, target(receiver.url))
    await sends.take()
    await sends.deliver(target(receiver.url))
    await sends.keep()
    assert len(await types(db)) == 1
    async with db.begin("forget") as tx:
        assert await outbox.forget(tx, -1, 10) == 1
    assert await all_deliveries(db) == []


async def test_all_that_is_old_is_forgotten_however_much_it_is(sqlite: Database, receiver: Receiver) -> None:
    """More than one transaction deletes, and without a pause: else it would grow faster than it goes."""
    await prepared(sqlite)
    await ended(sqlite, "one")
    async with sqlite.begin("many") as tx:
        (one,) = await tx.rows(select(tables.outbox))
        old = {**one._mapping, "taken_at": 1.0, "app_id": id_of("shop")}
        rows = [{**old, "seq": seq, "id": id_of(str(seq))} for seq in range(100, 220)]
        await tx.write(insert(tables.outbox), rows)
    sends = deliverer(sqlite, target(receiver.url))
    while await sends.keep():
        pass
    assert len(await types(sqlite)) == 1


async def test_a_target_that_was_taken_away_is_dropped(db: Database, receiver: Receiver) -> None:
    await prepared(db)
    await ended(db, "one")
    await deliverer(db, target(receiver.url, "old")).take()
    async with db.begin("drop") as tx:
        assert await deliveries.drop_stranded(tx, ["ops"], 3600) == 0
        assert await deliveries.drop_stranded(tx, ["old"], -1) == 0
        assert await deliveries.drop_stranded(tx, ["ops"], -1) == 1
    assert await states(db) == [("one", "dropped")]


async def test_servers_with_other_targets_lose_nothing_of_each_other(db: Database, receiver: Receiver) -> None:
    """Whichever of them takes an event: each target gets what it wants, from a server that has it."""
    await prepared(db)
    async with receiving() as second:
        one = deliverer(db, target(receiver.url, "one", on=["failed"]))
        two = deliverer(db, target(second.url, "two", on=["completed", "failed"]))
        for server in (one, two):
            await server.keep()
        await ended(db, "failed")
        await ended(db, "completed", TaskStatus.COMPLETED, reason="")
        await one.take()  # nothing is left for the other to take
        assert await two.take() is False
        found = {(d.target, d.event.data["taskId"].rstrip("."), str(d.state)) for d in await all_deliveries(db)}
        assert found == {("one", "failed", "waiting"), ("two", "failed", "offered"), ("two", "completed", "offered")}
        async with at_work(one, two):
            assert [got.json["type"] for got in await second.has(2)] == ["task.failed", "task.completed"]
            assert [got.json["type"] for got in await receiver.has(1)] == ["task.failed"]

            async def all_ended() -> bool:
                return {state for _, state in await states(db)} == {"delivered"}

            await until(all_ended)


async def test_what_another_servers_target_does_not_want_is_forgotten(db: Database, receiver: Receiver) -> None:
    await prepared(db)
    one, two = deliverer(db, target(receiver.url, "one")), deliverer(db, target(receiver.url, "two", on=["abandoned"]))
    for server in (one, two):
        await server.keep()
    await ended(db, "failed")
    await one.take()
    await two.deliver(target(receiver.url, "two", on=["abandoned"]))
    assert [(d.target, str(d.state)) for d in await all_deliveries(db)] == [("one", "waiting")]
    assert receiver.got == []


async def test_what_no_server_has_for_a_day_is_told_and_dropped(sqlite: Database, receiver: Receiver) -> None:
    """Until then it is kept: a server that starts with the target again sends it."""
    await prepared(sqlite)
    gone, stays = deliverer(sqlite, target(receiver.url, "gone")), deliverer(sqlite, target(receiver.url, "ops"))
    for server in (gone, stays):
        await server.keep()
    await ended(sqlite, "failed")
    await stays.take()
    async with sqlite.begin("later") as tx:
        await tx.write(update(tables.deliveries).values(created_at=1.0))
    await stays.keep()  # another server has had it within a day
    assert {d.target: str(d.state) for d in await all_deliveries(sqlite)} == {"ops": "waiting", "gone": "offered"}
    assert stays.registry.get_sample_value("kubemin_notifications_stranded") == 0
    async with sqlite.begin("much later") as tx:
        mine = tables.duties.c.name == "target/gone"
        await tx.write(update(tables.duties).where(mine).values(expires_at=1.0))
        await tx.write(update(tables.deliveries).values(created_at=now()))
    await stays.keep()
    assert stays.registry.get_sample_value("kubemin_notifications_stranded") == 1
    async with sqlite.begin("later") as tx:
        await tx.write(update(tables.deliveries).values(created_at=1.0))
    with capture_logs() as logged:
        await stays.keep()
    assert [one["messages"] for one in logged if one["log_level"] == "warning"] == [1]
    assert {d.target: str(d.state) for d in await all_deliveries(sqlite)} == {"ops": "waiting", "gone": "dropped"}


async def test_what_waits_is_counted_by_target(sqlite: Database, receiver: Receiver) -> None:
    await prepared(sqlite)
    await ended(sqlite, "one")
    sends = deliverer(sqlite, target(receiver.url))
    await sends.take()
    await sends.keep()
    registry = sends.registry
    assert registry.get_sample_value("kubemin_notifications_waiting", {"target": "ops"}) == 1
    receiver.answer = answers("500 No")
    await sends.deliver(target(receiver.url))
    assert registry.get_sample_value("kubemin_notifications_failed_total", {"target": "ops"}) == 1
    receiver.answer = answers("200 OK")
    await due_now(sqlite)
    await sends.deliver(target(receiver.url))
    await sends.keep()
    assert registry.get_sample_value("kubemin_notifications_delivered_total", {"target": "ops"}) == 1
    assert registry.get_sample_value("kubemin_notifications_waiting", {"target": "ops"}) == 0
    assert registry.get_sample_value("kubemin_notifications_oldest_seconds", {"target": "ops"}) == 0


async def test_a_status_that_comes_late_does_not_undo_the_later_one(sqlite: Database, receiver: Receiver) -> None:
    await prepared(sqlite)
    ci = target(receiver.url, "ci", template="github-status", token="t0ken")
    commit = {"commit": {"repository": "octo/shop", "sha": "a" * 40}}
    await ended(sqlite, "one", options=commit)
    sends = deliverer(sqlite, ci)
    await sends.take()
    receiver.answer = answers("500 No")
    for _ in range(deliveries.WAITS_FOR):
        await due_now(sqlite)
        await sends.deliver(ci)
    receiver.answer = answers("201 Created")
    await sends.deliver(ci)
    await due_now(sqlite)
    while await sends.deliver(ci):
        pass
    assert [(one.event.type, str(one.state)) for one in await all_deliveries(sqlite)] == [
        ("task.created", "dropped"),
        ("task.failed", "delivered"),
    ]
    assert [one.json["state"] for one in receiver.got] == ["pending"] * deliveries.WAITS_FOR + ["failure"]


async def test_a_cleanup_that_is_opened_again_is_told_anew(sqlite: Database) -> None:
    await prepared(sqlite)
    task = await ended(sqlite, "one", cleanup=Cleanup.PENDING)
    for _ in range(2):
        async with sqlite.begin("cleanup") as tx:
            assert await tasks.set_cleanup(tx, task.id, task.lease_epoch, Cleanup.INCOMPLETE, "Pod/x: stuck", 0)
            assert await tasks.retry_cleanup_now(tx, task.id)
        again = await claim(sqlite)
        assert again is not None
        async with sqlite.begin("done") as tx:
            assert await tasks.set_cleanup(tx, again.id, again.lease_epoch, Cleanup.DONE)
            assert await tasks.reopen_cleanup(tx, again.id)
        reopened = await claim(sqlite)
        assert reopened is not None
        task = reopened
    assert await types(sqlite) == ["task.failed", *["cleanup.incomplete", "cleanup.done"] * 2]


async def test_of_an_application_that_is_gone_it_is_still_told_which_it_was(sqlite: Database) -> None:
    await prepared(sqlite)
    gone = {"namespace": "prod", "project": "retail"}
    task = await ended(sqlite, "one", TaskStatus.COMPLETED, cleanup=Cleanup.PENDING, options=gone)
    async with sqlite.begin("cleanup") as tx:
        assert await applications.delete(tx, task.app_id)
        assert await tasks.set_cleanup(tx, task.id, task.lease_epoch, Cleanup.INCOMPLETE, "Pod/x: stuck", 0)
        told = (await outbox.untaken(tx, 10))[-1]
    assert (told.type, told.data["namespace"], told.data["project"]) == ("cleanup.incomplete", "prod", "retail")
    assert told.data["remaining"] == "Pod/x: stuck"
