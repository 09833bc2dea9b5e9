"""Faults on request: what can go wrong between a client and an API server, made to happen.

A ``Fault`` says which requests it strikes and what it does to them. It strikes the ``skip + 1``-th match and the
``times - 1`` after it. From Python: ``armed = server.faults.add(Fault("drop", verb="create", resource="services"))``,
then ``await armed.struck()``. From another process: JSON to ``/sim/faults``, see ``faultserver``.
"""

import asyncio
import inspect
import itertools
import json
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any, Literal

import yaml
from aiohttp import web

from kubesim.jsondata import Object
from kubesim.problems import Problem, expired, forbidden
from kubesim.registry import Registry
from kubesim.resources import Resource
from kubesim.watch import error_line

Action = Literal["latency", "hold", "call", "status", "drop", "late", "cut", "expire", "stick", "lag", "deny"]
When = Literal["before", "after"]

STUCK = "kubesim.io/stuck"
"""The finalizer of ``stick``."""

DENIAL_CODES = (None, 401, 403, 413, 422)
"""What ``deny`` can answer: the codes of the reasons that a policy may name, 422 for one that names none."""

_GROUPS: Mapping[str, frozenset[str]] = {
    "read": frozenset({"get", "list", "watch"}),
    "write": frozenset({"create", "update", "patch", "apply", "delete", "deletecollection"}),
    "patch": frozenset({"patch", "apply"}),
}
_REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    409: "Conflict",
    410: "Expired",
    413: "RequestEntityTooLarge",
    422: "Invalid",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
    504: "Timeout",
}

Proceed = Callable[[], Awaitable[web.StreamResponse]]
"""Does what the request asks for, and makes the answer."""


@dataclass(frozen=True)
class RequestInfo:
    """What a request is, once its body is here. ``verb`` is as in RBAC, but for ``apply``."""

    verb: str
    resource: str
    namespace: str = ""
    url_name: str = ""
    subresource: str = ""
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @cached_property
    def name(self) -> str:
        """The object's name; that of a new object is in the body."""
        if self.url_name or self.verb != "create":
            return self.url_name
        try:
            body = json.loads(self.body)
        except ValueError:
            try:
                body = yaml.safe_load(self.body)
            except (yaml.YAMLError, ValueError):
                return ""
        meta = body.get("metadata") if isinstance(body, dict) else None
        return str(meta.get("name", "")) if isinstance(meta, dict) else ""

    @property
    def dry_run(self) -> bool:
        """Whether it only asks what would happen."""
        return bool(self.query.get("dryRun"))


@dataclass(frozen=True, slots=True)
class Fault:
    """What to do to which requests.

    - ``latency``: wait ``seconds``. ``hold``: wait until released. ``call``: call (and await) ``call``. These let the
      request go on.
    - ``status``: answer ``code`` (503), with ``retry_after`` seconds if given. ``drop``: break the connection.
    - ``late``: break the connection now; the request takes effect after ``seconds``, or when released. It is judged by
      what is there then, with its preconditions.
    - ``cut``: break a watch ``seconds`` after it began. ``expire``: answer 410, a watch with an ``ERROR`` event.
    - ``stick``: whatever is deleted, by whomever, keeps the finalizer ``STUCK`` until released. It looks at resource,
      namespace and name only.
    - ``deny``: refuse with ``message`` an operation on an object, by whomever, dry runs too, as the
      ValidatingAdmissionPolicy ``policy`` with the binding ``binding`` would: after validation, before AlreadyExists.
      ``verb`` is ``create``, ``update`` (a patch, or an apply of what is there, is one) or ``delete``. ``code`` is 422,
      the reason of a policy that names none, 401, 403 or 413. Looks at resource, namespace and name too.
    - ``lag``: what a controller is about to create is created after ``seconds``, or when released, whatever has become
      of its owner by then. For ``seconds`` the controller waits, and does nothing else for its object; without them it
      is told that there was no answer. Looks at the same three.

    ``when="after"`` lets the request take effect first: its answer is delayed, replaced or lost.
    ``verb``, ``resource`` (plural), ``namespace`` and ``name`` are globs; the verbs ``read``, ``write`` and ``patch``
    mean groups, ``apply`` is a verb of its own. Dry runs count only if ``dry_run`` is true, or ``None`` for both.
    ``times=None`` is for ever.
    """

    action: Action
    verb: str = "*"
    resource: str = "*"
    namespace: str = "*"
    name: str = "*"
    subresource: str = "*"
    skip: int = 0
    times: int | None = 1
    when: When = "before"
    dry_run: bool | None = False
    seconds: float | None = None
    code: int | None = None
    retry_after: int | None = None
    message: str = ""
    policy: str = "policy"
    binding: str = "binding"
    call: Callable[[RequestInfo], Awaitable[None] | None] | None = None

    def matches(self, info: RequestInfo) -> bool:
        """Whether it is about such a request."""
        if self.action in ("stick", "lag", "deny") or (self.dry_run is not None and self.dry_run != info.dry_run):
            return False
        if self.action == "cut" and info.verb != "watch":
            return False
        group = _GROUPS.get(self.verb)
        if not (info.verb in group if group is not None else fnmatchcase(info.verb, self.verb)):
            return False
        return self.covers(info.resource, info.namespace, info.name) and fnmatchcase(info.subresource, self.subresource)

    def denies(self, operation: str, resource: str, namespace: str, name: str) -> bool:
        """Whether it refuses such an operation."""
        named = self.verb == "write" or fnmatchcase(operation, self.verb)
        return self.action == "deny" and named and self.covers(resource, namespace, name)

    def covers(self, resource: str, namespace: str, name: str) -> bool:
        """Whether it is about such an object."""
        return (
            fnmatchcase(resource, self.resource)
            and fnmatchcase(namespace, self.namespace)
            and fnmatchcase(name, self.name)
        )


