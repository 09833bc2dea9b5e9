"""The application: routes, middleware and error handling put together around what it is given."""

from collections.abc import Collection
from functools import cache
from typing import Any, cast

from fastapi import Depends, FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from kubemin import __version__
from kubemin.api import errors
from kubemin.api.access import authorize
from kubemin.api.allowed import Allowed
from kubemin.api.auditing import Audited
from kubemin.api.authentication import Authenticated
from kubemin.api.body import BodyLimit
from kubemin.api.cors import Cors
from kubemin.api.deps import Deps, GivenDeps, deps_of
from kubemin.api.hosts import KnownHosts
from kubemin.api.metrics import Measured
from kubemin.api.page import is_page, page
from kubemin.api.parameter_check import check_parameters
from kubemin.api.request_ids import RequestIds
from kubemin.api.route_table import RouteTable
from kubemin.api.routes import (
    applications,
    applying,
    audit,
    clusters,
    elsewhere,
    events,
    health,
    identity,
    login,
    logs,
    notifications,
    operations,
    orphans,
    preview,
    reading,
    revisions,
    tasks,
    versions,
    workflows,
)
from kubemin.api.security_headers import SecurityHeaders
from kubemin.api.targets import PlainTargets
from kubemin.api.tracing import Traced

PREFIX = "/api/v1"

_DESCRIPTION = (
    "Deploys multi-component applications to Kubernetes as tasks that can be stopped and that put the cluster back as "
    "it was. Every reply below /api/v1 is an envelope: code 0 and data, or another code and a sentence."
)
_TAGS = [
    {"name": "Applications", "description": "What is deployed."},
    {"name": "Revisions", "description": "What was deployed and is, how it differs, and going back."},
    {"name": "Workflows", "description": "In which order it is deployed, and the runs of it."},
    {"name": "Tasks", "description": "What a run does, did, and has put back."},
    {"name": "Notifications", "description": "Who was told what happened."},
    {"name": "Audit", "description": "Who changed what, and from where."},
    {"name": "Identity", "description": "Who asks, and what they may."},
    {"name": "Health", "description": "The server itself."},
]


def create_app(deps: Deps) -> ASGIApp:
    """The ASGI application that serves the API."""
    table = RouteTable.of(routes())
    app: ASGIApp = GivenDeps(Allowed(Authenticated(routes()), table), deps)
    if deps.settings.origins:
        app = Cors(app, origins=deps.settings.origins)
    app = KnownHosts(app, hosts=deps.settings.hosts, origins=deps.settings.origins)
    app = PlainTargets(app)
    app = Audited(app, log=deps.audit, table=table)
    app = RequestIds(SecurityHeaders(app, hsts_seconds=deps.settings.hsts_seconds))
    if deps.tracer is not None:
        app = Traced(app, tracer=deps.tracer, prefix=PREFIX)
    return behind(Measured(app, registry=deps.registry), deps.settings.proxies)


def behind(app: ASGIApp, proxies: Collection[str]) -> ASGIApp:
    """The application behind these proxies: what they say of a client's address and scheme is believed."""
    given: Any = app
    return cast(ASGIApp, ProxyHeadersMiddleware(given, trusted_hosts=sorted(proxies))) if proxies else app


@cache
def routes() -> FastAPI:
    """The routes, and what their exceptions become. Made once in a process, which takes a tenth of a second of CPU."""
    app = FastAPI(
        title="KubeMin",
        version=__version__,
        description=_DESCRIPTION,
        openapi_tags=_TAGS,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=_operation_id,
        dependencies=[Depends(authorize), Depends(check_parameters)],
    )
    app.state.parameters = {}  # see `parameter_check`
    errors.install(app)
    app.add_middleware(BodyLimit)
    # Each at the top: a router within a router is searched once more for each request.
    parts = (applying, applications, logs, versions, revisions, preview, reading, workflows)
    for part in (*parts, tasks, events, clusters, operations, orphans, notifications, audit, identity, elsewhere):
        app.include_router(part.router, prefix=PREFIX)
    app.include_router(health.router)
    app.include_router(identity.ways_in)
    app.include_router(login.router)

    async def console(scope: Scope, receive: Receive, send: Send) -> None:
        here = page if is_page(scope["path"]) else deps_of(scope).console or page
        await here(scope, receive, send)

    app.router.default = console  # asked where no route fits
    list(iter_route_contexts(app.routes))  # puts the routes together: not at the first request, which would wait
    return app


def _operation_id(route: APIRoute) -> str:
    return route.name
