"""An issuer of OpenID Connect on loopback: metadata, keys that change, and a token endpoint that checks PKCE.

Also logins by device code, and refresh tokens that are good for one use: a second use ends all of them.
"""

import asyncio
import base64
import hashlib
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

CLIENT, SECRET = "kubemin", "client-secret"
_RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
"""Made once, as that takes a while; others are elliptic."""


@dataclass
class SigningKey:
    """A key of the issuer."""

    id: str
    algorithm: str
    private: Any

    def jwk(self) -> dict[str, Any]:
        kind: Any = {"RS": RSAAlgorithm, "ES": ECAlgorithm, "Ed": OKPAlgorithm}[self.algorithm[:2]]
        public: dict[str, Any] = kind.to_jwk(self.private.public_key(), as_dict=True)
        return {**public, "kid": self.id, "alg": self.algorithm, "use": "sig"}


def rsa_key(key_id: str) -> SigningKey:
    return SigningKey(key_id, "RS256", _RSA)


def elliptic_key(key_id: str) -> SigningKey:
    return SigningKey(key_id, "ES256", ec.generate_private_key(ec.SECP256R1()))


def edwards_key(key_id: str) -> SigningKey:
    return SigningKey(key_id, "EdDSA", ed25519.Ed25519PrivateKey.generate())


