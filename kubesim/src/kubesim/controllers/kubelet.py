"""The kubelet: runs the Pods of a node. What a container does is decided by its image, see ``fates``."""

import math
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field

from kubesim.controllers.fates import fate_of
from kubesim.controllers.hub import Controller, Hub, Key
from kubesim.controllers.podstatus import ContainerRun, pod_status
from kubesim.controllers.references import env_problem, environment, mount_problem
from kubesim.controllers.view import is_deleting, is_finished
from kubesim.jsondata import Object
from kubesim.problems import Problem
from kubesim.storage import EventType

_MANAGER = "kubelet"
_START = 0.3  # seconds from a Pod's arrival on the node to its containers
_PULL_RETRY = 0.5  # seconds from ErrImagePull to ImagePullBackOff
_STOP = 0.3  # seconds that a terminating Pod takes, unless its grace period is shorter
_BACKOFF_FIRST, _BACKOFF_MOST = 10.0, 300.0  # seconds between restarts
_BACKOFF_LEAST = 0.2  # seconds of the wall clock, at any speed: a crash loop must not fill the processor

Script = Generator[float, None, None]
"""The life of a container, or of a Pod: it yields how many seconds it waits, ``inf`` for "until something changes"."""


@dataclass(slots=True)
class _Step:
    script: Script
    due: float
    run: ContainerRun | None = None
    """The container whose life it is."""


@dataclass(slots=True)
class _Life:
    """What the kubelet remembers of a Pod on its node."""

    uid: str
    ip: str
    inits: list[ContainerRun]
    runs: list[ContainerRun]
    steps: list[_Step] = field(default_factory=list)
    mounted: bool = False
    ends_at: float = math.inf
    ended: bool = False


