"""Addresses that may mean one thing to a proxy and another one here are refused, before anybody looks at them."""

import re

from starlette.types import ASGIApp, Receive, Scope, Send

from kubemin.api.codes import ApiCode
from kubemin.api.envelope import ApiError

_HIDDEN = re.compile(rb"%(2f|5c|[01][0-9a-f]|7f)", re.IGNORECASE)
"""A slash, a backslash or a control character that is not to be seen as one."""
_RAW = re.compile(rb"[\x00-\x20\x7f-\xff\\]")
_DOT = re.compile(rb"%2e", re.IGNORECASE)


class PlainTargets:
    """ASGI middleware: 400 for a target that is no plain path.

    That is: one with a host in it, with ``.`` or ``..`` as a segment, with an encoded slash, backslash or control
    character, and whose text is no UTF-8.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        wrong = _wrong(scope) if scope["type"] == "http" else None
        if wrong is None:
            await self._app(scope, receive, send)
            return
        message = f"The address of the request {wrong}."
        await ApiError(400, ApiCode.BAD_REQUEST, message).response()(scope, receive, send)


def _wrong(scope: Scope) -> str | None:
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    if not raw.startswith(b"/"):
        if raw == b"*" and scope["method"] == "OPTIONS":
            return None
        return "must be a path that begins with a slash"
    if _HIDDEN.search(raw) or _RAW.search(raw):
        return "has an encoded slash, a backslash or a control character in its path"
    if any(_DOT.sub(b".", part) in (b".", b"..") for part in raw.split(b"/")):
        return 'has "." or ".." in its path'
    if "\ufffd" in scope["path"]:
        return "is no UTF-8"
    return None
