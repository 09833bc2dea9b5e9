"""An application's workflows: what they are, and running and cancelling them."""

from typing import Any

from fastapi import APIRouter, Request

from kubemin.api import paging, task_views, views
from kubemin.api.access import About, Asked, needs
from kubemin.api.auditing import noted
from kubemin.api.body import StrictRoute
from kubemin.api.codes import ApiCode
from kubemin.api.deps import Caller, Deps, Given
from kubemin.api.envelope import ApiError, Envelope
from kubemin.api.errors import sentence
from kubemin.api.lookups import application_of, is_id, task_named, task_of, workflow_of
from kubemin.api.models.applications import (
    ChangedWorkflow,
    NewWorkflow,
    TriedWorkflow,
    TryReply,
    WorkflowId,
    WorkflowList,
)
from kubemin.api.models.tasks import Cancel, Cancelled, Exec, TaskId, TaskList
from kubemin.api.once import hash_of
from kubemin.api.openapi import errors
from kubemin.api.parameters import MAX_PAGE_SIZE, After, AppId, IdempotencyKey, PageSize
from kubemin.api.routes.applications import refused
from kubemin.engine.entry.sources import Draft
from kubemin.engine.errors import NotFoundError, TaskElsewhere, TaskEnded, TaskNotFound
from kubemin.engine.options import ExecOptions
from kubemin.identity.grants import Role
from kubemin.spec.application import Application, dump_steps
from kubemin.spec.issues import SpecError
from kubemin.spec.reads import parse_steps
from kubemin.spec.states import CleanupPolicy, TaskStatus
from kubemin.store import Duplicate, Tx, components, tasks, workflows

router = APIRouter(prefix="/applications/{app_id}", tags=["Workflows"], route_class=StrictRoute)


@router.get("/workflows", summary="List workflows", responses=errors(404))
@needs(About.APPLICATION, Role.VIEWER)
async def list_workflows(deps: Given, app_id: AppId) -> Envelope[WorkflowList]:
    """The workflows of an application, the one that came with it first."""
    async with deps.db.read() as tx:
        await application_of(tx, app_id)
        names = [part.name for part in await components.of_application(tx, app_id)]
        newest = await tasks.latest_of_workflows(tx, app_id)
        rows = await workflows.of_application(tx, app_id)
    return Envelope(data=WorkflowList(workflows=[views.workflow(row, names, newest.get(row.id)) for row in rows]))


@router.post("/workflow", summary="Create a workflow", responses=errors(404, 409))
@needs(About.APPLICATION, Role.DEPLOYER)
async def create_workflow(deps: Given, app_id: AppId, asked: Asked, body: NewWorkflow) -> Envelope[WorkflowId]:
    """A further workflow of the application. Components that its steps do not name are left alone by it."""
    names, steps = await _steps(deps, app_id, body.workflow)
    async with deps.db.begin("workflow") as tx:
        row = await application_of(tx, app_id)
        asked.check_stored(row)
        await _same_components(tx, app_id, names)
        made = workflows.made(row, body.name, body.alias, steps)
        try:
            await workflows.insert(tx, made)
        except Duplicate as error:
            raise _exists(body.name) from error
    return Envelope(data=WorkflowId(workflow_id=made.id))


@router.put("/workflow", summary="Change a workflow", responses=errors(404, 409))
@needs(About.APPLICATION, Role.DEPLOYER)
async def change_workflow(deps: Given, app_id: AppId, asked: Asked, body: ChangedWorkflow) -> Envelope[WorkflowId]:
    """Replaces the steps, and the name and alias that are given. Tasks under way go on as they began."""
    names, steps = await _steps(deps, app_id, body.workflow, body.workflow_id)
    async with deps.db.begin("workflow") as tx:
        asked.check_stored(await application_of(tx, app_id))
        flow = await workflow_of(tx, app_id, body.workflow_id)
        await _same_components(tx, app_id, names)
        given = {"name": body.name, "alias": body.alias}
        changes = {name: value for name, value in given.items() if value is not None}
        try:
            await workflows.update(tx, workflows.changed(flow, steps=steps, **changes))
        except Duplicate as error:
            raise _exists(body.name or flow.name) from error
    return Envelope(data=WorkflowId(workflow_id=flow.id))


@router.post("/workflow/try", summary="Check a workflow", responses=errors(404))
@needs(About.APPLICATION, Role.VIEWER)
async def try_workflow(deps: Given, app_id: AppId, body: TriedWorkflow) -> Envelope[TryReply]:
    """Whether it would be created, with everything that is wrong. Stores nothing."""
    try:
        await _steps(deps, app_id, body.workflow)
    except SpecError as error:
        return Envelope(data=refused(error))
    return Envelope(data=TryReply(valid=True, errors=[]))


