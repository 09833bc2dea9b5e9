"""Which volume claims a rollback keeps, though they came since the task's first write (design R6)."""

from kubemin.engine.journal.journal import Journal
from kubemin.engine.journal.rows import Resource
from kubemin.engine.objects.claims import HOLDS_DATA, PVC
from kubemin.spec.kinds import kind_name
from kubemin.spec.objects import Manifest, ObjectRef


class Data:
    """Decides about the claims of one row's StatefulSet, from what the journal holds: each successor decides the same.

    A claim is kept where it is older than the object that the task made, or where another task completed with an
    object of this name and may have used it. In doubt it is kept.
    """

    def __init__(self, journal: Journal, resource: Resource, deleted: Manifest | None) -> None:
        self._journal = journal
        self._resource = resource
        self._made_at = deleted["metadata"]["creationTimestamp"] if deleted else resource.made_at
        self._kept: set[ObjectRef] = set()

    async def keeps(self, item: Manifest) -> bool:
        """Whether it is a claim that is not to be deleted. To be asked after the owner was read. Raises `StoreError`.

        A live object with this task's token is nobody else's. So what is newer than it came because of it, unless
        another task completed after our DELETE. Times of objects are in seconds: in the same one either may be older.
        """
        if kind_name(item) != PVC:
            return False
        came_at = item["metadata"]["creationTimestamp"]
        use = await self._journal.use_of(self._resource)
        made = not self._resource.was_there
        older = made and (self._made_at is None or came_at < self._made_at)
        keep = older or use.since_delete or (made and use.since_write and came_at == self._made_at)
        if keep:
            self._kept.add(ObjectRef.of(item))
        return keep

    def kept(self) -> str:
        """Names the claims that are kept, for people."""
        return "; ".join(f"{ref} {HOLDS_DATA}" for ref in sorted(self._kept))
