"""What is known of a task that is followed, kept up to date from its events. Pure."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kubemin.api.progress import component_status
from kubemin.cli.by_code import hold
from kubemin.cli.exits import Exit
from kubemin.cli.language import because, tr
from kubemin.spec.states import Cleanup, JobStatus, ResourceState, TaskStatus

if TYPE_CHECKING:
    from kubemin.client.replies import Event, JobEvent, ResourceEvent, Task, TaskEvent, TaskStages


@dataclass
class JobLine:
    """A job as it is known; ``name`` is ``component/Kind/object``, ``note`` what was said of it last."""

    name: str
    status: JobStatus
    ended_shown: bool = False
    note: str = ""

    @property
    def component(self) -> str:
        """The component that the job belongs to."""
        return self.name.partition("/")[0]

    @property
    def kind(self) -> str:
        """The kind of object that it applies."""
        return self.name.split("/")[1] if "/" in self.name else ""


@dataclass
class ComponentLine:
    """One line of the display. Times are unix seconds by this machine's clock, from when the change was seen."""

    name: str
    type: str
    status: str
    ready: str = ""
    note: str = ""
    start: int | None = None
    end: int | None = None


@dataclass
class Progress:
    """A followed task. ``load`` first, then ``take`` each event."""

    task_id: str
    status: TaskStatus = TaskStatus.WAITING
    cleanup: Cleanup = Cleanup.NONE
    reason: str = ""
    seen: int = 0
    """Id of the last event taken in."""
    end_told: bool = False
    """The task's end was among the events taken in; the status may be ahead of them."""
    components: dict[str, ComponentLine] = field(default_factory=dict)
    jobs: dict[int, JobLine] = field(default_factory=dict)

    def load(self, status: "Task", stages: "TaskStages | None" = None) -> None:
        """Take over what the API says of the task now."""
        self.status = TaskStatus(status["status"])
        self.cleanup = Cleanup(status["cleanup"]["state"])
        self.reason = status["reason"]
        for one in status["components"]:
            component = self.components.setdefault(one["name"], ComponentLine(one["name"], one["type"], one["status"]))
            component.status, component.note = one["status"], one["error"] or self._note(one["name"])
            component.start, component.end = one.get("startTime"), one.get("endTime")
        for stage in stages["stages"] if stages else ():
            if stage["type"] not in ("rollback", "removal"):
                job = self.jobs.setdefault(stage["id"], JobLine(stage["name"], JobStatus.QUEUED))
                job.status = JobStatus(stage["status"])

    def take(self, event: "Event", now: float) -> list[str]:
        """Take an event in; returns the lines that tell a person of it, none for one of a later server."""
        try:
            if event["type"] == "task":
                return self._task(event, TaskStatus(event["status"]), now)
            if event["type"] == "job":
                return self._job(event, JobStatus(event["status"]), now)
            if event["type"] == "resource":
                return self._resource(event)
            if event["type"] == "cleanup":
                self.cleanup = Cleanup(event["state"])
                return [because(tr("cleanup {state}", state=self.cleanup), event.get("why"))]
        except (KeyError, ValueError):  # a field or a state that this version does not have
            return []
        return []

    def _task(self, event: "TaskEvent", status: TaskStatus, now: float) -> list[str]:
        if not self.status.ended:  # what was loaded may be ahead of what is told
            self.status = status
        self.end_told = self.end_told or status.ended
        self.reason = event.get("reason") or self.reason
        self._end_components(now)
        return [because(tr("task {status}", status=status), self.reason if status.ended else "")]

    def _job(self, event: "JobEvent", status: JobStatus, now: float) -> list[str]:
        job = self.jobs.get(event["job"])
        undone = status is JobStatus.CANCELLED  # also of a job that had completed: its step failed
        if job is None or (job.ended_shown and not undone):
            return []
        job.ended_shown = status.ended
        if undone or not job.status.ended:  # what was loaded may be ahead of what is told
            job.status = status
        component = self.components.setdefault(job.component, ComponentLine(job.component, "", "queued"))
        mine = [other.status for other in self.jobs.values() if other.component == component.name]
        component.status = component_status(self.status, mine)
        if component.start is None and job.status is not JobStatus.QUEUED:
            component.start = int(now)
        if component.end is None and all(status.ended for status in mine):
            component.end = int(now)
        if "ready" in event:
            component.ready = f"{event['ready']}/{event.get('desired')}"
        said = event.get("error") or ""
        if status is not JobStatus.COMPLETED:
            said = said or hold(self._short(job, event.get("info")))
        if said or status.ended:  # an event that says nothing takes nothing back
            job.note = said
        component.note = self._note(component.name)
        what = job.name.partition("/")[2] or job.name
        return [f"{component.name}  {what}  {status}" + (f"  {said}" if said else "")]

    def _note(self, component: str) -> str:
        """What is said of the component's jobs: of the last one of which something is, as others are quiet."""
        notes = [job.note for job in self.jobs.values() if job.component == component and job.note]
        return notes[-1] if notes else ""

    @staticmethod
    def _short(job: JobLine, info: str | None) -> str:
        """What is said of the job's object, without its name, which is there already."""
        return (info or "").removeprefix(f"{job.kind} {job.name.rpartition('/')[2]}: ")

    def _resource(self, event: "ResourceEvent") -> list[str]:
        if not self.end_told:
            return []  # going forward, the jobs tell it
        if not event["why"] and not ResourceState(event["state"]).settled:
            return []  # the last that it did before its end: nothing is put back by that
        name = "/".join(part for part in (event["kind"], event["namespace"], event["name"]) if part)
        what = tr("removal") if self.status is TaskStatus.COMPLETED else tr("rollback")
        return [f"{what}  {name}  {event['state']}" + (f"  {event['why']}" if event["why"] else "")]

    def _end_components(self, now: float) -> None:
        if not self.status.ended:
            return
        for component in self.components.values():
            mine = [job.status for job in self.jobs.values() if job.component == component.name]
            component.status = component_status(self.status, mine)
            if component.start is not None and component.end is None:
                component.end = int(now)

    @property
    def settled(self) -> bool:
        """Nothing more will happen, unless the reaper succeeds later."""
        return self.status.ended and self.cleanup.settled

    @property
    def exit(self) -> Exit:
        """The exit code of a settled task."""
        if self.cleanup in (Cleanup.INCOMPLETE, Cleanup.ABANDONED):
            return Exit.INCOMPLETE
        match self.status:
            case TaskStatus.COMPLETED:
                return Exit.OK
            case TaskStatus.TIMEOUT:
                return Exit.TIMEOUT
            case TaskStatus.CANCELLED:
                return Exit.CANCELLED
            case _:
                return Exit.FAILED
