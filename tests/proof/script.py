"""A run of the proof as a value: what is deployed, what goes wrong, and when. Its repr is Python that makes it again.

Moments are counted in points: before and after each commit and each write of any worker (`World` counts them), so that
the same script goes the same way again, as far as a real socket and a real database allow. A moment may also be named
by a part of a point's name, as what happened tells it: the first such point is meant, with ``#2`` behind it the second.
"""

from collections.abc import Iterator
from dataclasses import MISSING, dataclass, fields
from typing import Any

from tests.proof import manifests
from tests.proof.extras import fields_of, kinds_of, merge


class Spelled:
    """A frozen dataclass whose repr leaves out what is as by default."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(_arguments(self))})"


def _arguments(value: Any) -> Iterator[str]:
    named = False
    for field in fields(value):
        given = getattr(value, field.name)
        if field.default is not MISSING and given == field.default:
            named = True
            continue
        yield f"{field.name}={given!r}" if named else repr(given)


PAUSE_SECONDS = 2.0
"""How long a run waits for a promote, at most."""

WAYS: dict[str, Any] = {
    "rolling": "rolling",
    "recreate": "recreate",
    "canary": {"type": "canary", "steps": [{"weight": 30, "seconds": 0.05}]},
    "canary-counts": {"type": "canary", "steps": [{"replicas": 1, "seconds": 0.02}, {"replicas": 2, "seconds": 0.02}]},
    "canary-held": {
        "type": "canary",
        "steps": [
            {"weight": 20, "timeoutSeconds": PAUSE_SECONDS},
            {"weight": 60, "replicas": 2, "timeoutSeconds": PAUSE_SECONDS},
        ],
    },
    "blue-green": "blue-green",
    "blue-green-waits": {"type": "blue-green", "seconds": 0.05},
    "blue-green-held": {"type": "blue-green", "promote": True, "timeoutSeconds": PAUSE_SECONDS},
}
"""Strategies, of a component or of a run; those that end with ``held`` wait for somebody who promotes them."""


_MAIN = {
    "config": "ConfigMap",
    "secret": "Secret",
    "webservice": "Deployment",
    "store": "StatefulSet",
    "daemon": "DaemonSet",
    "job": "Job",
    "manifests": "ConfigMap",
    "cronjob": "CronJob",
}
"""The kind of a component's main object, by its type."""


