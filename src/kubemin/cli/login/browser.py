"""A login in a browser of this machine: the code flow with PKCE (RFC 7636), back to a port of loopback (RFC 8252)."""

import base64
import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Callable
from html import escape
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer
from urllib.parse import parse_qs, urlsplit

from kubemin.cli.exits import CliError
from kubemin.cli.language import tr
from kubemin.cli.login.issuer import Answer, Issuer
from kubemin.cli.output import complain
from kubemin.client.errors import Denied, Refused
from kubemin.spec.addresses import with_query

PATH = "/callback"
_WAIT_SECONDS = 300.0
_REQUEST_SECONDS = 5.0
_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Connection": "close",
}


def by_browser(
    issuer: Issuer,
    client_id: str,
    scopes: str,
    open_address: Callable[[str], object],
    now: Callable[[], float] = time.monotonic,
) -> tuple[Answer, str]:
    """Send a browser to the issuer, and wait until it is back: the issuer's tokens, and the login's nonce.

    Raises `KubeminError`, `CliError`.
    """
    state, nonce, verifier = (secrets.token_urlsafe(48) for _ in range(3))
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    with _Waiting(state, issuer) as waiting:
        asked = {
            "response_type": "code",
            "client_id": client_id,
            "redirect_uri": waiting.address,
            "scope": scopes,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        begin = issuer.needed("authorization_endpoint")
        address = with_query(begin, asked)
        complain(tr("Log in in the browser. If none has opened, open {address}", address=address))
        # Beside: one that is shown in the terminal itself comes back only once it is left.
        threading.Thread(target=open_address, args=(address,), daemon=True).start()
        code = waiting.code(now)
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": waiting.address,
            "client_id": client_id,
            "code_verifier": verifier,
        }
    return issuer.tokens(form), nonce


class _Waiting(TCPServer):
    """A port of loopback, for the one request with which the browser comes back.

    Not `HTTPServer`: that asks for this machine's name.
    """

    def __init__(self, state: str, issuer: Issuer) -> None:
        super().__init__(("127.0.0.1", 0), _Back)
        self.address = f"http://127.0.0.1:{self.server_address[1]}{PATH}"
        self._state = state
        self._issuer = issuer
        self._found: str | Exception | None = None

    def code(self, now: Callable[[], float]) -> str:
        """What the issuer gave the browser. Raises `Denied`, `Refused`, `CliError`."""
        until = now() + _WAIT_SECONDS
        while self._found is None:
            self.timeout = until - now()
            if self.timeout <= 0:
                raise CliError(tr("nobody has logged in in time: nothing was done"))
            self.handle_request()
        if isinstance(self._found, Exception):
            raise self._found
        return self._found

    def take(self, query: str) -> bool:
        """Take what the browser brings; whether it is the code of this login. There is no second try."""
        given = {name: values[0] if len(values) == 1 else "" for name, values in parse_qs(query).items()}
        issuer = given.get("iss", self._issuer.name).rstrip("/")  # RFC 9207
        if (
            not hmac.compare_digest(given.get("state", "").encode(), self._state.encode())
            or issuer != self._issuer.name
        ):
            self._found = Refused(tr("what came back from the browser is not of this login: nothing was done"))
        elif error := given.get("error"):
            refused = tr("the issuer {issuer} refuses: {error}", issuer=self._issuer.name, error=error[:100])
            self._found = Denied(tr("the login was refused at the issuer") if error == "access_denied" else refused)
        elif code := given.get("code"):
            self._found = code
            return True
        else:
            self._found = Refused(tr("the issuer {issuer} gives no usable answer", issuer=self._issuer.name))
        return False

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that goes away in the middle is no matter."""


class _Back(BaseHTTPRequestHandler):
    server: _Waiting
    timeout = _REQUEST_SECONDS

    def do_GET(self) -> None:
        """Take what the browser brings, and say that one may close it."""
        parts = urlsplit(self.path)
        if parts.path != PATH:
            self._answer(404, tr("There is nothing here."))
        elif self.server.take(parts.query):
            self._answer(200, tr("You may close this, and go back to the terminal."))
        else:
            self._answer(400, tr("The login did not succeed: the terminal says why. You may close this."))

    def log_message(self, *_: object) -> None:
        """Its line would have the code in it."""

    def version_string(self) -> str:
        """Nobody needs to know."""
        return "kubemin"

    def _answer(self, status: int, text: str) -> None:
        body = f"<!doctype html><meta charset=utf-8><title>KubeMin</title><p>{escape(text)}".encode()
        self.send_response(status)
        for name, value in {**_HEADERS, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
