"""What each reply tells a browser not to do with it. A reply that says something else itself keeps that."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    # Of requests that do not ask by CORS: pages of KUBEMIN_ALLOWED_ORIGINS do.
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_YEAR = 365 * 24 * 60 * 60


class SecurityHeaders:
    """ASGI middleware. ``hsts_seconds``: for how long a browser is to use TLS only; 0: nothing is said of it.

    None: a year, to requests that came by TLS.
    """

    def __init__(self, app: ASGIApp, *, hsts_seconds: int | None = None) -> None:
        self._app = app
        self._hsts_seconds = hsts_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        hsts = self._hsts_seconds
        if hsts is None:
            hsts = _YEAR if scope.get("scheme") == "https" else 0

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if hsts:
                    headers.setdefault("Strict-Transport-Security", f"max-age={hsts}")
            await send(message)

        await self._app(scope, receive, marked)