@dataclass(frozen=True, repr=False)
class Part(Spelled):
    """A component. ``version`` is in its image or its data; ``fate`` is what becomes of its Pods (see `sim`).

    ``way`` is its strategy, one of `WAYS`. ``extras``: of `EXTRAS`, or those of `manifests.of`.

    ``reads`` names a config or a secret, as ``config a``: all its keys are in the environment of the Pods, or in files
    if ``mounted`` is among the ``extras``. They are replaced when it changes if ``rolls`` is; else those of one
    template read now this, now that.
    """

    name: str
    type: str = "config"
    version: int = 1
    fate: str = ""
    replicas: int = 1
    ports: bool = False
    volume: bool = False
    extras: tuple[str, ...] = ()
    reads: str = ""
    way: str = ""

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of its objects."""
        kinds = [_MAIN[self.type]]
        if self.type == "manifests":
            return (*kinds, *manifests.kinds_of(self.extras))
        if self.ports:
            kinds.append("Service")
        if self.volume and self.type in ("webservice", "daemon"):
            kinds.append("PersistentVolumeClaim")
        return kinds_of(tuple(kinds), self.extras)

    def component(self, app: str) -> dict[str, Any]:
        """As JSON that a user of the application would send."""
        component: dict[str, Any] = {"name": self.name, "type": self.type, "properties": {}, "traits": {}}
        if self.type == "manifests":
            made = manifests.of(app, self.name, self.version, self.extras)
            return {**component, "properties": {"manifests": made}}
        if self.type in ("config", "secret"):
            if "external" not in self.extras:
                data = {"version": str(self.version), f"only-{self.version}": "x"}
                component["properties"][{"config": "conf", "secret": "secret"}[self.type]] = data
        else:
            merge(component, self._workload())
        merge(component, fields_of(self.name, self.version, self.extras))
        return component

    def _workload(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            "image": f"{self.type}:{self.fate or 'ready'}-v{self.version}",
            "replicas": self.replicas,
            "properties": {},
            "traits": {},
        }
        if self.way:
            found["strategy"] = WAYS[self.way]
        if self.ports:
            found["properties"]["ports"] = [{"port": 80}]
        if self.type == "cronjob":
            found["properties"]["schedule"] = f"0 0 29 2 {self.version % 7}"  # no run begins while the proof does
        if self.volume:
            size = f"{self.version if 'grows' in self.extras else 1}Gi"
            volume = {"type": "persistent", "tmpCreate": True, "mountPath": "/data", "size": size}
            found["traits"]["storage"] = [{"name": f"v-{self.name}", **volume}]
        if self.reads:
            if "rolls" not in self.extras:
                found["properties"]["restartOnConfigChange"] = False
            kind, name = self.reads.split()
            if "mounted" in self.extras:
                merge(found, {"traits": {"storage": [{"name": "read", "type": kind, "sourceName": name}]}})
            else:
                found["traits"]["envFrom"] = [{"type": kind, "sourceName": name}]
        return found


@dataclass(frozen=True, repr=False)
class Target(Spelled):
    """The object of that kind that a component of the round's application has.

    ``track``: ``canary`` or ``green``, for the one beside it while its Pods are replaced.
    """

    part: str
    kind: str
    track: str = ""


@dataclass(frozen=True, repr=False)
class Foreign(Spelled):
    """An object of somebody else that is in the way when the round begins."""

    target: Target
    flavour: str = "other"
    applied: bool = False


@dataclass(frozen=True, repr=False)
class Trouble(Spelled):
    """A fault of the API server: see `sim.faults.Fault`."""

    action: str
    verb: str = "write"
    resource: str = "*"
    skip: int = 0
    times: int | None = 1
    when: str = "before"
    code: int = 503
    seconds: float | None = None


@dataclass(frozen=True, repr=False)
class Event(Spelled):
    """Something that happens at a point of the round."""

    at: int | str


@dataclass(frozen=True, repr=False)
class Cancel(Event):
    """Somebody cancels the task that runs; ``quiet``: by another process, whose signal does not reach the worker.

    ``cleanup``: what they ask of its cleanup; with ``none`` everything stays as the task left it.
    """

    quiet: bool = False
    cleanup: str = ""


@dataclass(frozen=True, repr=False)
class Kill(Event):
    """The process that reaches the point dies there; its leases run out, another goes on."""


@dataclass(frozen=True, repr=False)
class Pause(Event):
    """The process that reaches the point sleeps there; its leases run out, another goes on; at last it wakes."""


@dataclass(frozen=True, repr=False)
class Expire(Event):
    """All leases run out while their holders still run."""


@dataclass(frozen=True, repr=False)
class Edit(Event):
    """Somebody else edits an object: ``what`` is add, overwrite, strip, scale, inject, hold or remake."""

    target: Target
    what: str = "add"


@dataclass(frozen=True, repr=False)
class Delete(Event):
    """Somebody else deletes an object."""

    target: Target


@dataclass(frozen=True, repr=False)
class Create(Event):
    """Somebody else creates an object, if none is there."""

    target: Target


@dataclass(frozen=True, repr=False)
class Evict(Event):
    """The Pods of a workload go, and others come; with ``restart`` their containers restart in them instead."""

    target: Target
    restart: bool = False


@dataclass(frozen=True, repr=False)
class Cut(Event):
    """All watches break; with ``expired`` they cannot be resumed either."""

    expired: bool = False


@dataclass(frozen=True, repr=False)
class Outage(Event):
    """Nobody answers at the API server's address for a moment."""


@dataclass(frozen=True, repr=False)
class Release(Event):
    """Late and held requests, delayed controllers and stuck objects are let go."""


