"""What the containers of an application write."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import PlainTextResponse, StreamingResponse
from fastapi.sse import EventSourceResponse, format_sse_event
from pydantic_core import to_json

from kubemin.api.access import About, Asked, needs
from kubemin.api.body import StrictRoute
from kubemin.api.deps import Deps, Given
from kubemin.api.listening import while_valid
from kubemin.api.lookups import application_of
from kubemin.api.openapi import Responses, errors
from kubemin.api.parameters import AppId
from kubemin.cluster import ClusterError
from kubemin.engine.entry.pod_logs import Line, PodLogs, Wanted
from kubemin.identity.grants import Role

router = APIRouter(prefix="/applications/{app_id}", tags=["Applications"], route_class=StrictRoute)

_MOST_LINES = 5000
_RETRY_MILLISECONDS = 2000

_Name = Annotated[str | None, Query(max_length=63, pattern="^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")]

_LINES: Responses = {
    200: {
        "description": "Lines, each as `[component/pod/container] text`; with `follow` events `line` and `note`, each "
        "with `component`, `pod`, `container` and `text`. A note, `(…)` in the lines, is about the log.",
        "content": {"text/plain": {"schema": {"type": "string"}}, "text/event-stream": {"schema": {"type": "string"}}},
    }
}


@router.get("/logs", summary="Read the logs", response_class=StreamingResponse, responses={**_LINES, **errors(404)})
@needs(About.APPLICATION, Role.VIEWER)
async def read_logs(
    deps: Given,
    asked: Asked,
    app_id: AppId,
    component: Annotated[_Name, Query(description="Only of this component.")] = None,
    container: Annotated[_Name, Query(description="Only of containers of this name.")] = None,
    previous: Annotated[bool, Query(description="Those of the run before, of containers that began again.")] = False,
    tail: Annotated[int, Query(ge=0, le=_MOST_LINES, description="So many lines of each container.")] = 100,
    follow: Annotated[bool, Query(description="Go on with each line as it comes, also of Pods that come.")] = False,
) -> Response:
    """What its containers wrote last, of all Pods or of some. The values of its Secrets are masked."""
    async with deps.db.read() as tx:
        row = await application_of(tx, app_id)
    logs = deps.of_cluster(row.cluster, asked.asker).pod_logs
    wanted = Wanted(app_id, row.namespace, component, container, previous, tail)
    if not follow or previous:
        lines = await logs.read(wanted)
        return PlainTextResponse("".join(f"{_text(line)}\n" for line in lines))
    deps.event_hub.check_free(asked.stream_owner)
    headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
    return EventSourceResponse(while_valid(deps, asked, _stream(deps, logs, wanted)), headers=headers)


def _text(line: Line) -> str:
    said = f"({line.text})" if line.note else line.text
    return f"[{line.component}/{line.pod}/{line.container}] {said}"


async def _stream(deps: Deps, logs: PodLogs, wanted: Wanted) -> AsyncGenerator[bytes, None]:
    """Each line as it comes, a comment where nothing came for a while, until nobody listens or the server stops."""
    yield format_sse_event(retry=_RETRY_MILLISECONDS)
    stopping = asyncio.create_task(deps.stopping.wait())
    with deps.event_hub.place():
        async with aclosing(logs.follow(wanted)) as lines:
            coming = asyncio.ensure_future(anext(lines))
            try:
                while True:
                    done, _ = await asyncio.wait(
                        {coming, stopping}, timeout=deps.heartbeat_seconds, return_when=asyncio.FIRST_COMPLETED
                    )
                    if stopping in done:
                        return
                    if coming not in done:
                        yield format_sse_event(comment="heartbeat")
                        continue
                    yield _frame(coming.result())
                    coming = asyncio.ensure_future(anext(lines))
            except ClusterError:
                return  # whoever listens may come again, and is told why when the stream begins
            finally:
                stopping.cancel()
                coming.cancel()
                await asyncio.gather(coming, stopping, return_exceptions=True)


def _frame(line: Line) -> bytes:
    data = {"component": line.component, "pod": line.pod, "container": line.container, "text": line.text}
    return format_sse_event(event="note" if line.note else "line", data_str=to_json(data).decode())
