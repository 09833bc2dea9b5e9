"""One stream of events over all tasks."""

from typing import Annotated

from fastapi import APIRouter, Header, Query
from fastapi.responses import StreamingResponse
from fastapi.sse import EventSourceResponse

from kubemin.api import position
from kubemin.api.access import About, Asked, needs
from kubemin.api.all_events import Wanted, stream_all
from kubemin.api.deps import Given
from kubemin.api.listening import while_valid
from kubemin.api.lookups import application_named
from kubemin.api.openapi import EVENT, Responses, errors
from kubemin.api.parameters import Exactly
from kubemin.identity.grants import Role

router = APIRouter(tags=["Tasks"])

_STREAM: Responses = {
    200: {
        "description": "Events as of a task's own stream; their data has `taskId` and `appId` too.",
        "content": {"text/event-stream": {"schema": {"$ref": EVENT}}},
    }
}


@router.get(
    "/events", summary="Follow all tasks", response_class=StreamingResponse, responses={**_STREAM, **errors(404)}
)
@needs(About.SEEN, Role.VIEWER)
async def follow_all_tasks(
    deps: Given,
    asked: Asked,
    app_id: Annotated[
        str | None, Query(alias="appId", max_length=191, pattern="^[a-zA-Z0-9~-]+$", description="Of this application.")
    ] = None,
    types: Annotated[
        list[Annotated[str, Query(max_length=32)]] | None,
        Query(alias="type", max_length=10, description="Only these kinds of events."),
    ] = None,
    cluster: Exactly = None,
    last_event_id: Annotated[
        str | None,
        Header(
            alias="Last-Event-ID", max_length=4500, pattern=position.PATTERN, description="Resume after this event."
        ),
    ] = None,
) -> EventSourceResponse:
    """Server-Sent Events of every task from now on, or after `Last-Event-ID`: each once, those of a task in order.

    0 means from the beginning. The id of an event is where the stream is then, on any server of the same database.
    """
    if app_id is not None:
        async with deps.db.read() as tx:
            app_id = await application_named(tx, app_id, asked.sight)
    wanted = Wanted(app_id, frozenset(types or ()), cluster, asked.sight)
    deps.event_hub.check_free(asked.stream_owner)
    return EventSourceResponse(
        while_valid(deps, asked, stream_all(deps, last_event_id, wanted)),
        headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"},
    )
