"""Applications and their components."""

from collections.abc import Iterable
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Request, Response

from kubemin.api import overviews, paging, views
from kubemin.api.access import About, Asked, needs
from kubemin.api.auditing import cluster_in, noted
from kubemin.api.body import StrictRoute
from kubemin.api.codes import ApiCode
from kubemin.api.deps import Caller, Deps, Given
from kubemin.api.envelope import ApiError, Envelope, FieldError
from kubemin.api.errors import summary
from kubemin.api.lookups import application_of, is_id
from kubemin.api.models.applications import (
    ApplicationList,
    ApplicationReply,
    ComponentList,
    DeletedApplication,
    DeletedResources,
    TryReply,
)
from kubemin.api.once import hash_of
from kubemin.api.openapi import APPLICATION_BODY, UNCHANGED, errors
from kubemin.api.parameters import (
    DEFAULT_PAGE_SIZE,
    After,
    AppId,
    DeleteVolumes,
    Exactly,
    IdempotencyKey,
    IfNoneMatch,
    Page,
    PageSize,
    Search,
)
from kubemin.api.saving import check_and_save, placed, prepare
from kubemin.api.warnings import warnings_in
from kubemin.identity.grants import Role
from kubemin.spec.issues import Issue, SpecError
from kubemin.spec.states import TaskStatus
from kubemin.store import Tx, applications, components, revisions, workflows

router = APIRouter(prefix="/applications", tags=["Applications"], route_class=StrictRoute)

_EITHER = "deleteVolumes cannot be set with keepResources, which deletes nothing."

Spec = Annotated[dict[str, Any], Body(description="An application as a user writes it.")]


@router.get("", summary="List applications")
@needs(About.SEEN, Role.VIEWER)
async def list_applications(
    deps: Given,
    asked: Asked,
    page: Page = None,
    page_size: PageSize = None,
    after: After = None,
    search: Search = None,
    name: Exactly = None,
    namespace: Exactly = None,
    cluster: Exactly = None,
    status: Annotated[TaskStatus | None, Query(description="That of the newest task.")] = None,
) -> Envelope[ApplicationList]:
    """Those that all filters fit, the one that was changed last first; one page when `page` or `pageSize` is given.

    The next one by its number, or `after` the `nextCursor` of this one, which costs the same on each page.
    """
    wanted = applications.Filter(
        search=search,
        name=name,
        namespace=namespace,
        cluster=cluster,
        status=status and status.value,
        sight=asked.sight,
    )
    return Envelope(data=await _list(deps, page, page_size, after, wanted))


@router.get("/templates", summary="List templates")
@needs(About.SEEN, Role.VIEWER)
async def list_templates(
    deps: Given,
    asked: Asked,
    page: Page = None,
    page_size: PageSize = None,
    after: After = None,
    search: Search = None,
    cluster: Exactly = None,
) -> Envelope[ApplicationList]:
    """The applications that may be used as a template."""
    wanted = applications.Filter(search=search, cluster=cluster, templates=True, sight=asked.sight)
    return Envelope(data=await _list(deps, page, page_size, after, wanted))


async def _list(
    deps: Deps, page: int | None, page_size: int | None, after: str | None, wanted: applications.Filter
) -> ApplicationList:
    size = page_size or DEFAULT_PAGE_SIZE
    skip, last = paging.offset(page, size, after), paging.application_after(after)
    async with deps.db.read() as tx:
        if page is None and page_size is None and after is None:
            return ApplicationList(applications=await _replies(tx, await applications.page(tx, wanted)))
        found = await applications.page(tx, wanted, after=last, limit=size + 1, offset=skip)
        total = await applications.count(tx, wanted) if after is None else None
        seen = await overviews.look(tx, found[:size])
    return ApplicationList(
        applications=await overviews.replies(deps, seen),
        total=total,
        page=None if after is not None else page or 1,
        page_size=size,
        next_cursor=paging.application_cursor(found[size - 1]) if len(found) > size else None,
    )


async def _replies(tx: Tx, rows: list[applications.ApplicationRow]) -> list[ApplicationReply]:
    ids = [row.id for row in rows]
    first = await workflows.first_ids(tx, ids) if rows else {}
    statuses = await applications.statuses(tx, ids) if rows else {}
    return [views.application(row, first.get(row.id), statuses.get(row.id)) for row in rows]


@router.post("", summary="Create or save an application", responses=errors(404, 409), openapi_extra=APPLICATION_BODY)
@needs(About.WRITTEN, Role.DEPLOYER)
async def save_application(request: Request, deps: Given, asked: Asked, spec: Spec) -> Envelope[ApplicationReply]:
    """Without `id` creates one; with the `id` of an existing one saves it.

    Saving replaces the components, and keeps what is left out: the workflows too, without the components that are gone.
    A secret's value that was masked in a reply (`******`) may be sent back like that: the stored value stays.
    """
    said, app_id = noted(request.scope), spec.get("id")
    if isinstance(app_id, str) and is_id(app_id):
        said.app = app_id
    else:
        said.cluster = cluster_in(spec)
    saved = await check_and_save(deps.db, deps.compute_thread, await placed(deps, spec, asked), deps.limits, asked)
    async with deps.db.read() as tx:
        reply = (await _replies(tx, [await application_of(tx, saved.application.app_id)]))[0]
    return Envelope(data=reply)


