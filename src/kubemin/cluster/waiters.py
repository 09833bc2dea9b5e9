"""Finds the waiters that a change concerns. The cost of a change depends on their number only.

With 1,000 jobs in one namespace each Pod event would otherwise wake 1,000 waiters, of which one has something to do.
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence

from kubemin.cluster.cache import Cache, Change, Group, group_of, has_reached
from kubemin.spec.objects import Manifest

_MAX_STATES = 64  # states of one object that a waiter has not read yet; older ones are dropped


class Waiter:
    """One running ``until``: the object it waits on, and the states of it that it has not read yet."""

    def __init__(
        self,
        kind: str,
        namespace: str,
        name: str,
        related: Sequence[str],
        since: str | None,
        group: Group | None = None,
    ) -> None:
        """``group``: of the related objects, should the object itself not be there."""
        self.kind = kind
        self.namespace = namespace
        self.name = name
        self.related = tuple(related)
        self.since = since
        self.group = group
        self.states: deque[Manifest | None] = deque(maxlen=_MAX_STATES)
        self.awake = asyncio.Event()


class Waiters:
    """All waiters, by the object they wait on and by the related kinds they read."""

    def __init__(self) -> None:
        self._by_object: dict[tuple[str, str, str], set[Waiter]] = {}
        # Waiters on another kind that also read this one (a Deployment's waiter reads Pods): by kind and
        # namespace, then
        # by application and component, so that a Pod wakes the waiter of its own workload and no other.
        self._by_related: dict[tuple[str, str], dict[Group | None, set[Waiter]]] = {}
        # By kind: waiters whose cache has not reached the version of their write yet. They get no states:
        # those are older.
        self._behind: dict[str, set[Waiter]] = {}

    def enter(self, waiter: Waiter, cache: Cache) -> None:
        """Add a waiter. ``cache`` is that of the waiter's kind."""
        self._by_object.setdefault((waiter.kind, waiter.namespace, waiter.name), set()).add(waiter)
        current = cache.get(waiter.namespace, waiter.name)
        waiter.group = group_of(current) if current else waiter.group
        self._relate(waiter)
        if not has_reached(cache.version, waiter.since):
            self._behind.setdefault(waiter.kind, set()).add(waiter)

    def leave(self, waiter: Waiter) -> None:
        """Remove a waiter."""
        key = (waiter.kind, waiter.namespace, waiter.name)
        self._by_object[key].discard(waiter)
        if not self._by_object[key]:
            del self._by_object[key]
        self._unrelate(waiter)
        self._behind.get(waiter.kind, set()).discard(waiter)

    def unseen(self, waiter: Waiter, cache: Cache) -> list[Manifest | None]:
        """The states of its object that the waiter has to read: those that came, or else the current one again.

        Empty while the cache has not reached the version that the waiter wants to see.
        """
        if waiter in self._behind.get(waiter.kind, ()):
            return []
        states = list(waiter.states) or [cache.get(waiter.namespace, waiter.name)]
        waiter.states.clear()
        return states

    def advance(self, kind: str, version: str) -> None:
        """The watch of a kind has reached ``version``: wake the waiters that waited for it."""
        behind = self._behind.get(kind)
        if behind:
            for waiter in [each for each in behind if has_reached(version, each.since)]:
                behind.discard(waiter)
                waiter.awake.set()

    def changed(self, kind: str, change: Change) -> None:
        """An object has changed: wake the waiters that wait on it or read it."""
        old, new = change
        meta = ((new or old) or {})["metadata"]
        namespace, name = meta.get("namespace", ""), meta["name"]
        behind = self._behind.get(kind, ())
        for waiter in self._by_object.get((kind, namespace, name), ()):
            # The object may be new, or its labels may have changed: then other related objects concern the waiter.
            if new is not None and group_of(new) != waiter.group:
                self._unrelate(waiter)
                waiter.group = group_of(new)
                self._relate(waiter)
            if waiter not in behind:
                waiter.states.append(new)
                waiter.awake.set()
        for waiter in self._related_waiters(kind, namespace, {group_of(each) for each in change if each}):
            waiter.awake.set()

    def wake_all(self) -> None:
        """Wake all waiters, because a watch has ended."""
        for waiters in self._by_object.values():
            for waiter in waiters:
                waiter.awake.set()

    def _related_waiters(self, kind: str, namespace: str, groups: set[Group | None]) -> Iterable[Waiter]:
        by_group = self._by_related.get((kind, namespace))
        if not by_group:
            return ()
        # If the object or a waiter has no such labels, we cannot tell whether it concerns the waiter: it is woken.
        keys = list(by_group) if None in groups else [*groups, None]
        return [waiter for key in keys for waiter in by_group.get(key, ())]

    def _relate(self, waiter: Waiter) -> None:
        for kind in waiter.related:
            by_group = self._by_related.setdefault((kind, waiter.namespace), {})
            by_group.setdefault(waiter.group, set()).add(waiter)

    def _unrelate(self, waiter: Waiter) -> None:
        for kind in waiter.related:
            by_group = self._by_related[kind, waiter.namespace]
            by_group[waiter.group].discard(waiter)
            if not by_group[waiter.group]:
                del by_group[waiter.group]
            if not by_group:
                del self._by_related[kind, waiter.namespace]
