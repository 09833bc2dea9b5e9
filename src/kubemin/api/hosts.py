"""Who may ask, as long as nobody has to say who they are: programs of this machine, and pages that it serves.

A server on a loopback address is within reach of every page that a browser of this machine shows. Such a page can give
its own name the address 127.0.0.1 (DNS rebinding; the browser then sends that name as ``Host``), or post across sites
without asking first (the browser then says ``Origin``).
"""

import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from kubemin.api.codes import ApiCode
from kubemin.api.envelope import ApiError

_HARMLESS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


class KnownHosts:
    """ASGI middleware: answers requests for other hosts than loopback and ``hosts`` 421, changes from them 403.

    ``hosts`` are names, without a port: any port will do. Pages of ``origins`` may ask for changes too: these are
    whole, with scheme and port. Requests without the headers come from no browser.
    """

    def __init__(self, app: ASGIApp, *, hosts: Collection[str], origins: Collection[str] = ()) -> None:
        self._app = app
        self._hosts = frozenset(host.lower() for host in hosts)
        self._origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        error = self._refusal(scope) if scope["type"] == "http" else None
        await (self._app if error is None else error.response())(scope, receive, send)

    def _refusal(self, scope: Scope) -> ApiError | None:
        headers = {name: value.decode("latin-1") for name, value in scope["headers"] if name in (b"host", b"origin")}
        host, origin = headers.get(b"host"), headers.get(b"origin")
        if host is not None and not self._known(f"//{host}"):
            message = (
                f"This server does not answer for the host {host[:100]}: only for localhost, loopback addresses, and "
                "what KUBEMIN_ALLOWED_HOSTS names."
            )
            return ApiError(421, ApiCode.MISDIRECTED, message)
        harmless = origin is None or origin in self._origins or scope["method"] in _HARMLESS
        if origin is not None and not harmless and not self._known(origin):
            message = (
                f"A page of {origin[:100]} may not change anything here: only pages of localhost, loopback addresses, "
                "and what KUBEMIN_ALLOWED_HOSTS and KUBEMIN_ALLOWED_ORIGINS name."
            )
            return ApiError(403, ApiCode.FORBIDDEN, message)
        return None

    def _known(self, address: str) -> bool:
        try:
            name = urlsplit(address).hostname or ""
            return name == "localhost" or name in self._hosts or ipaddress.ip_address(name).is_loopback
        except ValueError:  # no address at all, or a name
            return False
