"""Whether those who listen to a stream may still do so: credentials end, and applications move, while streams go on."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

import structlog

from kubemin.identity.grants import Role, Target
from kubemin.identity.principal import Principal
from kubemin.repeated import Repeated
from kubemin.spec.ids import application_id
from kubemin.store.errors import StoreError

log = structlog.get_logger(__name__)

Ask = Callable[[Collection[str]], Awaitable[Collection[str]]]
"""Which of these credentials are valid now. Raises `StoreError`."""
AskProjects = Callable[[Collection[str]], Awaitable[Mapping[str, str]]]
"""In which projects these applications are now, those that there are. Raises `StoreError`."""


class _Listener(NamedTuple):
    principal: Principal
    target: Target | None
    """The application of which they hear; None where it is judged otherwise, or they may see everything."""

    @property
    def app_id(self) -> str | None:
        if self.target is None:
            return None
        return application_id(self.target.namespace, self.target.application, self.target.cluster)

    def may_see(self, projects: Mapping[str, str]) -> bool:
        """Whether they may see the application as it is now; one that is gone counts as it was."""
        if self.target is None or self.app_id is None:
            return True
        now = self.target._replace(project=projects.get(self.app_id, self.target.project))
        return self.principal.allows(Role.VIEWER, now)


class Watch:
    """Asks the database every few seconds, once for all streams of the process, while there are any."""

    def __init__(
        self, ask: Ask, ask_projects: AskProjects, seconds: float, clock: Callable[[], float] = time.time
    ) -> None:
        self._ask = ask
        self._ask_projects = ask_projects
        self._seconds = seconds
        self._clock = clock
        self._listening: dict[asyncio.Event, _Listener] = {}
        self._polling: asyncio.Task[None] | None = None

    @contextmanager
    def of(self, principal: Principal, target: Target | None = None) -> Iterator[asyncio.Event]:
        """An event that is set once the caller's credential has ended, or they may not see the application any more."""
        ended = asyncio.Event()
        self._listening[ended] = _Listener(principal, target)
        if self._polling is None or self._polling.done():
            self._polling = asyncio.create_task(self._poll(), name="credentials")
        try:
            yield ended
        finally:
            del self._listening[ended]
            if not self._listening and self._polling is not None:
                self._polling.cancel()
                self._polling = None  # it has not ended yet, and asks for nobody who comes now

    async def _poll(self) -> None:
        looks = Repeated(log, "cannot look who may still listen; it tries again")
        with contextlib.suppress(asyncio.CancelledError):
            while True:
                await asyncio.sleep(self._seconds)
                try:
                    await self.look()
                except StoreError as error:
                    looks.failed(error)
                else:
                    looks.succeeded()

    async def look(self) -> None:
        """End the streams of credentials that have ended, and of who may not see any more. Raises `StoreError`."""
        listening = dict(self._listening)
        callers = [one.principal for one in listening.values()]
        valid = await self._ask({one.credential for one in callers if one.credential})
        projects = await self._ask_projects({one.app_id for one in listening.values() if one.app_id is not None})
        for ended, listener in listening.items():
            one = listener.principal
            over = one.expires_at is not None and one.expires_at.timestamp() <= self._clock()
            if over or (one.credential and one.credential not in valid) or not listener.may_see(projects):
                ended.set()
