"""Watches: a stream of JSON lines, one an event, that starts at a revision and misses nothing after it."""

import asyncio
import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aiohttp import web

from kubesim import table
from kubesim.calls import Call
from kubesim.jsondata import Object, dump_json, utc_now
from kubesim.listing import list_option, revision_of, selection
from kubesim.negotiation import View, negotiate
from kubesim.problems import Problem, expired
from kubesim.resources import Resource
from kubesim.selectors import Matcher
from kubesim.storage import Entry, Event, Expired, Key, Shelf, Storage
from kubesim.views import outgoing

# How long a watch that nobody reads any more may linger before it is noticed, in seconds.
_PULSE = 5.0
_LAST_BOOKMARK = 2.0  # seconds before the end of a watch, as on a real API server
_DEFAULT_TIMEOUT = 1800.0
_INITIAL_EVENTS_END = "k8s.io/initial-events-end"


@dataclass(frozen=True, slots=True)
class _Options:
    """What a watch request asks for. ``revision`` is ``None`` for "the state now, then changes"."""

    revision: int | None
    initial: bool
    bookmarks: bool
    timeout: float


def _options(query: Mapping[str, str]) -> _Options:
    version = query.get("resourceVersion", "")
    revision = revision_of(version) if version else 0
    send = query.get("sendInitialEvents")
    match = query.get("resourceVersionMatch", "")
    if send is None:
        if match:
            raise list_option(
                "resourceVersionMatch", "FieldValueForbidden", "Forbidden: resourceVersionMatch is forbidden for watch"
            )
    elif match != "NotOlderThan":
        raise list_option(
            "resourceVersionMatch",
            "FieldValueForbidden",
            "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
        )
    initial = revision == 0 if send is None else send.lower() in ("true", "1", "")
    timeout = query.get("timeoutSeconds", "")
    seconds = float(timeout) if timeout.isdecimal() and int(timeout) else _DEFAULT_TIMEOUT * (1 + random.random())  # noqa: S311
    return _Options(
        revision=None if initial or revision == 0 else revision,
        initial=initial,
        bookmarks=query.get("allowWatchBookmarks", "").lower() in ("true", "1"),
        timeout=seconds,
    )


class _Lines:
    """Turns events into lines, in the view that the client asked for."""

    def __init__(self, resource: Resource, view: View, query: Mapping[str, str], matcher: Matcher | None) -> None:
        self._resource = resource
        self._view = view
        self._query = query
        self._matcher = matcher
        self._headers = True

    def present(self, entry: Entry) -> bytes:
        """The line for an object that is there when the watch starts."""
        return self._line("ADDED", entry)

    def change(self, event: Event) -> bytes:
        """The line for an event; empty if it does not concern what is selected."""
        matcher = self._matcher
        if matcher is None:
            return self._line(event.type, event.entry)
        now = event.type != "DELETED" and matcher(event.entry.obj)
        before = event.old is not None and matcher(event.old.obj)
        if now:
            return self._line("MODIFIED" if before else "ADDED", event.entry)
        if not before:
            return b""
        if event.type == "DELETED" or event.old is None:
            return self._line("DELETED", event.entry)
        # It left the selection: the client is shown what it knew, at the revision at which it left.
        last = {**event.old.obj, "metadata": {**event.old.obj["metadata"], "resourceVersion": str(event.revision)}}
        return self._line("DELETED", Entry(last))

    def bookmark(self, revision: int, *, end_of_initial: bool = False) -> bytes:
        """The line that tells the client how far it has come."""
        meta: Object = {"resourceVersion": str(revision), "creationTimestamp": None}
        if end_of_initial:
            meta["annotations"] = {_INITIAL_EVENTS_END: "true"}
        return self._line(
            "BOOKMARK", Entry({"kind": self._resource.kind, "apiVersion": self._resource.api_version, "metadata": meta})
        )

    def _line(self, kind: str, entry: Entry) -> bytes:
        entry = outgoing(self._resource, entry)
        if self._view.kind == "Table":
            raw = dump_json(self._table(kind, entry.obj))
        elif self._view.kind:
            raw = dump_json(table.partial(entry.obj, self._view.version))
        else:
            raw = entry.raw
        return b'{"type":"' + kind.encode() + b'","object":' + raw + b"}\n"

    def _table(self, kind: str, obj: Object) -> Object:
        version = self._view.version
        if kind == "BOOKMARK":
            return table.bookmark(obj, version)
        meta = {"resourceVersion": obj["metadata"]["resourceVersion"]}
        headers, self._headers = self._headers, False
        return table.render(self._resource, [obj], meta, self._query, version, utc_now(), headers=headers)


