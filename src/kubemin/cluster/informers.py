"""Shared watches: one for each kind, however many jobs wait on it. A change wakes the waiters that it concerns.

Why one watch and many waiters: a thousand jobs that wait would otherwise hold a thousand connections to the API server.
A waiter sees the states of its object in order, also those between two runs of its coroutine, so that it misses no
short-lived state.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import TypeVar

from kubemin.cluster.cache import Cache, group_in
from kubemin.cluster.client import Cluster
from kubemin.cluster.errors import Closed, ClusterError, Unauthorized
from kubemin.cluster.excerpts import is_excerpted, with_type
from kubemin.cluster.waiters import Waiter, Waiters
from kubemin.cluster.warning_events import WarningEvents
from kubemin.cluster.watching import Changed, ChangeType, Listed, Pauses, WatchEvent, WatchFailed, observe
from kubemin.spec.labels import MANAGED_BY, MANAGER
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.telemetry.tracing import detached

T = TypeVar("T")


class _Informer:
    """The watch of one kind: its cache and its task."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.cache = Cache(kind)
        self.synced = asyncio.Event()
        self.answered = asyncio.Event()
        """Set once the watch is synced, and while the API server refuses our credentials."""
        self.watch_error: ClusterError | None = None
        self.failure: BaseException | None = None
        self.followers: set[asyncio.Queue[WatchEvent | None]] = set()
        self.task: asyncio.Task[None] | None = None

    def check_authorized(self) -> None:
        """Raise if our credentials are refused: no waiting helps. See also `check_alive`."""
        self.check_alive()
        if isinstance(self.watch_error, Unauthorized):
            raise self.watch_error

    def failed(self, error: ClusterError) -> None:
        """The watch does not work at present."""
        self.watch_error = error
        if isinstance(error, Unauthorized):
            self.answered.set()
        elif not self.synced.is_set():
            self.answered.clear()

    def check_alive(self) -> None:
        """Raise if the watch has ended: a waiter would otherwise wait for ever."""
        if isinstance(self.failure, Exception):
            raise RuntimeError(f"the watch of {self.kind} failed") from self.failure
        if self.failure is not None:
            raise Closed(f"Cannot wait for a {self.kind}: the watches were closed.")