@router.post("/try", summary="Check an application", responses=errors(404))
@needs(About.WRITTEN, Role.VIEWER)
async def try_application(deps: Given, asked: Asked, spec: Spec) -> Envelope[TryReply]:
    """Whether it would be created or saved, with everything that is wrong. Stores nothing."""
    try:
        prepared = await prepare(deps.db, deps.compute_thread, await placed(deps, spec, asked), deps.limits, asked)
    except SpecError as error:
        return Envelope(data=refused(error))
    except ApiError as error:
        if error.code is ApiCode.FORBIDDEN:
            raise
        taken = Issue("name", error.code.name, error.message)
        return Envelope(data=refused(SpecError([taken])))
    warnings = _fields(await warnings_in(deps, asked, prepared.application, spec))
    return Envelope(data=TryReply(valid=True, errors=[], warnings=warnings or None))


def _fields(issues: Iterable[Issue]) -> list[FieldError]:
    return [FieldError.of(one) for one in issues]


def refused(error: SpecError) -> TryReply:
    """What `try` says of something that would not be taken."""
    return TryReply(valid=False, errors=_fields(error.issues), message=summary(error.issues))


@router.get("/{app_id}", summary="Get an application", responses=errors(404))
@needs(About.APPLICATION, Role.VIEWER)
async def get_application(deps: Given, app_id: AppId) -> Envelope[ApplicationReply]:
    """One application; its components and workflows have addresses of their own."""
    async with deps.db.read() as tx:
        seen = await overviews.look(tx, [await application_of(tx, app_id)])
    return Envelope(data=(await overviews.replies(deps, seen))[0])


@router.delete("/{app_id}", summary="Delete an application", responses=errors(404, 409))
@needs(About.APPLICATION, Role.DEPLOYER)
async def delete_application(
    deps: Given,
    app_id: AppId,
    caller: Caller,
    asked: Asked,
    idempotency_key: IdempotencyKey = None,
    keep_resources: Annotated[
        bool,
        Query(
            alias="keepResources",
            description="Delete nothing in the cluster: its objects stay as they are, without KubeMin's labels.",
        ),
    ] = False,
    delete_volumes: DeleteVolumes = False,
    dry_run: Annotated[
        bool, Query(alias="dryRun", description="Tell what would become of its objects, and do nothing.")
    ] = False,
) -> Envelope[DeletedApplication]:
    """Removes it with its resources, as a task that can be followed; it is gone when the task is completed.

    What its tasks created is deleted, and what they took over is released. Volume claims are kept, because they hold
    data, unless `deleteVolumes` is set.
    """
    if keep_resources and delete_volumes:
        wrong = FieldError(field="deleteVolumes", code="INVALID_VALUE", message=_EITHER)
        raise ApiError(400, ApiCode.VALIDATION, _EITHER, errors=[wrong])
    if dry_run:
        async with deps.db.read() as tx:
            row = await application_of(tx, app_id)
        previews = deps.of_cluster(row.cluster, asked.asker).previews
        goes = await previews.of_deletion(
            app_id, keep_resources=keep_resources, delete_volumes=delete_volumes, admit=asked.admit
        )
        return Envelope(
            data=DeletedApplication(
                app_id=app_id,
                removes=[str(ref) for ref in goes.removes],
                releases=[str(ref) for ref in goes.releases],
                passes=[str(ref) for ref in goes.passes],
                keeps=[str(ref) for ref in goes.keeps],
            )
        )
    how = {"keep_resources": keep_resources, "delete_volumes": delete_volumes}
    task = await deps.service.delete_application(
        app_id,
        caller,
        **how,
        idempotency_key=idempotency_key,
        body_hash=hash_of("delete", how) if idempotency_key else None,
        admit=asked.admit,
        asker=asked.asker,
    )
    return Envelope(data=DeletedApplication(app_id=app_id, task_id=task.id))


@router.get(
    "/{app_id}/components",
    summary="List components",
    response_model=Envelope[ComponentList],
    responses={**UNCHANGED, **errors(404)},
)
@needs(About.APPLICATION, Role.VIEWER)
async def list_components(
    deps: Given, app_id: AppId, response: Response, known: IfNoneMatch = None
) -> Envelope[ComponentList] | Response:
    """The components as they were saved last, what is deployed of each, and how it does in the cluster.

    A reply may have an `ETag`, as those of tasks.
    """
    async with deps.db.read() as tx:
        row = await application_of(tx, app_id)
        stamp = await components.stamp(tx, app_id)
    states = await deps.component_states(app_id, row.cluster)
    headers = {} if stamp is None else {"ETag": views.tag(stamp, states), "Cache-Control": "no-cache"}
    if stamp is not None and known == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    response.headers.update(headers)
    async with deps.db.read() as tx:
        parts = await components.of_application(tx, app_id)
        current = await revisions.current(tx, app_id)
    shown = views.components(parts, row.namespace, states, current)
    dropped = views.dropped({part.name for part in parts}, states, current)
    return Envelope(data=ComponentList(components=shown, dropped=dropped))


@router.delete("/{app_id}/resources", summary="Delete an application's resources", responses=errors(404, 409))
@needs(About.APPLICATION, Role.DEPLOYER)
async def delete_resources(
    deps: Given,
    app_id: AppId,
    caller: Caller,
    asked: Asked,
    delete_volumes: DeleteVolumes = False,
    idempotency_key: IdempotencyKey = None,
) -> Envelope[DeletedResources]:
    """Removes what it has in the cluster, and keeps the application; its volume claims too, because they hold data."""
    async with deps.db.read() as tx:
        await application_of(tx, app_id)
    deleted, failed = await deps.service.delete_resources(
        app_id,
        caller,
        delete_volumes=delete_volumes,
        idempotency_key=idempotency_key,
        body_hash=hash_of("delete-resources", {"delete_volumes": delete_volumes}) if idempotency_key else None,
        admit=asked.admit,
        asker=asked.asker,
    )
    return Envelope(data=DeletedResources(app_id=app_id, deleted_resources=deleted, failed_resources=failed))
