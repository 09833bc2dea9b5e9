"""Removing what an application no longer has (design R11). It only goes forward: a deletion cannot be put back.

What its tasks made is deleted; what they took over is released; what others use passes to them; data stays, unless its
deletion was asked for by name.
"""

import asyncio
from collections.abc import Sequence

from kubemin.cluster import Cluster
from kubemin.cluster.informers import Informers
from kubemin.engine.backoff import Backoff
from kubemin.engine.cleanup.deletion import Deleter
from kubemin.engine.cleanup.dependents import Dependents
from kubemin.engine.cleanup.going import LAG
from kubemin.engine.cleanup.holders import held_for_others
from kubemin.engine.cleanup.one_pass import Later, one_pass
from kubemin.engine.cleanup.readable import check_readable
from kubemin.engine.cleanup.release import Releaser
from kubemin.engine.cleanup.restore import Restorer
from kubemin.engine.errors import InUse, StillThere
from kubemin.engine.journal.journal import Journal
from kubemin.engine.journal.rows import Resource
from kubemin.engine.objects.claims import HOLDS_DATA, PVC, goes_with_its_claims, other_user_of, template_claims, user_of
from kubemin.engine.objects.descendants import Owner
from kubemin.engine.objects.lists import Lists
from kubemin.engine.objects.live import Snapshot, get_many, get_or_none
from kubemin.engine.objects.marks import labels_only
from kubemin.engine.objects.namespace_content import CONTENT, HOLDERS, is_held_by
from kubemin.engine.objects.ownership import application_of, terminating
from kubemin.engine.objects.rollout import has_all_pvcs
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.order import priority_of
from kubemin.spec.states import Cleanup, Purpose, ResourceState
from kubemin.store import fold
from kubemin.store.shares import User

_GOES_BY = {
    Purpose.REMOVE: ("dependents",),
    Purpose.RELEASE: ("before",),
    Purpose.HAND_OVER: ("applied", "dependents"),
}
"""What of a row says how its object is let go of."""

_CLAIMS_GO = "its persistentVolumeClaimRetentionPolicy deletes its volume claims with it"


