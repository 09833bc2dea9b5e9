"""The disruption controller: says in a PodDisruptionBudget's status how many of its Pods may go."""

from kubesim import conditions
from kubesim.controllers.hub import Controller, Key
from kubesim.controllers.owners import selects
from kubesim.controllers.rollout import replicas_of, scaled
from kubesim.controllers.view import controller_of, is_deleting, is_finished, is_ready
from kubesim.jsondata import Object
from kubesim.storage import EventType

_OWNERS = {"ReplicaSet": "replicasets", "StatefulSet": "statefulsets"}


class DisruptionController(Controller):
    """Syncs PodDisruptionBudgets by namespace and name."""

    watches = ("poddisruptionbudgets", "pods")

    def changed(self, event: EventType, plural: str, obj: Object, old: Object | None) -> None:
        meta = obj["metadata"]
        if plural == "poddisruptionbudgets":
            self.enqueue(meta["namespace"], meta["name"])
            return
        labels = meta.get("labels") or {}
        for budget in self.view.all("poddisruptionbudgets", meta["namespace"]):
            if selects(budget["spec"].get("selector"), labels):
                self.enqueue(meta["namespace"], budget["metadata"]["name"])

    def sync(self, key: Key) -> None:
        budget = self.view.get("poddisruptionbudgets", key[0], key[1])
        if budget is None:
            self.hub.forget(self, key)
            return
        if is_deleting(budget):
            return
        spec = budget["spec"]
        chosen = [
            pod
            for pod in self.view.all("pods", key[0])
            if selects(spec.get("selector"), pod["metadata"].get("labels") or {})
            and not is_finished(pod)
            and not is_deleting(pod)
        ]
        healthy = sum(is_ready(pod) for pod in chosen)
        minimum = spec.get("minAvailable")
        if isinstance(minimum, int):
            expected, desired = len(chosen), minimum
        else:
            expected = self._expected(chosen)
            if "maxUnavailable" in spec:
                desired = max(0, expected - scaled(spec["maxUnavailable"], expected, up=True))
            else:
                desired = scaled(minimum or 0, expected, up=True)
        allowed = max(0, healthy - desired) if expected else 0
        self._write(budget, healthy, desired, allowed, expected)

    def _expected(self, pods: list[Object]) -> int:
        """How many Pods the controllers of these want to have."""
        owners = {owner["uid"]: owner for pod in pods if (owner := controller_of(pod)) is not None}
        total = 0
        for uid, owner in owners.items():
            found = self.view.by_uid(uid)
            known = found is not None and owner["kind"] in _OWNERS
            total += (
                replicas_of(found[1])
                if known and found is not None
                else len([pod for pod in pods if (controller_of(pod) or {}).get("uid") == uid])
            )
        return total

    def _write(self, budget: Object, healthy: int, desired: int, allowed: int, expected: int) -> None:
        status = budget.get("status") or {}
        generation = budget["metadata"].get("generation", 0)
        outcome = ("True", "SufficientPods") if allowed else ("False", "InsufficientPods")
        known = status.get("conditions") or []
        old = conditions.find(known, "DisruptionAllowed")
        if old is None or (old["status"], old.get("observedGeneration")) != (outcome[0], generation):
            known = conditions.put(known, "DisruptionAllowed", *outcome, "", self.hub.now(), again=True)
            known[-1] |= {"message": "", "observedGeneration": generation}
        self.hub.set_status(
            "poddisruptionbudgets",
            budget,
            {
                **status,
                "observedGeneration": generation,
                "disruptionsAllowed": allowed,
                "currentHealthy": healthy,
                "desiredHealthy": desired,
                "expectedPods": expected,
                "conditions": known,
            },
        )
