"""The Job controller: Pods that run to completion, as often as needed, as often as allowed."""

from collections.abc import Collection

from kubesim import conditions
from kubesim.controllers.hub import Hub, Key
from kubesim.controllers.owners import pod_from
from kubesim.controllers.pod_maker import PodMaker
from kubesim.controllers.view import controller_of, is_deleting, is_finished, is_ready, obj_phase
from kubesim.jsondata import Object
from kubesim.storage import EventType

_BACKOFF_FIRST, _BACKOFF_MOST = 10.0, 600.0  # seconds between tries
_DECIDED = {"SuccessCriteriaMet": "Complete", "FailureTarget": "Failed"}
"""The condition that says how a Job is to end, and the one that says that it has: since 1.31 that comes only once none
of its Pods terminates any more, and nothing turns the first into the other.
"""


class _Memory:
    """What is remembered of a Job beyond its Pods, which may be deleted while it runs."""

    def __init__(self, now: float) -> None:
        self.started = now
        self.succeeded: set[str] = set()
        self.failed: set[str] = set()
        self.next_try = 0.0


class JobController(PodMaker):
    """Syncs Jobs by namespace and name."""

    component = "job-controller"
    watches = ("jobs", "pods")

    def __init__(self, hub: Hub) -> None:
        super().__init__(hub)
        self._memory: dict[str, _Memory] = {}

    def changed(self, event: EventType, plural: str, obj: Object, old: Object | None) -> None:
        meta = obj["metadata"]
        if plural == "jobs":
            if event == "DELETED":
                self._memory.pop(meta["uid"], None)
            self.enqueue(meta["namespace"], meta["name"])
        elif (owner := controller_of(obj)) is not None and owner["kind"] == "Job":
            memory = self._memory.get(owner["uid"])
            if memory is not None and event == "DELETED" and obj_phase(obj) not in ("Succeeded", "Failed"):
                # A Pod that was deleted before its end counts as failed.
                memory.failed.add(meta["uid"])
            self.enqueue(meta["namespace"], owner["name"])

    def sync(self, key: Key) -> None:
        job = self.view.get("jobs", key[0], key[1])
        if job is None:
            self.hub.forget(self, key)
            return
        status = job.get("status") or {}
        if is_deleting(job):
            return
        if _finished(job):
            self._expire(key, job)
            return
        memory = self._memory.setdefault(job["metadata"]["uid"], _Memory(self.hub.time()))
        spec = job["spec"]
        pods = self.view.controlled(job["metadata"]["uid"], "pods")
        self._count(pods, memory)
        active = [pod for pod in pods if not is_finished(pod) and not is_deleting(pod)]
        suspended = bool(spec.get("suspend"))
        known = status.get("conditions", [])
        completed = False
        if (decided := _decided(known)) is not None:
            for pod in active:
                self.delete_pod(job, pod)
            if not active and not any(is_deleting(pod) and not is_finished(pod) for pod in pods):
                known = self._conclude(job, known, decided)
                completed = decided["type"] == "SuccessCriteriaMet"
        elif (outcome := self._outcome(job, pods, active, memory)) is not None:
            for pod in active:
                self.delete_pod(job, pod)
            known = conditions.put(known, outcome[0], "True", *outcome[1:], self.hub.now(), stamps=("lastProbeTime",))
        elif suspended:
            for pod in active:
                self.delete_pod(job, pod)
            active = []
        else:
            self._create(key, job, len(active), memory)
        if suspended or conditions.find(known, "Suspended") is not None:
            text = ("JobSuspended", "Job suspended") if suspended else ("JobResumed", "Job resumed")
            known = conditions.put(
                known, "Suspended", "True" if suspended else "False", *text, self.hub.now(), stamps=("lastProbeTime",)
            )
        self._write_status(key, known, memory, done=completed)

    def _count(self, pods: list[Object], memory: _Memory) -> None:
        for pod in pods:
            uid, phase = pod["metadata"]["uid"], obj_phase(pod)
            if phase == "Succeeded":
                memory.succeeded.add(uid)
            elif phase == "Failed":
                if uid not in memory.failed:
                    tries = len(memory.failed)
                    delay = min(_BACKOFF_FIRST * 2**tries, _BACKOFF_MOST)
                    memory.next_try = self.hub.time() + delay
                memory.failed.add(uid)

    def _outcome(
        self, job: Object, pods: list[Object], active: list[Object], memory: _Memory
    ) -> tuple[str, str, str] | None:
        """How the Job is to end, once its last Pods have: the condition, its reason and its message.

        ``None`` while it does not.
        """
        spec = job["spec"]
        restarts = sum(
            run.get("restartCount", 0)
            for pod in active
            if pod["spec"].get("restartPolicy") == "OnFailure"
            for field in ("initContainerStatuses", "containerStatuses")
            for run in (pod.get("status") or {}).get(field) or ()
        )
        limit = int(spec.get("backoffLimit", 6))
        if len(memory.failed) > limit or (restarts and restarts >= max(1, limit)):
            return "FailureTarget", "BackoffLimitExceeded", "Job has reached the specified backoff limit"
        deadline = spec.get("activeDeadlineSeconds")
        if deadline is not None and self.hub.time() - memory.started >= deadline:
            return "FailureTarget", "DeadlineExceeded", "Job was active longer than specified deadline"
        completions = spec.get("completions")
        done = bool(memory.succeeded) and not active if completions is None else len(memory.succeeded) >= completions
        if done:
            return "SuccessCriteriaMet", "CompletionsReached", "Reached expected number of succeeded pods"
        return None

    def _conclude(self, job: Object, known: list[Object], decided: Object) -> list[Object]:
        kind = _DECIDED[decided["type"]]
        reason, message = decided["reason"], decided["message"]
        if kind == "Failed":
            self.event(job, "Warning", reason, message)
        else:
            self.event(job, "Normal", "Completed", "Job completed")
        return conditions.put(known, kind, "True", reason, message, self.hub.now(), stamps=("lastProbeTime",))

    def _create(self, key: Key, job: Object, active: int, memory: _Memory) -> None:
        spec = job["spec"]
        if (deadline := spec.get("activeDeadlineSeconds")) is not None:
            self.hub.later(memory.started + deadline - self.hub.time(), self, key)
        wanted = int(spec.get("parallelism", 1))
        if (completions := spec.get("completions")) is not None:
            wanted = min(wanted, completions - len(memory.succeeded))
        elif memory.succeeded:
            wanted = active
        missing = wanted - active
        if missing <= 0:
            return
        wait = memory.next_try - self.hub.time()
        if wait > 0:
            self.hub.later(wait, self, key)
            return
        for _ in range(missing):
            self.create_pod(job, pod_from(spec["template"], job))

    def _write_status(self, key: Key, known: list[Object], memory: _Memory, *, done: bool) -> None:
        job = self.view.get("jobs", key[0], key[1])
        if job is None:
            return
        before = job.get("status") or {}
        pods = self.view.controlled(job["metadata"]["uid"], "pods")
        active = [pod for pod in pods if not is_finished(pod) and not is_deleting(pod)]
        counts = {
            "active": len(active),
            "succeeded": len(memory.succeeded),
            "failed": len(memory.failed),
        }
        suspended = bool(job["spec"].get("suspend"))
        status: Object = {
            **({"conditions": known} if known else {}),
            **({} if suspended else {"startTime": before.get("startTime", self.hub.now())}),
            **({"completionTime": self.hub.now()} if done else {}),
            **{field: value for field, value in counts.items() if value},
            "ready": sum(is_ready(pod) for pod in active),
            "terminating": sum(is_deleting(pod) and not is_finished(pod) for pod in pods),
            "uncountedTerminatedPods": {},
        }
        self.hub.set_status("jobs", job, status)

    def _expire(self, key: Key, job: Object) -> None:
        """Delete a finished Job after its time to live."""
        seconds = job["spec"].get("ttlSecondsAfterFinished")
        if seconds is None:
            return
        memory = self._memory.setdefault(job["metadata"]["uid"], _Memory(self.hub.time()))
        if memory.next_try != float("inf"):
            memory.next_try, memory.started = float("inf"), self.hub.time()
        left = memory.started + seconds - self.hub.time()
        if left > 0:
            self.hub.later(left, self, key)
        else:
            self.hub.delete("jobs", job, propagation="Foreground")


def _finished(job: Object) -> bool:
    return _that_holds((job.get("status") or {}).get("conditions", []), _DECIDED.values()) is not None


def _decided(known: list[Object]) -> Object | None:
    return _that_holds(known, _DECIDED)


def _that_holds(known: list[Object], kinds: Collection[str]) -> Object | None:
    return next((found for found in known if found["type"] in kinds and found["status"] == "True"), None)
