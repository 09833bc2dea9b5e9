"""Waiting until nothing is left of what controllers made of a deleted object (design R5)."""

import asyncio
from collections.abc import Callable, Sequence

from kubemin.cluster.errors import Closed, Unauthorized
from kubemin.cluster.informers import Informers
from kubemin.engine.backoff import Backoff
from kubemin.engine.cleanup.together import Together
from kubemin.engine.objects.descendants import Owner
from kubemin.engine.objects.lists import Lister
from kubemin.spec.objects import Manifest

LAG = 0.5
"""Seconds after which what a controller may still have under way is looked for once more."""

_LONG = 5.0
"""Seconds for which watches alone are relied on: one may be broken without anybody knowing."""
_SYNC = 0.05
"""Seconds for which watches that do not work yet are waited for, before the API server is asked instead."""

Report = Callable[[Sequence[Manifest]], None]
"""Takes what is still there."""


class Going:
    """Waits for all rows of a pass, side by side. Their objects themselves are gone, or go, when it is called.

    The shared watches say when it is worth asking; the API server's word counts, and one LIST a kind is for all rows
    that ask then. Without watches they ask with growing pauses, together as well.
    """

    def __init__(self, lists: Lister, informers: Informers | None) -> None:
        self._lists = lists
        self._informers = informers
        self._in_sight = Together()

    def left_in_sight(self, owner: Owner) -> list[Manifest]:
        """What the watches show of it now."""
        if self._informers is None:
            return []
        namespace, labels = owner.ref.namespace, owner.labels
        kinds = [kind for kind in owner.kinds if self._informers.synced(kind)]
        return owner.descendants({kind: self._informers.snapshot(kind, namespace, labels) for kind in kinds})

    async def until_gone(self, owner: Owner, report: Report) -> None:
        """Wait until nothing is left of what ``owner``'s controller made. Never gives up. Raises `ClusterError`.

        Its controller does not know at once that it is gone, and what it has under way comes all the same: unless that
        cannot be, it is asked once more a moment after nothing was left.
        """
        if not owner.kinds:
            return
        backoff, asked_again = Backoff(first=0.05, most=1.0), owner.made_all
        while True:
            waited = await self._leaves_sight(owner, report)
            if left := await self._left(owner):
                report(left)
                if not waited:
                    await backoff.pause()
            elif asked_again:
                return
            else:
                asked_again = True
                await asyncio.sleep(LAG)

    async def _left(self, owner: Owner) -> list[Manifest]:
        namespace, labels = owner.ref.namespace, owner.asked_by
        asked = (self._lists.list(kind, namespace, labels=labels, metadata_only=True) for kind in owner.kinds)
        listings = await asyncio.gather(*asked)
        return owner.descendants(dict(zip(owner.kinds, (one.items for one in listings), strict=True)))

    async def _leaves_sight(self, owner: Owner, report: Report) -> bool:
        """Wait until the watches show nothing of it, and a moment for the other rows; whether it is seen even now."""
        if self._informers is None:
            return False
        with self._in_sight.busy():
            if await self._is_seen(self._informers, owner, report):
                return True
        await self._in_sight.others()
        return False

    async def _is_seen(self, informers: Informers, owner: Owner, report: Report) -> bool:
        ref, kinds = owner.ref, owner.told_by

        def check(live: Manifest | None) -> bool | None:
            left = self.left_in_sight(owner)
            if left:
                report(left)
            its = live is not None and live["metadata"]["uid"] == owner.uid
            return None if left or its else True

        current = all(map(informers.current, (ref.kind, *kinds)))
        try:
            async with asyncio.timeout(_LONG if current else _SYNC):
                await informers.until(ref.kind, ref.namespace, ref.name, check, kinds, labels=owner.labels)
        except TimeoutError:
            return current
        except (Closed, Unauthorized):
            pass  # the next request says so
        return False
