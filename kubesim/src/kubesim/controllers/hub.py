"""The queue that all controllers share: changes put keys on it, one task drains it, timers put keys back."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import ClassVar, Literal

from kubesim.controllers.events import Recorder
from kubesim.controllers.view import View, is_ready
from kubesim.jsondata import Object, stamp, utc_now
from kubesim.problems import Problem
from kubesim.registry import Registry
from kubesim.storage import EventType

MANAGER = "kube-controller-manager"

Taken = Literal["slow", "lost"]
"""A request that is answered later, for which its controller waits, or never, of which it is told at once."""
Intercept = Callable[[str, Object, Callable[[], Object]], Taken | None]
"""Takes over a creation, by plural, object and what sends it, if it says so: a fault between controller and server."""

Key = tuple[str, ...]
"""What a controller syncs: mostly namespace and name."""

_SLICE = 0.005  # seconds of work before requests get their turn
_RETRY_FIRST, _RETRY_MOST = 0.1, 30.0  # seconds, at speed 1
_RETRY_LEAST = 0.02  # seconds, at any speed: an error that stays must not fill the processor

_log = logging.getLogger(__name__)


class Controller:
    """One control loop. ``changed`` says which keys a change concerns, ``sync`` makes a key's world as it should be."""

    watches: ClassVar[tuple[str, ...]] = ()
    """The plurals whose changes it wants to hear of; ``*`` for all."""

    def __init__(self, hub: "Hub") -> None:
        self.hub = hub
        self.view = hub.view

    def changed(self, event: EventType, plural: str, obj: Object, old: Object | None) -> None:
        """Put on the queue what the change concerns. Must not write."""
        raise NotImplementedError

    def sync(self, key: Key) -> None:
        """Make it so. A ``Problem`` is retried, later and later."""
        raise NotImplementedError

    def enqueue(self, *key: str) -> None:
        """Put a key on the queue, once."""
        self.hub.enqueue(self, key)


