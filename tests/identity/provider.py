"""An issuer of OpenID Connect on loopback: metadata, keys that change, and a token endpoint that checks PKCE."""

import asyncio
import base64
import hashlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

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
    nonce: str | None = None
    """Instead of the right one."""
    audience: str = CLIENT
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    """By code: what the login asked for."""

    def token(self, key: SigningKey | None = None, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """A signed token; a claim that is None is left out."""
        key, now = key or self.keys[-1], int(time.time())
        given = {"iss": self.url, "aud": self.audience, "sub": "ada", "iat": now, "exp": now + 600, **claims}
        payload = {name: value for name, value in given.items() if value is not None}
        return jwt.encode(payload, key.private, key.algorithm, {"kid": key.id, **(header or {})})

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
        known = {
            "issuer": self.url,
            "jwks_uri": f"{self.url}/keys",
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
        }
        return web.json_response({**known, **self.metadata})

    async def _keys(self, _: web.Request) -> web.Response:
        self.asked.append("keys")
        secret = {"kty": "oct", "k": "c2VjcmV0", "kid": "shared"}
        return web.json_response({"keys": [secret, {"kty": "strange"}, *(one.jwk() for one in self.keys)]})

    async def _token(self, request: web.Request) -> web.Response:
        form = await request.post()
        asked = self.codes.pop(str(form["code"]), None)
        verifier = hashlib.sha256(str(form["code_verifier"]).encode()).digest()
        challenge = base64.urlsafe_b64encode(verifier).decode().rstrip("=")
        right = (
            asked is not None
            and asked["code_challenge"] == challenge
            and asked["redirect_uri"] == form["redirect_uri"]
            and (form["client_id"], form["client_secret"]) == (CLIENT, SECRET)
        )
        if not right or asked is None:
            return web.json_response({"error": "invalid_grant"}, status=400)
        claims: dict[str, Any] = {"sub": asked["name"], "nonce": self.nonce or asked["nonce"], "groups": ["team-shop"]}
        return web.json_response({"id_token": self.token(**claims), "access_token": "opaque", "token_type": "Bearer"})


@asynccontextmanager
async def provider() -> AsyncIterator[Provider]:
    """One that answers while the context is open."""
    one = Provider()
    app = web.Application()
    app.router.add_get("/.well-known/openid-configuration", one._configuration)
    app.router.add_get("/keys", one._keys)
    app.router.add_post("/token", one._token)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        one.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield one
    finally:
        await runner.cleanup()
