"""``kubemin serve`` and ``kubemin dev``: the API, and its workers."""

import asyncio
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, ExitStack, aclosing, nullcontext
from typing import TYPE_CHECKING

from kubemin import __version__
from kubemin.api.app import create_app
from kubemin.api.deps import Deps
from kubemin.api.families import Families, Family
from kubemin.api.health_app import create_health_app
from kubemin.cli.exits import Exit
from kubemin.cli.http import serve_http
from kubemin.cli.language import tr
from kubemin.cli.output import say
from kubemin.cli.parts import (
    Parts,
    Tell,
    cluster_health_of,
    make_engine,
    open_parts,
    redis_health_of,
    run_engine,
    tell_if_plain,
)
from kubemin.cli.posix_signals import until_stopped
from kubemin.cli.process import listen, run_to_its_end, url_of
from kubemin.cli.sealing import rotate_in_background
from kubemin.cli.settings import limits, tls_of
from kubemin.cli.waiting import once_there
from kubemin.cli.worker_port import announce_health
from kubemin.cli.workers import Start, Workers
from kubemin.cluster import Cluster, Informers
from kubemin.engine import ComponentWatch, TaskService
from kubemin.engine.entry.cluster_services import ClusterServices
from kubemin.engine.entry.compute_thread import ComputeThread
from kubemin.identity.authenticator import Authenticator
from kubemin.settings import Settings
from kubemin.store import Database

if TYPE_CHECKING:
    from kubemin.identity.oidc.code_flow import CodeFlow
    from kubemin.notifications.drift import Compares
    from kubemin.notifications.service import Notifications

_STUCK_SECONDS = 60.0
"""Or twice the time of a lease, if that is longer: other workers have the tasks by then."""
_SERVERS_OWN = {"notifications", "audit_key", "oidc_client_secret"}
"""Settings with secrets that no worker needs."""
_GRACE_SECONDS = 5.0
"""For a worker that stops, beside its drain time and the request that it may wait for."""


def run(settings: Settings, workers: Workers, *, in_process: bool, trial: bool) -> None:
    """Serve the API until SIGINT or SIGTERM, and have the workers run tasks; ``in_process``: one more, in this process.

    ``trial``: nothing that is stored is worth a warning. Raises :class:`CliError`.
    """
    run_to_its_end(_serve(settings, workers, in_process=in_process, trial=trial), settings)


def migrate_database(settings: Settings) -> None:
    """Bring the database's schema to this version. Raises :class:`CliError`."""
    run_to_its_end(_migrate(settings), settings)


async def _serve(settings: Settings, workers: Workers, *, in_process: bool, trial: bool) -> None:
    tell = Tell(lambda task_id, reason: workers.tell("cancel", task_id, reason), lambda: workers.tell("ring"))
    async with open_parts(settings, settings.known_clusters, tell=tell) as parts:
        if not trial:
            tell_if_plain(parts)
        stopping = asyncio.Event()
        engine = make_engine(settings, parts) if in_process else None
        compute_thread = ComputeThread()
        allowed = limits(settings).model_copy(update={"clusters": frozenset(parts.clusters)})
        service = TaskService(
            parts.db, parts.signals, parts.doorbell, allowed, settings, compute_thread, settings.namings
        )
        authenticator, code_flow = _identity(settings, parts.db)
        informers = engine.informers if engine else {}
        watches = {
            name: ComponentWatch(parts.db, _opened(informers.get(name), cluster), cluster=name, rules=settings.rules)
            for name, cluster in parts.clusters.items()
        }
        clusters = {
            name: ClusterServices(parts.db, cluster, allowed, settings=settings, compute_thread=compute_thread)
            for name, cluster in parts.clusters.items()
        }
        notifications = await _notifications(
            settings, parts, {name: services.diffs for name, services in clusters.items()}
        )
        deps = Deps(
            db=parts.db,
            compute_thread=compute_thread,
            service=service,
            limits=allowed,
            clusters=clusters,
            watches=watches,
            notifications=notifications,
            health={
                **cluster_health_of(parts),
                **redis_health_of(settings, parts),
                **({"workers": workers.health} if len(workers) else {}),
            },
            registry=parts.registry,
            tracer=parts.tracer,
            workers=lambda: _metrics(workers),
            stopping=stopping,
            settings=settings,
            audit_settings=settings,
            authenticator=authenticator,
            code_flow=code_flow,
            identity=settings,
        )
        with ExitStack() as ports:
            listener = ports.enter_context(listen(settings.host, settings.port))
            health_port = settings.metrics_port
            health = None if health_port is None else ports.enter_context(listen(settings.metrics_host, health_port))
            async with aclosing(deps.audit), asyncio.TaskGroup() as group:
                if health is not None:
                    app = create_health_app(deps)
                    group.create_task(serve_http(app, health, stopping, settings, ready=announce_health))
                answers = asyncio.Event()
                http = group.create_task(
                    serve_http(
                        create_app(deps),
                        listener,
                        stopping,
                        settings,
                        tls=tls_of(settings),
                        ready=lambda _: answers.set(),
                    )
                )
                url = url_of(listener, secure=tls_of(settings) is not None)
                works = (
                    *(one.run() for one in watches.values()),
                    _rotate(settings, parts),
                    deps.audit.prune_regularly(),
                    _forget(settings, parts),
                    _announce(url, answers, workers),
                    *([notifications.run()] if notifications else []),
                )
                beside = [group.create_task(work) for work in works]
                group.create_task(workers.run(_start(settings, parts), stopping))
                if engine:
                    group.create_task(run_engine(engine, stopping, settings.drain_seconds))
                await until_stopped(http)
                stopping.set()
                for one in beside:
                    one.cancel()
        if authenticator is not None:
            await authenticator.aclose()


