"""Finds out who asks, by the credential that they show."""

import asyncio
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import structlog

from kubemin.identity.attempts import Attempts
from kubemin.identity.errors import SESSION_OVER, TooMany, Unknown
from kubemin.identity.grants import Grant
from kubemin.identity.principal import Principal
from kubemin.identity.rates import Buckets
from kubemin.identity.token_text import TokenText, digest_of, looks_like_one, read_token
from kubemin.identity.watching import Watch
from kubemin.settings.identity import IdentitySettings
from kubemin.store import Database, applications, one_time, sessions, tokens
from kubemin.store.errors import StoreError
from kubemin.store.sessions import NewSession
from kubemin.store.tokens import TokenRow

log = structlog.get_logger(__name__)

_KNOWN_SECONDS = 2.0
"""So long a credential that was looked up counts as valid. A revoked one is refused after that at the latest."""
_MOST_KNOWN = 10_000
"""Credentials that are remembered; they are let pass also where an address has shown too many wrong ones."""
_WATCH_SECONDS = 2.0
_USED_SECONDS = 60.0
_WRONG = "This token is not valid: it is mistyped or unknown."
_EXPIRED = "This token has expired."
_REVOKED = "This token was revoked."
_OVER = "The session is over: log in again."
_NO_LOGIN = "No such login has begun here, or it was finished already, or took too long: begin again."
_TOKEN, _SESSION = "token:", "session:"


class Issuer(Protocol):
    """Who vouches for callers that have no API token."""

    async def of_bearer(self, text: str) -> Principal:
        """Who shows this token of it. Raises `Unknown`, `IssuerAway`."""

    async def aclose(self) -> None:
        """Close what is open to it."""


@dataclass(frozen=True, slots=True)
class _Known:
    principal: Principal
    until: float


