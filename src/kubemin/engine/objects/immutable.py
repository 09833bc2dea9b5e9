"""Changes that the API server refuses for good: what to tell the person who asked for one (traps 7). Pure.

Nothing is deleted to make room for what is to be instead: what that would take along (Pods, data, an address) is not
ours, and could not be put back. It is refused before anything is touched. A Job, whose spec never changes, has another
name when it differs (`render/components/job.py`), and is in nobody's way.
"""

import re
from collections.abc import Mapping
from decimal import Decimal

from kubemin.cluster.errors import ClusterError, Forbidden, Invalid
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.quantity import parse_quantity

_FOR_GOOD = re.compile(
    r"immutable|updates to statefulset spec|cannot change roleRef|may not change once set|can ?not be (changed|unset)"
    r"|may not be (changed|unset)|only dynamically provisioned pvc|can not be less than"
)

_ADVICE: Mapping[str, str] = {
    "Deployment": "its selector never changes: give the component another name, or delete the Deployment first",
    "StatefulSet": (
        "of a StatefulSet only replicas, template and update strategy change: keep its volumes (size, class and name), "
        "or delete the StatefulSet but not its Pods (kubectl delete statefulset {name} -n {namespace} --cascade=orphan)"
        " and run again; its claims and their data stay as they are"
    ),
    "Service": "its address never changes: delete the Service first, or give the component another name",
    "Job": "a Job's spec never changes, and this one is not as the application has it: delete it first",
    "ConfigMap": "it is marked immutable: give the component another name, or delete the ConfigMap first",
    "Secret": "it is marked immutable, or of another type: give the component another name, or delete the Secret first",
    "PersistentVolumeClaim": (
        "of a claim only the size changes, only upwards, and only where its storage class allows it: "
        "ask for what it has, or name a new volume"
    ),
    "RoleBinding": "its role never changes: name another binding, or delete this one first",
    "ClusterRoleBinding": "its role never changes: name another binding, or delete this one first",
}


def told(ref: ObjectRef, error: ClusterError) -> str:
    """The error's message, and what to do where a field cannot be changed."""
    advice = _ADVICE.get(ref.kind)
    if advice is None or not isinstance(error, Invalid | Forbidden) or not _FOR_GOOD.search(error.message):
        return error.message
    return f"{error.message} What to do: {advice.format(name=ref.name, namespace=ref.namespace)}."


def is_pvc_expansion(before: Manifest, now: Manifest) -> bool:
    """Whether a claim asks for more than before: then it cannot be put back, for a claim never shrinks."""
    if now.get("kind") != "PersistentVolumeClaim":
        return False
    asked, was = _storage(now), _storage(before)
    return asked is not None and was is not None and asked > was


def _storage(claim: Manifest) -> Decimal | None:
    return parse_quantity(str(claim["spec"].get("resources", {}).get("requests", {}).get("storage", "")))
