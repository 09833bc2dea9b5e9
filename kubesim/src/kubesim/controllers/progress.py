"""A Deployment's status: its counts, and its conditions, which tell whether the rollout is done, coming on or stuck."""

from collections.abc import Sequence

from kubesim import conditions
from kubesim.controllers.hub import Hub
from kubesim.controllers.rollout import bounds, count, has_progressed, is_complete, replicas_of, wanted
from kubesim.jsondata import Object
from kubesim.problems import Problem

_NO_DEADLINE = 2**31 - 1
_SETTLED = ("ProgressDeadlineExceeded", "NewReplicaSetAvailable", "DeploymentPaused")


def counts(deployment: Object, old: Sequence[Object], new: Object | None) -> Object:
    """The numbers of the status. Those that are zero are left out, as the real one's are."""
    sets = [*old, *([new] if new is not None else ())]
    available = count(sets, "availableReplicas")
    numbers = {
        "observedGeneration": deployment["metadata"].get("generation", 0),
        "replicas": count(sets, "replicas"),
        "updatedReplicas": count([new], "replicas") if new is not None else 0,
        "readyReplicas": count(sets, "readyReplicas"),
        "availableReplicas": available,
        "unavailableReplicas": max(0, wanted(sets) - available),
    }
    shown = {field: value for field, value in numbers.items() if value}
    return {**shown, "terminatingReplicas": count(sets, "terminatingReplicas")}


class Progress:
    """Computes statuses, and remembers since when each Deployment has not come further.

    The condition's own times do not do for that: they have whole seconds, and no speed.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._since: dict[str, float] = {}

    def forget(self, deployment: Object) -> None:
        """It goes."""
        self._since.pop(deployment["metadata"]["uid"], None)

    def status(self, deployment: Object, old: Sequence[Object], new: Object | None, *, estimate: bool) -> Object:
        """The whole status. ``estimate``: a rollout is under way, and how it comes on is judged."""
        before = deployment.get("status") or {}
        status = counts(deployment, old, new)
        if "collisionCount" in before:
            status["collisionCount"] = before["collisionCount"]
        enough = status.get("availableReplicas", 0) >= replicas_of(deployment) - bounds(deployment).unavailable
        known: list[Object] = self._put(
            before.get("conditions", []),
            "Available",
            "True" if enough else "False",
            "MinimumReplicasAvailable" if enough else "MinimumReplicasUnavailable",
            "Deployment has minimum availability." if enough else "Deployment does not have minimum availability.",
        )
        if estimate:
            known = self._judge(deployment, status, known, new)
            known = self._failures([*([new] if new is not None else ()), *old], known)
        return {**status, "conditions": known}

    def left(self, deployment: Object) -> float | None:
        """In how many seconds at speed 1 the rollout runs out of time; ``None`` if it cannot any more."""
        status = deployment.get("status") or {}
        current = conditions.find(status.get("conditions", []), "Progressing")
        deadline = _deadline(deployment)
        if deadline is None or current is None or is_complete(deployment, status) or current.get("reason") in _SETTLED:
            return None
        return max(0.0, self._start(deployment) + deadline - self._hub.time())

    def note_set(self, deployment: Object, new: Object, *, created: bool) -> Object:
        """The status once the ReplicaSet of the template is there, made just now or found."""
        status = deployment.get("status") or {}
        known = status.get("conditions", [])
        if _deadline(deployment) is not None and (created or conditions.find(known, "Progressing") is None):
            self._moved(deployment)
            reason = "NewReplicaSetCreated" if created else "FoundNewReplicaSet"
            message = f'{"Created" if created else "Found"} new replica set "{new["metadata"]["name"]}"'
            known = self._put(known, "Progressing", "True", reason, message)
        return {**status, "conditions": known}

    def note_failure(self, deployment: Object, problem: Problem) -> Object:
        """The status once the ReplicaSet could not be made."""
        status = deployment.get("status") or {}
        if _deadline(deployment) is None or problem.reason == "NamespaceTerminating":
            return status
        message = f'Failed to create new replica set "{deployment["metadata"]["name"]}": {problem.message}'
        known = self._put(status.get("conditions", []), "Progressing", "False", "ReplicaSetCreateError", message)
        return {**status, "conditions": known}

    def note_pause(self, deployment: Object) -> Object:
        """The status once it was paused or resumed: a pause must not count as lack of progress."""
        status: Object = deployment.get("status") or {}
        known = status.get("conditions", [])
        reason = (conditions.find(known, "Progressing") or {}).get("reason")
        paused = bool(deployment["spec"].get("paused"))
        if (
            _deadline(deployment) is None
            or reason == "ProgressDeadlineExceeded"
            or paused == (reason == "DeploymentPaused")
        ):
            return status
        self._moved(deployment)
        what = "paused" if paused else "resumed"
        known = self._put(known, "Progressing", "Unknown", f"Deployment{what.capitalize()}", f"Deployment is {what}")
        return {**status, "conditions": known}

    def _judge(self, deployment: Object, status: Object, known: list[Object], new: Object | None) -> list[Object]:
        """The Progressing condition: done, coming on, or out of time."""
        deadline = _deadline(deployment)
        if deadline is None:
            return conditions.without(known, "Progressing")
        reason = (conditions.find(known, "Progressing") or {}).get("reason")
        settled = status.get("replicas", 0) == status.get("updatedReplicas", 0)
        if settled and reason == "NewReplicaSetAvailable":
            return known
        found = deployment if new is None else new
        what = f'{found["kind"]} "{found["metadata"]["name"]}"'
        if is_complete(deployment, status):
            message = f"{what} has successfully progressed."
            return self._put(known, "Progressing", "True", "NewReplicaSetAvailable", message)
        if has_progressed(status, deployment.get("status") or {}):
            self._moved(deployment)
            message = f"{what} is progressing."
            return self._put(known, "Progressing", "True", "ReplicaSetUpdated", message, again=True)
        if reason not in (None, "NewReplicaSetAvailable"):
            late = self._hub.time() - self._start(deployment) >= deadline
            if late or reason == "ProgressDeadlineExceeded":
                message = f"{what} has timed out progressing."
                return self._put(known, "Progressing", "False", "ProgressDeadlineExceeded", message)
        return known

    def _failures(self, sets: Sequence[Object], known: list[Object]) -> list[Object]:
        """The first ReplicaFailure of a ReplicaSet is the Deployment's, too."""
        for found in sets:
            failure = conditions.find(found.get("status", {}).get("conditions", []), "ReplicaFailure")
            if failure is not None:
                words = failure["status"], failure.get("reason", ""), failure.get("message", "")
                return self._put(known, "ReplicaFailure", *words)
        return conditions.without(known, "ReplicaFailure")

    def _put(
        self, known: Sequence[Object], kind: str, status: str, reason: str, message: str, *, again: bool = False
    ) -> list[Object]:
        now = self._hub.now()
        return conditions.put(known, kind, status, reason, message, now, stamps=("lastUpdateTime",), again=again)

    def _moved(self, deployment: Object) -> None:
        self._since[deployment["metadata"]["uid"]] = self._hub.time()

    def _start(self, deployment: Object) -> float:
        return self._since.setdefault(deployment["metadata"]["uid"], self._hub.time())


def _deadline(deployment: Object) -> int | None:
    seconds = deployment["spec"].get("progressDeadlineSeconds", 600)
    return None if seconds == _NO_DEADLINE else int(seconds)