async def _notifications(settings: Settings, parts: Parts, diffs: "Mapping[str, Compares]") -> "Notifications | None":
    """What tells people what happens, where there is somebody to tell."""
    if not settings.targets:
        return None
    from kubemin.notifications.service import Notifications

    notifications = Notifications(parts.db, settings, parts.registry, diffs)
    await notifications.announce()  # before the first task of this server
    return notifications


def _identity(settings: Settings, db: Database) -> "tuple[Authenticator | None, CodeFlow | None]":
    """Who finds out who asks, and how browsers log in; without an issuer nothing of OpenID Connect is imported."""
    if not settings.authenticates:
        return None, None
    if settings.oidc_issuer is None:
        return Authenticator(db, settings), None
    from kubemin.identity.oidc.code_flow import CodeFlow
    from kubemin.identity.oidc.issuer import OidcIssuer

    issuer = OidcIssuer(settings)
    browsers = settings.public_url is not None and settings.oidc_client_id
    return Authenticator(db, settings, issuer), CodeFlow(issuer, settings) if browsers else None


def _opened(given: Informers | None, cluster: Cluster) -> Callable[[], AbstractAsyncContextManager[Informers]]:
    """Watches of a cluster to open when they are needed: those that are there already, or own ones."""
    return lambda: aclosing(Informers(cluster)) if given is None else nullcontext(given)


async def _rotate(settings: Settings, parts: Parts) -> None:
    if settings.rotate_keys:
        await rotate_in_background(parts.db)


async def _forget(settings: Settings, parts: Parts) -> None:
    if settings.tasks_keep_days:
        from kubemin.cli.forgetting import forget_in_background

        await forget_in_background(parts.db, settings.tasks_keep_days)


async def _migrate(settings: Settings) -> None:
    db = await Database.open(settings.database_url)
    try:
        if not await once_there(db, db.migrate, settings.database_wait_seconds):
            raise SystemExit(Exit.LEFT + signal.SIGTERM)  # a hook that was stopped has not migrated
    finally:
        await db.aclose()
    say(tr("the database is up to date"))


def _start(settings: Settings, parts: Parts) -> Start:
    """How the workers are to begin: as this process did, with what was given to it on its command line."""
    return Start(
        settings=settings.model_dump(
            mode="json", exclude_unset=True, exclude={"notifications", "audit_key", "oidc_client_secret"}
        ),
        simulated_at=parts.simulated_at,
        stop_seconds=settings.drain_seconds + settings.request_timeout_seconds + _GRACE_SECONDS,
        stuck_seconds=max(_STUCK_SECONDS, 2 * settings.lease_seconds),
    )


async def _metrics(workers: Workers) -> dict[str, Families | None]:
    answers = await workers.metrics()
    return {
        name: None if answer is None else [Family.model_validate(one) for one in answer]
        for name, answer in answers.items()
    }


async def _announce(url: str, answers: asyncio.Event, workers: Workers) -> None:
    """Say that the server is ready, once it answers and its workers are there, so far as they can be."""
    await answers.wait()
    await workers.begun()
    say(f"kubemin {__version__} ready at {url}")
    sys.stdout.flush()
