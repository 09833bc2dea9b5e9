"""Each call of the API as a span, below that of its caller, if it sends one (W3C Trace Context)."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kubemin.telemetry.tracing import Tracer, within

_HEADER = b"traceparent"


class Traced:
    """ASGI middleware: takes ``traceparent`` from the request, and gives its own back with the reply."""

    def __init__(self, app: ASGIApp, *, tracer: Tracer, prefix: str) -> None:
        """Only addresses below ``prefix`` are recorded: who scrapes and probes asks all the time."""
        self._app = app
        self._tracer = tracer
        self._prefix = f"{prefix}/"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(self._prefix):
            await self._app(scope, receive, send)
            return
        # Of several, none: as the standard has it.
        given = [value for name, value in scope["headers"] if name == _HEADER]
        parent = given[0].decode("latin-1") if len(given) == 1 else None
        made = self._tracer.begin("request", parent, {"http.request.method": scope["method"]}, serves=True)

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                operation = getattr(scope.get("endpoint"), "__name__", "none")
                made.rename(f"{scope['method']} {operation}")
                made.set("http.response.status_code", message["status"])
                if request_id := scope.get("kubemin.request_id"):
                    made.set("kubemin.request_id", str(request_id))
                message["headers"] = [*message.get("headers", ()), (_HEADER, made.traceparent.encode())]
            await send(message)

        with within(made):
            await self._app(scope, receive, watched)