class Authenticator:
    """One a process. Raises `Unknown`, `TooMany`, `IssuerAway`, and what the store raises."""

    def __init__(
        self,
        db: Database,
        settings: IdentitySettings,
        issuer: Issuer | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._db = db
        self._settings = settings
        self.issuer = issuer
        self._clock = clock
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._callers = Buckets(settings.caller_rate, settings.caller_burst, clock)
        self.attempts = Attempts(settings.failed_logins, clock)
        self._used: dict[str, float] = {}
        self._beside: set[asyncio.Task[None]] = set()
        self.watch = Watch(self._valid, self._projects, _WATCH_SECONDS)

    async def of_bearer(self, text: str, address: str, *, urgent: bool = False) -> Principal:
        """Who shows this API token, or this token of the issuer, from an address. ``urgent`` as in `Database.read`.

        What is mistyped costs no statement of the database, nor does, unless it is urgent, what comes from an address
        that has shown too many wrong ones and was never right in this process.
        """
        if not looks_like_one(text):
            if self.issuer is None:
                raise Unknown(_WRONG)
            return await self.issuer.of_bearer(text)
        token = read_token(text)
        if token is None:
            raise Unknown(_WRONG)
        key = f"{_TOKEN}{token.id}:{token.digest}"
        found = self._recent(key)
        if found is None:
            if not urgent and key not in self._known:
                self.attempts.check(address)
            found = self._keep(key, await self._of_token(token, urgent))
        self._mark(found.credential, lambda: self._mark_token(token.id))
        return found

    async def of_session(self, secret: str, address: str, *, urgent: bool = False) -> Principal:
        """Whose session this is. As `of_bearer`."""
        digest = digest_of(secret)
        key = f"{_SESSION}{digest}"
        found = self._recent(key)
        if found is None:
            if not urgent and key not in self._known:
                self.attempts.check(address, session=True)
            found = self._keep(key, await self._of_session(digest, urgent))
        self._mark(key, lambda: self._mark_session(digest))
        return found

    async def begin_login(self, kept: str, address: str, seconds: float) -> None:
        """Remember a login that begins, by what its browser keeps of it. Raises `TooMany`."""
        self.attempts.count_login(address)
        async with self._db.begin("login") as tx:
            await one_time.remember(tx, _login(kept), seconds)

    async def take_login(self, kept: str, address: str) -> None:
        """Let a login that has begun be finished, once, on any server. Raises `Unknown`, `TooMany`."""
        self.attempts.check(address)
        async with self._db.begin("login") as tx:
            taken = await one_time.take(tx, _login(kept))
        if not taken:
            raise Unknown(_NO_LOGIN)

    async def open_session(self, principal: Principal, subject: str | None = None, sid: str | None = None) -> str:
        """Begin a session of whoever has just said who they are; its secret, for a cookie.

        ``subject`` and ``sid``: what the issuer calls the person, and its own session of them.
        """
        secret = secrets.token_urlsafe(32)
        seconds = self._settings.session_seconds
        kind, _, token_id = principal.credential.partition(":")
        new = NewSession(
            hash=digest_of(secret),
            name=principal.name,
            groups=principal.groups,
            token_id=token_id if f"{kind}:" == _TOKEN else None,
            subject=_at_issuer("subject", subject),
            sid=_at_issuer("sid", sid),
            seconds=seconds,
        )
        async with self._db.begin("session") as tx:
            await sessions.insert(tx, new)
        log.info("logged in", caller=principal.name, how=principal.how)
        return secret

    async def end_session(self, secret: str) -> bool:
        """End it; nothing to do for one that is over. Whether it was begun at the issuer."""
        digest = digest_of(secret)
        async with self._db.begin("session") as tx:
            of_issuer = await sessions.is_of_issuer(tx, digest)
            await sessions.end(tx, digest)
        self._known.pop(f"{_SESSION}{digest}", None)
        return of_issuer

    async def end_by_issuer(self, message: str, subject: str | None, sid: str | None, seconds: float) -> int:
        """End what has ended at the issuer, as a ``message`` of it says that counts once; how many sessions those were.

        Raises `Unknown` for a message that was taken already. ``seconds``: for so long it must be known.
        """
        async with self._db.begin("logout") as tx:
            if not await one_time.remember(tx, digest_of(f"logout {message}"), seconds):
                raise Unknown("This logout token was taken already: each counts once.")
            ended = await sessions.end_of_issuer(tx, _at_issuer("subject", subject), _at_issuer("sid", sid))
        for digest in ended:
            self._known.pop(f"{_SESSION}{digest}", None)
        log.info("logged out at the issuer", sessions=len(ended))
        return len(ended)

    async def end_sessions(self, name: str) -> int:
        """End all sessions of somebody; how many there were, also such as had expired."""
        async with self._db.begin("session") as tx:
            ended = await sessions.end_all(tx, name)
        for key, one in list(self._known.items()):
            if key.startswith(_SESSION) and one.principal.name == name:
                del self._known[key]
        return ended

    def count(self, principal: Principal) -> None:
        """Count a request. Raises `TooMany`."""
        if seconds := self._callers.take(principal.name):
            raise TooMany(f"{principal.name} asks too often: try again in {seconds} s.", seconds)

    def forget(self, token_id: str) -> None:
        """A token was revoked by this process, and what follows from it: look it up anew."""
        for key, one in list(self._known.items()):
            if key.startswith((f"{_TOKEN}{token_id}:", _SESSION)) or one.principal.credential == f"{_TOKEN}{token_id}":
                del self._known[key]

    async def aclose(self) -> None:
        """Wait for what is being written beside."""
        await asyncio.gather(*self._beside, return_exceptions=True)
        if self.issuer is not None:
            await self.issuer.aclose()

    async def _of_token(self, token: TokenText, urgent: bool) -> Principal:
        async with self._db.read(urgent=urgent) as tx:
            row = await tokens.get(tx, token.id)
        # The digest is compared also where there is no such token, so that the time does not tell whether there is one.
        same = token.is_of(row.hash if row is not None else "")
        if row is None or not same or not row.valid:
            self._known.pop(f"{_TOKEN}{token.id}:{token.digest}", None)
        if row is None or not same:
            raise Unknown(_WRONG)
        if not row.valid:  # told to whoever has its secret, and to nobody else
            raise Unknown(_REVOKED, "REVOKED") if row.revoked_at is not None else Unknown(_EXPIRED, "EXPIRED")
        return principal_of(row)

    async def _of_session(self, digest: str, urgent: bool) -> Principal:
        async with self._db.read(urgent=urgent) as tx:
            row = await sessions.get(tx, digest, self._settings.session_idle_seconds)
        known_as = None if row is None or row.grants is not None else self._settings.name_at_issuer(row.name)
        if row is None or (row.grants is None and known_as is None):
            self._known.pop(f"{_SESSION}{digest}", None)
            raise Unknown(_OVER, SESSION_OVER)
        if known_as is None:
            grants = tuple(Grant.of(one) for one in row.grants)
        else:
            grants = self._settings.issuer_grants.of(known_as, row.groups)
        return Principal(row.name, "session", grants, tuple(row.groups), row.expires_at, f"{_SESSION}{digest}")

    def _recent(self, key: str) -> Principal | None:
        known = self._known.get(key)
        return known.principal if known is not None and known.until > self._clock() else None

    def _keep(self, key: str, principal: Principal) -> Principal:
        self._known[key] = _Known(principal, self._clock() + _KNOWN_SECONDS)
        self._known.move_to_end(key)
        if len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)
        return principal

    async def _valid(self, credentials: Collection[str]) -> Collection[str]:
        ids = {one.removeprefix(_TOKEN) for one in credentials if one.startswith(_TOKEN)}
        digests = {one.removeprefix(_SESSION) for one in credentials if one.startswith(_SESSION)}
        async with self._db.read() as tx:
            valid = await tokens.valid_ones(tx, ids) if ids else set()
            open_ones = await sessions.open_ones(tx, digests, self._settings.session_idle_seconds) if digests else set()
        return {f"{_TOKEN}{one}" for one in valid} | {f"{_SESSION}{one}" for one in open_ones}

    async def _projects(self, app_ids: Collection[str]) -> Mapping[str, str]:
        if not app_ids:
            return {}
        async with self._db.read() as tx:
            return await applications.projects(tx, app_ids)

    def _mark(self, key: str, mark: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Remember that it is used: at most once a minute, and in nobody's way."""
        now = self._clock()
        if now - self._used.get(key, -_USED_SECONDS) < _USED_SECONDS:
            return
        if len(self._used) > _MOST_KNOWN:
            self._used = {known: at for known, at in self._used.items() if now - at < _USED_SECONDS}
        self._used[key] = now
        task = asyncio.create_task(mark(), name="used")
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)

    async def _mark_token(self, token_id: str) -> None:
        try:
            async with self._db.begin("used") as tx:
                await tokens.mark_used(tx, token_id, _USED_SECONDS)
        except StoreError as error:
            log.warning("cannot store when a token was used", token=token_id, error=type(error).__name__)

    async def _mark_session(self, digest: str) -> None:
        try:
            async with self._db.begin("used") as tx:
                await sessions.mark_used(tx, digest, _USED_SECONDS)
        except StoreError as error:
            log.warning("cannot store when a session was used", error=type(error).__name__)


def _at_issuer(what: str, name: str | None) -> str | None:
    return None if name is None else digest_of(f"{what} {name}")


def _login(kept: str) -> str:
    return digest_of(f"login {kept}")


def principal_of(row: TokenRow) -> Principal:
    """Who acts with a token."""
    grants = tuple(Grant.of(one) for one in row.grants)
    return Principal(row.owner, "token", grants, (), row.expires_at, f"{_TOKEN}{row.id}")
