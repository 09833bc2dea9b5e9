"""What the API is given: nothing here is global, and nothing is looked up."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Protocol

from fastapi import Depends, Request
from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp, Receive, Scope, Send

from kubemin.api.audit_log import AuditLog
from kubemin.api.checks import DatabaseHealth, Health
from kubemin.api.codes import ApiCode
from kubemin.api.console import Console
from kubemin.api.envelope import ApiError
from kubemin.api.event_hub import EventHub
from kubemin.api.families import Families
from kubemin.engine.entry.admission import Admit
from kubemin.engine.entry.cluster_services import ClusterServices
from kubemin.engine.entry.component_health import ComponentHealth
from kubemin.engine.entry.compute_thread import ComputeThread
from kubemin.engine.entry.sources import Source
from kubemin.engine.options import ExecOptions
from kubemin.identity.authenticator import Authenticator
from kubemin.identity.principal import Principal
from kubemin.settings.api import ApiSettings
from kubemin.settings.audit import AuditSettings
from kubemin.settings.identity import IdentitySettings
from kubemin.spec.acting import Asker
from kubemin.spec.limits import Limits
from kubemin.spec.names import DEFAULT_CLUSTER
from kubemin.spec.states import CleanupPolicy
from kubemin.store import Database
from kubemin.store.tasks import Task
from kubemin.telemetry.tracing import Tracer

if TYPE_CHECKING:
    from kubemin.identity.oidc.code_flow import CodeFlow
    from kubemin.notifications.service import Notifications

KEY = "kubemin.deps"
"""Where in an ASGI scope they are."""


class TaskService(Protocol):
    """What the API asks of the engine. Raises ``kubemin.engine.errors``."""

    async def run(
        self,
        source: Source,
        options: ExecOptions,
        caller: str,
        note: str = "",
        idempotency_key: str | None = None,
        body_hash: str | None = None,
        admit: Admit | None = None,
        asker: Asker | None = None,
    ) -> Task:
        """Record a run of a draft, of a file, of a former revision, or a restart."""

    async def cancel(
        self,
        app_id: str,
        task_id: str,
        user: str,
        reason: str,
        policy: CleanupPolicy | None,
        admit: Admit | None = None,
    ) -> Task:
        """Cancel a task of the application."""

    async def promote(self, task_id: str, user: str, admit: Admit | None = None, seq: int | None = None) -> str:
        """Let the hold that the task is in pass; its name."""

    async def retry_cleanup(self, task_id: str, admit: Admit | None = None) -> Task:
        """Try an incomplete cleanup again now."""

    async def abandon_cleanup(self, task_id: str, user: str, reason: str, admit: Admit | None = None) -> Task:
        """Give up what an incomplete cleanup could not undo."""

    async def delete_application(
        self,
        app_id: str,
        caller: str,
        *,
        keep_resources: bool = False,
        delete_volumes: bool = False,
        idempotency_key: str | None = None,
        body_hash: str | None = None,
        admit: Admit | None = None,
        asker: Asker | None = None,
    ) -> Task:
        """Record a task that removes the application, and deletes or releases its resources."""

    async def delete_resources(
        self,
        app_id: str,
        caller: str = "system",
        *,
        delete_volumes: bool = False,
        idempotency_key: str | None = None,
        body_hash: str | None = None,
        admit: Admit | None = None,
        asker: Asker | None = None,
    ) -> tuple[list[str], list[str]]:
        """Remove what the application has in the cluster; what was deleted and what could not be."""


async def _no_workers() -> Mapping[str, Families | None]:
    return {}


class Watch(Protocol):
    """What knows how components do in a cluster."""

    async def states(self, app_id: str) -> Mapping[str, ComponentHealth]:
        """Those of an application, by name."""


@dataclass(frozen=True, kw_only=True)
class Deps:
    """The parts that the API stands on."""

    db: Database
    service: TaskService
    limits: Limits
    compute_thread: ComputeThread = field(default_factory=ComputeThread)
    """Where large bodies are read and checked."""
    clusters: Mapping[str, ClusterServices] = field(default_factory=dict)
    """Those that the server knows, by name."""
    watches: Mapping[str, Watch] = field(default_factory=dict)
    """How components do in each of them."""
    notifications: "Notifications | None" = None
    """None where nobody is to be told what happens."""
    health: Mapping[str, Health] = field(default_factory=dict)
    """Parts beside the database that ``/readyz`` names; without them the server is degraded, not down."""
    authenticator: Authenticator | None = None
    """Finds out who asks; None where nobody has to say it."""
    code_flow: "CodeFlow | None" = None
    """How browsers log in at an issuer; None without one."""
    identity: IdentitySettings = field(default_factory=IdentitySettings)
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    """The metrics of this process."""
    tracer: Tracer | None = None
    """Where traces are kept, if they are."""
    workers: Callable[[], Awaitable[Mapping[str, Families | None]]] = _no_workers
    """Asks the workers that this server has started for their metrics; None is for one that does not answer."""
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the server stops: event streams end, so that it can."""
    settings: ApiSettings = field(default_factory=ApiSettings)
    audit_settings: AuditSettings = field(default_factory=AuditSettings)
    heartbeat_seconds: float = 15
    event_poll_seconds: float = 0.5

    def of_cluster(self, name: str, asker: Asker, *, is_asked_for: bool = False) -> ClusterServices:
        """What they may ask of a cluster. Raises `CannotActAs`, and an error where the server does not know it.

        That is 503 for the cluster of what is stored, which another server may know, and 404 for one that is asked for.
        """
        found = self.clusters.get(name)
        if found is None:
            known = ", ".join(sorted(self.clusters)) or "none"
            said = f"This server is not connected to a cluster {name}; it knows: {known}."
            status, code = (404, ApiCode.NOT_FOUND) if is_asked_for else (503, ApiCode.CLUSTER_UNREACHABLE)
            raise ApiError(status, code, said)
        return found.asked_by(asker)

    async def placed(self, data: Mapping[str, Any], cluster: object = None) -> Mapping[str, Any]:
        """See `Placing`. The cluster is what the application says, or this one; one that is not known is not asked."""
        name = cluster or data.get("cluster") or DEFAULT_CLUSTER
        found = self.clusters.get(name) if isinstance(name, str) else None
        return data if found is None else await found.placing.placed(data)

    async def component_states(self, app_id: str, cluster: str) -> Mapping[str, ComponentHealth]:
        """The health of each component of the application that the watches of its cluster know, by its name."""
        watch = self.watches.get(cluster)
        return {} if watch is None else await watch.states(app_id)

    @cached_property
    def database_health(self) -> DatabaseHealth:
        """Whether the database does its work."""
        return DatabaseHealth(self.db, self.settings.write_probe_seconds)

    @cached_property
    def console(self) -> Console | None:
        """What has the files of a web console, if there is one."""
        return None if self.settings.console_dir is None else Console(directory=self.settings.console_dir)

    @cached_property
    def audit(self) -> AuditLog:
        """Where calls are recorded; to be closed before the database is."""
        return AuditLog(self.db, self.registry, self.audit_settings)

    @cached_property
    def event_hub(self) -> EventHub:
        """What the event streams hear of."""
        most, each = self.settings.max_event_streams, self.settings.max_caller_streams
        return EventHub(self.db, self.stopping, poll_seconds=self.event_poll_seconds, most=most, most_each=each)


