"""The scheduler: gives each Pod a node, or says why it cannot."""

from collections import Counter
from decimal import Decimal

from kubesim import conditions
from kubesim.admit.quantity import quantity_value
from kubesim.controllers.hub import Controller, Key
from kubesim.controllers.owners import with_meta
from kubesim.controllers.references import mounted_claims
from kubesim.controllers.view import is_deleting, is_finished, obj_phase
from kubesim.jsondata import Object
from kubesim.storage import EventType

_MANAGER = "kube-scheduler"
_COMPONENT = "default-scheduler"
_CORDONED = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
SELECTED_NODE = "volume.kubernetes.io/selected-node"


class Scheduler(Controller):
    """Syncs Pods by namespace and name, until they are bound to a node."""

    watches = ("pods", "nodes", "persistentvolumeclaims")

    def changed(self, event: EventType, plural: str, obj: Object, old: Object | None) -> None:
        meta = obj["metadata"]
        if plural == "pods":
            if not obj["spec"].get("nodeName") and (event == "ADDED" or is_deleting(obj)):
                self.enqueue(meta["namespace"], meta["name"])
        elif plural == "persistentvolumeclaims":
            for pod in self.view.users(plural, meta["namespace"], meta["name"]):
                if not pod["spec"].get("nodeName"):
                    self.enqueue(meta["namespace"], pod["metadata"]["name"])
        elif old is None or old.get("spec") != obj.get("spec") or old["metadata"] != obj["metadata"]:
            for pod in self.view.all("pods"):
                if not pod["spec"].get("nodeName"):
                    self.enqueue(pod["metadata"]["namespace"], pod["metadata"]["name"])

    def sync(self, key: Key) -> None:
        pod = self.view.get("pods", key[0], key[1])
        if pod is None or pod["spec"].get("nodeName") or is_deleting(pod) or is_finished(pod):
            return
        if pod["spec"].get("schedulerName", _COMPONENT) != _COMPONENT:
            return
        problem, unbound = self._claims(pod)
        nodes = self.view.all("nodes")
        refusals = {node["metadata"]["name"]: refusal(pod, node) for node in nodes}
        fitting = next((node for node in nodes if refusals[node["metadata"]["name"]] is None), None)
        if not nodes:
            self._refuse(pod, "no nodes available to schedule pods")
        elif problem is not None:
            self._refuse(pod, _unschedulable(problem, len(nodes), helpless=len(nodes)))
        elif fitting is None:
            counts = Counter(refusal for refusal in refusals.values() if refusal is not None)
            why = ", ".join(f"{number} {refusal}" for refusal, number in sorted(counts.items()))
            short = sum(number for refusal, number in counts.items() if refusal.startswith("Insufficient"))
            self._refuse(pod, _unschedulable(why, len(nodes), helpless=len(nodes) - short))
        elif unbound:
            # The volumes are made for the chosen node; the Pod comes back when its claims are bound.
            for claim in unbound:
                self._select_node(claim, fitting["metadata"]["name"])
        else:
            self._bind(pod, fitting)

    def _claims(self, pod: Object) -> tuple[str | None, list[Object]]:
        """Why a claim keeps the Pod from any node, and the claims that wait for their first Pod."""
        namespace = pod["metadata"]["namespace"]
        unbound: list[Object] = []
        for name in mounted_claims(pod["spec"]).values():
            claim = self.view.get("persistentvolumeclaims", namespace, name)
            if claim is None:
                return f'persistentvolumeclaim "{name}" not found', []
            if is_deleting(claim):
                return f'persistentvolumeclaim "{name}" is being deleted', []
            if obj_phase(claim) == "Bound":
                continue
            found = self.view.get("storageclasses", "", claim["spec"].get("storageClassName") or "")
            if found is None or found.get("volumeBindingMode") != "WaitForFirstConsumer":
                return "pod has unbound immediate PersistentVolumeClaims", []
            unbound.append(claim)
        return None, unbound

    def _select_node(self, claim: Object, node: str) -> None:
        annotations = claim["metadata"].get("annotations") or {}
        if annotations.get(SELECTED_NODE) != node:
            changed = with_meta(claim, annotations={**annotations, SELECTED_NODE: node})
            self.hub.update("persistentvolumeclaims", changed, manager=_MANAGER)

    def _bind(self, pod: Object, node: Object) -> None:
        """POST to ``pods/binding``, which no field manager records."""
        name = node["metadata"]["name"]
        meta = pod["metadata"]
        self.hub.bind(pod, name)
        message = f"Successfully assigned {meta['namespace']}/{meta['name']} to {name}"
        self.hub.recorder.record(pod, "Normal", "Scheduled", message, component=_COMPONENT)

    def _refuse(self, pod: Object, message: str) -> None:
        status = pod.get("status") or {}
        known = status.get("conditions", [])
        current = conditions.find(known, "PodScheduled")
        if current is not None and current.get("message") == message:
            return
        known = conditions.put(known, "PodScheduled", "False", "Unschedulable", message, self.hub.now(), again=True)
        self.hub.set_status("pods", pod, {**status, "conditions": known}, manager=_MANAGER)
        self.hub.recorder.record(pod, "Warning", "FailedScheduling", message, component=_COMPONENT)


