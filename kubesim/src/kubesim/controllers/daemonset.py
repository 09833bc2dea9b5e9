"""The DaemonSet controller: a Pod on each node that can take one."""

from collections.abc import Sequence

from kubesim.controllers import revisions
from kubesim.controllers.hub import Key
from kubesim.controllers.owners import claim, orphans_of_interest, pod_from
from kubesim.controllers.pod_maker import PodMaker
from kubesim.controllers.revisions import REVISION_LABEL
from kubesim.controllers.rollout import scaled
from kubesim.controllers.scheduler import named_nodes, refusal
from kubesim.controllers.view import controller_of, is_deleting, is_finished, is_ready
from kubesim.jsondata import Object
from kubesim.problems import Problem
from kubesim.storage import EventType

_TEMPLATE_GENERATION = "pod-template-generation"
_TOLERATED = (
    ("not-ready", "NoExecute"),
    ("unreachable", "NoExecute"),
    ("disk-pressure", "NoSchedule"),
    ("memory-pressure", "NoSchedule"),
    ("pid-pressure", "NoSchedule"),
    ("unschedulable", "NoSchedule"),
)


class DaemonSetController(PodMaker):
    """Syncs DaemonSets by namespace and name."""

    component = "daemonset-controller"
    watches = ("daemonsets", "pods", "nodes")

    def changed(self, event: EventType, plural: str, obj: Object, old: Object | None) -> None:
        meta = obj["metadata"]
        if plural == "nodes":
            if old is None or old["metadata"].get("labels") != meta.get("labels") or old.get("spec") != obj.get("spec"):
                for found in self.view.all("daemonsets"):
                    self.enqueue(found["metadata"]["namespace"], found["metadata"]["name"])
        elif plural == "daemonsets":
            self.enqueue(meta["namespace"], meta["name"])
        elif (owner := controller_of(obj)) is not None:
            if owner["kind"] == "DaemonSet":
                self.enqueue(meta["namespace"], owner["name"])
        elif event != "DELETED":
            for found in orphans_of_interest(self.hub, "daemonsets", obj):
                self.enqueue(meta["namespace"], found["metadata"]["name"])

    def sync(self, key: Key) -> None:
        found = self.view.get("daemonsets", key[0], key[1])
        if found is None:
            self.hub.forget(self, key)
            return
        pods = claim(self.hub, found, "pods", fits=lambda pod: not is_finished(pod))
        claim(self.hub, found, "controllerrevisions")
        if is_deleting(found):
            return
        _, update, collisions = revisions.settle(self.hub, found)
        failure: Problem | None = None
        try:
            self._place(found, pods, update)
        except Problem as problem:
            failure = problem
        self._write_status(key, update, collisions)
        revisions.truncate(self.hub, found, pods)
        if failure is not None:
            raise failure

    def _nodes(self, found: Object) -> list[str]:
        """The nodes that should have a Pod."""
        pod = _pod(found, "", "")
        refusals = {node["metadata"]["name"]: refusal(pod, node) for node in self.view.all("nodes")}
        # A Pod that does not fit is made all the same, and waits.
        return [name for name, why in refusals.items() if why is None or why.startswith("Insufficient")]

    def _place(self, found: Object, pods: Sequence[Object], update: Object) -> None:
        nodes = self._nodes(found)
        by_node: dict[str, list[Object]] = {}
        for pod in pods:
            if is_finished(pod) and not is_deleting(pod):
                self.delete_pod(found, pod)
            by_node.setdefault(_node_of(pod), []).append(pod)
        for node, there in by_node.items():
            extra = [pod for pod in there if not is_deleting(pod) and not is_finished(pod)]
            for pod in extra if node not in nodes else extra[1:]:
                self.delete_pod(found, pod)
        for node in nodes:
            if not by_node.get(node):
                self.create_pod(found, _pod(found, node, update["metadata"]["labels"]["controller.kubernetes.io/hash"]))
        if (found["spec"].get("updateStrategy") or {}).get("type") != "OnDelete":
            self._roll(found, nodes, [pod for node in nodes for pod in by_node.get(node, ())], update)

    def _roll(self, found: Object, nodes: Sequence[str], pods: Sequence[Object], update: Object) -> None:
        """Delete Pods of older templates, as many at once as may be missing."""
        rolling = found["spec"]["updateStrategy"].get("rollingUpdate") or {}
        most = max(1, scaled(rolling.get("maxUnavailable", 1), len(nodes), up=True))
        minimum = int(found["spec"].get("minReadySeconds", 0))
        good = sum(not is_deleting(pod) and self.hub.available(pod, minimum) for pod in pods)
        budget = most - (len(nodes) - good)
        old = [pod for pod in pods if not is_deleting(pod) and not _is_of(pod, update)]
        for pod in sorted(old, key=is_ready):
            if not is_ready(pod):
                self.delete_pod(found, pod)  # it serves nobody
            elif budget > 0:
                self.delete_pod(found, pod)
                budget -= 1

    def _write_status(self, key: Key, update: Object, collisions: int) -> None:
        found = self.view.get("daemonsets", key[0], key[1])
        if found is None:
            return
        pods = [pod for pod in self.view.controlled(found["metadata"]["uid"], "pods") if not is_deleting(pod)]
        nodes = self._nodes(found)
        placed = {_node_of(pod): pod for pod in pods if not is_finished(pod)}
        running = [placed[node] for node in nodes if node in placed]
        minimum = int(found["spec"].get("minReadySeconds", 0))
        ready = [pod for pod in running if is_ready(pod)]
        waits = [wait for pod in ready if (wait := self.hub.available_in(pod, minimum)) > 0]
        available = len(ready) - len(waits)
        counts = {
            "updatedNumberScheduled": sum(_is_of(pod, update) for pod in running),
            "numberAvailable": available,
            "numberUnavailable": len(nodes) - available,
        }
        status: Object = {
            "currentNumberScheduled": len(running),
            "numberMisscheduled": sum(node not in nodes for node in placed),
            "desiredNumberScheduled": len(nodes),
            "numberReady": len(ready),
            "observedGeneration": found["metadata"].get("generation", 0),
            **{name: value for name, value in counts.items() if value},
            **({"collisionCount": collisions} if collisions else {}),
        }
        self.hub.set_status("daemonsets", found, status)
        if waits:
            self.hub.later(min(waits), self, key)


