"""A new version of an application: its draft is changed, and run."""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter

from kubemin.api.access import About, Asked, needs
from kubemin.api.body import StrictRoute
from kubemin.api.deps import Caller, Deps, Given
from kubemin.api.envelope import Envelope
from kubemin.api.lookups import application_of
from kubemin.api.models.versions import ComponentVersion, NewVersion, Version
from kubemin.api.once import hash_of
from kubemin.api.openapi import errors
from kubemin.api.parameters import AppId, IdempotencyKey
from kubemin.api.saving import check_and_save
from kubemin.api.versioning import edited, names
from kubemin.engine.entry.sources import Draft
from kubemin.engine.errors import KeyReused
from kubemin.engine.options import ExecOptions
from kubemin.identity.grants import Role
from kubemin.spec.application import Application, as_run, way_of
from kubemin.store import Tx, revisions, tasks
from kubemin.store.applications import ApplicationRow

router = APIRouter(prefix="/applications/{app_id}", tags=["Applications"], route_class=StrictRoute)


@router.post("/version", summary="Make a new version", responses=errors(404, 409))
@needs(About.APPLICATION, Role.DEPLOYER)
async def make_version(
    deps: Given,
    app_id: AppId,
    caller: Caller,
    asked: Asked,
    body: NewVersion,
    idempotency_key: IdempotencyKey = None,
) -> Envelope[Version]:
    """Changes components of the draft, and runs it; with `autoExec: false` it is only saved.

    Of the run are also the components that are changed and that no step of the workflow names. A run that its key has
    made already is answered, and the draft stays as it is: `version` and `previousVersion` are both the present one.
    """
    body_hash = hash_of("version", body.model_dump(mode="json")) if idempotency_key else None
    async with deps.db.read() as tx:
        row = await application_of(tx, app_id)
        known = await _known(tx, row, caller, idempotency_key, body_hash, body)
    if known is not None:
        return Envelope(data=known)
    data = {"id": row.id, "name": row.name, **({} if body.version is None else {"version": body.version})}
    changes = await _placed(deps, body.components, row.cluster)

    def edit(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return edited(parts, changes)

    def run_of(application: Application) -> Application:
        return as_run(application, body.strategy, deps.limits)

    saved = await check_and_save(deps.db, deps.compute_thread, data, deps.limits, asked, edit, also=run_of)
    updated, added = names(changes, "update"), names(changes, "add")
    task_id = ""
    if body.auto_exec:
        source, options = Draft(row.id, also=(*updated, *added)), ExecOptions(strategy=body.strategy)
        task = await deps.service.run(
            source, options, caller, body.description or "", idempotency_key, body_hash, asked.admit, asked.asker
        )
        task_id = task.id
    return Envelope(
        data=Version(
            app_id=row.id,
            version=saved.application.version or "",
            previous_version=row.version,
            strategy=way_of(run_of(saved.application).component),
            task_id=task_id,
            updated_components=updated,
            added_components=added,
            removed_components=names(changes, "remove"),
        )
    )


async def _known(
    tx: Tx, row: ApplicationRow, caller: str, key: str | None, body_hash: str | None, body: NewVersion
) -> Version | None:
    """What the key has made already. Raises `KeyReused` where that was something else."""
    task = None if key is None else await tasks.by_idempotency_key(tx, caller, row.id, key)
    if key is None or task is None:
        return None
    if task.body_hash != body_hash:
        raise KeyReused(key)
    brought = None if task.revision is None else await revisions.get(tx, row.id, task.revision)
    return Version(
        app_id=row.id,
        version=row.version,
        previous_version=row.version,
        strategy="" if brought is None else brought.strategy,
        task_id=task.id,
        updated_components=names(body.components, "update"),
        added_components=names(body.components, "add"),
        removed_components=names(body.components, "remove"),
    )


async def _placed(deps: Deps, changes: Sequence[ComponentVersion], cluster: str) -> list[ComponentVersion]:
    """The changes, in whose manifests objects that belong to the whole cluster say so."""
    placed = await deps.placed({"component": [{"properties": change.properties} for change in changes]}, cluster)
    return [
        change.model_copy(update={"properties": part["properties"]})
        for change, part in zip(changes, placed["component"], strict=True)
    ]
