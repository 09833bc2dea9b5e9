"""An application as the database holds it, as the spec reads it."""

from dataclasses import dataclass
from typing import Any

from kubemin.engine.errors import AppNotFound, WorkflowNotFound
from kubemin.spec.application import Application, parse_application
from kubemin.spec.limits import Limits
from kubemin.spec.names import DEFAULT_CLUSTER
from kubemin.spec.reads import parse_steps
from kubemin.spec.workflow import Step
from kubemin.store import Tx, applications, components, workflows


@dataclass(frozen=True)
class Loaded:
    """An application and one of its workflows."""

    application: Application
    app_id: str
    workflow_id: str
    workflow_name: str
    steps: list[Step]
    config_key: str


@dataclass(frozen=True)
class Stored:
    """What the database has of an application and one of its workflows."""

    row: applications.ApplicationRow
    parts: list[components.ComponentRow]
    flow: workflows.WorkflowRow

    def posted(self) -> dict[str, Any]:
        """As JSON, in the shape in which it was posted; its workflow is there where it has steps."""
        return {**self._without_workflow(), **({"workflow": self.flow.steps} if self.flow.steps else {})}

    def _without_workflow(self) -> dict[str, Any]:
        row = self.row
        texts = ("name", "namespace", "alias", "version", "project", "description", "icon")
        given = {name: getattr(row, name) for name in texts if getattr(row, name)}
        template = {"tmpEnable": True} if row.tmp_enable else {}
        elsewhere = {} if row.cluster == DEFAULT_CLUSTER else {"cluster": row.cluster}
        return {**given, **elsewhere, **template, "component": [part.spec for part in self.parts]}

    def application(self, limits: Limits) -> Application:
        """The application without its workflow, as the spec reads it. Raises `SpecError` like `read`."""
        return parse_application(self._without_workflow(), limits)

    def read(self, limits: Limits) -> Loaded:
        """As the spec reads it. Raises `SpecError` where it no longer is allowed, `Unreadable` of its workflow."""
        application = self.application(limits)
        steps = parse_steps(self.flow.steps, application, limits) if self.flow.steps else application.steps()
        return Loaded(application, self.row.id, self.flow.id, self.flow.name, steps, self.row.config_key or "")


async def load(tx: Tx, app_id: str, workflow_id: str | None, limits: Limits) -> Loaded:
    """Read an application and a workflow of it (the only or oldest one where none is named).

    Raises `AppNotFound`, `WorkflowNotFound`, and `SpecError` where what is stored no longer is allowed.
    """
    return (await stored(tx, app_id, workflow_id)).read(limits)


async def stored(tx: Tx, app_id: str, workflow_id: str | None) -> Stored:
    """Look an application and a workflow of it up, as in `load`. Raises `AppNotFound`, `WorkflowNotFound`."""
    row = await applications.with_key(tx, app_id)
    if row is None:
        raise AppNotFound(app_id)
    parts = await components.of_application(tx, app_id)
    flows = await workflows.of_application(tx, app_id)
    flow = next((one for one in flows if workflow_id in (None, "", one.id)), None)
    if flow is None:
        raise WorkflowNotFound(workflow_id or "")
    return Stored(row, parts, flow)