class Kubelet(Controller):
    """Syncs Pods by namespace and name, once they are bound."""

    watches = ("pods", "configmaps", "secrets")

    def __init__(self, hub: Hub) -> None:
        super().__init__(hub)
        self._lives: dict[Key, _Life] = {}
        self._addresses = _addresses()

    def changed(self, event: EventType, plural: str, obj: Object, old: Object | None) -> None:
        meta = obj["metadata"]
        if plural == "pods":
            if obj["spec"].get("nodeName") or event == "DELETED":
                self.enqueue(meta["namespace"], meta["name"])
            return
        for pod in self.view.users(plural, meta["namespace"], meta["name"]):
            key = (meta["namespace"], pod["metadata"]["name"])
            life = self._lives.get(key)
            if life is None:
                continue
            for step in life.steps:
                if step.due == math.inf:
                    step.due = 0.0
                    self.enqueue(*key)

    def sync(self, key: Key) -> None:
        pod = self.view.get("pods", key[0], key[1])
        life = self._lives.get(key)
        if life is not None and (pod is None or pod["metadata"]["uid"] != life.uid):
            del self._lives[key]
            self.hub.forget(self, key)
            life = None
        if pod is None or not pod["spec"].get("nodeName"):
            return
        if is_deleting(pod):
            self._stop(key, pod, life)
            return
        if life is None:
            if is_finished(pod):
                return
            life = self._begin(pod)
            self._lives[key] = life
        self._advance(life)
        self._write_status(pod, life)
        self._wait(key, life)

    def log(self, namespace: str, name: str, container: str, *, previous: bool = False) -> str | None:
        """The last log lines of a container, ``None`` if it never ran."""
        life = self._lives.get((namespace, name))
        run = next((run for run in (*life.runs, *life.inits) if run.name == container), None) if life else None
        if run is None or not run.born or (previous and not run.last):
            return None
        lines = [f"{container}: starting {run.image}"]
        ended = run.last.get("terminated") if previous or "waiting" in run.state else run.ended
        if ended is not None:
            code = ended["exitCode"]
            lines.append(f"{container}: fatal: simulated crash" if code else f"{container}: done")
        elif run.ready:
            lines.append(f"{container}: ready")
        return "\n".join(lines) + "\n"

    def environment_of(self, uid: str) -> dict[str, dict[str, str]]:
        """What the containers of a Pod read when they started, by container; of those that never did, nothing."""
        life = next((life for life in self._lives.values() if life.uid == uid), None)
        runs = (*life.inits, *life.runs) if life is not None else ()
        return {run.name: dict(run.environment) for run in runs if run.born}

    def restart(self, namespace: str, name: str, container: str) -> None:
        """A running container exits with 1, as by a failed liveness probe; the kubelet starts it again at once.

        Raises `LookupError` where no such container is running, or the Pod is not to restart it.
        """
        pod, life = self.view.get("pods", namespace, name), self._lives.get((namespace, name))
        runs = (*life.inits, *life.runs) if life is not None else ()
        run = next((run for run in runs if run.name == container and "running" in run.state), None)
        if pod is None or life is None or run is None or is_deleting(pod) or not _is_restarted(pod, run):
            raise LookupError(f"no container {container} to restart in pod {namespace}/{name}")
        life.steps = [step for step in life.steps if step.run is not run]
        run.end(1, self.hub.now())
        life.steps.append(_Step(self._serve(pod, run), 0.0, run))
        self.enqueue(namespace, name)

    def _advance(self, life: _Life) -> None:
        """Do all that is due, and what becomes due by that."""
        now = self.hub.time()
        while due := [step for step in life.steps if step.due <= now]:
            for step in due:
                try:
                    step.due = now + next(step.script)
                except StopIteration:
                    life.steps.remove(step)

    def _wait(self, key: Key, life: _Life) -> None:
        due = min([life.ends_at, *(step.due for step in life.steps)])
        if due < math.inf:
            self.hub.later(max(0.0, due - self.hub.time()), self, key)

    # --- a Pod's life

    def _begin(self, pod: Object) -> _Life:
        spec, uid = pod["spec"], pod["metadata"]["uid"]
        first = {"waiting": {"reason": "PodInitializing" if spec.get("initContainers") else "ContainerCreating"}}
        inits = [ContainerRun(found, uid, True, first) for found in spec.get("initContainers") or ()]
        runs = [ContainerRun(found, uid, False, first) for found in spec["containers"]]
        life = _Life(uid, next(self._addresses), inits, runs)
        life.steps.append(_Step(self._live(pod, life), 0.0))
        return life

    def _live(self, pod: Object, life: _Life) -> Script:
        """The volumes, the init containers one after another, then all containers at once."""
        namespace = pod["metadata"]["namespace"]
        while problem := mount_problem(pod["spec"], lambda plural, name: self.view.get(plural, namespace, name)):
            self._event(pod, "Warning", "FailedMount", problem)
            yield math.inf
        yield _START
        life.mounted = True
        for run in life.inits:
            if run.is_sidecar:
                yield from self._bring_up(pod, run)
                life.steps.append(_Step(self._become_ready(pod, run), 0.0, run))
                continue
            yield from self._run_to_end(pod, run)
            if not run.is_done:
                return
        life.steps.extend(_Step(self._run(pod, run), 0.0, run) for run in life.runs)

    def _run(self, pod: Object, run: ContainerRun) -> Script:
        if pod["spec"].get("restartPolicy", "Always") == "Always":
            return self._serve(pod, run)
        return self._run_to_end(pod, run)

    def _serve(self, pod: Object, run: ContainerRun) -> Script:
        """A container that is to run for ever."""
        yield from self._bring_up(pod, run)
        yield from self._become_ready(pod, run)

    def _bring_up(self, pod: Object, run: ContainerRun) -> Script:
        yield from self._create(pod, run)
        if fate_of(run.image, ends=False).kind == "crash":
            yield from self._crash(pod, run)
        run.run(self.hub.now())
        self._started(pod, run)

    def _become_ready(self, pod: Object, run: ContainerRun) -> Script:
        fate = fate_of(run.image, ends=False)
        if fate.kind == "never":
            self._event(pod, "Warning", "Unhealthy", "Readiness probe failed: simulated", run)
            return
        if fate.seconds:
            yield fate.seconds
        run.ready = True

    def _run_to_end(self, pod: Object, run: ContainerRun) -> Script:
        """A container that is to end: of a Job, or an init container. A failed one is restarted as the Pod says."""
        fate = fate_of(run.image, ends=True)
        yield from self._create(pod, run)
        if fate.kind == "fail" and pod["spec"].get("restartPolicy", "Always") != "Never":
            yield from self._crash(pod, run)
        run.run(self.hub.now())
        self._started(pod, run)
        if fate.kind == "never":
            return
        run.ready = not run.init
        yield fate.seconds or _START
        run.end(1 if fate.kind == "fail" else 0, self.hub.now())

    def _create(self, pod: Object, run: ContainerRun) -> Script:
        """Pull the image, then make the container. Neither may ever work."""
        image = run.image
        if fate_of(image, ends=False).kind == "pull":
            message = f'failed to pull and unpack image "{image}": failed to resolve reference "{image}": not found'
            self._event(pod, "Normal", "Pulling", f'Pulling image "{image}"', run)
            self._event(pod, "Warning", "Failed", f'Failed to pull image "{image}": {message}', run)
            self._event(pod, "Warning", "Failed", "Error: ErrImagePull", run)
            run.wait("ErrImagePull", message)
            yield _PULL_RETRY
            self._event(pod, "Normal", "BackOff", f'Back-off pulling image "{image}"', run)
            self._event(pod, "Warning", "Failed", "Error: ImagePullBackOff", run)
            run.wait("ImagePullBackOff", f'Back-off pulling image "{image}": ErrImagePull: {message}')
            while True:
                yield math.inf
        self._event(pod, "Normal", "Pulled", f'Container image "{image}" already present on machine', run)
        yield from self._read_environment(pod, run)

    def _read_environment(self, pod: Object, run: ContainerRun) -> Script:
        """Each container that is made for a Pod, also at a restart, reads its environment once: as it is then."""
        namespace = pod["metadata"]["namespace"]

        def find(plural: str, name: str) -> Object | None:
            return self.view.get(plural, namespace, name)

        while problem := env_problem(run.spec, namespace, find):
            self._event(pod, "Warning", "Failed", f"Error: {problem}", run)
            run.wait("CreateContainerConfigError", problem)
            yield math.inf
        run.environment = environment(run.spec, find)

    def _crash(self, pod: Object, run: ContainerRun) -> Script:
        """For ever: start, exit at once without ever counting as ready, start again later and later."""
        meta = pod["metadata"]
        where = f"{run.name} in pod {meta['name']}_{meta['namespace']}({meta['uid']})"
        while True:
            yield from self._read_environment(pod, run)
            run.end(1, self.hub.now())
            self._started(pod, run)
            yield _START
            if run.restarts == 0:
                continue  # the first restart comes without a back-off
            seconds = min(_BACKOFF_FIRST * 2 ** (run.restarts - 1), _BACKOFF_MOST)
            self._event(pod, "Warning", "BackOff", f"Back-off restarting failed container {where}", run)
            run.wait("CrashLoopBackOff", f"back-off {_duration(seconds)} restarting failed container={where}")
            yield max(seconds, _BACKOFF_LEAST * self.hub.speed)

    # --- its end

    def _stop(self, key: Key, pod: Object, life: _Life | None) -> None:
        """Let a terminating Pod go: its containers first, then the object."""
        now = self.hub.time()
        if life is None:
            life = self._lives[key] = self._begin(pod)
            life.steps.clear()
        if life.ended:
            return
        if life.ends_at == math.inf:
            life.steps.clear()
            grace = pod["metadata"].get("deletionGracePeriodSeconds") or 0
            life.ends_at = now + min(grace, _STOP)
            for run in (*life.inits, *life.runs):
                if "running" in run.state:
                    self._event(pod, "Normal", "Killing", f"Stopping container {run.name}", run)
        if now < life.ends_at:
            self._wait(key, life)
            return
        life.ended = True
        life.ends_at = math.inf
        self.hub.delete("pods", pod, grace=0)

    # --- what it writes

    def _write_status(self, pod: Object, life: _Life) -> None:
        node = self.view.get("nodes", "", pod["spec"]["nodeName"])
        addresses = ((node or {}).get("status") or {}).get("addresses") or [{"address": "10.0.0.1"}]
        status = pod_status(
            pod,
            life.inits,
            life.runs,
            now=self.hub.now(),
            pod_ip=life.ip,
            host_ip=addresses[0]["address"],
            mounted=life.mounted,
        )
        try:
            self.hub.set_status("pods", pod, status, manager=_MANAGER)
        except Problem as problem:
            if problem.code != 404:
                raise

    def _started(self, pod: Object, run: ContainerRun) -> None:
        self._event(pod, "Normal", "Created", f"Created container: {run.name}", run)
        self._event(pod, "Normal", "Started", f"Started container {run.name}", run)

    def _event(self, pod: Object, kind: str, reason: str, message: str, run: ContainerRun | None = None) -> None:
        where = f"spec.{'initContainers' if run.init else 'containers'}{{{run.name}}}" if run is not None else ""
        host = pod["spec"].get("nodeName", "")
        self.hub.recorder.record(pod, kind, reason, message, component="kubelet", field=where, host=host)


def _is_restarted(pod: Object, run: ContainerRun) -> bool:
    """Whether the container is to run for ever."""
    return run.is_sidecar or (not run.init and pod["spec"].get("restartPolicy", "Always") == "Always")


def _duration(seconds: float) -> str:
    """As Go prints a duration: ``10s``, ``2m40s``."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"


def _addresses() -> Iterator[str]:
    number = 2
    while True:
        yield f"10.244.{number // 254 % 256}.{number % 254 + 1}"
        number += 1
