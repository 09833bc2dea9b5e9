"""The application: routes, middleware and error handling put together around what it is given."""

from fastapi import APIRouter, Depends, FastAPI
from fastapi.routing import APIRoute

from kubemin import __version__
from kubemin.api import errors
from kubemin.api.body import BodyLimit
from kubemin.api.console import Console
from kubemin.api.cors import Cors
from kubemin.api.deps import Deps
from kubemin.api.hosts import KnownHosts
from kubemin.api.metrics import Measured
from kubemin.api.parameter_check import check_parameters
from kubemin.api.routes import (
    applications,
    applying,
    elsewhere,
    health,
    orphans,
    preview,
    revisions,
    tasks,
    versions,
    workflows,
)

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
    {"name": "Health", "description": "The server itself."},
]


def create_app(deps: Deps) -> FastAPI:
    """The ASGI application that serves the API."""
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
        dependencies=[Depends(check_parameters)],
    )
    app.state.deps = deps
    errors.install(app)
    api = APIRouter(prefix=PREFIX)
    for part in (applying, applications, versions, revisions, preview, workflows, tasks, orphans, elsewhere):
        api.include_router(part.router)
    app.include_router(api)
    app.include_router(health.router)
    if deps.settings.console_dir is not None:
        app.router.default = Console(directory=deps.settings.console_dir)  # asked where no route fits
    app.add_middleware(BodyLimit, limit=deps.settings.max_body_bytes)
    if deps.settings.origins:
        app.add_middleware(Cors, origins=deps.settings.origins)
    app.add_middleware(KnownHosts, hosts=deps.settings.hosts, origins=deps.settings.origins)
    app.add_middleware(Measured, registry=deps.registry)
    return app


def _operation_id(route: APIRoute) -> str:
    return route.name
