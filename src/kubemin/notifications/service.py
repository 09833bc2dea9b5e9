"""What callers ask of the notifications of this server: what was delivered, once more, and a test."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry

from kubemin.notifications.deliverer import Deliverer
from kubemin.notifications.drift import Compares, Drift, DriftSettings
from kubemin.notifications.sending import Answer, Sender
from kubemin.notifications.targets import Target
from kubemin.settings.notifications import NotificationSettings
from kubemin.spec.ids import new_id
from kubemin.store import Database, outbox
from kubemin.store.outbox import Event


class Notifications:
    """Delivers, and looks for drift, beside a server's API. Nothing of it breaks the server, or holds it up."""

    def __init__(
        self,
        db: Database,
        settings: NotificationSettings,
        registry: CollectorRegistry,
        diffs: Mapping[str, Compares] | None = None,
        sender: Sender | None = None,
    ) -> None:
        """``diffs`` compare with one cluster each, by its name; without any there is nothing to look at."""
        self._db = db
        self._sender = sender or Sender(settings.public_url)
        self._targets = {target.name: target for target in settings.targets}
        self._deliverer = Deliverer(db, settings.targets, self._sender, registry)
        self._drift: Drift | None = None
        if diffs and settings.drift_seconds > 0:
            self._drift = Drift(db, diffs, DriftSettings(settings.drift_seconds), registry)

    @property
    def targets(self) -> Sequence[Target]:
        """Whom this server tells."""
        return list(self._targets.values())

    async def announce(self) -> None:
        """Say that there is somebody to tell: from now on what happens is written down. Raises `StoreError`."""
        async with self._db.begin("notifications-announce") as tx:
            await outbox.announce(tx, self._targets)

    async def run(self) -> None:
        """Deliver until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._deliverer.run())
                if self._drift is not None:
                    group.create_task(self._drift.run())
        finally:
            self._sender.close()

    async def test(self, name: str) -> Answer | None:
        """Send a test message now; None: there is no such target."""
        target = self._targets.get(name)
        if target is None:
            return None
        event = Event(0, new_id(), "test", "", {"reason": "it was asked for"}, datetime.now(UTC))
        return await self._sender.send(target, event)
