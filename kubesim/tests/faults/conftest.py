"""A simulated cluster over a socket, and a client that never retries by itself."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from kubesim import SimServer


class Client:
    """Requests below ``/api/v1/namespaces/default``; answers are (status, body)."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self.session = session
        self.url = url

    async def __call__(self, method: str, path: str, body: Any = None, **options: Any) -> tuple[int, Any]:
        url = f"{self.url}{path}" if path.startswith("/") else f"{self.url}/api/v1/namespaces/default/{path}"
        async with self.session.request(method, url, json=body, **options) as response:
            return response.status, await response.json()

    async def make(self, name: str, **data: str) -> tuple[int, Any]:
        """Create a ConfigMap."""
        return await self("POST", "configmaps", {"metadata": {"name": name}, "data": data})


@pytest.fixture
async def server() -> AsyncIterator[SimServer]:
    async with SimServer(speed=1000.0) as server:
        yield server


@pytest.fixture
async def client(server: SimServer) -> AsyncIterator[Client]:
    async with aiohttp.ClientSession() as session:
        # aiohttp sends a GET, PUT or DELETE again by itself when the connection breaks.
        session._retry_connection = False
        yield Client(session, server.url)
