"""Fixtures of the notifications' tests: real databases, real receivers."""

from collections.abc import AsyncIterator

import pytest

from tests.notifications.receiver import Receiver, receiving
from tests.store.conftest import db, servers, sqlite, url

__all__ = ["db", "receiver", "servers", "sqlite", "url"]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A target that takes what it is sent."""
    async with receiving() as one:
        yield one
