"""Running an application as it is posted."""

from fastapi import APIRouter, Request

from kubemin.api.access import About, Asked, needs
from kubemin.api.applying import posted
from kubemin.api.auditing import cluster_in, noted
from kubemin.api.body import StrictRoute
from kubemin.api.deps import Caller, Given
from kubemin.api.envelope import Envelope, FieldError
from kubemin.api.lookups import SEPARATOR
from kubemin.api.models.preview import PreviewReply
from kubemin.api.models.revisions import Applied, Apply
from kubemin.api.once import hash_of
from kubemin.api.openapi import errors
from kubemin.api.parameters import IdempotencyKey
from kubemin.api.routes.preview import planned
from kubemin.api.warnings import warnings_in
from kubemin.engine.entry.sources import Posted
from kubemin.engine.options import ExecOptions
from kubemin.identity.grants import Role
from kubemin.spec.names import DEFAULT_CLUSTER, shown

router = APIRouter(tags=["Applications"], route_class=StrictRoute)


@router.post("/apply", summary="Run an application", responses=errors(404, 409))
@needs(About.WRITTEN, Role.DEPLOYER)
async def apply_application(
    request: Request, deps: Given, caller: Caller, asked: Asked, body: Apply, idempotency_key: IdempotencyKey = None
) -> Envelope[Applied | PreviewReply]:
    """Makes a revision of it and a task that brings it, both or neither; the draft follows once that is completed.

    What is left out is not in it. With `dryRun` tells what that would do, as `POST /applications/plan`, and stores
    nothing.
    """
    said = noted(request.scope)
    said.cluster = cluster_in(body.application)
    asked.check_cluster(body.application.get("cluster") or DEFAULT_CLUSTER)
    data = await deps.placed(body.application)
    application = await posted(deps.db, deps.compute_thread, data, body.workflow, deps.limits, asked)
    said.app = application.app_id
    said.target = shown(application.cluster, application.namespace, application.name).replace("/", SEPARATOR)
    source, options = Posted(application), ExecOptions.of(body)
    found = await warnings_in(deps, asked, application, data)
    if body.dry_run:
        return Envelope(data=await planned(deps, asked, source, options, found))
    body_hash = None
    if idempotency_key is not None:
        body_hash = await deps.compute_thread.do_if_large(
            lambda: hash_of("apply", body.model_dump(mode="json")), body.application
        )
    task = await deps.service.run(
        source, options, caller, body.note or "", idempotency_key, body_hash, asked.admit, asked.asker
    )
    assert task.revision is not None
    warnings = [FieldError.of(one) for one in found]
    return Envelope(data=Applied(app_id=task.app_id, revision=task.revision, task_id=task.id, warnings=warnings))
