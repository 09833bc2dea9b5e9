"""Spans by OpenTelemetry, sent by OTLP over HTTP. Importing this costs; only a process that is to do so does it.

A thread of the SDK sends them. What waits for it is bounded, and dropped when there is too much: a receiver that is
slow, silent or away holds up nothing. What the SDK can be told beside the address (headers, certificates, how often,
how many, which traces) it reads from its own variables, ``OTEL_…``.
"""

import asyncio
import threading
from contextlib import suppress

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from kubemin import __version__
from kubemin.telemetry.tracing import Attributes, Value

_CLOSING_SECONDS = 2.0
_SEND_SECONDS = 5.0
_REQUESTS = 256
"""So many requests to other systems are recorded below one root: a large task has tens of thousands."""

_W3C = TraceContextTextMapPropagator()


class _Places:
    def __init__(self) -> None:
        self.taken = 0


class OtelSpan:
    """See `kubemin.telemetry.tracing.Span`."""

    def __init__(self, tracer: trace.Tracer, made: trace.Span, places: _Places, *, root: bool = False) -> None:
        self._tracer = tracer
        self._span = made
        self._places = places
        self._root = root

    @property
    def trace_id(self) -> str:
        return trace.format_trace_id(self._span.get_span_context().trace_id)

    @property
    def span_id(self) -> str:
        return trace.format_span_id(self._span.get_span_context().span_id)

    @property
    def traceparent(self) -> str:
        return f"00-{self.trace_id}-{self.span_id}-{self._span.get_span_context().trace_flags:02x}"

    def child(
        self, name: str, attributes: Attributes, *, began_ns: int | None = None, request: bool = False
    ) -> "OtelSpan":
        kind = SpanKind.CLIENT if request else SpanKind.INTERNAL
        below = trace.set_span_in_context(self._span)
        made = self._tracer.start_span(name, below, kind, attributes, start_time=began_ns)
        return OtelSpan(self._tracer, made, self._places)

    def has_room(self) -> bool:
        self._places.taken += 1
        return self._places.taken <= _REQUESTS

    def rename(self, name: str) -> None:
        self._span.update_name(name)

    def set(self, name: str, value: Value) -> None:
        self._span.set_attribute(name, value)

    def end(self, failed: str = "") -> None:
        if self._root and self._places.taken > _REQUESTS:
            self._span.set_attribute("kubemin.requests.dropped", self._places.taken - _REQUESTS)
        if failed:
            self._span.set_attribute("error.type", failed)
            self._span.set_status(Status(StatusCode.ERROR))
        self._span.end()


class OtelTracer:
    """See `kubemin.telemetry.tracing.Tracer`."""

    def __init__(self, endpoint: str, service: str, instance: str) -> None:
        """``endpoint``: the receiver's address, to which ``/v1/traces`` is added."""
        exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=_SEND_SECONDS)
        named = {"service.name": service, "service.version": __version__, "service.instance.id": instance}
        self._provider = TracerProvider(resource=Resource.create(named), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("kubemin", __version__)

    def begin(self, name: str, parent: str | None, attributes: Attributes, *, serves: bool = False) -> OtelSpan:
        above = _W3C.extract({"traceparent": parent} if parent else {})
        kind = SpanKind.SERVER if serves else SpanKind.CONSUMER
        made = self._tracer.start_span(name, above, kind, attributes)
        return OtelSpan(self._tracer, made, _Places(), root=True)

    async def aclose(self) -> None:
        loop, closed = asyncio.get_running_loop(), asyncio.Event()

        def close() -> None:
            self._provider.shutdown()
            with suppress(RuntimeError):  # nobody waits any more, and the loop is closed
                loop.call_soon_threadsafe(closed.set)

        # Of its own, and not the loop's: the interpreter waits for those at its end.
        threading.Thread(target=close, name="closing traces", daemon=True).start()
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSING_SECONDS):
                await closed.wait()
