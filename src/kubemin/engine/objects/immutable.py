"""Changes that the API server refuses for good: what to tell the person who asked for one (traps 7). Pure.

Nothing is deleted to make room for what is to be instead: what that would take along (Pods, data, an address) is not
ours, and could not be put back. It is refused before anything is touched. A Job, whose spec never changes, has another
name when it differs (`render/components/job.py`), and is in nobody's way.
"""

import re
from decimal import Decimal

from kubemin.cluster.errors import ClusterError, Forbidden, Invalid, NotFound
from kubemin.spec.kinds import kind_name, kind_of
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.quantity import parse_quantity

_FOR_GOOD = re.compile(
    r"immutable|updates to statefulset spec|cannot change roleRef|may not change once set|can ?not be (changed|unset)"
    r"|may not be (changed|unset)|only dynamically provisioned pvc|can not be less than"
)


def with_advice(ref: ObjectRef, error: ClusterError) -> str:
    """The error's message, and what to do where a field cannot be changed, or the namespace is not there."""
    if isinstance(error, NotFound) and f'namespaces "{ref.namespace}" not found' in error.message:
        return f"the namespace {ref.namespace} is not there: make it, or run with createNamespace (--create-namespace)"
    written = kind_of(ref.kind).written
    advice = written.advice if written else ""
    if not advice or not isinstance(error, Invalid | Forbidden) or not _FOR_GOOD.search(error.message):
        return error.message
    return f"{error.message} What to do: {advice.format(name=ref.name, namespace=ref.namespace)}."


def is_pvc_expansion(before: Manifest, now: Manifest) -> bool:
    """Whether a PVC asks for more storage than before. That cannot be put back: a PVC never shrinks."""
    if kind_name(now) != "PersistentVolumeClaim":
        return False
    asked, was = _storage(now), _storage(before)
    return asked is not None and was is not None and asked > was


def _storage(claim: Manifest) -> Decimal | None:
    return parse_quantity(str(claim["spec"].get("resources", {}).get("requests", {}).get("storage", "")))