class Hub:
    """The controllers' way to the cluster. All writes go through it, under the real controllers' names."""

    def __init__(self, registry: Registry, *, speed: float) -> None:
        self.registry = registry
        self.speed = speed
        self.view = View()
        self.recorder = Recorder(registry)
        self._queue: dict[tuple[Controller, Key], None] = {}
        self._timers: dict[tuple[Controller, Key], asyncio.TimerHandle] = {}
        self._failures: dict[tuple[Controller, Key], int] = {}
        self._syncing: tuple[Controller, Key] | None = None
        self._under_way: set[tuple[Controller, Key]] = set()
        self._interested: dict[str, list[Controller]] = {}
        self._wake = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._open = True
        self.bugs: list[Exception] = []
        self.syncs = 0
        self.intercept: Intercept = lambda plural, obj, send: None

    def add(self, controllers: Sequence[Controller]) -> None:
        """Let these hear of changes from now on."""
        for controller in controllers:
            for plural in controller.watches:
                self._interested.setdefault(plural, []).append(controller)

    def take_up(self) -> None:
        """Learn of what is there already, then hear of every change."""
        for plural in self.registry.catalog.resources:
            for obj in self.registry.scan(plural):
                self._changed("ADDED", obj, None)
        self.registry.subscribe(self._changed)

    def enqueue(self, controller: Controller, key: Key) -> None:
        """Sync ``key`` soon, once however often it is asked for."""
        self._queue[controller, key] = None
        self._wake.set()

    def later(self, seconds: float, controller: Controller, key: Key) -> None:
        """Sync ``key`` after so many seconds at speed 1. Replaces an earlier request for that key."""
        self._later(seconds / self.speed, controller, key)

    def forget(self, controller: Controller, key: Key) -> None:
        """Drop a key's timer and its failures."""
        self._failures.pop((controller, key), None)
        timer = self._timers.pop((controller, key), None)
        if timer is not None:
            timer.cancel()

    def time(self) -> float:
        """The loop's clock, in seconds that ``speed`` has stretched: what delays are measured with."""
        return self._loop.time() * self.speed

    def now(self) -> str:
        """The wall clock, as objects carry it."""
        return stamp(utc_now())

    def available(self, pod: Object, min_ready_seconds: int) -> bool:
        """Whether a Pod has been ready for that long."""
        return is_ready(pod) and self.available_in(pod, min_ready_seconds) <= 0

    def available_in(self, pod: Object, min_ready_seconds: int) -> float:
        """In how many seconds at speed 1 a ready Pod will count as available."""
        since = self.view.ready_since(pod["metadata"]["uid"])
        return since + min_ready_seconds - self.time() if since is not None else float(min_ready_seconds)

    def create(self, plural: str, obj: Object, *, manager: str = MANAGER) -> Object:
        """POST. While a slow one is under way nothing else is done for the key: its controller waits for the answer."""
        item = self._syncing

        def send() -> Object:
            if item is not None and item in self._under_way:
                self._under_way.discard(item)
                self.enqueue(*item)
            return self.registry.create(plural, obj["metadata"].get("namespace", ""), obj, manager=manager)

        taken = self.intercept(plural, obj, send)
        if taken is not None:
            if taken == "slow" and item is not None:
                self._under_way.add(item)
            raise Problem(504, "Timeout", "the request did not complete within the allotted timeout")
        return send()

    def update(self, plural: str, obj: Object, *, manager: str = MANAGER, subresource: str = "") -> Object:
        """PUT. Nothing is written if nothing changed."""
        meta = obj["metadata"]
        return self.registry.update(
            plural, meta.get("namespace", ""), meta["name"], obj, manager=manager, subresource=subresource
        )

    def set_status(self, plural: str, obj: Object, status: Object, *, manager: str = MANAGER) -> Object:
        """PUT to the status subresource, unless the status is that already."""
        if obj.get("status") == status:
            return obj
        return self.update(plural, {**obj, "status": status}, manager=manager, subresource="status")

    def bind(self, pod: Object, node: str) -> Object:
        """POST to ``pods/binding``."""
        return self.registry.bind(pod["metadata"]["namespace"], pod["metadata"]["name"], node)

    def delete(self, plural: str, obj: Object, *, propagation: str | None = None, grace: int | None = None) -> None:
        """DELETE of exactly this object. That it is gone already is as good."""
        meta = obj["metadata"]
        try:
            self.registry.delete(
                plural, meta.get("namespace", ""), meta["name"], uid=meta["uid"], propagation=propagation, grace=grace
            )
        except Problem as problem:
            if problem.code != 404:
                raise

    async def run(self) -> None:
        """Drain the queue for ever."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            started = self._loop.time()
            while self._queue:
                controller, key = next(iter(self._queue))
                del self._queue[controller, key]
                self._sync(controller, key)
                if self._loop.time() - started > _SLICE:
                    await asyncio.sleep(0)
                    started = self._loop.time()

    def close(self) -> None:
        """No more timers, no more keys."""
        self._open = False
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._queue.clear()

    def idle(self) -> bool:
        """Whether nothing waits to be done now. Timers may be running."""
        return not self._queue

    async def settled(self, within: float) -> None:
        """Return once nothing is queued, and no timer but those of retries fires in the next ``within`` seconds."""
        while True:
            soon = self._loop.time() + within
            timers = (timer.when() for item, timer in self._timers.items() if item not in self._failures)
            due = [when for when in timers if when < soon]
            if self._queue:
                await asyncio.sleep(0)
            elif due:
                await asyncio.sleep(max(0.0, min(due) - self._loop.time()))
            else:
                return

    def _sync(self, controller: Controller, key: Key) -> None:
        if (controller, key) in self._under_way:
            return
        self.syncs += 1
        self._syncing = (controller, key)
        try:
            controller.sync(key)
        except Problem as problem:
            failures = self._failures.get((controller, key), 0)
            self._failures[controller, key] = failures + 1
            delay = min(_RETRY_FIRST * 2**failures, _RETRY_MOST) / self.speed
            _log.debug("%s %s: %s; again", type(controller).__name__, "/".join(key), problem)
            self._later(max(delay, _RETRY_LEAST), controller, key)
        except Exception as error:  # noqa: BLE001 - kept, and raised by Controllers.stop
            # A bug of the simulation: the rest of it goes on, and whoever ends it is told.
            _log.exception("%s %s", type(controller).__name__, "/".join(key))
            self.bugs.append(error)
        else:
            self._failures.pop((controller, key), None)

    def _later(self, seconds: float, controller: Controller, key: Key) -> None:
        item = (controller, key)
        timer = self._timers.pop(item, None)
        if timer is not None:
            timer.cancel()

        def due() -> None:
            self._timers.pop(item, None)
            self.enqueue(controller, key)

        self._timers[item] = self._loop.call_later(seconds, due)

    def _changed(self, event: EventType, obj: Object, old: Object | None) -> None:
        resource = self.registry.catalog.kind(obj["apiVersion"], obj["kind"])
        if not self._open or resource is None or resource.key == "events":
            return
        plural = resource.key
        if event == "DELETED":
            self.view.remove(plural, obj)
        else:
            self.view.put(plural, obj, old, self.time())
        for controller in (*self._interested.get(plural, ()), *self._interested.get("*", ())):
            controller.changed(event, plural, obj, old)