class Removal:
    """One pass over rows by which the application lets go of objects; can be cut at any point and done again."""

    def __init__(
        self,
        journal: Journal,
        cluster: Cluster,
        app_id: str,
        informers: Informers | None = None,
        *,
        acting: Cluster | None = None,
        delete_volumes: bool = False,
        has_slot: bool = True,
    ) -> None:
        """``acting``: the cluster as whoever asked for it has it, where that is still to decide what goes.

        ``has_slot``: the task still has the application's slot, so that no later task of it has begun. A cleanup that
        was incomplete, or is opened again, has not.
        """
        self._journal = journal
        self._cluster = cluster
        self._app_id = app_id
        self._delete_volumes = delete_volumes
        self._has_slot = has_slot
        self._lists = Lists(cluster)
        self._deleter = Deleter(journal, cluster, self._lists, informers, acting=acting, has_slot=has_slot)
        self._dependents = Dependents(journal, cluster, self._deleter, self._lists, informers)
        self._releaser = Releaser(journal, cluster, app_id, acting=acting)
        self._restorer = Restorer(journal, cluster)
        self._live: Snapshot = {}

    async def run(self, rows: Sequence[Resource], seconds: float) -> list[Resource]:
        """Let go of these within ``seconds``; returns what is left. See `one_pass` for the errors."""
        unsettled = [row for row in rows if not row.state.settled]
        await self._journal.look_for_users(self._app_id, unsettled)
        return await one_pass(self._journal, unsettled, self._let_go, seconds, prepare=self._get_many)

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

    async def _let_go(self, row: Resource) -> Later | None:
        check_readable(row, *_GOES_BY[row.purpose])
        if not self._has_slot and await self._is_brought_again(row):
            return None
        await self._know_labels(row)
        if row.purpose is not Purpose.REMOVE:
            await self._wait_for_cleanup(row)
        if row.purpose is Purpose.HAND_OVER:
            if await self._journal.is_passing(row):
                await self._releaser.hand_over(row)
            else:  # the row by which it is let go of tells what becomes of it instead
                self._journal.settle(row, ResourceState.KEPT, "who was to have it does without it by now")
        elif row.purpose is Purpose.RELEASE:
            await self._release(row)
        else:
            return await self._remove(row)
        return None

    async def _is_brought_again(self, row: Resource) -> bool:
        """Whether a later run has the object again: then it stays, and that run's application lets go of it one day.

        Raises `StillThere` while such a run is under way.
        """
        later = await self._journal.brought_since(row)
        if later is None:
            return False
        backoff = Backoff()
        while True:
            live = await get_or_none(self._cluster, row.ref)
            if live is None or live["metadata"]["uid"] != row.uid or terminating(live):
                return False  # it is gone, or about to go: only what is left of it is waited for
            if not later.completed:
                raise StillThere(row.ref, f"task {later.task_id}, which is under way, has it again")
            if await self._restorer.may_stay(row, live):
                self._journal.settle(row, ResourceState.KEPT, f"task {later.task_id} has it again")
                return True
            await backoff.pause()

    async def _know_labels(self, row: Resource) -> None:
        """Look once more for the labels that come back, where they could not be opened when the row was made."""
        origin = fold.origin_of(row.dependents)
        if row.purpose is not Purpose.RELEASE or origin is None:
            return
        before = await self._journal.before_at(origin)
        if before is None:
            raise StillThere(row.ref, f"it stays as it is, as its former labels (task {origin.task_id}) do not open")
        row.before, row.dependents = labels_only(before), {}
        self._journal.settle(row, row.state, "", "before", "dependents")

    async def _wait_for_cleanup(self, row: Resource) -> None:
        """Wait until no cleanup is to put the object back: it goes by our write token, which would come off.

        An incomplete cleanup is tried once more. Raises `StillThere` where that leaves it incomplete: it is for people
        to mend, or to abandon.
        """
        backoff, tried = Backoff(), dict[str, int]()
        while (debt := await self._journal.debt_on(row, self._app_id)) is not None:
            row.why = f"is to be put back first, by the cleanup of task {debt.task_id}"
            if debt.cleanup is Cleanup.INCOMPLETE:
                if debt.attempts > tried.setdefault(debt.task_id, debt.attempts):
                    raise StillThere(row.ref, f"{row.why}, which is incomplete")
                await self._journal.try_cleanup_again(debt.task_id)
            await backoff.pause()

    async def _release(self, row: Resource) -> None:
        live = await self._get(row)
        if live is not None and live["metadata"]["uid"] == row.uid:
            users = await self._journal.users(live)
            if not await self._is_ours(live, row):
                users = _of(live, users)
            if why := await self._releaser.pass_on(row, users):
                self._journal.settle(row, ResourceState.KEPT, why)
                return
        await self._releaser.release(row)

    async def _remove(self, row: Resource) -> Later | None:
        """Remove the very object recorded, while it is still the application's."""
        backoff = Backoff()
        while True:
            live = await self._get(row)
            if live is None:
                await self._until_nothing_is_left(row)
                break
            if live["metadata"]["uid"] != row.uid:
                await self._until_nothing_is_left(row)
                self._journal.settle(row, ResourceState.DELETED, "another object of this name is there now")
                return None
            if (why := await self._not_to_go(row, live)) is not None:
                if not await self._restorer.may_stay(row, live):
                    await backoff.pause()
                    continue
                self._journal.settle(row, ResourceState.KEPT, why)
                return None
            row.before = live  # its templates are needed once it is gone
            if terminating(live):
                self._journal.settle(row, row.state, row.why, "before")  # else it comes with the write of the DELETE
            try:
                if await self._deleter.delete(row, live):
                    break
            except InUse as error:
                await self._wait_for_cleanup(row)
                if why := await self._releaser.pass_on(row, error.users):
                    self._journal.settle(row, ResourceState.KEPT, why)
                    return None
            await backoff.pause()
        return lambda: self._remove_dependents(row)

    async def _until_nothing_is_left(self, row: Resource) -> None:
        """Wait for what controllers made of an object that is gone: who deleted it may have died while it waited."""
        await self._deleter.until_nothing_is_left(row, Owner(row.ref, row.uid, row.before or {}))

    async def _remove_dependents(self, row: Resource) -> None:
        if row.before is not None:
            await self._dependents.remove(row, row.before)
        why = ""
        if row.ref.kind == "StatefulSet":
            await self._see_to_claims(row)
            why = _CLAIMS_GO if row.before is not None and goes_with_its_claims(row.before) else ""
        self._journal.settle(row, ResourceState.DELETED, why)

    async def _see_to_claims(self, store: Resource) -> None:
        """Name the volume claims of a StatefulSet that has gone, or delete them where that was asked for.

        Each gets a row. Its controller may lag: where one is missing, they are looked for once more.
        """
        claims = await template_claims(self._lists, self._app_id, [store.ref])
        if store.before is not None and not has_all_pvcs(store.before, claims):
            await asyncio.sleep(LAG)
            claims = await template_claims(self._lists, self._app_id, [store.ref])
        for row in await self._journal.record_removals([removal_of(claim) for claim in claims]):
            if not row.state.settled and (rest := await self._remove(row)) is not None:
                await rest()

    async def _not_to_go(self, row: Resource, live: Manifest) -> str | None:
        """Why the object is to stay, if it is."""
        if row.ref.kind in HOLDERS:
            if any(
                is_held_by(other.ref, row.ref, live) and other.purpose is Purpose.REMOVE and not other.state.settled
                for other in self._journal.resources.values()
            ):
                raise StillThere(row.ref, "waits for what the application has in it")
            known = row.dependents.get(CONTENT, ())
            found = await held_for_others(self._journal, self._cluster, row.ref, known)
            return f"it holds what is not this application's: {', '.join(found)}" if found else None
        if not await self._is_ours(live, row):
            users = _of(live, await self._journal.users(live))
            return await self._releaser.pass_on(row, users) or "it no longer is labelled as this application's"
        if row.ref.kind == PVC:
            if not self._delete_volumes:
                return HOLDS_DATA
            user = await user_of(self._cluster, row.ref, self._app_id)
            if user is None and not terminating(live):
                user = await other_user_of(self._cluster, row.ref, self._app_id)
            return f"holds data, and {user} uses it: kept" if user else None
        return None

    async def _is_ours(self, live: Manifest, row: Resource) -> bool:
        """Whether it is the application's; also where it was passed to it meanwhile, and is not relabelled yet."""
        if live["metadata"]["uid"] != row.uid:
            return False
        if application_of(live) == self._app_id or self._journal.was_passed(live):
            return True
        await self._journal.look_for_users(self._app_id, [row])
        return self._journal.was_passed(live)


def _of(live: Manifest, users: Sequence[User]) -> list[User]:
    """The one whose label the object has, where that is a user of it."""
    return [user for user in users if user.app_id == application_of(live)]


def removal_of(live: Manifest) -> Resource:
    """A row to remove an object that no row tells of."""
    return Resource(
        seq=0,
        job_seq=0,
        ref=ObjectRef.of(live),
        purpose=Purpose.REMOVE,
        uid=live["metadata"]["uid"],
        priority=priority_of(live),
    )
