"""Removing what an application no longer has (design R11). It only goes forward: a deletion cannot be put back."""

from collections.abc import Collection, Sequence

from kubemin.cluster import Cluster
from kubemin.cluster.informers import Informers
from kubemin.engine.backoff import Backoff
from kubemin.engine.cleanup.deletion import Deleter
from kubemin.engine.cleanup.dependents import Dependents
from kubemin.engine.cleanup.one_pass import Later, one_pass
from kubemin.engine.errors import InUse
from kubemin.engine.journal.journal import Journal
from kubemin.engine.journal.rows import Resource
from kubemin.engine.objects.live import get_many, get_or_none
from kubemin.engine.objects.namespace_content import CONTENT, foreign_objects
from kubemin.engine.objects.ownership import application_of
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.states import Purpose, ResourceState
from kubemin.store import Tx, journal


async def objects_to_remove(tx: Tx, app_id: str, *, but: Collection[ObjectRef] = ()) -> list[Resource]:
    """What tasks of the application made and none removed since, as rows to remove; ``but`` what it still has."""
    rows: dict[ObjectRef, Resource] = {}
    for row in await journal.objects_of_application(tx, app_id):
        if row.ref not in but:
            rows[row.ref] = Resource(
                seq=0, job_seq=0, ref=row.ref, purpose=Purpose.REMOVE, uid=row.uid, dependents=row.dependents or {}
            )
    return list(rows.values())


class Removal:
    """One pass that removes rows of purpose ``remove``; can be cut at any point and done again."""

    def __init__(self, journal: Journal, cluster: Cluster, app_id: str, informers: Informers | None = None) -> None:
        self._journal = journal
        self._cluster = cluster
        self._app_id = app_id
        self._deleter = Deleter(journal, cluster, informers)
        self._dependents = Dependents(journal, cluster, self._deleter)
        self._live: dict[ObjectRef, Manifest] = {}

    async def run(self, rows: Sequence[Resource], seconds: float) -> list[Resource]:
        """Remove these within ``seconds``; returns what is left. See `one_pass` for the errors."""
        unsettled = [row for row in rows if not row.state.settled]
        return await one_pass(self._journal, unsettled, self._remove, seconds, prepare=self._get_many)

    async def _get_many(self, rows: Sequence[Resource]) -> None:
        """Read many objects by one request a kind; it may be old when it is used: each deletion carries its version."""
        self._live = await get_many(self._cluster, (row.ref for row in rows), self._app_id)

    async def _get(self, row: Resource) -> Manifest | None:
        live = self._live.pop(row.ref, None)
        return (
            live
            if live is not None and live["metadata"]["uid"] == row.uid
            else await get_or_none(self._cluster, row.ref)
        )

    async def _remove(self, row: Resource) -> Later | None:
        """Remove the very object recorded, while it is still the application's."""
        backoff = Backoff()
        while True:
            live = await self._get(row)
            if live is None:
                break
            if live["metadata"]["uid"] != row.uid:
                self._journal.settle(row, ResourceState.DELETED, "another object of this name is there now")
                return None
            if (why := await self._not_to_go(row, live)) is not None:
                self._journal.settle(row, ResourceState.KEPT, why)
                return None
            row.before = live  # its volumeClaimTemplates are needed once it is gone
            try:
                if await self._deleter.delete(row, live):
                    break
            except InUse as error:
                self._journal.settle(row, ResourceState.KEPT, str(error))
                return None
            await backoff.pause()
        return lambda: self._remove_dependents(row)

    async def _remove_dependents(self, row: Resource) -> None:
        if row.before is not None:
            await self._dependents.remove(row, row.before)
        self._journal.settle(row, ResourceState.DELETED)

    async def _not_to_go(self, row: Resource, live: Manifest) -> str | None:
        """Why the object is to stay, if it is."""
        if row.ref.kind == "Namespace":
            found = await foreign_objects(self._cluster, row.ref.name, row.dependents.get(CONTENT, ()))
            return f"it holds what is not this application's: {', '.join(found)}" if found else None
        if application_of(live) != self._app_id:
            return "it no longer is labelled as this application's"
        return None
