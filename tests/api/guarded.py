"""An API that asks who one is."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx
from prometheus_client import CollectorRegistry

from kubemin.api.app import create_app
from kubemin.api.deps import Deps
from kubemin.identity.authenticator import Authenticator, Issuer
from kubemin.identity.grants import GrantBody
from kubemin.identity.tokens import make_token
from kubemin.settings.identity import IdentitySettings
from tests.api.conftest import Api

ADMIN: dict[str, Any] = {"role": "admin"}


@dataclass
class Clock:
    """Moved by a test."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Guarded:
    """A server with authentication, and whoever asks it."""

    deps: Deps
    http: httpx.AsyncClient
    clock: Clock

    @property
    def authenticator(self) -> Authenticator:
        assert self.deps.authenticator is not None
        return self.deps.authenticator

    async def token(self, owner: str = "ada", *grants: dict[str, Any], seconds: float | None = 3600) -> str:
        """A token's text."""
        given = [GrantBody.model_validate(one).grant for one in grants or (ADMIN,)]
        return (await make_token(self.deps.db, "test", owner, given, seconds=seconds, made_by="test"))[0]

    async def by(self, owner: str = "ada", *grants: dict[str, Any]) -> "Caller":
        """Somebody with these grants; of none, an admin."""
        return Caller(self, await self.token(owner, *grants))


class Caller(Api):
    """Calls with a token."""

    def __init__(self, guarded: Guarded, token: str) -> None:
        super().__init__(guarded.http, guarded.deps.db)
        self.token = token

    async def call(self, method: str, path: str, status: int = 200, **options: Any) -> Any:
        """As `Api.call`."""
        headers = {**(options.pop("headers", None) or {}), "Authorization": f"Bearer {self.token}"}
        return await super().call(method, path, status, headers=headers, **options)


@asynccontextmanager
async def guarded_by(
    deps: Deps, settings: IdentitySettings | None = None, issuer: Issuer | None = None
) -> AsyncIterator[Guarded]:
    """The server, with a clock of its own for limits and for what it remembers."""
    clock = Clock()
    settings = settings or IdentitySettings(auth="token")
    authenticator = Authenticator(deps.db, settings, issuer, clock)
    asking = replace(deps, authenticator=authenticator, identity=settings, registry=CollectorRegistry())
    base = settings.public_url or "http://localhost"
    transport = httpx.ASGITransport(create_app(asking), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=base) as http:
        try:
            yield Guarded(asking, http, clock)
        finally:
            await authenticator.aclose()


def names(found: dict[str, Any], key: str = "name") -> Sequence[str]:
    """The names in a list, sorted."""
    (rows,) = (value for value in found.values() if isinstance(value, list))
    return sorted(one[key] for one in rows)
