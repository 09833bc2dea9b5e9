"""What a worker without an API answers: health and metrics, to whoever asks. Nothing of it is secret."""

import asyncio
from collections.abc import Mapping

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kubemin import __version__
from kubemin.api.checks import Health, check_all
from kubemin.api.codes import ApiCode
from kubemin.api.envelope import ApiError, Envelope, FieldError
from kubemin.api.models.health import Alive, Readiness


def create_worker_app(
    database: Health,
    clusters: Mapping[str, Health],
    others: Mapping[str, Health],
    registry: CollectorRegistry,
    stopping: asyncio.Event,
    *,
    sealed: bool,
) -> Starlette:
    """The ASGI application of a worker's port: ``/healthz``, ``/readyz`` and ``/metrics``.

    It is ready where it can run some task: when its database answers, and one of its clusters. So a rollout of workers
    goes on while another cluster is away, or what only saves time, and not with one that reaches nothing.
    """

    async def healthz(_: Request) -> Response:
        return JSONResponse(Envelope(data=Alive(version=__version__)).model_dump(mode="json"))

    async def readyz(_: Request) -> Response:
        checks = await check_all(database, {**clusters, **others})
        away = [one for one in checks if one.status == "down"]
        all_away = bool(clusters) and clusters.keys() <= {one.name for one in away}
        needed = {"database", *(clusters if all_away else ())}
        down = [FieldError(field=one.name, code="DOWN", message=one.message) for one in away if one.name in needed]
        if stopping.is_set():
            down.append(FieldError(field="worker", code="STOPPING", message="the worker is stopping"))
        if down:
            reasons = "; ".join(one.message for one in down)
            return ApiError(503, ApiCode.UNAVAILABLE, f"Not ready: {reasons}.", errors=down).response()
        return JSONResponse(Envelope(data=Readiness.of(checks, sealed=sealed)).model_dump(mode="json"))

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return Starlette(routes=[Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)])
