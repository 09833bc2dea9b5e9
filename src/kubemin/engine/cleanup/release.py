"""Letting go of an object without deleting it (design R11): its content stays, and its Pods run on.

The object is written by a PUT that says who owns which field. An apply without these fields would delete them.
"""

from collections.abc import Callable, Sequence

from kubemin.cluster import Cluster
from kubemin.cluster.errors import Conflict, Forbidden, Invalid, NotFound, Unanswered, Unreachable
from kubemin.engine.backoff import Backoff
from kubemin.engine.errors import StillThere
from kubemin.engine.journal.journal import Journal
from kubemin.engine.journal.rows import Resource
from kubemin.engine.objects.live import get_or_none
from kubemin.engine.objects.marks import handed_over, released
from kubemin.engine.objects.ownership import application_of
from kubemin.shield import to_the_end
from kubemin.spec.labels import APP_ID
from kubemin.spec.objects import Manifest
from kubemin.spec.states import ResourceState, WriteKind
from kubemin.spec.write_answer import WriteAnswer
from kubemin.store.shares import User

Wanted = Callable[[Manifest], Manifest | None]
"""The object as it is to be written; None where it is as it should be."""


class Releaser:
    """Takes KubeMin's marks off objects, or gives them those of another application.

    Only a look at the object counts: what a killed worker had written is found, and a lost answer does not matter.
    """

    def __init__(self, journal: Journal, cluster: Cluster, app_id: str, *, acting: Cluster | None = None) -> None:
        """``app_id``: the application that lets go; what has another one's label by now is left alone. ``acting`` as of
        `Deleter`.
        """
        self._acting = acting or cluster
        self._app_id = app_id
        self._journal = journal
        self._cluster = cluster

    async def release(self, row: Resource, why: str = "") -> None:
        """Settle a row of purpose ``release``. Raises `StillThere`, `ClusterError`."""
        former = _labels(row.before)
        await self._write(row, lambda live: released(live, former), why)

    async def hand_over(self, row: Resource) -> None:
        """Settle a row of purpose ``hand-over``. Raises `StillThere`, `ClusterError`."""
        marks = _labels(row.applied)
        await self._write(row, lambda live: handed_over(live, marks), row.why, receiver=marks.get(APP_ID))

    async def pass_on(self, row: Resource, users: Sequence[User]) -> str:
        """Pass the object to the first of its users that is still there; who has it now, or nothing where none is."""
        for user in users:
            passing = await self._journal.pass_to(row, user)
            if passing is not None:
                await self.hand_over(passing)
                return passing.why if passing.state is ResourceState.RELEASED else ""
        return ""

    async def _write(self, row: Resource, wanted: Wanted, why: str, receiver: str | None = None) -> None:
        backoff = Backoff()
        live = await get_or_none(self._cluster, row.ref)
        while True:
            if live is None:
                self._journal.settle(row, ResourceState.LOST, "somebody deleted it")
                return
            if live["metadata"]["uid"] != row.uid:
                self._journal.settle(row, ResourceState.LOST, "another object of this name is there now")
                return
            owner = application_of(live)
            if receiver is not None and owner == receiver:  # which may have written it since
                self._journal.settle(row, ResourceState.RELEASED, why)
                return
            if owner not in (None, self._app_id) and not self._journal.was_passed(live):
                self._journal.settle(row, ResourceState.KEPT, "it is labelled as another application's by now")
                return
            body = wanted(live)
            if body is None:
                self._journal.settle(row, ResourceState.RELEASED, why)
                return
            live = await self._send(row, live, body)
            if live is None:
                await backoff.pause()
                live = await get_or_none(self._cluster, row.ref)

    async def _send(self, row: Resource, live: Manifest, body: Manifest) -> Manifest | None:
        """Send a PUT of exactly this version; the answer, or None where the object is to be read again."""
        write = await self._journal.write_ahead(row, WriteKind.RELEASE, live["metadata"]["resourceVersion"])
        try:
            answer = await to_the_end(self._acting.replace(body))
        except Unanswered:
            return None
        except Unreachable:
            self._journal.answer(row, write, WriteAnswer.unsent())
            raise
        except (Conflict, NotFound) as error:
            self._journal.answer(row, write, WriteAnswer.refused(error.status))
        except (Forbidden, Invalid) as error:
            self._journal.answer(row, write, WriteAnswer.refused(error.status))
            raise StillThere(row.ref, f"the API server refuses to let go of it: {error.message}") from error
        else:
            self._journal.answer(row, write, WriteAnswer.done(answer["metadata"]["resourceVersion"]))
            return answer
        return None


def _labels(view: Manifest | None) -> dict[str, str]:
    return dict(((view or {}).get("metadata") or {}).get("labels") or {})