@dataclass
class Provider:
    """What it says, and what it was asked."""

    url: str = ""
    keys: list[SigningKey] = field(default_factory=lambda: [rsa_key("first")])
    asked: list[str] = field(default_factory=list)
    away: bool = False
    hangs: asyncio.Event | None = None
    """Until it is set it answers nothing."""
    waits: asyncio.Event = field(default_factory=asyncio.Event)
    """Whether somebody waits for that."""
    metadata: dict[str, Any] = field(default_factory=dict)
    beside: list[Any] = field(default_factory=list)
    """Among its keys, and none."""
    says: str | None = None
    """Instead of its metadata."""
    nonce: str | None = None
    """Instead of the right one."""
    audience: str | list[str] = CLIENT
    authorized: str | None = None
    """The client that a login's token was made for, as the token says."""
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    """By code: what the login asked for."""
    public: bool = False
    """Whether the client has no secret, as a command line has none."""
    lifetime: int = 600
    """Of tokens, in seconds."""
    devices: dict[str, list[str]] = field(default_factory=dict)
    """By device code: the errors that are still to be answered before somebody has logged in."""
    device_errors: list[str] = field(default_factory=list)
    """Of the next login by device."""
    refresh_tokens: dict[str, tuple[str, bool]] = field(default_factory=dict)
    """By refresh token: whose it is, and whether it may be used."""
    id_tokens: bool = True
    """Whether a refresh brings an ID token too."""
    back: dict[str, str] = field(default_factory=dict)
    """What a browser brings back instead of the right values."""
    sid: str | None = "session-1"
    """Its own session of whoever logs in, as tokens say."""
    told: int = 0
    """How many messages of logouts it has made."""
    left: list[dict[str, str]] = field(default_factory=list)
    """What it was asked for at the end of its own sessions."""

    def token(self, key: SigningKey | None = None, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """A signed token; a claim that is None is left out."""
        key, now = key or self.keys[-1], int(time.time())
        given = {"iss": self.url, "aud": self.audience, "sub": "ada", "iat": now, "exp": now + self.lifetime, **claims}
        payload = {name: value for name, value in given.items() if value is not None}
        return jwt.encode(payload, key.private, key.algorithm, {"kid": key.id, **(header or {})})

    def logout_token(self, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """What it tells of a logout; a claim that is None is left out."""
        self.told += 1
        events: dict[str, Any] = {"http://schemas.openid.net/event/backchannel-logout": {}}
        given = {"jti": f"told-{self.told}", "events": events, **claims}
        return self.token(header={"typ": "logout+jwt", **(header or {})}, **given)

    def login(self, address: str, name: str = "ada") -> dict[str, str]:
        """What a browser is sent back with, after somebody has logged in at the address that it was sent to."""
        asked = {key: values[0] for key, values in parse_qs(urlsplit(address).query).items()}
        assert address.startswith(f"{self.url}/authorize?")
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        assert asked["client_id"] == CLIENT
        code = f"code-{len(self.codes)}"
        self.codes[code] = {**asked, "name": name}
        return {"code": code, "state": asked["state"], "iss": self.url, "session_state": "of-the-issuer"}

    async def _configuration(self, _: web.Request) -> web.Response:
        self.asked.append("metadata")
        if self.hangs is not None:
            self.waits.set()
            await self.hangs.wait()
        if self.away:
            return web.Response(status=503)
        if self.says is not None:
            return web.Response(text=self.says, content_type="application/json")
        known = {
            "issuer": self.url,
            "jwks_uri": f"{self.url}/keys",
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "device_authorization_endpoint": f"{self.url}/device",
            "revocation_endpoint": f"{self.url}/revoke",
            "end_session_endpoint": f"{self.url}/leave",
            "scopes_supported": ["openid", "offline_access"],
        }
        return web.json_response({**known, **self.metadata})

    async def _keys(self, _: web.Request) -> web.Response:
        self.asked.append("keys")
        secret = {"kty": "oct", "k": "c2VjcmV0", "kid": "shared"}
        return web.json_response(
            {"keys": [secret, {"kty": "strange"}, *self.beside, *(one.jwk() for one in self.keys)]}
        )

    async def _authorize(self, request: web.Request) -> web.Response:
        """Somebody has logged in at once, and their browser goes back."""
        back = {**self.login(f"{self.url}{request.rel_url}"), **self.back}
        raise web.HTTPFound(f"{request.query['redirect_uri']}?{urlencode(back)}")

    async def _device(self, request: web.Request) -> web.Response:
        self.asked.append("device")
        form = await request.post()
        assert form["client_id"] == CLIENT
        code = f"device-{len(self.devices)}"
        self.devices[code] = list(self.device_errors)
        address = f"{self.url}/enter"
        known = {"device_code": code, "user_code": "ABCD-EFGH", "verification_uri": address, "expires_in": 600}
        whole = f"{address}?user_code=ABCD-EFGH"
        return web.json_response({**known, "verification_uri_complete": whole, "interval": 0.01})

    async def _token(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.asked.append(form["grant_type"].rpartition(":")[2])
        if form["client_id"] != CLIENT or form.get("client_secret") != (None if self.public else SECRET):
            return web.json_response({"error": "invalid_client"}, status=401)
        match form["grant_type"]:
            case "authorization_code":
                return self._by_code(form)
            case "refresh_token":
                return self._by_refresh_token(form["refresh_token"])
        errors = self.devices[form["device_code"]]
        return _error(errors.pop(0)) if errors else self._tokens("ada")

    def _by_code(self, form: dict[str, str]) -> web.Response:
        asked = self.codes.pop(form["code"], None)
        verifier = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(verifier).decode().rstrip("=")
        right = asked and asked["code_challenge"] == challenge and asked["redirect_uri"] == form["redirect_uri"]
        if not right or asked is None:
            return _error("invalid_grant")
        return self._tokens(asked["name"], nonce=self.nonce or asked["nonce"], azp=self.authorized, sid=self.sid)

    def _by_refresh_token(self, token: str) -> web.Response:
        name, usable = self.refresh_tokens.get(token, ("", False))
        if not usable:
            self.refresh_tokens.update({one: (whose, False) for one, (whose, _) in self.refresh_tokens.items()})
            return _error("invalid_grant")
        self.refresh_tokens[token] = (name, False)
        return self._tokens(name)

    def _tokens(self, name: str, **claims: Any) -> web.Response:
        refresh = f"refresh-{len(self.refresh_tokens)}"
        self.refresh_tokens[refresh] = (name, True)
        brings_id = self.id_tokens or "nonce" in claims
        given = {"id_token": self.token(sub=name, groups=["team-shop"], jti=refresh, **claims)} if brings_id else {}
        known = {"access_token": "opaque", "token_type": "Bearer", "refresh_token": refresh, "expires_in": 600}
        return web.json_response({**given, **known})

    async def _leave(self, request: web.Request) -> web.Response:
        """Its own session ends, and a browser goes back where it is asked to."""
        asked = {name: str(value) for name, value in {**request.query, **await request.post()}.items()}
        self.asked.append("leave")
        self.left.append(asked)
        if back := asked.get("post_logout_redirect_uri"):
            raise web.HTTPFound(back)
        return web.Response(text="<p>Logged out.", content_type="text/html")

    async def _revoke(self, request: web.Request) -> web.Response:
        self.asked.append("revoke")
        form = await request.post()
        self.refresh_tokens.pop(str(form["token"]), None)
        return web.Response()


def _error(code: str) -> web.Response:
    return web.json_response({"error": code}, status=400)


@asynccontextmanager
async def provider() -> AsyncIterator[Provider]:
    """One that answers while the context is open."""
    one = Provider()
    app = web.Application()
    app.router.add_get("/.well-known/openid-configuration", one._configuration)
    app.router.add_get("/keys", one._keys)
    app.router.add_post("/token", one._token)
    app.router.add_get("/authorize", one._authorize)
    app.router.add_post("/device", one._device)
    app.router.add_post("/revoke", one._revoke)
    app.router.add_route("*", "/leave", one._leave)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        one.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield one
    finally:
        await runner.cleanup()


@contextmanager
def provider_beside() -> Iterator[Provider]:
    """One that answers in a thread, for tests that block."""
    loop, ready, found = asyncio.new_event_loop(), threading.Event(), list[Provider]()
    over = asyncio.Event()

    async def serve() -> None:
        async with provider() as one:
            found.append(one)
            ready.set()
            await over.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    ready.wait()
    try:
        yield found[0]
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()