def _unschedulable(why: str, total: int, *, helpless: int) -> str:
    parts = [
        *([f"{helpless} Preemption is not helpful for scheduling"] if helpless else ()),
        *([f"{total - helpless} No preemption victims found for incoming pod"] if total > helpless else ()),
    ]
    nodes = f"0/{total} nodes are available"
    return f"{nodes}: {why}. preemption: {nodes}: {', '.join(parts)}."


def refusal(pod: Object, node: Object) -> str | None:
    """Why a node cannot take a Pod. Each Pod is measured against the empty node: there is room for many."""
    spec = pod["spec"]
    tolerations = spec.get("tolerations") or ()
    if (node.get("spec") or {}).get("unschedulable") and not any(_tolerates(each, _CORDONED) for each in tolerations):
        return "node(s) were unschedulable"
    for taint in (node.get("spec") or {}).get("taints") or ():
        if taint.get("effect") in ("NoSchedule", "NoExecute") and not any(
            _tolerates(toleration, taint) for toleration in tolerations
        ):
            return f"node(s) had untolerated taint {{{taint['key']}: {taint.get('value', '')}}}"
    labels = node["metadata"].get("labels") or {}
    selected = all(labels.get(key) == value for key, value in (spec.get("nodeSelector") or {}).items())
    if not selected or node["metadata"]["name"] not in (named_nodes(spec) or (node["metadata"]["name"],)):
        return "node(s) didn't match Pod's node affinity/selector"
    room = (node.get("status") or {}).get("allocatable") or {}
    for resource, asked in sorted(_requests(spec).items()):
        if asked > quantity_value(room.get(resource, "0")):
            return f"Insufficient {resource}"
    return None


def named_nodes(spec: Object) -> list[str]:
    """The nodes that a Pod's required affinity names, as those of a DaemonSet's Pods do."""
    needed = (spec.get("affinity") or {}).get("nodeAffinity", {}).get("requiredDuringSchedulingIgnoredDuringExecution")
    return [
        name
        for term in (needed or {}).get("nodeSelectorTerms") or ()
        for field in term.get("matchFields") or ()
        if field["key"] == "metadata.name" and field["operator"] == "In"
        for name in field.get("values") or ()
    ]


def _tolerates(toleration: Object, taint: Object) -> bool:
    if toleration.get("effect") not in (None, "", taint.get("effect")):
        return False
    if toleration.get("operator") == "Exists":
        return toleration.get("key") in (None, "", taint["key"])
    return bool(toleration.get("key") == taint["key"] and toleration.get("value", "") == taint.get("value", ""))


def _requests(spec: Object) -> dict[str, Decimal]:
    total: dict[str, Decimal] = {}
    for container in spec.get("containers") or ():
        for resource, amount in ((container.get("resources") or {}).get("requests") or {}).items():
            total[resource] = total.get(resource, Decimal(0)) + quantity_value(amount)
    for container in spec.get("initContainers") or ():
        for resource, amount in ((container.get("resources") or {}).get("requests") or {}).items():
            total[resource] = max(total.get(resource, Decimal(0)), quantity_value(amount))
    return total
