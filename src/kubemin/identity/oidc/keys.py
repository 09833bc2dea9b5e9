"""An issuer's metadata and keys: read when they are needed, kept, and read anew for a key that is not known."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import structlog
from jwt import PyJWK
from jwt.exceptions import PyJWTError

from kubemin.identity.errors import IssuerAway
from kubemin.identity.oidc.http import IssuerHttp

log = structlog.get_logger(__name__)

_FRESH_SECONDS = 3600.0
"""After this time they are read again. While that fails, what is known counts on."""
_PAUSE_SECONDS = 10.0
"""So long after one attempt there is no other, however many tokens name keys that are not known."""
_PRIVATE = frozenset({"oct"})
_WORDS = ("kty", "use", "kid", "alg")


class Key(NamedTuple):
    """A public key; ``algorithm`` is the only one that it is for, None where the issuer does not say."""

    key: Any
    algorithm: str | None


class Keys:
    """The keys of one issuer by their ids. Raises `IssuerAway` where none is known and none can be read."""

    def __init__(self, issuer: str, http: IssuerHttp, clock: Callable[[], float] = time.monotonic) -> None:
        self._issuer = issuer
        self._http = http
        self._clock = clock
        self._metadata: Mapping[str, Any] | None = None
        self._keys: Mapping[str | None, list[Key]] = {}
        self._read_at = self._tried_at = float("-inf")
        self._lock = asyncio.Lock()
        self._renewing: asyncio.Task[None] | None = None

    async def metadata(self) -> Mapping[str, Any]:
        """What the issuer says of itself."""
        if self._metadata is None:
            await self._refresh()
        assert self._metadata is not None
        return self._metadata

    async def named(self, key_id: str | None) -> list[Key]:
        """The keys of this id, or, without one, all: none where the issuer has no such key."""
        if not self._keys or (key_id is not None and key_id not in self._keys):
            await self._refresh_if_possible()
        elif self._clock() - self._read_at >= _FRESH_SECONDS and (self._renewing is None or self._renewing.done()):
            # Beside: an issuer that hangs holds up nobody whose key is known, and no cancel.
            self._renewing = asyncio.create_task(self._refresh_if_possible(), name="issuer keys")
        if key_id is not None:
            return self._keys.get(key_id, [])
        return [key for keys in self._keys.values() for key in keys]

    async def aclose(self) -> None:
        """Ask no more."""
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.gather(self._renewing, return_exceptions=True)

    async def _refresh_if_possible(self) -> None:
        try:
            await self._refresh()
        except IssuerAway as error:
            if not self._keys:
                raise
            log.warning("the issuer's keys cannot be read; those that are known count on", error=str(error))

    async def _refresh(self) -> None:
        """Read metadata and keys, unless somebody has just tried to."""
        asked_at = self._clock()
        async with self._lock:
            if self._read_at >= asked_at:
                return  # while this one waited
            if asked_at - self._tried_at < _PAUSE_SECONDS:
                if self._metadata is None:
                    raise IssuerAway("The issuer did not answer just now: try again in a few seconds.")
                return
            self._tried_at = self._clock()
            metadata = await self._http.get(f"{self._issuer}/.well-known/openid-configuration")
            if metadata.get("issuer") not in (self._issuer, f"{self._issuer}/"):
                raise IssuerAway("What answers at the issuer's address says that it is another issuer.")
            address = metadata.get("jwks_uri")
            if not isinstance(address, str) or not is_safe(address, self._issuer):
                raise IssuerAway("The issuer does not say where its keys are, or they are not at an HTTPS address.")
            found = _read(await self._http.get(address))
            if not found:
                raise IssuerAway("The issuer has no key that can be used.")
            self._metadata, self._keys, self._read_at = metadata, found, self._clock()


def is_safe(address: str, issuer: str) -> bool:
    """Whether it is as safe as the issuer's own address, which may be plain on this machine."""
    return address.startswith("https://") or (address.startswith("http://") and issuer.startswith("http://"))


def _read(jwks: Mapping[str, Any]) -> dict[str | None, list[Key]]:
    """The public keys for signatures; others, and those that nobody here knows, are passed over."""
    found: dict[str | None, list[Key]] = {}
    given = jwks.get("keys")
    for one in given if isinstance(given, list) else ():
        if not isinstance(one, dict) or not all(isinstance(one.get(name), str | None) for name in _WORDS):
            continue
        if one.get("kty") in _PRIVATE or one.get("use") not in (None, "sig"):
            continue
        try:
            key = PyJWK.from_dict(one)
        except (PyJWTError, ArithmeticError, LookupError, NotImplementedError, TypeError, ValueError):
            continue
        found.setdefault(key.key_id, []).append(Key(key.key, one.get("alg")))
    return found
