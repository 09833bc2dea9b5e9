"""Health, metrics and documentation: outside the prefix; metrics and documentation outside the envelope too."""

import asyncio
from functools import cache
from hashlib import sha256

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST

from kubemin import __version__
from kubemin.api import docs, openapi
from kubemin.api.access import About, needs
from kubemin.api.checks import check_all
from kubemin.api.codes import ApiCode
from kubemin.api.deps import Given, principal_of
from kubemin.api.envelope import ApiError, Envelope, FieldError
from kubemin.api.metrics import text
from kubemin.api.models.health import Alive, Readiness
from kubemin.api.openapi import UNCHANGED
from kubemin.api.parameters import IfNoneMatch
from kubemin.identity.grants import Role
from kubemin.spec.schema import schema_text

router = APIRouter(tags=["Health"])


@router.head("/healthz", include_in_schema=False)
@router.get("/healthz", summary="Is the process alive?")
@needs(About.OPEN)
async def healthz() -> Envelope[Alive]:
    """Answers as long as the process does; asks nothing else."""
    return Envelope(data=Alive(version=__version__))


@router.head("/readyz", include_in_schema=False)
@router.get("/readyz", summary="Can it do its work?")
@needs(About.OPEN)
async def readyz(request: Request, deps: Given) -> Envelope[Readiness]:
    """Names each part. Without its database the server is down (503); without another part it is degraded (200).

    Something is written to the database, and removed. What is wrong is told only to those who say who they are.
    """
    database, *others = await check_all(deps.database_health, deps.health)
    if principal_of(request.scope) is None:
        database, *others = [one.model_copy(update={"message": ""}) for one in (database, *others)]
    if database.status == "down":
        checks = [
            FieldError(field=one.name, code=one.status.upper(), message=one.message) for one in (database, *others)
        ]
        why = f": {database.message}" if database.message else ""
        raise ApiError(503, ApiCode.UNAVAILABLE, f"Not ready{why}.", errors=checks)
    return Envelope(data=Readiness.of([database, *others], sealed=deps.db.codec is not None))


@router.get("/metrics", response_class=PlainTextResponse, summary="Prometheus metrics")
@needs(About.EVERYTHING, Role.VIEWER)
async def metrics(deps: Given) -> PlainTextResponse:
    """Counters and gauges in the text format of Prometheus; those of the server's workers have a label ``worker``."""
    return PlainTextResponse(await text(deps.registry, deps.db, await deps.workers()), media_type=CONTENT_TYPE_LATEST)


@router.get("/openapi.json", include_in_schema=False)
@needs(About.OPEN)
async def openapi_json(request: Request) -> Response:
    """The OpenAPI document itself, without an envelope."""
    return Response(await asyncio.to_thread(_openapi, request.app), media_type="application/json")


@router.get("/docs", include_in_schema=False)
@needs(About.OPEN)
async def documentation(request: Request) -> HTMLResponse:
    """The document as a page."""
    return HTMLResponse(await asyncio.to_thread(_docs, request.app), headers={"Content-Security-Policy": docs.POLICY})


@router.get(
    "/schema/application.json",
    response_class=JSONResponse,
    responses=UNCHANGED,
    summary="JSON Schema of an application",
)
@needs(About.OPEN)
async def application_schema(known: IfNoneMatch = None) -> Response:
    """For editors: it says which fields an application has, and what they take. Draft 2020-12, without an envelope."""
    body, tag = _schema()
    headers = {"ETag": tag, "Cache-Control": "public, max-age=3600"}
    if known == tag:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


@cache
def _openapi(app: FastAPI) -> bytes:
    """Made once: nobody has to log in to ask for it."""
    return bytes(JSONResponse(openapi.document(app)).body)


@cache
def _docs(app: FastAPI) -> str:
    return docs.page(openapi.document(app))


@cache
def _schema() -> tuple[bytes, str]:
    body = schema_text().encode()
    return body, f'"{sha256(body).hexdigest()[:24]}"'
