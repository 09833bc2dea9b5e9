"""Where objects live: one revision counter, one shelf a resource, and a log of what changed for the watches.

Stored objects are never changed in place: a write puts a new one. So a list, a watch event and the log share them
without copies, and an old state of a shelf is found by walking the log backwards.
"""

import asyncio
from bisect import bisect_right
from collections.abc import Callable, Iterator
from typing import Literal

from kubesim.jsondata import Object, dump_json

EventType = Literal["ADDED", "MODIFIED", "DELETED"]
Key = tuple[str, str]
"""Namespace (empty for cluster-scoped objects) and name."""

Subscriber = Callable[[EventType, Object, Object | None], None]
"""Told of each change: its type, the object, and what was there before. Both are read only."""


class Entry:
    """A stored object and, once somebody asked for it, its JSON."""

    __slots__ = ("__weakref__", "_raw", "obj")

    def __init__(self, obj: Object) -> None:
        self.obj = obj
        self._raw: bytes | None = None

    @property
    def raw(self) -> bytes:
        """The object as JSON, encoded once for all readers."""
        if self._raw is None:
            self._raw = dump_json(self.obj)
        return self._raw


class Event:
    """One change of a shelf. ``old`` is what was there before, ``None`` for a creation."""

    __slots__ = ("entry", "key", "old", "revision", "type")

    def __init__(self, kind: EventType, revision: int, key: Key, entry: Entry, old: Entry | None) -> None:
        self.type = kind
        self.revision = revision
        self.key = key
        self.entry = entry
        self.old = old


class Expired(Exception):
    """The revision asked for is older than the log. ``oldest`` is the first one that can still be had."""

    def __init__(self, revision: int, oldest: int) -> None:
        super().__init__(f"revision {revision} is older than {oldest}")
        self.revision = revision
        self.oldest = oldest


class Shelf:
    """The objects of one resource, by namespace and name, and the log of their changes."""

    def __init__(self, plural: str, capacity: int) -> None:
        self.plural = plural
        self._capacity = capacity
        self._objects: dict[str, dict[str, Entry]] = {}
        self._log: list[Event] = []
        self._dropped = 0
        self._oldest = 0
        self._waiters: list[asyncio.Future[None]] = []

    def find(self, namespace: str, name: str) -> Entry | None:
        """The entry, if there is one."""
        objects = self._objects.get(namespace)
        return objects.get(name) if objects is not None else None

    def scan(self, namespace: str | None = None) -> Iterator[Entry]:
        """All entries of a namespace, or of all (``None``), in no particular order."""
        if namespace is not None:
            yield from list(self._objects.get(namespace, {}).values())
            return
        for objects in list(self._objects.values()):
            yield from list(objects.values())

    def items(self, namespace: str | None = None) -> list[tuple[Key, Entry]]:
        """Keys and entries of a namespace, or of all (``None``), sorted by key, as etcd lists them."""
        if namespace is not None:
            return [((namespace, name), entry) for name, entry in sorted(self._objects.get(namespace, {}).items())]
        return [
            ((space, name), entry)
            for space, objects in sorted(self._objects.items())
            for name, entry in sorted(objects.items())
        ]

    def items_at(self, revision: int, namespace: str | None = None) -> list[tuple[Key, Entry]]:
        """What ``items`` answered when the cluster was at that revision. Raises ``Expired``."""
        if revision < self._oldest:
            raise Expired(revision, self._oldest)
        state = dict(self.items(namespace))
        for event in reversed(self._log):
            if event.revision <= revision:
                break
            if namespace is not None and event.key[0] != namespace:
                continue
            if event.old is None:
                state.pop(event.key, None)
            else:
                state[event.key] = event.old
        return sorted(state.items(), key=lambda item: item[0])

    @property
    def position(self) -> int:
        """Where the next event will stand. Positions only grow."""
        return self._dropped + len(self._log)

    def position_after(self, revision: int) -> int:
        """The position of the first event after a revision. Raises ``Expired``."""
        if revision < self._oldest:
            raise Expired(revision, self._oldest)
        return self._dropped + bisect_right(self._log, revision, key=lambda event: event.revision)

    def events_from(self, position: int) -> list[Event]:
        """The events from a position on. Raises ``Expired`` if some of them are no longer there."""
        if position < self._dropped:
            raise Expired(position, self._oldest)
        return self._log[position - self._dropped :]

    async def changed(self, position: int) -> None:
        """Return once there is an event at ``position``, or at a ``wake``."""
        if self.position > position:
            return
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            await waiter
        finally:
            if waiter in self._waiters:
                self._waiters.remove(waiter)

    def wake(self) -> None:
        """Let everybody who waits for a change look again."""
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    def forget(self, revision: int) -> None:
        """Drop the log up to a revision: older watches and continues are then expired."""
        keep = bisect_right(self._log, revision, key=lambda event: event.revision)
        self._dropped += keep
        del self._log[:keep]
        self._oldest = max(self._oldest, revision)

    def write(self, event: Event) -> None:
        """Make an event true."""
        namespace, name = event.key
        if event.type == "DELETED":
            objects = self._objects[namespace]
            del objects[name]
            if not objects:
                del self._objects[namespace]
        else:
            self._objects.setdefault(namespace, {})[name] = event.entry
        self._log.append(event)
        if len(self._log) > 2 * self._capacity:
            self.forget(self._log[-self._capacity - 1].revision)
        if self._waiters:
            self.wake()


class Storage:
    """All shelves, under one revision counter."""

    def __init__(self, *, history: int = 10_000) -> None:
        self._history = history
        self._shelves: dict[str, Shelf] = {}
        self._subscribers: list[Subscriber] = []
        # Zero means "any revision" to clients, so that an empty cluster must not stand at it.
        self.revision = 1

    def shelf(self, plural: str) -> Shelf:
        """The shelf of a resource, made on first use."""
        shelf = self._shelves.get(plural)
        if shelf is None:
            shelf = self._shelves[plural] = Shelf(plural, self._history)
        return shelf

    def wake(self) -> None:
        """Let every watch look again, changed or not."""
        for shelf in self._shelves.values():
            shelf.wake()

    def subscribe(self, subscriber: Subscriber) -> None:
        """Call ``subscriber`` after each change, from within the write."""
        self._subscribers.append(subscriber)

    def put(self, plural: str, key: Key, obj: Object) -> Entry:
        """Store ``obj`` (taken over, not copied) under the next revision, which it carries from then on."""
        shelf = self.shelf(plural)
        old = shelf.find(*key)
        return self._write("ADDED" if old is None else "MODIFIED", shelf, key, obj, old)

    def remove(self, plural: str, key: Key) -> Entry:
        """Remove an object. Its last state, under the next revision, is what watches see."""
        shelf = self.shelf(plural)
        old = shelf.find(*key)
        if old is None:
            raise KeyError(key)
        last = {**old.obj, "metadata": dict(old.obj["metadata"])}
        return self._write("DELETED", shelf, key, last, old)

    def _write(self, kind: EventType, shelf: Shelf, key: Key, obj: Object, old: Entry | None) -> Entry:
        self.revision += 1
        obj["metadata"]["resourceVersion"] = str(self.revision)
        entry = Entry(obj)
        shelf.write(Event(kind, self.revision, key, entry, old))
        for subscriber in self._subscribers:
            subscriber(kind, obj, None if old is None else old.obj)
        return entry
