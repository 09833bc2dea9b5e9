"""The status that the kubelet writes, computed from how each container is doing. Pure."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from kubesim import conditions
from kubesim.jsondata import Object


@dataclass(slots=True)
class ContainerRun:
    """How one container is doing. ``state`` and ``last`` are as the API shows them."""

    spec: Object
    pod_uid: str
    init: bool
    state: Object
    last: Object = field(default_factory=dict)
    ready: bool = False
    started: bool = False
    born: int = 0
    """How many times a container was made for it: each has another id."""
    environment: dict[str, str] = field(default_factory=dict)
    """What the last container that was made for it read when it started; it never reads it again."""

    @property
    def name(self) -> str:
        """The container's name."""
        return str(self.spec["name"])

    @property
    def image(self) -> str:
        """The container's image."""
        return str(self.spec.get("image", ""))

    @property
    def restarts(self) -> int:
        """How many times it was started again."""
        return max(0, self.born - 1)

    @property
    def is_sidecar(self) -> bool:
        """Whether it is an init container that goes on running beside the others."""
        return self.init and self.spec.get("restartPolicy") == "Always"

    @property
    def ended(self) -> Object | None:
        """How it ended, if it has."""
        found: Object | None = self.state.get("terminated")
        return found

    @property
    def is_done(self) -> bool:
        """For an init container: whether the next one may start."""
        if self.is_sidecar:
            return self.started
        return self.ended is not None and self.ended["exitCode"] == 0

    def wait(self, reason: str, message: str = "") -> None:
        """It does not run, for that reason."""
        self._leave()
        self.state = {"waiting": {"reason": reason, **({"message": message} if message else {})}}
        self.ready = self.started = False

    def run(self, now: str) -> None:
        """It runs, but is not ready yet."""
        self._leave()
        self.born += 1
        self.state = {"running": {"startedAt": now}}
        self.started = True

    def end(self, code: int, now: str) -> None:
        """It ends; one that does not run starts just before."""
        if "running" not in self.state:
            self.run(now)
        self.state = {
            "terminated": {
                "exitCode": code,
                "reason": "Completed" if code == 0 else "Error",
                "startedAt": self.state["running"]["startedAt"],
                "finishedAt": now,
                "containerID": container_id(self.pod_uid, self.name, self.born),
            }
        }
        # An init container that is done counts as ready.
        self.ready, self.started = self.init and code == 0, False

    def _leave(self) -> None:
        """Keep how it ended as the last state."""
        if "terminated" in self.state:
            self.last = self.state


def container_id(uid: str, name: str, born: int) -> str:
    """The id of the ``born``-th container of that name in a Pod."""
    return "containerd://" + hashlib.sha256(f"{uid}/{name}/{born}".encode()).hexdigest()


def image_id(image: str) -> str:
    """The id under which a node knows an image."""
    return "sha256:" + hashlib.sha256(image.encode()).hexdigest()


def container_status(run: ContainerRun) -> Object:
    """An entry of ``containerStatuses``."""
    made = run.born > 0
    status: Object = {
        "name": run.name,
        "image": run.image,
        "imageID": image_id(run.image) if made else "",
        "ready": run.ready,
        "restartCount": run.restarts,
        "started": run.started,
        "state": run.state,
        "lastState": run.last,
    }
    if made:
        status["containerID"] = container_id(run.pod_uid, run.name, run.born)
    return status


def phase(restart_policy: str, inits: Sequence[ContainerRun], runs: Sequence[ContainerRun]) -> str:
    """The Pod's phase."""
    failed = any(run.ended is not None and run.ended["exitCode"] and not run.is_sidecar for run in inits)
    if failed and restart_policy == "Never":
        return "Failed"
    if not all(run.is_done for run in inits):
        return "Pending"
    if any("waiting" in run.state and not run.last for run in runs):
        return "Pending"
    if any("running" in run.state for run in runs):
        return "Running"
    if restart_policy == "Always":
        return "Running"
    if all(run.ended is not None and run.ended["exitCode"] == 0 for run in runs):
        return "Succeeded"
    return "Failed" if restart_policy == "Never" else "Running"


def pod_status(
    pod: Object,
    inits: Sequence[ContainerRun],
    runs: Sequence[ContainerRun],
    *,
    now: str,
    pod_ip: str,
    host_ip: str,
    mounted: bool,
) -> Object:
    """The Pod's status. What others wrote into it (conditions of theirs, QoS class) is kept."""
    before = pod.get("status") or {}
    policy = pod["spec"].get("restartPolicy", "Always")
    now_phase = phase(policy, inits, runs)
    done = now_phase in ("Succeeded", "Failed")
    known = before.get("conditions", [])

    def settle(kind: str, ok: bool, reason: str = "", message: str = "") -> None:
        nonlocal known
        status = "True" if ok else "False"
        old = conditions.find(known, kind)
        if old is not None and (old["status"], old.get("reason", ""), old.get("message", "")) == (
            status,
            reason,
            message,
        ):
            return
        moved = old["lastTransitionTime"] if old is not None and old["status"] == status else now
        new: Object = {"type": kind, "status": status, "lastProbeTime": None, "lastTransitionTime": moved}
        new |= {key: value for key, value in (("reason", reason), ("message", message)) if value}
        known = [new if found is old else found for found in known] if old is not None else [*known, new]

    settle("PodReadyToStartContainers", mounted and not done)
    incomplete = [run.name for run in inits if not run.is_done]
    if now_phase == "Succeeded":
        settle("Initialized", True, "PodCompleted")
    elif incomplete:
        text = f"containers with incomplete status: [{' '.join(incomplete)}]"
        settle("Initialized", False, "ContainersNotInitialized", text)
    else:
        settle("Initialized", True)
    sidecars = [run for run in inits if run.is_sidecar]
    unready = [run.name for run in (*sidecars, *runs) if not run.ready]
    for kind in ("Ready", "ContainersReady"):
        if done:
            settle(kind, False, "PodCompleted" if now_phase == "Succeeded" else "PodFailed")
        elif unready:
            settle(kind, False, "ContainersNotReady", f"containers with unready status: [{' '.join(unready)}]")
        else:
            settle(kind, True)
    ips: Object = {"podIP": pod_ip, "podIPs": [{"ip": pod_ip}]} if mounted else {}
    status: Object = {
        **before,
        "phase": now_phase,
        "conditions": known,
        "hostIP": host_ip,
        "hostIPs": [{"ip": host_ip}],
        **ips,
        "startTime": before.get("startTime", now),
        "containerStatuses": [container_status(run) for run in sorted(runs, key=lambda run: run.name)],
    }
    if inits:
        status["initContainerStatuses"] = [container_status(run) for run in inits]
    return status
