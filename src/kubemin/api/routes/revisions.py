"""An application's history: its revisions, how they differ, and going back."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query

from kubemin.api.access import About, Asked, needs
from kubemin.api.body import StrictRoute
from kubemin.api.deps import Caller, Given
from kubemin.api.envelope import Envelope
from kubemin.api.lookups import application_of
from kubemin.api.masks import masked_spec
from kubemin.api.models.preview import PreviewReply
from kubemin.api.models.revisions import (
    Changes,
    Diff,
    FieldChange,
    ObjectChangeReply,
    Restart,
    RevisionDetail,
    RevisionList,
    RevisionReply,
    Rollback,
    RolledBack,
)
from kubemin.api.models.tasks import TaskId
from kubemin.api.once import hash_of
from kubemin.api.openapi import errors
from kubemin.api.parameters import AppId, IdempotencyKey
from kubemin.api.routes.preview import planned
from kubemin.engine.entry import sources
from kubemin.engine.entry.diffs import ObjectChange
from kubemin.engine.entry.loading import stored
from kubemin.engine.errors import RevisionNotFound
from kubemin.engine.options import ExecOptions
from kubemin.identity.grants import Role
from kubemin.spec.states import OnActive
from kubemin.store import revisions
from kubemin.store.revisions import RevisionRow

router = APIRouter(prefix="/applications/{app_id}", tags=["Revisions"], route_class=StrictRoute)

Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
_Number = Annotated[int, Query(ge=1, le=2**31 - 1)]
Side = _Number | Literal["current", "draft", "live"]
"""A revision by its number; what the cluster is to have; what was saved last; or what the cluster has in fact."""


@router.get("/revisions", summary="List an application's revisions", responses=errors(404))
@needs(About.APPLICATION, Role.VIEWER)
async def list_revisions(deps: Given, app_id: AppId) -> Envelope[RevisionList]:
    """Those that are kept, the newest first."""
    async with deps.db.read() as tx:
        row = await application_of(tx, app_id)
        found = await revisions.of_application(tx, row.id)
    return Envelope(data=RevisionList(revisions=[_reply(one) for one in found], total=len(found)))


@router.get("/revisions/{revision}", summary="Get a revision", responses=errors(404))
@needs(About.APPLICATION, Role.VIEWER)
async def get_revision(
    deps: Given,
    app_id: AppId,
    revision: Annotated[Number | Literal["current", "draft"], Path(description="A number, `current` or `draft`.")],
) -> Envelope[RevisionDetail]:
    """One revision with its application, in the shape in which it was posted."""
    async with deps.db.read() as tx:
        app = await application_of(tx, app_id)
        if revision == "draft":
            draft = await stored(tx, app.id, None)
            return Envelope(data=RevisionDetail(application=masked_spec(draft.posted())))
        current = revision == "current"
        row = await (revisions.current(tx, app.id) if current else revisions.get(tx, app.id, int(revision)))
    if row is None:
        raise RevisionNotFound(str(revision))
    detail = _reply(row).model_dump(by_alias=False)
    return Envelope(data=RevisionDetail(**detail, application=masked_spec(row.spec)))


@router.get("/diff", summary="Compare revisions, the draft and the cluster", responses=errors(404))
@needs(About.APPLICATION, Role.VIEWER)
async def diff_application(
    deps: Given,
    asked: Asked,
    app_id: AppId,
    begin: Annotated[Side, Query(alias="from", description="A number, `current`, `draft` or `live`.")] = "current",
    end: Annotated[Side, Query(alias="to", description="The same.")] = "live",
) -> Envelope[Diff]:
    """What leads from one to the other, by object of the cluster. Without more it tells of drift.

    `live` is compared with what a run would make of it: what the cluster fills in, and fields that others have added,
    are no difference.
    """
    async with deps.db.read() as tx:
        row = await application_of(tx, app_id)
    found = await deps.of_cluster(row.cluster, asked.asker).diffs.between(row.id, begin, end)
    return Envelope(data=Diff(changes=[_change(one) for one in found]))


@router.post("/rollback", summary="Go back to a revision", responses=errors(404, 409))
@needs(About.APPLICATION, Role.DEPLOYER)
async def rollback_application(
    deps: Given, app_id: AppId, caller: Caller, asked: Asked, body: Rollback, idempotency_key: IdempotencyKey = None
) -> Envelope[RolledBack | PreviewReply]:
    """Makes a new revision with the spec of the former one, secrets included, and a task that brings it.

    With `dryRun` tells what that would do, and stores nothing.
    """
    async with deps.db.read() as tx:
        row = await application_of(tx, app_id)
    source, options = sources.Former(row.id, body.revision), ExecOptions.of(body)
    if body.dry_run:
        return Envelope(data=await planned(deps, asked, source, options))
    body_hash = hash_of("rollback", body.model_dump(mode="json")) if idempotency_key else None
    task = await deps.service.run(
        source, options, caller, body.note or "", idempotency_key, body_hash, asked.admit, asked.asker
    )
    assert task.revision is not None
    return Envelope(data=RolledBack(revision=task.revision, task_id=task.id))


@router.post("/restart", summary="Replace an application's Pods", responses=errors(404, 409))
@needs(About.APPLICATION, Role.DEPLOYER)
async def restart_application(
    deps: Given,
    app_id: AppId,
    caller: Caller,
    asked: Asked,
    body: Restart | None = None,
    idempotency_key: IdempotencyKey = None,
) -> Envelope[TaskId]:
    """Replaces the Pods of what is deployed, without another change; 409 while a task of the application is active."""
    async with deps.db.read() as tx:
        row = await application_of(tx, app_id)
    names = tuple((body.components if body else None) or ())
    source, options = sources.Restart(row.id, names), ExecOptions(on_active=OnActive.REJECT)
    body_hash = hash_of("restart", {"components": names}) if idempotency_key else None
    task = await deps.service.run(source, options, caller, "", idempotency_key, body_hash, asked.admit, asked.asker)
    return Envelope(data=TaskId(task_id=task.id))


def _reply(row: RevisionRow) -> RevisionReply:
    return RevisionReply(
        revision=row.number,
        state=row.state,
        strategy=row.strategy,
        note=row.note,
        user=row.caller,
        task_id=row.task_id,
        create_time=row.created_at,
        changes=Changes(**row.changes),
    )


def _change(one: ObjectChange) -> ObjectChangeReply:
    fields = [FieldChange.model_validate({"path": path, "old": old, "to": new}) for path, old, new in one.fields]
    return ObjectChangeReply(ref=str(one.ref), action=one.action, fields=fields)