async def _steps(
    deps: Deps, app_id: str, given: list[object], workflow_id: str | None = None
) -> tuple[list[str], list[dict[str, Any]]]:
    """The application's components, and the steps to store; read in no transaction, for many take long."""
    async with deps.db.read() as tx:
        row = await application_of(tx, app_id)
        if workflow_id is not None:
            await workflow_of(tx, app_id, workflow_id)
        parts = [part.spec for part in await components.of_application(tx, app_id)]
    names = [part["name"] for part in parts]

    def read() -> list[dict[str, Any]]:
        application = {"name": row.name, "namespace": row.namespace, "component": parts}
        return dump_steps(parse_steps(given, Application.model_validate(application)))

    return names, await deps.compute_thread.do_if_large(read, [given, parts])


async def _names(tx: Tx, app_id: str) -> list[str]:
    return [part.name for part in await components.of_application(tx, app_id)]


async def _same_components(tx: Tx, app_id: str, names: list[str]) -> None:
    if await _names(tx, app_id) != names:
        raise ApiError(409, ApiCode.CONFLICT, "The application changed meanwhile: try again.")


def _exists(name: str) -> ApiError:
    return ApiError(409, ApiCode.WORKFLOW_EXISTS, f"The application has a workflow named {name} already.")


@router.post("/workflow/exec", summary="Run a workflow", responses=errors(404, 409))
@needs(About.APPLICATION, Role.DEPLOYER)
async def exec_workflow(
    deps: Given, app_id: AppId, caller: Caller, asked: Asked, body: Exec, idempotency_key: IdempotencyKey = None
) -> Envelope[TaskId]:
    """Records a task that deploys the application; a worker takes it up at once."""
    body_hash = None
    if idempotency_key is not None:  # the same key for the same workflow, named or not, is the same run
        async with deps.db.read() as tx:
            await application_of(tx, app_id)
            flow = await workflow_of(tx, app_id, body.workflow_id)
        wanted = body.model_copy(update={"workflow_id": flow.id})
        body_hash = hash_of("exec", wanted.model_dump(mode="json"))
    source, note = Draft(app_id, body.workflow_id), body.note or ""
    options = ExecOptions.of(body)
    task = await deps.service.run(source, options, caller, note, idempotency_key, body_hash, asked.admit, asked.asker)
    return Envelope(data=TaskId(task_id=task.id))


@router.post("/workflow/cancel", summary="Cancel a task", responses=errors(404, 409, 502))
@needs(About.APPLICATION, Role.DEPLOYER)
async def cancel_task(request: Request, deps: Given, app_id: AppId, asked: Asked, body: Cancel) -> Envelope[Cancelled]:
    """The task is cancelled at once; what it did to the cluster is then undone, or stays if `cleanup` is `none`.

    Again is the same answer. A task that had completed before is answered as it is, with `status: completed`.
    """
    user, task_id = asked.user(body.user), body.task_id
    if not is_id(task_id):
        async with deps.db.read(urgent=True) as tx:
            await application_of(tx, app_id)
            task_id = await task_named(tx, task_id, asked.sight)
    noted(request.scope).task = task_id
    reason = body.reason or f"cancelled by {user}"
    policy = CleanupPolicy(body.cleanup) if body.cleanup else None
    try:
        task = await deps.service.cancel(app_id, task_id, user, reason, policy, asked.admit)
    except TaskEnded as ended:
        async with deps.db.read() as tx:
            await application_of(tx, app_id)
            done = await task_of(tx, ended.task_id)
        if ended.status is not TaskStatus.COMPLETED:
            raise
        reply = Cancelled(task_id=done.id, status="completed", cleanup=done.cleanup)
        return Envelope(message=sentence(str(ended)), data=reply)
    except NotFoundError as error:
        async with deps.db.read() as tx:
            await application_of(tx, app_id)  # then that is what is said
        if isinstance(error, TaskElsewhere) and asked.sight is not None:
            raise TaskNotFound(task_id) from error  # whether another application has it is not for everybody
        raise
    return Envelope(data=Cancelled(task_id=task.id, cleanup=task.cleanup))


@router.get("/workflow/tasks", summary="List an application's tasks", responses=errors(404))
@needs(About.APPLICATION, Role.VIEWER)
async def list_application_tasks(
    deps: Given, app_id: AppId, page_size: PageSize = None, after: After = None
) -> Envelope[TaskList]:
    """Its tasks, newest first: 1000, or as many as `pageSize` says."""
    size, last = page_size or MAX_PAGE_SIZE, paging.number_after(after)
    async with deps.db.read() as tx:
        await application_of(tx, app_id)
        found = await tasks.page(tx, app_id=app_id, after=last, limit=size + 1)
        aliases = {flow.id: flow.alias for flow in await workflows.of_application(tx, app_id)}
    rows = [task_views.row(task, aliases) for task in found[:size]]
    return Envelope(data=TaskList(tasks=rows, next_cursor=task_views.cursor(found, size)))
