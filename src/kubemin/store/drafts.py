"""Drafts: an application's row, its components and its workflows, as they were saved last."""

from collections.abc import Sequence

from kubemin.spec.application import Application, dump_steps
from kubemin.spec.workflow import Step, without_missing
from kubemin.store import applications, components, workflows
from kubemin.store.transaction import Tx


async def create(tx: Tx, application: Application, *, config_key: str, workflow_id: str = "") -> None:
    """Store an application that is not there yet, with its one workflow. Raises `Duplicate` where it is there."""
    row = _row(application, config_key)
    await applications.insert(tx, row)
    await components.replace_components(tx, row.id, application.component)
    steps = dump_steps(application.workflow or [])
    await workflows.insert(tx, workflows.made(row, f"{row.name}-workflow", "", steps, workflow_id))


async def save(tx: Tx, application: Application, steps: Sequence[Step] | None) -> None:
    """Make an application that is stored this one; ``steps`` are those of its first workflow, None: as they are.

    Components that are gone are taken out of the workflows that stay, so far as these can be read.
    """
    row = _row(application)
    await applications.update(tx, row)
    await components.replace_components(tx, row.id, application.component)
    flows = await workflows.of_application(tx, row.id)
    if steps is not None and flows:
        await workflows.update(tx, workflows.changed(flows.pop(0), steps=dump_steps(steps)))
    names = {component.name for component in application.component}
    for flow in flows:
        if flow.unreadable:
            continue  # who runs it is told, and what it says of them once it can be read again
        left = without_missing(flow.steps, names)
        if left != flow.steps:
            await workflows.update(tx, workflows.changed(flow, steps=left))


def _row(application: Application, config_key: str | None = None) -> applications.NewApplication:
    return applications.NewApplication(
        id=application.app_id,
        name=application.name,
        namespace=application.namespace,
        cluster=application.cluster,
        alias=application.alias or "",
        version=application.version or "",
        project=application.project or "",
        description=application.description or "",
        icon=application.icon or "",
        tmp_enable=application.tmp_enable,
        config_key=config_key,
    )