class Armed:
    """A fault that waits for its requests."""

    def __init__(self, number: int, fault: Fault, registry: Registry) -> None:
        self.id = number
        self.fault = fault
        self.seen = 0
        self.strikes = 0
        self.outcomes: list[int] = []
        """The status codes of late requests that have landed."""
        self._registry = registry
        self._held: list[Proceed] = []
        self._released = asyncio.Event()
        self._struck = asyncio.Condition()

    def strike(self) -> bool:
        """Count a match, and say whether it is one to strike."""
        self.seen += 1
        if self.seen <= self.fault.skip or (self.fault.times is not None and self.strikes >= self.fault.times):
            return False
        self.strikes += 1
        return True

    async def struck(self, times: int = 1) -> None:
        """Return once it has struck that often."""
        async with self._struck:
            await self._struck.wait_for(lambda: self.strikes >= times)

    async def tell(self) -> None:
        """Wake those who wait for a strike."""
        async with self._struck:
            self._struck.notify_all()

    async def release(self) -> list[int]:
        """Let go what is held: requests, late requests, stuck objects. Answers with the codes of what landed now."""
        self._released.set()
        if self.fault.action == "stick":
            self._unstick()
        before = len(self.outcomes)
        while self._held:
            await self.land(self._held.pop(0))
        return self.outcomes[before:]

    async def wait(self) -> None:
        """Wait as ``latency`` or ``hold`` say."""
        if self.fault.action == "latency":
            await asyncio.sleep(self.fault.seconds or 0)
        else:
            await self._released.wait()

    def keep(self, proceed: Proceed) -> None:
        """Keep a late request."""
        self._held.append(proceed)

    async def land_held(self, proceed: Proceed) -> None:
        """Land a kept request, unless it was released meanwhile."""
        if proceed in self._held:
            self._held.remove(proceed)
            await self.land(proceed)

    async def land(self, proceed: Proceed) -> None:
        """Let a late request take effect, and note what would have been answered."""
        try:
            self.outcomes.append((await proceed()).status)
        except Problem as problem:
            self.outcomes.append(problem.code)

    def describe(self) -> Object:
        """What ``GET /sim/faults`` shows of it."""
        shown = {key: value for key, value in asdict(self.fault).items() if key != "call"}
        state = {"seen": self.seen, "strikes": self.strikes, "held": len(self._held), "outcomes": self.outcomes}
        return {"id": self.id, **shown, **state}

    def _unstick(self) -> None:
        for resource in self._registry.catalog.resources.values():
            for obj in list(self._registry.scan(resource.key)):
                meta = obj["metadata"]
                namespace, name, finalizers = meta.get("namespace", ""), meta["name"], meta.get("finalizers") or []
                if STUCK in finalizers and self.fault.covers(resource.plural, namespace, name):
                    left = [finalizer for finalizer in finalizers if finalizer != STUCK]
                    body = {**obj, "metadata": {**meta, "finalizers": left}}
                    self._registry.update(resource.key, namespace, name, body, manager="kubesim")


