"""The ReplicaSet controller: as many Pods as the spec says."""

from kubesim import conditions
from kubesim.controllers.hub import Key
from kubesim.controllers.owners import claim, orphans_of_interest, pod_from
from kubesim.controllers.pod_maker import PodMaker
from kubesim.controllers.rollout import replicas_of
from kubesim.controllers.view import condition, controller_of, is_deleting, is_finished, is_ready, obj_phase
from kubesim.jsondata import Object
from kubesim.problems import Problem
from kubesim.storage import EventType


class ReplicaSetController(PodMaker):
    """Syncs ReplicaSets by namespace and name."""

    component = "replicaset-controller"
    watches = ("replicasets", "pods")

    def changed(self, event: EventType, plural: str, obj: Object, old: Object | None) -> None:
        meta = obj["metadata"]
        if plural == "replicasets":
            self.enqueue(meta["namespace"], meta["name"])
            return
        owners = [controller_of(obj), controller_of(old) if old is not None else None]
        names = {owner["name"] for owner in owners if owner is not None and owner["kind"] == "ReplicaSet"}
        if event != "DELETED" and owners[0] is None:
            names |= {owner["metadata"]["name"] for owner in orphans_of_interest(self.hub, "replicasets", obj)}
        for name in sorted(names):
            self.enqueue(meta["namespace"], name)

    def sync(self, key: Key) -> None:
        found = self.view.get("replicasets", key[0], key[1])
        if found is None:
            self.hub.forget(self, key)
            return
        pods = claim(self.hub, found, "pods", fits=lambda pod: not is_finished(pod))
        active = [pod for pod in pods if not is_finished(pod) and not is_deleting(pod)]
        missing = replicas_of(found) - len(active)
        failure: Problem | None = None
        if not is_deleting(found) and missing:
            try:
                if missing > 0:
                    self._create(found, missing)
                else:
                    self._delete(found, active, -missing)
            except Problem as problem:
                failure = problem
        self._write_status(key, failure, missing)
        if failure is not None:
            raise failure

    def _create(self, found: Object, number: int) -> None:
        for _ in range(number):
            self.create_pod(found, pod_from(found["spec"]["template"], found))

    def _delete(self, found: Object, active: list[Object], number: int) -> None:
        for pod in sorted(active, key=_worth)[:number]:
            self.delete_pod(found, pod)

    def _write_status(self, key: Key, failure: Problem | None, missing: int) -> None:
        found = self.view.get("replicasets", key[0], key[1])
        if found is None:
            return
        pods = self.view.controlled(found["metadata"]["uid"], "pods")
        active = [pod for pod in pods if not is_finished(pod) and not is_deleting(pod)]
        labels = (found["spec"]["template"].get("metadata") or {}).get("labels") or {}
        ready = [pod for pod in active if is_ready(pod)]
        min_ready = int(found["spec"].get("minReadySeconds", 0))
        waits = [wait for pod in ready if (wait := self.hub.available_in(pod, min_ready)) > 0]
        counts = {
            "fullyLabeledReplicas": sum(
                labels.items() <= (pod["metadata"].get("labels") or {}).items() for pod in active
            ),
            "readyReplicas": len(ready),
            "availableReplicas": len(ready) - len(waits),
            "observedGeneration": found["metadata"].get("generation", 0),
        }
        known = (found.get("status") or {}).get("conditions", [])
        if failure is None or failure.reason == "NamespaceTerminating":
            known = conditions.without(known, "ReplicaFailure")
        elif conditions.find(known, "ReplicaFailure") is None:
            reason = "FailedCreate" if missing > 0 else "FailedDelete"
            known = conditions.put(known, "ReplicaFailure", "True", reason, failure.message, self.hub.now())
        status: Object = {
            "replicas": len(active),
            **{field: value for field, value in counts.items() if value},
            "terminatingReplicas": sum(is_deleting(pod) and not is_finished(pod) for pod in pods),
            **({"conditions": known} if known else {}),
        }
        self.hub.set_status("replicasets", found, status)
        if waits:
            self.hub.later(min(waits), self, key)


def _worth(pod: Object) -> tuple[bool, int, bool, int, tuple[int, ...]]:
    """What goes first when a ReplicaSet shrinks: not scheduled, pending, not ready, cheap, young."""
    cost = (pod["metadata"].get("annotations") or {}).get("controller.kubernetes.io/pod-deletion-cost", "0")
    since = (condition(pod, "Ready") or {}).get("lastTransitionTime", "")
    return (
        bool(pod["spec"].get("nodeName")),
        ("Pending", "Unknown", "Running").index(obj_phase(pod)) if not is_finished(pod) else 0,
        is_ready(pod),
        int(cost) if cost.lstrip("-").isdigit() else 0,
        tuple(-ord(letter) for letter in f"{since}{pod['metadata'].get('creationTimestamp', '')}"),
    )
