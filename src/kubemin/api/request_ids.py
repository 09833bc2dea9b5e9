"""A name for each request, by which its log lines, its row of the audit and its reply are found together."""

import re
import secrets

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kubemin.telemetry.requests import on_request

HEADER = "X-Request-Id"
KEY = "kubemin.request_id"
"""Where in an ASGI scope it is."""

_SAFE = re.compile(rb"[A-Za-z0-9._=-]{1,64}")


class RequestIds:
    """ASGI middleware: takes the client's ``X-Request-Id`` if it is short and plain, else makes one; sends it back."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        name = scope[KEY] = _given(scope) or secrets.token_hex(16)

        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[HEADER] = name
            await send(message)

        with on_request(name):
            await self._app(scope, receive, named)


def request_id(scope: Scope) -> str:
    """That of the request; empty outside of `RequestIds`."""
    name: str = scope.get(KEY, "")
    return name


def _given(scope: Scope) -> str | None:
    given = [value for name, value in scope["headers"] if name == b"x-request-id"]
    return given[0].decode() if len(given) == 1 and _SAFE.fullmatch(given[0]) else None
