"""Plans, as values and as JSON."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Any, Self

from kubemin.render import Fetch
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.order import Hook, priority_of
from kubemin.spec.readiness import Readiness
from kubemin.spec.states import PAUSE_KIND, ShareStrategy
from kubemin.spec.workflow import PAUSE, Mode, OnFailure


@dataclass(frozen=True, slots=True)
class Portion:
    """So many replicas that they are ``weight`` percent of all, beside those that the workload ``of`` has just then."""

    of: ObjectRef
    weight: int

    def replicas(self, others: int) -> int:
        """The smallest number, at least 1, that is that share beside ``others``."""
        return max(1, math.ceil(self.weight * others / (100 - self.weight)))


@dataclass(frozen=True)
class Job:
    """One manifest to bring into the cluster. ``seq`` counts from 1 over the whole plan."""

    seq: int
    name: str
    component: str
    component_type: str
    step: str
    manifest: Manifest
    fetch: Fetch | None = None
    if_absent: bool = False
    """Whether an object that is there already is left as it is."""
    share: ShareStrategy | None = None
    hopeless_after: float | None = None
    """Seconds in a hopeless state after which the job fails; 0 waits to the timeout; None as the task says."""
    adopt: bool | None = None
    """Whether it may take over a stranger's object; None as the task says."""
    portion: Portion | None = None
    """How many replicas it gets, where the manifest's number is only what is expected."""
    readiness: Readiness | None = None
    """When it is ready, where a rule says so."""
    hook: Hook | None = None

    @cached_property
    def ref(self) -> ObjectRef:
        """The object that the manifest describes."""
        return ObjectRef.of(self.manifest)

    @property
    def is_made_anew(self) -> bool:
        """Whether an object of a former run is deleted first: a Job runs once, and a hook runs each time."""
        return self.hook is not None and self.ref.kind == "Job"

    @property
    def priority(self) -> int | None:
        """Its place in the order, where that is not its kind's."""
        return priority_of(self.manifest) if self.hook is None else self.hook.priority

    def to_json(self) -> dict[str, Any]:
        """As JSON. Secrets are in it: it belongs nowhere but in the task's row."""
        return {
            "seq": self.seq,
            "name": self.name,
            "component": self.component,
            "componentType": self.component_type,
            "step": self.step,
            "manifest": self.manifest,
            "fetch": {"url": self.fetch.url, "key": self.fetch.key} if self.fetch else None,
            "ifAbsent": self.if_absent,
            "share": self.share and self.share.value,
            "hopelessAfter": self.hopeless_after,
            "adopt": self.adopt,
            "portion": self.portion and [*_ref_json(self.portion.of), self.portion.weight],
            "readiness": self.readiness and self.readiness.to_json(),
            "hook": self.hook and self.hook.to_json(),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The reverse of ``to_json``."""
        return cls(
            seq=data["seq"],
            name=data["name"],
            component=data["component"],
            component_type=data["componentType"],
            step=data["step"],
            manifest=data["manifest"],
            fetch=Fetch(**data["fetch"]) if data["fetch"] else None,
            if_absent=data["ifAbsent"],
            share=ShareStrategy(data["share"]) if data["share"] else None,
            hopeless_after=data.get("hopelessAfter"),
            adopt=data.get("adopt"),
            portion=Portion(ObjectRef(*data["portion"][:3]), data["portion"][3]) if data.get("portion") else None,
            readiness=Readiness.from_json(data["readiness"]) if data["readiness"] else None,
            hook=Hook.from_json(data["hook"]) if data["hook"] else None,
        )


@dataclass(frozen=True, slots=True)
class Hold:
    """The run waits: until somebody promotes it, or for some seconds. ``seq`` is one of the numbers of the jobs."""

    seq: int
    name: str
    component: str = ""
    """Whose hold it is; empty for a pause of the workflow."""
    seconds: float | None = None
    """How long it waits; None: until it is promoted. Who promotes it before ends it too."""
    timeout_seconds: float | None = None
    """How long it waits for somebody to promote it; None: for ever."""

    @property
    def job_name(self) -> str:
        """What its job is called, as ``component/Kind/object``."""
        return f"{self.component}/{PAUSE_KIND}/{self.name}" if self.component else f"{PAUSE} {self.name}/{PAUSE_KIND}"

    @property
    def waits(self) -> str:
        """What it waits for, for people."""
        if self.seconds is not None:
            return f"waits {self.seconds:g} s, or for promote"
        limit = "" if self.timeout_seconds is None else f", {self.timeout_seconds:g} s at most"
        return f"waits for promote{limit}"

    def to_json(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "seq": self.seq,
            "name": self.name,
            "component": self.component,
            "seconds": self.seconds,
            "timeoutSeconds": self.timeout_seconds,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The reverse of ``to_json``."""
        return cls(data["seq"], data["name"], data["component"], data["seconds"], data["timeoutSeconds"])


@dataclass(frozen=True, slots=True)
class Stage:
    """Jobs that may run together, at most ``concurrency`` at a time (None: all at once), then a hold, if there is one.

    ``part`` numbers the steps of the workflow: the stages of one step have the same, and the same ``on_failure`` and
    ``timeout_seconds``, which are the step's.

    ``replaces``: the stage is a part of how the Pods of this workload are replaced (`spec/strategy.py`). It is skipped
    where there are none, or where they stay as they are.
    """

    index: int
    step: str
    mode: Mode
    priority: int
    concurrency: int | None
    jobs: tuple[Job, ...]
    part: int = 0
    hold: Hold | None = None
    replaces: ObjectRef | None = None
    on_failure: OnFailure = OnFailure.STOP
    timeout_seconds: float | None = None

    @property
    def seqs(self) -> tuple[int, ...]:
        """The numbers of its jobs and of its hold."""
        return (*(job.seq for job in self.jobs), *((self.hold.seq,) if self.hold else ()))

    def to_json(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "index": self.index,
            "step": self.step,
            "mode": str(self.mode),
            "priority": self.priority,
            "concurrency": self.concurrency,
            "jobs": [job.to_json() for job in self.jobs],
            "part": self.part,
            "hold": self.hold.to_json() if self.hold else None,
            "replaces": _ref_json(self.replaces) if self.replaces else None,
            "onFailure": str(self.on_failure),
            "timeoutSeconds": self.timeout_seconds,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The reverse of ``to_json``."""
        return cls(
            index=data["index"],
            step=data["step"],
            mode=Mode(data["mode"]),
            priority=data["priority"],
            concurrency=data["concurrency"],
            jobs=tuple(Job.from_json(job) for job in data["jobs"]),
            part=data["part"],
            hold=Hold.from_json(data["hold"]) if data["hold"] else None,
            replaces=ObjectRef(*data["replaces"]) if data.get("replaces") else None,
            on_failure=OnFailure(data["onFailure"]),
            timeout_seconds=data["timeoutSeconds"],
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """Stages, one after another. A later one begins when all jobs of the former are ready, and its hold is over."""

    stages: tuple[Stage, ...]

    @property
    def parts(self) -> tuple[tuple[Stage, ...], ...]:
        """The stages of each step of the workflow."""
        return tuple(tuple(stages) for _, stages in groupby(self.stages, key=lambda stage: stage.part))

    @property
    def jobs(self) -> tuple[Job, ...]:
        """All jobs, in order."""
        return tuple(job for stage in self.stages for job in stage.jobs)

    def to_json(self) -> Any:
        """As JSON, for the task's row."""
        return {"stages": [stage.to_json() for stage in self.stages]}

    @classmethod
    def from_json(cls, data: Any) -> Self:
        """The reverse of ``to_json``."""
        return cls(tuple(Stage.from_json(stage) for stage in data["stages"]))


def hook_of_others(deployed: Collection[str], job: Job) -> str | None:
    """Why a run leaves a job out, where it is a hook of other runs. ``deployed``: components that are there already."""
    return None if job.hook is None else job.hook.why_not(deployed=job.component in deployed)


def _ref_json(ref: ObjectRef) -> list[str]:
    return [ref.kind, ref.namespace, ref.name]
