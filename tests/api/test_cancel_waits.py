"""What a cancel does not wait for."""

from contextlib import AsyncExitStack

from kubemin.api.deps import Deps
from kubemin.store.database import _URGENT_OF_8
from tests.api.conftest import application
from tests.api.guarded import ADMIN, guarded_by


async def test_who_cancels_is_known_while_others_hold_the_connections_of_the_database(deps: Deps) -> None:
    """By a credential that this process has not seen before."""
    async with guarded_by(deps) as guarded, AsyncExitStack() as stack:
        ada, bea = await guarded.by("ada"), await guarded.by("bea", {**ADMIN, "namespaces": ["default"]})
        ran = await ada.post("/apply", {"application": application()})
        for _ in range(8 - _URGENT_OF_8):
            await stack.enter_async_context(deps.db.read())
        await bea.post(f"/applications/{ran['appId']}/workflow/cancel", {"taskId": ran["taskId"]})
