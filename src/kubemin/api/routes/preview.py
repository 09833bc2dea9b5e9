"""What a run would do."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query

from kubemin.api.access import About, Access, Asked, needs
from kubemin.api.body import StrictRoute
from kubemin.api.deps import Deps, Given
from kubemin.api.envelope import Envelope, FieldError
from kubemin.api.models.preview import PlannedJob, PlannedObject, PlannedStage, PreviewReply
from kubemin.api.openapi import APPLICATION_BODY, errors
from kubemin.api.parameters import DeleteVolumes
from kubemin.api.saving import placed, prepare
from kubemin.api.warnings import warnings_in
from kubemin.engine.entry.sources import Posted, Source, cluster_of
from kubemin.engine.options import ExecOptions
from kubemin.identity.grants import Role
from kubemin.spec.issues import Issue, WarningCode
from kubemin.spec.objects import ObjectRef
from kubemin.spec.reads import parse_steps
from kubemin.spec.workflow import without_missing
from kubemin.store import workflows

router = APIRouter(prefix="/applications", tags=["Applications"], route_class=StrictRoute)


@router.post("/plan", summary="Show what a run would do", responses=errors(404, 409), openapi_extra=APPLICATION_BODY)
@needs(About.WRITTEN, Role.DEPLOYER)
async def plan_application(
    deps: Given,
    asked: Asked,
    spec: Annotated[dict[str, Any], Body(description="An application as a user writes it.")],
    create_namespace: Annotated[
        bool, Query(alias="createNamespace", description="As in a run: a namespace that is not there would be made.")
    ] = False,
    adopt: Annotated[
        bool | None, Query(description="As in a run: whether objects of others would be taken over; else the server's.")
    ] = None,
    delete_volumes: DeleteVolumes = False,
    take_over: Annotated[
        bool, Query(alias="takeOver", description="As in a run: what others have set in its objects would be removed.")
    ] = False,
) -> Envelope[PreviewReply]:
    """Asks the cluster, by dry runs, what running the application as it is sent would do. Stores and writes nothing.

    With the `id` of an existing application: what saving it and running its first workflow would do.
    """
    prepared = await prepare(deps.db, deps.compute_thread, await placed(deps, spec, asked), deps.limits, asked)
    app, stored = prepared.application, prepared.stored
    steps = app.workflow
    if steps is None and stored is not None:
        async with deps.db.read() as tx:
            flows = await workflows.of_application(tx, stored.id)
        if flows:
            names = [part.name for part in app.component]
            steps = parse_steps(without_missing(flows[0].steps, names), app)
    options = ExecOptions(
        create_namespace=create_namespace, adopt=adopt, delete_volumes=delete_volumes, take_over=take_over
    )
    app = app.model_copy(update={"workflow": steps or None})
    return Envelope(data=await planned(deps, asked, Posted(app), options, await warnings_in(deps, asked, app, spec)))


async def planned(
    deps: Deps, asked: Access, source: Source, options: ExecOptions, warnings: Sequence[Issue] = ()
) -> PreviewReply:
    """What the run would do, with the warnings of what is run.

    Raises 503 where its cluster is not known, and 403 where the caller may not do it.
    """
    async with deps.db.read() as tx:
        cluster = await cluster_of(tx, source)
    preview = await deps.of_cluster(cluster, asked.asker).previews.of(source, options, asked.admit)
    return PreviewReply(
        stages=[
            PlannedStage(
                step=stage.step,
                mode=stage.mode,
                priority=stage.priority,
                jobs=[
                    PlannedJob(
                        id=job.seq,
                        component=job.component,
                        kind=job.ref.kind,
                        namespace=job.ref.namespace,
                        name=job.ref.name,
                        action=preview.preview_jobs[job.seq].verb,
                        changes=list(preview.preview_jobs[job.seq].changes),
                        hook=None if job.hook is None else job.hook.said,
                        warnings=list(preview.preview_jobs[job.seq].warnings),
                    )
                    for job in stage.jobs
                ],
                hold=stage.hold.waits if stage.hold else None,
            )
            for stage in preview.plan.stages
        ],
        # What a job names and nobody has is told at the job.
        warnings=[FieldError.of(one) for one in warnings if one.code != WarningCode.NOT_IN_APPLICATION],
        expects=preview.expects,
        creates=[_object(ObjectRef("Namespace", "", name)) for name in preview.namespaces],
        removes=[_object(ref) for ref in preview.parting.removes],
        releases=[_object(ref) for ref in preview.parting.releases],
        passes=[_object(ref) for ref in preview.parting.passes],
        keeps=[_object(ref) for ref in preview.parting.keeps],
    )


def _object(ref: ObjectRef) -> PlannedObject:
    return PlannedObject(kind=ref.kind, namespace=ref.namespace, name=ref.name)