class Faults:
    """All faults of one simulated cluster."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._armed: dict[int, Armed] = {}
        self._numbers = itertools.count(1)
        self._watches: dict[asyncio.Transport, str] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        registry.verbs.finalizers_on_delete = self._stick
        registry.verbs.validate = self._validate

    @property
    def armed(self) -> list[Armed]:
        """Those that wait, the oldest first."""
        return list(self._armed.values())

    def add(self, fault: Fault) -> Armed:
        """Arm a fault."""
        armed = Armed(next(self._numbers), fault, self._registry)
        self._armed[armed.id] = armed
        return armed

    def find(self, number: int) -> Armed | None:
        """The armed fault of that id."""
        return self._armed.get(number)

    def remove(self, armed: Armed) -> None:
        """Disarm it. What it holds stays held: release it first."""
        self._armed.pop(armed.id, None)

    async def clear(self) -> None:
        """Release and disarm all."""
        for armed in self.armed:
            self.remove(armed)
            await armed.release()

    def cut_watches(self, resource: str = "*") -> int:
        """Break all open watches of the resources that the glob names, now. Answers with how many there were."""
        chosen = [transport for transport, plural in self._watches.items() if fnmatchcase(plural, resource)]
        for transport in chosen:
            transport.abort()
        return len(chosen)

    async def aclose(self) -> None:
        """Drop late requests that have not landed."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def around(
        self, info: RequestInfo, proceed: Proceed, transport: asyncio.Transport | None
    ) -> web.StreamResponse:
        """Do what ``proceed`` does, or what goes wrong with it. The body must have been read before."""
        if not self._armed and info.verb != "watch":
            return await proceed()
        struck = [armed for armed in self.armed if armed.fault.matches(info) and armed.strike()]
        for armed in struck:
            await armed.tell()
        before = [armed for armed in struck if armed.fault.when == "before"]
        for armed in before:
            answer = await self._apply(armed, info, proceed, transport)
            if answer is not None:
                return answer
        after = [armed for armed in struck if armed.fault.when == "after"]
        try:
            response = await self._proceed(info, proceed, transport)
        except Problem:
            # Refused is an answer, too, and can be as late or as lost as any.
            for armed in after:
                answer = await self._apply(armed, info, proceed, transport)
                if answer is not None:
                    return answer
            raise
        for armed in after:
            answer = await self._apply(armed, info, proceed, transport)
            if answer is not None:
                return answer
        return response

    async def _proceed(
        self, info: RequestInfo, proceed: Proceed, transport: asyncio.Transport | None
    ) -> web.StreamResponse:
        if info.verb != "watch" or transport is None:
            return await proceed()
        self._watches[transport] = info.resource
        try:
            return await proceed()
        finally:
            self._watches.pop(transport, None)

    async def _apply(
        self, armed: Armed, info: RequestInfo, proceed: Proceed, transport: asyncio.Transport | None
    ) -> web.StreamResponse | None:
        """One fault: ``None`` if the request goes on, else what is answered instead."""
        fault = armed.fault
        if fault.action in ("latency", "hold"):
            await armed.wait()
        elif fault.action == "call":
            outcome = fault.call(info) if fault.call is not None else None
            if inspect.isawaitable(outcome):
                await outcome
        elif fault.action == "status":
            raise _refusal(fault)
        elif fault.action == "expire":
            problem = expired("too old resource version: simulated")
            if info.verb != "watch":
                raise problem
            return web.Response(body=error_line(problem), content_type="application/json")
        elif fault.action == "cut":
            if transport is not None:
                asyncio.get_running_loop().call_later(fault.seconds or 0, transport.abort)
        else:
            if fault.action == "late":
                armed.keep(proceed)
                if fault.seconds is not None:
                    self._land_later(armed, proceed, fault.seconds)
            if transport is not None:
                transport.abort()
            return web.Response(status=503)
        return None

    def _land_later(self, armed: Armed, proceed: Proceed, seconds: float) -> None:
        async def land() -> None:
            await asyncio.sleep(seconds)
            await armed.land_held(proceed)

        self._start(land())

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def lag(self, plural: str, obj: Object, create: Callable[[], object]) -> Literal["slow", "lost"] | None:
        """Whether a controller's creation has to wait, and how: then it is kept here."""
        meta = obj["metadata"]
        for armed in self.armed:
            covered = armed.fault.covers(plural, meta.get("namespace", ""), meta.get("name", ""))
            if armed.fault.action != "lag" or not covered or not armed.strike():
                continue

            async def proceed() -> web.StreamResponse:
                create()
                return web.Response(status=201)

            armed.keep(proceed)
            self._start(armed.tell())
            if armed.fault.seconds is None:
                return "lost"
            self._land_later(armed, proceed, armed.fault.seconds)
            return "slow"
        return None

    def _validate(self, operation: str, resource: Resource, namespace: str, name: str) -> None:
        for armed in self.armed:
            if armed.fault.denies(operation, resource.plural, namespace, name) and armed.strike():
                self._start(armed.tell())
                raise _denial(armed.fault, resource, name)

    def _stick(self, resource: Resource, obj: Object) -> list[str]:
        meta = obj["metadata"]
        for armed in self.armed:
            covered = armed.fault.covers(resource.plural, meta.get("namespace", ""), meta["name"])
            if armed.fault.action == "stick" and covered and armed.strike():
                self._start(armed.tell())
                return [STUCK]
        return []


def _refusal(fault: Fault) -> Problem:
    details = {"retryAfterSeconds": fault.retry_after} if fault.retry_after is not None else None
    code = fault.code or 503
    message = fault.message or f"simulated: {code}"
    return Problem(code, _REASONS.get(code, ""), message, details=details)


def _denial(fault: Fault, resource: Resource, name: str) -> Problem:
    why = f"ValidatingAdmissionPolicy '{fault.policy}' with binding '{fault.binding}' denied request: {fault.message}"
    problem = forbidden(resource, name, why, causes=[{"message": why}])
    problem.code = fault.code or 422
    problem.reason = _REASONS.get(problem.code, "")
    return problem
