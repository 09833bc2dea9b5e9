"""What ``/metrics`` counts of the API itself."""

import time

from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Measured:
    """ASGI middleware: counts requests and their seconds, by method, operation (never by address) and status."""

    def __init__(self, app: ASGIApp, *, registry: CollectorRegistry) -> None:
        self._app = app
        self._requests = Counter(
            "kubemin_http_requests", "HTTP requests answered.", ("method", "operation", "status"), registry=registry
        )
        self._seconds = Histogram(
            "kubemin_http_request_seconds", "Seconds until the reply began.", ("method", "operation"), registry=registry
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                method = scope["method"] if scope["method"] in _METHODS else "other"
                operation = getattr(scope.get("endpoint"), "__name__", "none")
                self._requests.labels(method, operation, str(message["status"])).inc()
                self._seconds.labels(method, operation).observe(time.perf_counter() - started)
            await send(message)

        await self._app(scope, receive, watched)


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""The method is the caller's to choose, and each one that is counted by name is kept for good."""
