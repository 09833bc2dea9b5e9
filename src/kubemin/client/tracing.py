"""Whose trace a request belongs to, as W3C Trace Context has it.

The client records no spans: it hands on that of its caller, so that the server's span, and that of the task, lie below.
"""

import re
import sys

_FORM = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


def is_traceparent(text: str) -> bool:
    """Whether this names a span. One of a later version of the standard, which may say more, counts as none."""
    return _FORM.fullmatch(text) is not None


def checked(traceparent: str | None) -> str | None:
    """The same. Raises `ValueError` for what names no span."""
    if traceparent is not None and not is_traceparent(traceparent):
        raise ValueError(f"{traceparent[:100]!r} is no traceparent, such as 00-{'1' * 32}-{'2' * 16}-01")
    return traceparent


def tracing(traceparent: str | None) -> dict[str, str]:
    """The header of a request below this span; without one, below that of the running OpenTelemetry context.

    Nothing is imported for it: where the program has no OpenTelemetry, it has no span either.
    """
    found = traceparent or _of_context()
    return {} if found is None else {"traceparent": found}


def _of_context() -> str | None:
    if (trace := sys.modules.get("opentelemetry.trace")) is None:
        return None
    now = trace.get_current_span().get_span_context()
    return f"00-{now.trace_id:032x}-{now.span_id:016x}-{int(now.trace_flags):02x}" if now.is_valid else None
