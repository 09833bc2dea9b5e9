"""An issuer of OpenID Connect, as a command asks it: by the standard library, and nowhere else than the issuer says."""

import base64
import json
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

from kubemin.cli.language import aside, tr
from kubemin.cli.login.origins import is_loopback, is_safe
from kubemin.client.errors import KubeminError, Refused, Unavailable

_SECONDS = 10.0
_MOST_BYTES = 1024 * 1024
_NOW_AND_THEN = (408, 425, 429)

Answer = Mapping[str, Any]


class IssuerRefuses(Refused):
    """The issuer's answer is an error of OAuth; ``error`` is its code."""

    def __init__(self, issuer: str, error: str) -> None:
        self.error = error
        super().__init__(tr("the issuer {issuer} refuses: {error}", issuer=issuer, error=error))


@dataclass(frozen=True)
class Issuer:
    """What it says of itself. Raises `Unavailable` where it does not answer, `Refused` where it cannot be used."""

    name: str
    metadata: Answer

    @classmethod
    def at(cls, address: str, *, plain: bool) -> Self:
        """The issuer at an address; ``plain``: it may be HTTP on this machine."""
        name = address.rstrip("/")
        if not is_safe(name, plain=plain):
            raise Refused(tr("the issuer {issuer} is not at an HTTPS address: it gets no login", issuer=address))
        status, found = _ask(f"{name}/.well-known/openid-configuration", None)
        if status != 200:
            raise _strange(name, status)
        if found.get("issuer") not in (name, f"{name}/"):
            raise Refused(tr("what answers at the issuer's address {issuer} is another issuer", issuer=name))
        return cls(name, found)

    @property
    def is_plain(self) -> bool:
        """Whether it is on this machine, over HTTP."""
        return self.name.startswith("http://")

    def endpoint(self, name: str) -> str | None:
        """The address of this name; None where it has none."""
        address = self.metadata.get(name)
        if address is None:
            return None
        if not isinstance(address, str) or not is_safe(address, plain=self.is_plain):
            raise Refused(tr("the issuer {issuer} has no usable {name}", issuer=self.name, name=name))
        return address

    def needed(self, name: str) -> str:
        """The address of this name, which it must have."""
        address = self.endpoint(name)
        if address is None:
            raise Refused(tr("the issuer {issuer} has no usable {name}", issuer=self.name, name=name))
        return address

    def scopes(self, wanted: str) -> str:
        """The scopes to ask for: with the one that brings a refresh token, where the issuer knows it."""
        known = self.metadata.get("scopes_supported")
        more = isinstance(known, list) and "offline_access" in known and "offline_access" not in wanted.split()
        return f"{wanted} offline_access" if more else wanted

    def post(self, address: str, form: Mapping[str, str]) -> Answer:
        """What it answers to a form. Raises `IssuerRefuses` for an error of OAuth."""
        status, found = _ask(address, form)
        if status == 200:
            return found
        error = found.get("error")
        if not isinstance(error, str):
            raise _strange(self.name, status)
        raise IssuerRefuses(self.name, error[:100])

    def tell(self, address: str, form: Mapping[str, str]) -> None:
        """Tell it something; but for an error, which is raised, its answer says nothing to a program."""
        status, _ = _exchange(address, form)
        if status >= 400:
            raise _strange(self.name, status)

    def tokens(self, form: Mapping[str, str]) -> Answer:
        """What its token endpoint answers."""
        return self.post(self.needed("token_endpoint"), form)


def claims_of(token: Any) -> Answer:
    """What a signed token says, without a look at the signature: it came from the issuer itself. Empty for others."""
    try:
        payload = token.split(".")[1]
        found = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (AttributeError, IndexError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _strange(issuer: str, status: int) -> KubeminError:
    said = tr("the issuer {issuer} gives no usable answer", issuer=issuer)
    kind = Unavailable if status >= 500 or status in _NOW_AND_THEN else Refused
    return kind(aside(said, f"HTTP {status}"))


def _ask(url: str, form: Mapping[str, str] | None) -> tuple[int, Answer]:
    """The status and the JSON object of an answer, empty where it is none."""
    status, body = _exchange(url, form)
    origin = _origin(url)
    try:
        found = json.loads(body) if len(body) <= _MOST_BYTES else None
    except (ValueError, RecursionError):
        found = None
    if status >= 500 or status in _NOW_AND_THEN:
        raise _strange(origin, status)
    if not isinstance(found, dict):
        if status == 200:
            raise Refused(tr("the issuer {issuer} gives no usable answer", issuer=origin))
        found = {}
    return status, found


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _exchange(url: str, form: Mapping[str, str] | None) -> tuple[int, bytes]:
    """The status and the body of an answer. No redirect is followed."""
    parts = urlsplit(url)
    assert parts.scheme == "https" or is_loopback(url)
    try:
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        with closing(kind(parts.hostname or "", parts.port, timeout=_SECONDS)) as connection:
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            headers = {"Accept": "application/json"}
            if form is None:
                connection.request("GET", target, headers=headers)
            else:
                headers["Content-Type"] = "application/x-www-form-urlencoded"
                connection.request("POST", target, urlencode(form), headers)
            answer = connection.getresponse()
            return answer.status, answer.read(_MOST_BYTES + 1)
    except (HTTPException, OSError, ValueError) as error:
        said = tr("the issuer at {origin} does not answer", origin=_origin(url))
        raise Unavailable(aside(said, type(error).__name__)) from error