def _pod(found: Object, node: str, revision: str) -> Object:
    """A Pod that only one node can take; any, if none is named."""
    labels = {REVISION_LABEL: revision, _TEMPLATE_GENERATION: str(found["metadata"].get("generation", 0))}
    pod = pod_from(found["spec"]["template"], found, labels=labels)
    spec = pod["spec"]
    tolerations = [
        {"key": f"node.kubernetes.io/{name}", "operator": "Exists", "effect": effect} for name, effect in _TOLERATED
    ]
    spec["tolerations"] = [*(spec.get("tolerations") or ()), *tolerations]
    if not node:
        return pod
    affinity = spec.setdefault("affinity", {})
    field = {"key": "metadata.name", "operator": "In", "values": [node]}
    affinity["nodeAffinity"] = {
        **(affinity.get("nodeAffinity") or {}),
        "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchFields": [field]}]},
    }
    return pod


def _node_of(pod: Object) -> str:
    """The node that a Pod is on, or is made for."""
    spec = pod["spec"]
    if spec.get("nodeName"):
        return str(spec["nodeName"])
    return next(iter(named_nodes(spec)), "")


def _is_of(pod: Object, revision: Object) -> bool:
    label = (pod["metadata"].get("labels") or {}).get(REVISION_LABEL)
    return bool(label == revision["metadata"]["labels"]["controller.kubernetes.io/hash"])
