"""What a task says of its workloads in the cluster, for `kubectl describe`. Nothing that others say is repeated."""

from collections.abc import Iterable
from typing import Literal

from kubemin.cluster.object_events import ObjectEvent, ObjectEvents
from kubemin.engine.journal.rows import Resource
from kubemin.spec.kinds import kind_of
from kubemin.spec.states import Purpose, ResourceState, TaskStatus
from kubemin.store.tasks import Task

_DEPLOYED = (ResourceState.CREATED, ResourceState.CHANGED)
_NOT_PUT_BACK = (ResourceState.KEPT, ResourceState.LOST)


class Announcements:
    """Of one task. Each is told once, however often the cleanup is tried, and by whichever worker."""

    def __init__(self, events: ObjectEvents | None, task: Task) -> None:
        """Without ``events`` nothing is told."""
        self._events = events
        self._task = task

    def deployed(self, rows: Iterable[Resource]) -> None:
        """The task is completed."""
        for row in _workloads(rows):
            if row.state in _DEPLOYED:
                said = "created" if row.state is ResourceState.CREATED else "changed"
                self._tell(row, "Normal", "Deploy", "Deployed", f"{said} it, and it is ready")

    def undone(self, status: TaskStatus, rows: Iterable[Resource], left: Iterable[Resource]) -> None:
        """A pass of the task's rollback has ended, and has left these rows."""
        incomplete = {row.seq for row in left}
        kind: Literal["Normal", "Warning"] = "Normal" if status is TaskStatus.CANCELLED else "Warning"
        for row in _workloads(rows):
            if row.seq in incomplete:
                said = f"is {status} and has not undone what it did to it; `kubemin resources {self._task.id}` says why"
                self._tell(row, "Warning", "RollBack", "CleanupIncomplete", said)
            elif row.state is ResourceState.RESTORED:
                self._tell(row, kind, "RollBack", "RolledBack", f"is {status}, and has put it back as it was")
            elif row.state in _NOT_PUT_BACK:
                said = f"is {status}, and leaves it as others have it; `kubemin resources {self._task.id}` says why"
                self._tell(row, "Warning", "RollBack", "NotRolledBack", said)

    def _tell(self, row: Resource, type_: Literal["Normal", "Warning"], action: str, reason: str, said: str) -> None:
        if self._events is None or row.uid is None:
            return
        task = self._task
        revision = "" if task.revision is None else f", revision {task.revision},"
        note = f"Task {task.id} of application {task.app_name}{revision} {said}."
        self._events.tell(ObjectEvent(row.ref, row.uid, type_, action, reason, note, task.id))


def _workloads(rows: Iterable[Resource]) -> Iterable[Resource]:
    return (row for row in rows if row.purpose is Purpose.APPLY and kind_of(row.ref.kind).controller is not None)
