"""Looking whether the cluster still is as applications' current revisions say: one server at a time, one at a time."""

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog
from prometheus_client import CollectorRegistry, Counter

from kubemin.cluster.errors import ClusterError
from kubemin.engine.entry.diffs import ObjectChange, Side
from kubemin.engine.errors import EngineError
from kubemin.spec.issues import SpecError
from kubemin.store import Database, applications, drifts, duties, outbox, revisions, tasks
from kubemin.store.errors import StoreError, Unreadable

log = structlog.get_logger(__name__)

_DUTY = "drift"
_HELD_SECONDS = 120.0
_LOOKS_APART = 0.5
"""Seconds between two applications: a look is some requests to the API server."""
_NAMED = 20
_PAGE = 100
_ASK_SECONDS = 60.0
"""How often a server that has not the duty asks for it."""


class Compares(Protocol):
    """`Diffs`, so far as a look needs it."""

    async def between(self, app_id: str, begin: Side, end: Side) -> list[ObjectChange]:
        """What leads from one side to the other."""


@dataclass(frozen=True)
class DriftSettings:
    """How often to look (seconds from the end of a round to the next one), and the pause between applications."""

    every: float
    apart: float = _LOOKS_APART


class Drift:
    """Looks at one application after the other; what was told is in the database, so that nothing is told twice."""

    def __init__(
        self,
        db: Database,
        diffs: Mapping[str, Compares],
        settings: DriftSettings,
        registry: CollectorRegistry | None = None,
    ) -> None:
        """``diffs`` compare with one cluster each, by its name."""
        self._db = db
        self._diffs = diffs
        self._settings = settings
        self._owner = secrets.token_hex(8)
        self._broken = frozenset[str]()
        """Applications of which the last round said that they cannot be looked at, by a fault of ours or theirs."""
        self._failed = Counter(
            "kubemin_drift_looks_failed",
            "Looks for drift that broke, by a fault of KubeMin or a text that does not open: one application's each.",
            registry=registry,
        )

    async def run(self) -> None:
        """Look until cancelled."""
        every = self._settings.every
        while True:
            done = None
            try:
                done = await self.round()
            except StoreError as error:
                log.warning("cannot look for drift; it is tried again", error=str(error))
            except Exception:  # a fault of ours must not end the server
                log.exception("looking for drift broke")
            await asyncio.sleep(every if done is not None else min(every, _ASK_SECONDS))

    async def round(self) -> int | None:
        """Look at each application once, at how many there was something to look at; None while another one has the
        duty, or has looked not long ago.
        """
        looked, last = 0, ""
        broken: set[str] = set()
        while True:
            async with self._db.read() as tx:
                page = await applications.ids_after(tx, last, _PAGE)
            for app_id in page:
                if not await self._hold(_HELD_SECONDS):
                    return None
                if await self._looked(app_id, broken):
                    looked += 1
                    await asyncio.sleep(self._settings.apart)
            if len(page) < _PAGE:
                self._broken = frozenset(broken)
                # So long nobody looks, also when this server is started again.
                return looked if await self._hold(self._settings.every) else None
            last = page[-1]

    async def _looked(self, app_id: str, broken: set[str]) -> bool:
        """As `_look`; an unexpected error costs no other application its look, and is told once while it lasts."""
        try:
            return await self._look(app_id)
        except Exception as error:
            if isinstance(error, StoreError) and not isinstance(error, Unreadable):
                raise  # the database's, so everybody's
            self._failed.inc()
            broken.add(app_id)
            if app_id not in self._broken:
                log.exception("an application cannot be looked at for drift", application=app_id)
            return False

    async def _hold(self, seconds: float) -> bool:
        async with self._db.begin("drift-duty") as tx:
            return await duties.hold(tx, _DUTY, self._owner, seconds)

    async def _look(self, app_id: str) -> bool:
        """Compare one application, and tell what is new; whether there was anything to compare."""
        async with self._db.read() as tx:
            row = await applications.get(tx, app_id)
            current = await revisions.current(tx, app_id)
            busy = await tasks.active_of(tx, app_id)
        if row is None or current is None or busy or row.cluster not in self._diffs:
            return False
        try:
            changes = await self._diffs[row.cluster].between(app_id, "current", "live")
        except (EngineError, SpecError, ClusterError) as error:  # one cluster that is away is no reason for the others
            log.info("an application cannot be looked at for drift", application=row.name, error=str(error))
            return False
        await self._tell(app_id, current.number, changes)
        return True

    async def _tell(self, app_id: str, revision: int, changes: Sequence[ObjectChange]) -> None:
        async with self._db.read() as tx:
            if bool(changes) == (await drifts.since(tx, app_id) is not None):
                return
        async with self._db.begin("drift") as tx:
            row = await applications.get(tx, app_id)
            now = await revisions.current(tx, app_id)
            if row is None or now is None or now.number != revision or await tasks.active_of(tx, app_id):
                return  # a run has begun since: it makes what the cluster is to be
            said = {
                "cluster": row.cluster,
                "namespace": row.namespace,
                "name": row.name,
                "project": row.project,
                "revision": revision,
            }
            if changes and await drifts.begin(tx, app_id, revision):
                differs = {"objects": _named(changes), "differing": len(changes)}
                await outbox.tell_of_application(tx, "drift.began", app_id, {**said, **differs})
            elif not changes and await drifts.end(tx, app_id):
                await outbox.tell_of_application(tx, "drift.ended", app_id, said)


_WORDS = {"create": "there, and not in the revision", "delete": "missing", "change": "differs in"}


def _named(changes: Sequence[ObjectChange]) -> list[str]:
    """The objects and the paths that differ; no values, which may be secret."""
    found = []
    for one in changes[:_NAMED]:
        paths = ", ".join(path for path, _, _ in one.fields[:_NAMED])
        found.append(f"{one.ref}: {_WORDS[one.action]} {paths}".rstrip())
    return found
