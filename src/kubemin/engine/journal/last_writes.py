"""What earlier tasks wrote into objects last: known, final, and as which job declared it."""

from collections.abc import Iterable
from dataclasses import dataclass

from kubemin.engine.objects.ownership import token_of
from kubemin.plan import Job
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.store import Database, last_writes
from kubemin.store.last_writes import Sight


@dataclass(frozen=True, slots=True)
class LastWrite:
    """The last write of an object, by a task that completed: nothing will undo it, and no other request may land.

    ``declared``: the job that sent it, where the plan is still known.
    """

    sight: Sight
    declared: Job | None

    def is_of(self, live: Manifest) -> bool:
        """Whether it is the last one of the object as it is now."""
        return (self.sight.token, self.sight.uid) == (token_of(live), live["metadata"]["uid"])


async def read_last_writes(db: Database, lives: Iterable[Manifest]) -> dict[ObjectRef, LastWrite]:
    """The last writes of these objects, where they are known and final. Raises `StoreError`."""
    sights: dict[Sight, Manifest] = {}
    for live in lives:
        if (token := token_of(live)) is not None:
            meta = live["metadata"]
            sights[Sight(token, meta["uid"], meta["resourceVersion"])] = live
    if not sights:
        return {}
    async with db.read() as tx:
        senders = await last_writes.settled_writes(tx, sights)
        jobs = await last_writes.planned_jobs(tx, set(senders.values()))
    return {
        ObjectRef.of(sights[sight]): LastWrite(sight, Job.from_json(jobs[sender]) if sender in jobs else None)
        for sight, sender in senders.items()
    }