class GivenDeps:
    """ASGI middleware: gives each request the :class:`Deps`."""

    def __init__(self, app: ASGIApp, deps: Deps) -> None:
        self._app = app
        self._deps = deps

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[KEY] = self._deps
        await self._app(scope, receive, send)


def deps_of(scope: Scope) -> Deps:
    """What the request was given."""
    deps = scope[KEY]
    assert isinstance(deps, Deps)
    return deps


def given(request: Request) -> Deps:
    """The :class:`Deps` of the application that was asked."""
    return deps_of(request.scope)


async def _given(
    request: Request,
) -> Deps:  # what is not async FastAPI runs in a thread, which costs more than all else
    return given(request)


Given = Annotated[Deps, Depends(_given)]
"""A handler's parameter: the :class:`Deps` of its application."""


PRINCIPAL = "kubemin.principal"
"""Where in an ASGI scope it is: whoever asks, None where they have not said who they are."""


def principal_of(scope: Scope) -> Principal | None:
    """Whoever asks; None where they have not said who they are, and the address is open to everybody."""
    found = scope[PRINCIPAL]
    assert found is None or isinstance(found, Principal)
    return found


async def _caller(request: Request) -> str:
    found = principal_of(request.scope)
    assert found is not None  # `access.authorize` has seen to it
    return found.name


Caller = Annotated[str, Depends(_caller)]
"""A handler's parameter: who asks. Without authentication that is nobody in particular: ``system``."""
