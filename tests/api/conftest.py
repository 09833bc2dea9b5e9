"""Fixtures of the API's tests: the real service on a real database, without a worker."""

import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from kubemin.api.app import create_app
from kubemin.api.deps import Deps
from kubemin.dispatch import LocalDoorbell
from kubemin.engine import TaskService
from kubemin.engine.entry.component_health import ComponentHealth
from kubemin.settings.api import ApiSettings
from kubemin.signals import LocalSignals
from kubemin.spec.limits import Limits
from kubemin.store import Database

PREFIX = "/api/v1"
BODY_LIMIT = 256 * 1024


@dataclass
class Api:
    """The API in this process. Calls below the prefix give the envelope's data, and check the envelope on the way."""

    http: httpx.AsyncClient
    db: Database
    states: dict[str, ComponentHealth] = field(default_factory=dict)

    async def call(self, method: str, path: str, status: int = 200, **options: Any) -> Any:
        """Call below the prefix: data when it is 200, else the whole envelope."""
        answer = await self.http.request(method, f"{PREFIX}{path}", **options)
        envelope = answer.json()
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/json"
        if status == httpx.codes.OK:
            assert set(envelope) == {"code", "message", "data"}
            assert (envelope["code"], envelope["message"]) == (0, "success")
            return envelope["data"]
        assert set(envelope) - {"errors"} == {"code", "message", "data"}
        assert envelope["code"] != 0
        assert envelope["data"] is None
        assert envelope["message"].endswith((".", "?"))
        return envelope

    async def get(self, path: str, status: int = 200, /, **params: Any) -> Any:
        """GET with query parameters."""
        return await self.call("GET", path, status, params=params)

    async def post(self, path: str, body: Any = None, status: int = 200, **headers: str) -> Any:
        """POST a JSON body."""
        return await self.call(
            "POST", path, status, json=body, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )

    async def create(self, **changes: Any) -> Any:
        """Create the application of `application()`."""
        return await self.post("/applications", application(**changes))


def application(**changes: Any) -> dict[str, Any]:
    """An application with one component of each stored kind."""
    return {
        "name": "shop",
        "component": [
            {"name": "web", "type": "webservice", "image": "web:1", "properties": {"ports": [{"port": 80}]}},
            {"name": "conf", "type": "config", "properties": {"conf": {"level": "info"}}},
            {"name": "keys", "type": "secret", "properties": {"secret": {"token": "hush-hush"}}},
        ],
        **changes,
    }


@pytest.fixture
async def db(tmp_path: Path, migrated: Path) -> AsyncIterator[Database]:
    shutil.copy(migrated, tmp_path / "kubemin.db")
    database = await Database.open(f"sqlite:///{tmp_path}/kubemin.db", lock_seconds=0.2)
    yield database
    await database.aclose()


@dataclass
class Known:
    """What the watches know of the components of every application."""

    found: dict[str, ComponentHealth]

    async def states(self, app_id: str) -> dict[str, ComponentHealth]:
        return self.found


@pytest.fixture
async def deps(db: Database) -> Deps:
    limits = Limits()
    return Deps(
        db=db,
        service=TaskService(db, LocalSignals(), LocalDoorbell(), limits),
        limits=limits,
        watches={"default": Known({})},
        settings=ApiSettings(max_body_bytes=BODY_LIMIT),
        heartbeat_seconds=0.02,
        event_poll_seconds=0.005,
    )


@pytest.fixture
async def api(deps: Deps) -> AsyncIterator[Api]:
    transport = httpx.ASGITransport(create_app(deps), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
        known = deps.watches["default"]
        assert isinstance(known, Known)
        yield Api(http, deps.db, known.found)
