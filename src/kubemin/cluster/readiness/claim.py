"""PersistentVolumeClaim: a claim that waits for its Pod has done its part."""

from collections.abc import Sequence

from kubemin.cluster.readiness.fields import mapping, text
from kubemin.cluster.readiness.verdict import Verdict
from kubemin.spec.objects import Manifest


def claim(item: Manifest, events: Sequence[Manifest]) -> Verdict:
    """Ready when bound, and also while pending: its class may bind only when a Pod uses it.

    A volume that is never provisioned shows in that Pod, which stays unschedulable. A provisioner's refusal, where
    the events tell it, is hopeless at once.
    """
    name = item["metadata"]["name"]
    phase = text(item, "status", "phase")
    if phase == "Bound":
        return Verdict("ready", f"PersistentVolumeClaim {name} is bound", 1)
    if phase == "Lost":
        return Verdict("hopeless", f"PersistentVolumeClaim {name} lost its volume", final=True)
    for event in events:
        about = mapping(event, "involvedObject").get("uid") == item["metadata"].get("uid")
        if about and event.get("reason") == "ProvisioningFailed":
            return Verdict("hopeless", f"PersistentVolumeClaim {name}: ProvisioningFailed: {event.get('message')}")
    if phase == "Pending":
        return Verdict("ready", f"PersistentVolumeClaim {name} waits for its volume or its first Pod", 1)
    return Verdict("waiting", f"PersistentVolumeClaim {name}: not seen by its controller yet")
