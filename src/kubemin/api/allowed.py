"""Which methods an address takes: the answer to OPTIONS, and the ``Allow`` of each 405."""

from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kubemin.api.route_table import RouteTable

_FILES = "GET, HEAD"
"""What is no route is a file: of the page, or of a web console."""


class Allowed:
    """ASGI middleware around the routes. A router by itself names the methods of one route, where there are several."""

    def __init__(self, app: ASGIApp, table: RouteTable) -> None:
        self._app = app
        self._table = table

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path: str = scope["path"]
        if scope["method"] == "OPTIONS" and (methods := self._table.methods(path)):
            await Response(status_code=204, headers={"Allow": _line(methods)})(scope, receive, send)
            return

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 405:
                headers = MutableHeaders(scope=message)
                if methods := self._table.methods(path):
                    headers["Allow"] = _line(methods)
                else:
                    headers.setdefault("Allow", _FILES)
            await send(message)

        await self._app(scope, receive, watched)


def _line(methods: list[str]) -> str:
    return ", ".join(sorted({*methods, "OPTIONS"}))
