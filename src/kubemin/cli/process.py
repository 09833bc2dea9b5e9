"""A process that serves, from its start to its end, and the port that it listens on."""

import ctypes
import gc
import socket
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from kubemin.cli import logs
from kubemin.cli.by_code import of_system
from kubemin.cli.exits import CliError, Exit
from kubemin.cli.language import because, tr
from kubemin.cli.loop import run_in_loop
from kubemin.cluster import ClusterError
from kubemin.settings.telemetry import TelemetrySettings
from kubemin.signals import SignalError
from kubemin.signals.errors import BadUrl as BadRedisUrl
from kubemin.store import StoreError
from kubemin.store.errors import BadUrl as BadDatabaseUrl

T = TypeVar("T")

_SETTINGS: dict[type[Exception], str] = {BadDatabaseUrl: "DATABASE_URL", BadRedisUrl: "REDIS_URL"}


def run_to_its_end(work: Coroutine[Any, Any, T], settings: TelemetrySettings, worker: str | None = None) -> T:
    """Run it; what the parts raise becomes a sentence. The others as in `logs.configure`. Raises :class:`CliError`."""
    logs.configure(settings, worker)
    _collect_rarely()
    _give_memory_back()
    try:
        return run_in_loop(work)
    except (BadDatabaseUrl, BadRedisUrl) as error:
        setting = tr("setting {name}", name=f"KUBEMIN_{_SETTINGS[type(error)]}")
        raise CliError(because(setting, error), Exit.USAGE) from error
    except (StoreError, SignalError) as error:
        raise CliError(str(error)) from error
    except ClusterError as error:
        raise CliError(error.message) from error


def _collect_rarely() -> None:
    """Keep garbage collection from holding up a cancel: with 1,000 tasks a full one takes a third of a second."""
    gc.freeze()  # what was imported is never garbage
    gc.set_threshold(10_000, 10, 20)


def _give_memory_back() -> None:
    """Have glibc return what a burst of large replies took: by itself it keeps ever more, up to 64 MiB.

    It raises both thresholds whenever a larger block is freed (mallopt(3)); one that is set stays. A process has one
    thread that runs at a time, so two arenas are enough. Other C libraries have no `mallopt`, or ignore it.
    """
    with suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        for parameter, value in ((_TRIM_THRESHOLD, 1 << 20), (_MMAP_THRESHOLD, 128 << 10), (_ARENA_MAX, 2)):
            library.mallopt(parameter, value)


_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
"""As in malloc.h; sizes in bytes."""


def listen(host: str, port: int) -> socket.socket:
    """The port, bound; 0 is any free one. Raises :class:`CliError`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        what = tr("cannot listen on {address}", address=f"{host}:{port}")
        raise CliError(because(what, of_system(error))) from error
    return listener


def url_of(listener: socket.socket, *, secure: bool = False) -> str:
    """The address of a bound port; ``secure``: it speaks HTTPS."""
    host, port = listener.getsockname()[:2]
    return f"{'https' if secure else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"
