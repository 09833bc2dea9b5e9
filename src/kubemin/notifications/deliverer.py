"""Delivering: takes events from the outbox, gives each to the targets that want it, and sends until it is delivered.

Any number of servers may do so at once. A message is taken up by an UPDATE that sets when another one may have it; so
one that dies has its message sent again by another one, with the same id: at least once.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge

from kubemin.notifications.sending import SECONDS, Sender
from kubemin.notifications.targets import Target
from kubemin.repeated import Repeated
from kubemin.store import Database, deliveries, outbox
from kubemin.store.deliveries import Delivery, DeliveryState
from kubemin.store.errors import StoreError
from kubemin.store.outbox import Event

log = structlog.get_logger(__name__)

PAUSES = (5.0, 300.0, 1800.0, 7200.0, 18000.0, 36000.0, 36000.0)
"""Seconds after each try in vain until the next one; a day later it is dead (Standard Webhooks' schedule)."""
_MOST = 50
"""Events taken, or forgotten, in one transaction."""
_TOGETHER = 4
"""Messages to one target at once: a target that hangs holds up itself alone."""
_HELD_SECONDS = 4 * SECONDS
"""After that another one may send what was taken up: longer than a send takes."""
_KEEP_SECONDS = 7 * 24 * 3600.0
_DAY = 24 * 3600.0
_KEEPING_SECONDS = 60.0
_LONGEST_PAUSE = 30.0


class Deliverer:
    """Runs beside a server's API; a database that is away is waited for."""

    def __init__(
        self,
        db: Database,
        targets: Sequence[Target],
        sender: Sender,
        registry: CollectorRegistry,
        poll_seconds: float = 1,
    ) -> None:
        self._db = db
        self._targets = {target.name: target for target in targets}
        self._sender = sender
        self._poll_seconds = poll_seconds
        self._news = {name: asyncio.Event() for name in self._targets}
        self.registry = registry
        self._declare_metrics(registry)

    def _declare_metrics(self, registry: CollectorRegistry) -> None:
        self._delivered = Counter(
            "kubemin_notifications_delivered", "Messages that their target has taken.", ["target"], registry=registry
        )
        self._failed = Counter(
            "kubemin_notifications_failed", "Sends of messages that failed.", ["target"], registry=registry
        )
        self._dead = Counter(
            "kubemin_notifications_dead",
            "Messages that are not sent again: a day of tries was in vain, or the target says that it is gone.",
            ["target"],
            registry=registry,
        )
        self._waiting = Gauge(
            "kubemin_notifications_waiting",
            "Messages in the database that wait for their target.",
            ["target"],
            registry=registry,
        )
        self._oldest = Gauge(
            "kubemin_notifications_oldest_seconds",
            "Age of the oldest message that waits for its target; 0: none does.",
            ["target"],
            registry=registry,
        )
        self._stranded = Gauge(
            "kubemin_notifications_stranded",
            "Messages for targets that no server has had for a day; a day old they are dropped.",
            registry=registry,
        )
        for name in self._targets:
            for counter in (self._delivered, self._failed, self._dead):
                counter.labels(name)

    async def run(self) -> None:
        """Deliver until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._again_and_again("take", self.take, self._poll_seconds))
            group.create_task(self._again_and_again("keep", self.keep, _KEEPING_SECONDS))
            for target in self._targets.values():
                group.create_task(self._serve(target))

    async def _serve(self, target: Target) -> None:
        news = self._news[target.name]

        async def deliver() -> bool:
            news.clear()
            return await self.deliver(target)

        await self._again_and_again("deliver", deliver, self._poll_seconds, news)

    async def _again_and_again(
        self, what: str, step: Callable[[], Awaitable[bool]], seconds: float, news: asyncio.Event | None = None
    ) -> None:
        """Take a step whenever there is something to do, and look for that from time to time."""
        failed = 0
        steps = Repeated(log, "notifications wait for the database", step=what)
        news = news or asyncio.Event()
        while True:
            try:
                more = await step()
                failed = 0
                steps.succeeded()
            except StoreError as error:
                more, failed = False, failed + 1
                steps.failed(error)
            except Exception:  # a fault of ours must end neither the server nor the deliveries to other targets
                more, failed = False, failed + 1
                log.exception("notifications broke", step=what)
            if more:
                continue
            pause = min(seconds * 2**failed, max(seconds, _LONGEST_PAUSE)) * random.uniform(0.8, 1.2)  # noqa: S311
            try:
                async with asyncio.timeout(pause):
                    await news.wait()
            except TimeoutError:
                pass

    async def take(self) -> bool:
        """Give new events to the targets that want them; whether there may be more."""
        async with self._db.read() as tx:  # SQLite has one writer: a look must not hold it up
            if not await outbox.is_news(tx):
                return False
        async with self._db.begin("notifications-take") as tx:
            now = await tx.now()
            events = await outbox.untaken(tx, _MOST)
            if not events:
                return False
            fresh = [one for one in events if (now - one.at).total_seconds() < outbox.ANNOUNCED_SECONDS]
            wanted = [(one, name) for one in fresh for name in self._wanting(one)]
            # What others' targets want only they know.
            others = sorted(await outbox.announced(tx) - self._targets.keys())
            offered = [(one, name) for one in fresh for name in others]
            await deliveries.insert_many(tx, wanted, offered)
            kept = {one.seq for one, _ in (*wanted, *offered)}
            await outbox.take(tx, sorted(kept), [one.seq for one in events if one.seq not in kept])
        for name in {name for _, name in wanted}:
            self._news[name].set()
        return len(events) == _MOST

    def _wanting(self, event: Event) -> list[str]:
        return [name for name, target in self._targets.items() if target.wants(event.type, event.data)]

    async def deliver(self, target: Target) -> bool:
        """Send what is due to a target; whether there may be more."""
        async with self._db.read() as tx:
            if not await deliveries.is_due(tx, target.name):
                return False
        async with self._db.begin("notifications-claim") as tx:
            taken = await deliveries.claim(tx, target.name, _TOGETHER, _HELD_SECONDS)
        await asyncio.gather(*(self._send(target, one) for one in taken))
        return bool(taken)

    async def _send(self, target: Target, one: Delivery) -> None:
        if one.state is DeliveryState.OFFERED and not target.wants(one.event.type, one.event.data):
            async with self._db.begin("notifications-unwanted") as tx:
                await deliveries.forget_offer(tx, one)
            return
        if target.is_status and await self._is_overtaken(one):
            async with self._db.begin("notifications-overtaken") as tx:
                await deliveries.end(tx, one, DeliveryState.DROPPED, None, "a later status of the run has been sent")
            return
        answer = await self._sender.send(target, one.event)
        dead = answer.gone or one.tries > len(PAUSES)
        async with self._db.begin("notifications-sent") as tx:
            if not answer.error:
                await deliveries.end(tx, one, DeliveryState.DELIVERED, answer.status)
            elif dead:
                await deliveries.end(tx, one, DeliveryState.DEAD, answer.status, answer.error)
            else:
                pause = max(PAUSES[one.tries - 1] * random.uniform(1, 1.1), answer.retry_after)  # noqa: S311
                await deliveries.try_later(tx, one, pause, answer.status, answer.error)
        if not answer.error:
            self._delivered.labels(target.name).inc()
            return
        self._failed.labels(target.name).inc()
        if dead:
            self._dead.labels(target.name).inc()
        log.warning(
            "a notification was not delivered",
            target=target.name,
            type=one.event.type,
            notification=one.event.id,
            attempt=one.attempts,
            error=answer.error,
            dead=dead,
        )

    async def _is_overtaken(self, one: Delivery) -> bool:
        """Whether a later status of the same run has been sent, or ended otherwise: this one would undo it."""
        async with self._db.read() as tx:
            return await deliveries.is_overtaken(tx, one)

    async def keep(self) -> bool:
        """Say that there is somebody to tell, forget what is old, and count what waits; whether more is old."""
        async with self._db.begin("notifications-keep") as tx:
            await outbox.announce(tx, self._targets)
            known = self._targets.keys() | await outbox.announced(tx)
            dropped = await deliveries.drop_stranded(tx, known, _DAY)
            forgotten = await outbox.forget(tx, _KEEP_SECONDS, _MOST)
        async with self._db.read() as tx:
            now, left = await tx.now(), await deliveries.backlogs(tx)
        if dropped:
            log.warning("messages are dropped: no server has had their targets for a day", messages=dropped)
        self._count(left, now.timestamp())
        self._stranded.set(sum(one.waiting + one.offered for name, one in left.items() if name not in known))
        return forgotten == _MOST

    def _count(self, left: Mapping[str, deliveries.Backlog], now: float) -> None:
        for name in self._targets:
            backlog = left.get(name, deliveries.Backlog())
            self._waiting.labels(name).set(backlog.waiting + backlog.offered)
            self._oldest.labels(name).set(0 if backlog.oldest is None else max(0.0, now - backlog.oldest.timestamp()))
