"""``hpa`` and ``pdb``: an autoscaler, and a budget of disruptions."""

from kubemin.render.context import Context
from kubemin.render.pod import Pod
from kubemin.spec.component_types import MAIN_KINDS
from kubemin.spec.kinds import KINDS
from kubemin.spec.objects import Manifest
from kubemin.spec.traits.hpa import Hpa
from kubemin.spec.traits.pdb import Pdb


def apply_hpa(hpa: Hpa, pod: Pod, context: Context) -> None:
    """Make the autoscaler of the component's main object."""
    kind = MAIN_KINDS[context.component.type]
    target = {"apiVersion": KINDS[kind].api_version, "kind": kind, "name": context.name(kind)}
    spec: Manifest = {"scaleTargetRef": target}
    if hpa.min_replicas is not None:
        spec["minReplicas"] = hpa.min_replicas
    spec["maxReplicas"] = hpa.max_replicas
    percent = {"cpu": hpa.cpu, "memory": hpa.memory}
    spec["metrics"] = [*(_use_of(name, most) for name, most in percent.items() if most is not None), *hpa.metrics]
    if hpa.behavior is not None:
        spec["behavior"] = hpa.behavior
    name = context.name("HorizontalPodAutoscaler")
    pod.objects.append(context.manifest("HorizontalPodAutoscaler", name, {"spec": spec}))


def _use_of(resource: str, percent: int) -> Manifest:
    target = {"type": "Utilization", "averageUtilization": percent}
    return {"type": "Resource", "resource": {"name": resource, "target": target}}


def apply_pdb(pdb: Pdb, pod: Pod, context: Context) -> None:
    """Make the budget, over all Pods of the component: those of a new version beside the others too."""
    counts = {"minAvailable": pdb.min_available, "maxUnavailable": pdb.max_unavailable}
    spec: Manifest = {name: count for name, count in counts.items() if count is not None}
    spec["selector"] = {"matchLabels": context.all_pods()}
    name = context.name("PodDisruptionBudget")
    pod.objects.append(context.manifest("PodDisruptionBudget", name, {"spec": spec}))
