"""Removing what an application no longer has, forward only (design R11): a deletion cannot be put back."""

from collections.abc import Collection, Sequence

from kubemin.cluster import Cluster
from kubemin.cluster.informers import Informers
from kubemin.engine.backoff import Backoff
from kubemin.engine.cleanup.deletion import Remover
from kubemin.engine.cleanup.one_pass import Later, one_pass
from kubemin.engine.errors import InUse
from kubemin.engine.journal.journal import Journal, Resource
from kubemin.engine.objects.live import look_at, look_at_many
from kubemin.engine.objects.namespace_content import CONTENT, strangers
from kubemin.engine.objects.ownership import application_of
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.states import ResourceState
from kubemin.store import Tx, journal


async def standing(tx: Tx, app_id: str, *, but: Collection[ObjectRef] = ()) -> list[Resource]:
    """What tasks of the application made and none removed since, as rows to remove; ``but`` what it still has."""
    rows: dict[ObjectRef, Resource] = {}
    for row in await journal.standing_of_application(tx, app_id):
        if row.ref not in but:
            rows[row.ref] = Resource(
                seq=0, job_seq=0, ref=row.ref, purpose="remove", uid=row.uid, dependents=row.dependents or {}
            )
    return list(rows.values())


class Retirement:
    """One pass that removes rows of purpose ``remove``; can be cut at any point and done again."""

    def __init__(self, journal: Journal, cluster: Cluster, app_id: str, informers: Informers | None = None) -> None:
        self._journal = journal
        self._cluster = cluster
        self._app_id = app_id
        self._remover = Remover(journal, cluster, informers)
        self._looks: dict[ObjectRef, Manifest] = {}

    async def run(self, rows: Sequence[Resource], seconds: float) -> list[Resource]:
        """Remove these within ``seconds``; returns what is left. See `one_pass` for the errors."""
        unsettled = [row for row in rows if not row.state.settled]
        return await one_pass(self._journal, unsettled, self._remove, seconds, prepare=self._look)

    async def _look(self, rows: Sequence[Resource]) -> None:
        """Have a first look at many objects at once. It only serves for what a request with its version can follow."""
        self._looks = await look_at_many(self._cluster, (row.ref for row in rows), self._app_id)

    async def _look_at(self, row: Resource) -> Manifest | None:
        look = self._looks.pop(row.ref, None)
        return (
            look if look is not None and look["metadata"]["uid"] == row.uid else await look_at(self._cluster, row.ref)
        )

    async def _remove(self, row: Resource) -> Later | None:
        """Remove the very object recorded, while it is still the application's."""
        backoff = Backoff()
        while True:
            look = await self._look_at(row)
            if look is None:
                break
            if look["metadata"]["uid"] != row.uid:
                self._journal.settle(row, ResourceState.DELETED, "another object of this name is there now")
                return None
            if (why := await self._not_to_go(row, look)) is not None:
                self._journal.settle(row, ResourceState.KEPT, why)
                return None
            row.before = look  # its claim templates are needed once it is gone
            try:
                if await self._remover.delete(row, look):
                    break
            except InUse as error:
                self._journal.settle(row, ResourceState.KEPT, str(error))
                return None
            await backoff.pause()
        return lambda: self._tidy(row)

    async def _tidy(self, row: Resource) -> None:
        if row.before is not None:
            await self._remover.tidy(row, row.before)
        self._journal.settle(row, ResourceState.DELETED)

    async def _not_to_go(self, row: Resource, look: Manifest) -> str | None:
        """Why the object is to stay, if it is."""
        if row.ref.kind == "Namespace":
            found = await strangers(self._cluster, row.ref.name, row.dependents.get(CONTENT, ()))
            return f"it holds what is not this application's: {', '.join(found)}" if found else None
        if application_of(look) != self._app_id:
            return "it no longer is labelled as this application's"
        return None
