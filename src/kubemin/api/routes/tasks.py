"""Tasks: what they do, did, and have put back."""

import json
from typing import Annotated

from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import StreamingResponse
from fastapi.sse import EventSourceResponse

from kubemin.api import paging, task_views
from kubemin.api.access import About, Asked, needs
from kubemin.api.body import StrictRoute
from kubemin.api.deps import Given
from kubemin.api.envelope import Envelope
from kubemin.api.events import stream
from kubemin.api.listening import while_valid
from kubemin.api.lookups import application_named, is_id, task_of
from kubemin.api.models.evidence import TaskEvidence
from kubemin.api.models.tasks import (
    CleanUp,
    CleanupAgain,
    Promote,
    Promoted,
    TaskChanges,
    TaskPage,
    TaskResources,
    TaskStages,
    TaskStatusReply,
)
from kubemin.api.openapi import EVENT, UNCHANGED, Responses, errors
from kubemin.api.parameters import (
    DEFAULT_PAGE_SIZE,
    After,
    Exactly,
    IfNoneMatch,
    Page,
    PageSize,
    Since,
    TaskId,
    moment_of,
)
from kubemin.identity.grants import Role
from kubemin.spec.states import TaskStatus
from kubemin.store import events, evidence, jobs, journal, presence, tasks

router = APIRouter(tags=["Tasks"], route_class=StrictRoute)

_STREAM: Responses = {
    200: {
        "description": "Events `task`, `job`, `resource`, `cleanup` and, last, `end`; each with an id to resume after.",
        "content": {"text/event-stream": {"schema": {"$ref": EVENT}}},
    }
}


@router.get("/tasks", summary="List all tasks", responses=errors(404))
@needs(About.SEEN, Role.VIEWER)
async def list_tasks(
    deps: Given,
    asked: Asked,
    status: Annotated[TaskStatus | None, Query(description="Only those in this status.")] = None,
    app_id: Annotated[
        str | None, Query(alias="appId", max_length=191, pattern="^[a-zA-Z0-9~-]*$", description="Of this application.")
    ] = None,
    cluster: Exactly = None,
    since: Since = None,
    page: Page = None,
    page_size: PageSize = None,
    after: After = None,
) -> Envelope[TaskPage]:
    """One page of all tasks, newest first; the next one by its number, or `after` the `nextCursor` of this one.

    A cursor costs the same on each page, and does not repeat a task where new ones come meanwhile.
    """
    size = page_size or DEFAULT_PAGE_SIZE
    skip = paging.offset(page, size, after)
    moment = None if since is None else moment_of(since)
    last = paging.number_after(after)
    async with deps.db.read() as tx:
        app_id = app_id and await application_named(tx, app_id, asked.sight)
        found = await tasks.page(
            tx,
            status=status,
            app_id=app_id,
            cluster=cluster,
            since=moment,
            after=last,
            limit=size + 1,
            offset=skip,
            sight=asked.sight,
        )
    number = None if after is not None else page or 1
    rows = [task_views.row(task, {}) for task in found[:size]]
    return Envelope(data=TaskPage(tasks=rows, page=number, page_size=size, next_cursor=task_views.cursor(found, size)))


@router.get(
    "/workflow/tasks/{task_id}",
    summary="Get a task",
    response_model=Envelope[TaskStatusReply],
    responses={**UNCHANGED, **errors(404)},
)
@needs(About.TASK, Role.VIEWER)
async def get_task(
    deps: Given, task_id: TaskId, response: Response, known: IfNoneMatch = None
) -> Envelope[TaskStatusReply] | Response:
    """Its status, its revision, its cleanup, and each of its components from the first moment on.

    A reply may have an `ETag`. With it as `If-None-Match` the answer is 304, without a body, while nothing has changed.
    """
    return await get_task_status(deps, task_id, response, known)


@router.get(
    "/workflow/tasks/{task_id}/status",
    summary="Get a task's status",
    response_model=Envelope[TaskStatusReply],
    responses={**UNCHANGED, **errors(404)},
)
@needs(About.TASK, Role.VIEWER)
async def get_task_status(
    deps: Given, task_id: TaskId, response: Response, known: IfNoneMatch = None
) -> Envelope[TaskStatusReply] | Response:
    """The same at its older address."""
    async with deps.db.read() as tx:
        stamp = await events.stamp(tx, task_id) if is_id(task_id) else None
        headers = {} if stamp is None else {"ETag": f'W/"{stamp}"', "Cache-Control": "no-cache"}
        if stamp is not None and known == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        response.headers.update(headers)
        task = await task_of(tx, task_id)
        failed = task.status.ended and task.status is not TaskStatus.COMPLETED  # others have none, and are asked often
        found = await evidence.components_of(tx, task_id) if failed else []
        rows = await journal.brief_of_task(tx, task_id)
        waits = task.status is TaskStatus.WAITING
        behind = [one for one in await tasks.active_of(tx, task.app_id) if one.seq < task.seq] if waits else []
        plan = await jobs.of_task(tx, task_id)
        last = (await events.states(tx, [task.id]))[task.id].last
        left = await tasks.is_left(tx, task_id)
        why = await presence.why_it_waits(tx, task.cluster) if left or (waits and not behind) else None
        return Envelope(data=task_views.status(task, plan, rows, found, behind, last, why))