@dataclass(frozen=True, repr=False)
class Remove(Event):
    """The application is deleted, or only its resources (``keep``).

    ``volumes``: its data too. ``release``: nothing is deleted, everything is let go of (``keepResources``).
    """

    keep: bool = False
    volumes: bool = False
    release: bool = False


@dataclass(frozen=True, repr=False)
class Deny(Event):
    """From here on nobody creates objects of this resource (plural): a policy denies it, or a quota (``full``) is full.

    What is there may still be changed. ``lasts``: also after all has come to rest, to the end of the round.
    """

    resource: str
    full: bool = False
    lasts: bool = False
    code: int = 403


@dataclass(frozen=True, repr=False)
class Again(Event):
    """Another run: of the same application in a next version, or of another application.

    ``how`` and ``way`` as in `Round`.
    """

    parts: tuple[Part, ...]
    on_active: str = "queue"
    app: str = "shop"
    how: str = "exec"
    way: str = ""


@dataclass(frozen=True, repr=False)
class Save(Event):
    """Somebody edits the draft of the round's application, and runs nothing."""

    parts: tuple[Part, ...]


@dataclass(frozen=True, repr=False)
class Promote(Event):
    """Somebody promotes the pause that the task is in, or the next one that it comes to."""


@dataclass(frozen=True, repr=False)
class Round(Spelled):
    """One deploy, and what happens meanwhile; it ends when everything has come to rest and was checked."""

    parts: tuple[Part, ...]
    there: tuple[Foreign, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    events: tuple[Event, ...] = ()
    app: str = "shop"
    seconds: float | None = None
    steps: str = "DAG"
    """``DAG`` and ``StepByStep``: one step with all. The others: see `workflow`."""
    how: str = "exec"
    """``exec`` saves the draft and runs it, ``apply`` runs it as it is sent; ``rollback``, ``rollback-1`` (to the first
    revision), ``restart``."""
    way: str = ""
    """The strategy of the round's runs, one of `WAYS`; empty: as the components say."""
    preflight: bool = True
    namespace: str = "default"
    adopt: bool = True
    take_over: bool = False
    delete_volumes: bool = False
    abandon: bool = False
    """Somebody gives up each cleanup that is incomplete when the tasks have come to rest."""
    ends: str = ""
    """The status that the round's first task must have; empty: any."""


def workflow(steps: str, names: list[str]) -> list[dict[str, Any]] | None:
    """The steps of a run of these components; None: all of them together.

    ``Continue``: the first half may fail. ``Timeout``: it has little time, too. ``Last``: the second half has little
    time, and may fail. ``Pause``: a promote is waited for between the halves; ``Pauses``: and once more before the
    second. ``Half``: only the first half is brought, and the others stay as they are.
    """
    if steps == "DAG":
        return None
    if steps == "StepByStep":
        return [{"name": "all", "mode": steps, "components": names}]
    half = (len(names) + 1) // 2
    first: dict[str, Any] = {"name": "first", "mode": "DAG", "components": names[:half]}
    if steps == "Half":
        return [first]
    second = [{"name": "second", "mode": "DAG", "components": names[half:]}] if names[half:] else []
    if steps == "Last":
        return [first, *({**step, "onFailure": "continue", "timeoutSeconds": 0.5} for step in second)]
    if steps in ("Continue", "Timeout"):
        limit = {"timeoutSeconds": 0.5} if steps == "Timeout" else {}
        return [{**first, "onFailure": "continue", **limit}, *second]
    count = 2 if steps == "Pauses" else 1
    pauses = [{"name": f"pause-{n}", "type": "pause", "timeoutSeconds": PAUSE_SECONDS} for n in range(1, count + 1)]
    return [first, *pauses, *second]


@dataclass(frozen=True, repr=False)
class Script(Spelled):
    """Rounds one after another, on one cluster and one database.

    ``forgets``: after each round all tasks are forgotten that may be, and few revisions are kept.
    """

    rounds: tuple[Round, ...]
    forgets: bool = False