class Informers:
    """Watches of all objects in the cluster that match ``selector``. They begin on first use, and end when closed.

    The objects returned are those in the cache: the caller must not change them. Of kinds that no task writes they are
    excerpts (`excerpts`).
    """

    def __init__(
        self,
        cluster: Cluster,
        *,
        selector: str = f"{MANAGED_BY}={MANAGER}",
        pauses: Callable[[], Pauses] = Pauses,
    ) -> None:
        self._cluster = cluster
        self._selector = selector
        self._pauses = pauses
        self._informers: dict[str, _Informer] = {}
        self._waiters = Waiters()
        self._closed = False
        self.warning_events = WarningEvents(cluster)

    async def aclose(self) -> None:
        """End all watches. A running ``until`` raises Closed."""
        self._closed = True
        await self.warning_events.aclose()
        tasks = [informer.task for informer in self._informers.values() if informer.task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def synced(self, kind: str) -> bool:
        """Whether the kind's watch has seen the whole collection once."""
        informer = self._informers.get(kind)
        return informer is not None and informer.synced.is_set()

    def current(self, kind: str) -> bool:
        """Whether the kind's watch has seen the whole collection once, and goes on as far as is known."""
        informer = self._informers.get(kind)
        works = informer is not None and informer.watch_error is None and informer.failure is None
        return works and self.synced(kind)

    def watch_error(self, kind: str) -> ClusterError | None:
        """Why the kind's watch does not work at present; None if it works, or has not begun."""
        informer = self._informers.get(kind)
        return informer.watch_error if informer else None

    def snapshot(self, kind: str, namespace: str, labels: Mapping[str, str]) -> list[Manifest]:
        """The objects of a synced kind that carry all ``labels``, as last seen; empty for a kind not watched yet."""
        informer = self._informers.get(kind)
        return informer.cache.select(namespace, labels) if informer else []

    def last_seen(self, ref: ObjectRef) -> Manifest | None:
        """The object as its kind's watch has shown it last; None where it has none, or does not work at present."""
        return self._informers[ref.kind].cache.get(ref.namespace, ref.name) if self.current(ref.kind) else None

    def of_application(self, kind: str, app_id: str) -> list[Manifest]:
        """An application's objects of a synced kind, in all namespaces, as last seen."""
        informer = self._informers.get(kind)
        return informer.cache.of_application(app_id) if informer else []

    def begin(self, kind: str) -> None:
        """Begin the kind's watch, if that is not done yet."""
        self._informer(kind)

    async def watch(self, kind: str) -> None:
        """Begin the kind's watch, if that is not done yet, and wait until it has seen the whole collection once."""
        informer = self._informer(kind)
        await informer.synced.wait()
        informer.check_alive()

    async def until(
        self,
        kind: str,
        namespace: str,
        name: str,
        check: Callable[[Manifest | None], T | None],
        related: Sequence[str] = (),
        *,
        since: str | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> T:
        """Wait until ``check`` returns something else than None, and return that.

        ``check`` gets the object, or None if there is none that matches the selector. It is called as soon as the kinds
        are synced, after every change of the object, and after changes of ``related`` objects of its application and
        component in its namespace. With ``since``, the resourceVersion that a write returned, it is not called before
        the watch has reached that version: it would see the state before the write. ``labels``: those of the related
        objects, where the object itself may be gone already.

        Raises Unauthorized while our credentials are refused. Other errors of the API server are not raised: the watch
        goes on until the caller stops waiting.
        """
        informer = self._informer(kind)
        for each in (informer, *[self._informer(other) for other in related]):
            await each.answered.wait()
            each.check_authorized()
        waiter = Waiter(kind, namespace, name, related, since, group_in(labels or {}))
        self._waiters.enter(waiter, informer.cache)
        try:
            while True:
                waiter.awake.clear()
                informer.check_authorized()
                for state in self._waiters.unseen(waiter, informer.cache):
                    result = check(state)
                    if result is not None:
                        return result
                await waiter.awake.wait()
        finally:
            self._waiters.leave(waiter)

    async def follow(self, kind: str) -> AsyncGenerator[tuple[ChangeType, Manifest], None]:
        """Every object with its managedFields: first all objects (ADDED), then each change. Never ends.

        After a gap all objects come again as ADDED, and objects deleted during the gap are not reported. A kind of
        which the cache keeps excerpts is watched a second time.
        """
        async with aclosing(self._observe(kind) if is_excerpted(kind) else self._from_shared_watch(kind)) as stream:
            async for event in stream:
                if isinstance(event, Listed):
                    for item in event.items:
                        yield "ADDED", with_type(kind, item)
                elif isinstance(event, Changed):
                    yield event.type, with_type(kind, event.object)

    async def _from_shared_watch(self, kind: str) -> AsyncGenerator[WatchEvent, None]:
        """The events of the shared watch, after a listing of its cache."""
        await self.watch(kind)
        informer = self._informer(kind)
        queue: asyncio.Queue[WatchEvent | None] = asyncio.Queue()
        informer.followers.add(queue)
        try:
            yield Listed(informer.cache.all(), informer.cache.version)
            while (event := await queue.get()) is not None:
                yield event
            informer.check_alive()
        finally:
            informer.followers.discard(queue)

    def _observe(self, kind: str) -> AsyncGenerator[WatchEvent, None]:
        return observe(self._cluster, kind, labels=self._selector, pauses=self._pauses())

    def _informer(self, kind: str) -> _Informer:
        if self._closed:
            raise Closed(f"Cannot watch {kind}: the watches were closed.")
        informer = self._informers.get(kind)
        if informer is None:
            informer = self._informers[kind] = _Informer(kind)
            informer.task = asyncio.create_task(self._run(informer), name=f"informer {kind}", context=detached())
        return informer

    async def _run(self, informer: _Informer) -> None:
        try:
            async with aclosing(self._observe(informer.kind)) as stream:
                async for event in stream:
                    self._apply_event(informer, event)
                    for follower in informer.followers:
                        follower.put_nowait(event)
        except BaseException as error:
            informer.failure = error
            informer.synced.set()
            informer.answered.set()
            for follower in informer.followers:
                follower.put_nowait(None)
            self._waiters.wake_all()
            raise

    def _apply_event(self, informer: _Informer, event: WatchEvent) -> None:
        # The order matters. The cache takes the event first, because woken waiters read it. ``advance`` comes before
        # ``changed``: no change is queued for a waiter that still waits for this version. ``synced`` comes last, when
        # cache and waiters agree.
        if isinstance(event, WatchFailed):
            informer.failed(event.error)
            if isinstance(event.error, Unauthorized):
                self._waiters.wake_all()
            return
        informer.watch_error = None
        changes = []
        if isinstance(event, Listed):
            changes = informer.cache.replace(event.items, event.version)
        elif isinstance(event, Changed):
            changes = [informer.cache.change(event)]
        else:
            informer.cache.version = event.version
        self._waiters.advance(informer.kind, informer.cache.version)
        for change in changes:
            self._waiters.changed(informer.kind, change)
        informer.synced.set()
        informer.answered.set()