@router.get("/workflow/tasks/{task_id}/stages", summary="Get a task's stages", responses=errors(404))
@needs(About.TASK, Role.VIEWER)
async def get_task_stages(deps: Given, task_id: TaskId) -> Envelope[TaskStages]:
    """One stage a job, and the rollback or, of a completed task, the removal."""
    async with deps.db.read() as tx:
        task = await task_of(tx, task_id)
        return Envelope(data=task_views.stages(task, await jobs.of_task(tx, task_id)))


@router.get("/workflow/tasks/{task_id}/resources", summary="Get a task's journal", responses=errors(404))
@needs(About.TASK, Role.VIEWER)
async def get_task_resources(deps: Given, task_id: TaskId) -> Envelope[TaskResources]:
    """Each object that the task touched, and what became of it."""
    async with deps.db.read() as tx:
        await task_of(tx, task_id)
        entries = await journal.brief_of_task(tx, task_id)
    return Envelope(data=TaskResources(resources=[task_views.resource(entry) for entry in entries]))


@router.get("/workflow/tasks/{task_id}/changes", summary="Get what a task changed", responses=errors(404))
@needs(About.TASK, Role.VIEWER)
async def get_task_changes(
    deps: Given,
    asked: Asked,
    task_id: TaskId,
    seq: Annotated[int | None, Query(ge=1, lt=2**31, description="Only this row.")] = None,
) -> Envelope[TaskChanges]:
    """Each object of its journal, with the fields that it changed: before, as the task wrote them, and now."""
    async with deps.db.read() as tx:
        task = await task_of(tx, task_id)
    return Envelope(
        data=task_views.changes(await deps.of_cluster(task.cluster, asked.asker).diffs.of_task(task_id, seq))
    )


@router.get(
    "/workflow/tasks/{task_id}/evidence",
    summary="Get a task's evidence",
    response_model=Envelope[TaskEvidence],
    responses=errors(404),
)
@needs(About.TASK, Role.VIEWER)
async def get_task_evidence(deps: Given, task_id: TaskId) -> Response:
    """What the Pods of components that were not ready said, before the rollback removed them."""
    async with deps.db.read() as tx:
        await task_of(tx, task_id)
        found = await evidence.of_task(tx, task_id)
    # As it is stored, which a later version may have done otherwise; in ASCII, as Pods may say what is no Unicode.
    parts = [{"name": one.component, "pods": one.pods, "note": one.unreadable} for one in found]
    kept = Envelope(data={"components": parts})
    return Response(json.dumps(kept.model_dump()), media_type="application/json")


@router.get(
    "/workflow/tasks/{task_id}/events",
    summary="Follow a task",
    response_class=StreamingResponse,  # the other one would have FastAPI itself iterate over what is returned
    responses={**_STREAM, **errors(400, 404)},
)
@needs(About.TASK, Role.VIEWER)
async def follow_task(
    deps: Given,
    asked: Asked,
    task_id: TaskId,
    last_event_id: Annotated[
        int, Header(alias="Last-Event-ID", ge=0, lt=2**63, description="Resume after this event.")
    ] = 0,
) -> EventSourceResponse:
    """Server-Sent Events: what happened, from the beginning or after `Last-Event-ID`, and what happens, to the end."""
    async with deps.db.read() as tx:
        await task_of(tx, task_id)
    deps.event_hub.check_free(asked.stream_owner)
    return EventSourceResponse(
        while_valid(deps, asked, stream(deps, task_id, last_event_id)),
        headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"},
    )


@router.post("/workflow/tasks/{task_id}/promote", summary="Promote a task", responses=errors(404, 409))
@needs(About.TASK, Role.DEPLOYER)
async def promote_task(deps: Given, task_id: TaskId, asked: Asked, body: Promote | None = None) -> Envelope[Promoted]:
    """Lets the pause that the task is in pass; a timed one ends early.

    409 where it is in none, or that is promoted already. With `seq` it never lets another pause pass, and asked again,
    as after a lost answer, it is the same answer.
    """
    user = asked.user(body.user if body else None)
    async with deps.db.read() as tx:
        await task_of(tx, task_id)
    name = await deps.service.promote(task_id, user, asked.admit, body.seq if body else None)
    return Envelope(data=Promoted(task_id=task_id, name=name))


@router.post("/workflow/tasks/{task_id}/cleanup", summary="Clean up again, or give up", responses=errors(404, 409))
@needs(About.TASK, Role.DEPLOYER)
async def clean_up_again(
    deps: Given, task_id: TaskId, asked: Asked, body: CleanUp | None = None
) -> Envelope[CleanupAgain]:
    """Tries an incomplete cleanup again now; changes nothing for a task in another state.

    With `abandon` it ends as `abandoned`: what is left stays, and is named in the task's status. Again is the same
    answer; a cleanup that is not `incomplete` cannot be abandoned (409).
    """
    user = asked.user(body.user if body else None)
    async with deps.db.read() as tx:
        await task_of(tx, task_id)
    if body is not None and body.abandon:
        task = await deps.service.abandon_cleanup(task_id, user, body.reason or "", asked.admit)
    else:
        task = await deps.service.retry_cleanup(task_id, asked.admit)
    return Envelope(data=CleanupAgain(task_id=task.id, status=task.status, cleanup=task.cleanup))
