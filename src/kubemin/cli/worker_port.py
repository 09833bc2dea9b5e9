"""The port of a worker: health and metrics."""

import asyncio
import socket
import sys

from kubemin.api.checks import DatabaseHealth
from kubemin.api.worker_app import create_worker_app
from kubemin.cli.http import serve_http
from kubemin.cli.parts import Parts, cluster_health_of, redis_health_of
from kubemin.cli.process import url_of
from kubemin.settings import Settings


async def serve_port(
    settings: Settings, parts: Parts, listener: socket.socket, stopping: asyncio.Event, over: asyncio.Event
) -> None:
    """Answer until ``over``; not ready once ``stopping`` is set."""
    database = DatabaseHealth(parts.db, settings.write_probe_seconds)
    clusters, others = cluster_health_of(parts), redis_health_of(settings, parts)
    sealed = parts.db.codec is not None
    app = create_worker_app(database, clusters, others, parts.registry, stopping, sealed=sealed)
    await serve_http(app, listener, over, settings, ready=announce_health)


def announce_health(listener: socket.socket) -> None:
    """Say where a process's port for health and metrics is."""
    sys.stderr.write(f"health and metrics at {url_of(listener)}\n")
    sys.stderr.flush()
