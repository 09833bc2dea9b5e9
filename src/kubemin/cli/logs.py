"""The log of a server: on stderr, readable on a terminal, JSON otherwise. stdout is for what the command prints."""

import logging
import sys
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any, TextIO, cast

import structlog

from kubemin.cli.output import visible_lines
from kubemin.settings.telemetry import TelemetrySettings
from kubemin.spec.characters import visible
from kubemin.telemetry.tracing import current_span


class _Stderr:
    """What cannot be written is lost, and stops nothing: the disk may be full, or whoever read the log may be gone."""

    def write(self, text: str) -> None:
        with suppress(OSError):
            sys.stderr.write(text)

    def flush(self) -> None:
        with suppress(OSError):
            sys.stderr.flush()


def configure(settings: TelemetrySettings, worker: str | None = None) -> None:
    """Set structlog and the standard library's loggers up: both write the same form.

    Called once, by the command that serves. ``worker``: its name, for a server's worker: the server writes to the same
    stderr.
    """
    if worker is not None:
        structlog.contextvars.bind_contextvars(worker=worker)
    stream = cast(TextIO, _Stderr())
    console = settings.log_format == "console" or (settings.log_format == "auto" and sys.stderr.isatty())
    renderer = (
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if console
        else structlog.processors.JSONRenderer()
    )
    level = getattr(logging, settings.log_level.upper())
    said: list[Any] = [
        structlog.contextvars.merge_contextvars,
        _add_trace,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso"),
    ]
    structlog.configure(
        processors=[*said, structlog.processors.format_exc_info, _make_visible, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
    # What libraries log, as lines of the same form.
    theirs = logging.StreamHandler(stream)
    theirs.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*said, structlog.stdlib.add_logger_name],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _make_visible,
                renderer,
            ],
        )
    )
    logging.getLogger("kubernetes_asyncio").setLevel(logging.ERROR)  # it warns of what is raised as well
    logging.basicConfig(handlers=[theirs], level=max(level, logging.WARNING))


def _add_trace(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The span in which the line was written: so a log leads to the trace, and back."""
    if (here := current_span()) is not None:
        event["trace_id"], event["span_id"] = here.trace_id, here.span_id
    return event


def _make_visible(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A task's reason may quote what a container wrote: none of its control characters reaches a terminal."""
    return {
        key: (visible_lines if key in _TRACES else visible)(value) if isinstance(value, str) else value
        for key, value in event.items()
    }


_TRACES = frozenset({"exception", "stack"})
"""These have lines of their own. In any other value the end of a line would begin what looks like another one."""
