"""The log of a server: on stderr, readable on a terminal, JSON otherwise. stdout is for what the command prints."""

import logging
import sys
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any, TextIO, cast

import structlog

from kubemin.cli.output import visible_lines
from kubemin.spec.characters import visible


class _Stderr:
    """What cannot be written is lost, and stops nothing: the disk may be full, or whoever read the log may be gone."""

    def write(self, text: str) -> None:
        with suppress(OSError):
            sys.stderr.write(text)

    def flush(self) -> None:
        with suppress(OSError):
            sys.stderr.flush()


def configure(worker: str | None = None) -> None:
    """Set structlog and the standard library's loggers up. Called once, by the command that serves.

    ``worker``: its name, for a server's worker: the server writes to the same stderr.
    """
    if worker is not None:
        structlog.contextvars.bind_contextvars(worker=worker)
    stream = cast(TextIO, _Stderr())
    renderer = (
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if sys.stderr.isatty()
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            _make_visible,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
    form = f"%(asctime)s %(levelname)s {'' if worker is None else f'worker {worker} '}%(name)s %(message)s"
    logging.getLogger("kubernetes_asyncio").setLevel(logging.ERROR)  # it warns of what is raised as well
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_VisibleFormatter(form))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])


def _make_visible(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A task's reason may quote what a container wrote: none of its control characters reaches a terminal."""
    return {
        key: (visible_lines if key in _TRACES else visible)(value) if isinstance(value, str) else value
        for key, value in event.items()
    }


_TRACES = frozenset({"exception", "stack"})
"""These have lines of their own. In any other value the end of a line would begin what looks like another one."""


class _VisibleFormatter(logging.Formatter):
    """The same for what libraries log."""

    def format(self, record: logging.LogRecord) -> str:
        return visible_lines(super().format(record))