def error_line(problem: Problem) -> bytes:
    """The line that ends a watch with an error."""
    return b'{"type":"ERROR","object":' + dump_json(problem.body()) + b"}\n"


def _query(call: Call) -> Mapping[str, str]:
    """The query; the name in a URL is one more selector."""
    if not call.target.name:
        return call.query
    selector = call.query.get("fieldSelector", "")
    named = f"metadata.name={call.target.name}"
    return {**call.query, "fieldSelector": f"{selector},{named}" if selector else named}


class _Clock:
    """When a watch ends, and when its next bookmark is due: at intervals, and once shortly before the end."""

    def __init__(self, options: _Options, interval: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._interval = interval
        self._deadline = self._loop.time() + options.timeout
        self._bookmark = self._next_bookmark() if options.bookmarks else math.inf

    def left(self) -> float:
        """Seconds until something is due, or the connection is to be looked at."""
        now = self._loop.time()
        return max(0.0, min(self._deadline - now, self._bookmark - now, _PULSE))

    def over(self) -> bool:
        """Whether the watch has had its time."""
        return self._loop.time() >= self._deadline

    def bookmark_is_due(self) -> bool:
        """Whether to send one now; if so, the next one is planned."""
        due = self._loop.time() >= self._bookmark
        if due:
            self._bookmark = self._next_bookmark()
        return due

    def _next_bookmark(self) -> float:
        now, last = self._loop.time(), self._deadline - _LAST_BOOKMARK
        return last if now < last < now + self._interval else now + self._interval


async def serve_watch(
    request: web.BaseRequest,
    call: Call,
    storage: Storage,
    *,
    bookmark_interval: float,
    closing: Callable[[], bool],
    served: Callable[[], bool],
) -> web.StreamResponse:
    """Stream events until the timeout, the client or the server ends it, or the resource is no longer ``served``."""
    resource, namespace, query = call.target.resource, call.target.namespace, _query(call)
    options = _options(query)
    matcher = selection(resource, query)
    lines = _Lines(resource, negotiate(call.accept), query, matcher)
    shelf = storage.shelf(resource.key)
    response = web.StreamResponse(headers={"Cache-Control": "no-cache, private", "Content-Type": "application/json"})
    response.enable_chunked_encoding()
    if options.initial:
        # The position is read in the same step: no event falls between the initial ones and the rest.
        position: int | None = shelf.position
        first = _initial(lines, shelf.items(namespace or None), matcher)
        if options.bookmarks and query.get("sendInitialEvents"):
            first += lines.bookmark(storage.revision, end_of_initial=True)
    else:
        position, first = _start(shelf, options.revision)
    clock = _Clock(options, bookmark_interval)
    try:
        await response.prepare(request)
        if first:
            await response.write(first)
        while position is not None and not (closing() or clock.over()):
            events = shelf.events_from(position)
            if events:
                position += len(events)
                out = b"".join(lines.change(event) for event in events if not namespace or event.key[0] == namespace)
            elif not served():
                break
            else:
                if not await _changed(shelf, position, clock.left()) and _is_left(request):
                    break
                out = lines.bookmark(storage.revision) if clock.bookmark_is_due() else b""
            if out:
                await response.write(out)
        await response.write_eof()
    except Expired:
        # The client reads slower than the cluster changes; like the real server, let it start again.
        pass
    except ConnectionError:
        pass
    return response


def _initial(lines: _Lines, items: list[tuple[Key, Entry]], matcher: Matcher | None) -> bytes:
    """The lines for what is there."""
    return b"".join(lines.present(entry) for _, entry in items if matcher is None or matcher(entry.obj))


def _start(shelf: Shelf, revision: int | None) -> tuple[int | None, bytes]:
    """Where a watch that shows only changes begins. Nowhere, but for the error, if that is no longer in the log."""
    if revision is None:
        return shelf.position, b""
    try:
        return shelf.position_after(revision), b""
    except Expired as error:
        return None, error_line(expired(f"too old resource version: {error.revision} ({error.oldest})"))


async def _changed(shelf: Shelf, position: int, seconds: float) -> bool:
    """Wait that long for an event, and say whether there is one, or may be."""
    try:
        async with asyncio.timeout(seconds):
            await shelf.changed(position)
    except TimeoutError:
        return False
    return True


def _is_left(request: web.BaseRequest) -> bool:
    """Whether the client has gone."""
    return request.transport is None or request.transport.is_closing()
