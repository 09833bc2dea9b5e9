"""Any kind: ready by what its status says in the words that all controllers share (the conventions of kstatus)."""

from collections.abc import Mapping
from typing import Any

from kubemin.cluster.readiness.fields import condition, in_words, is_of_now, is_outdated, is_true, mapping
from kubemin.cluster.readiness.verdict import Verdict
from kubemin.cluster.reasons import code_of_text
from kubemin.spec.kinds import kind_name
from kubemin.spec.objects import Manifest
from kubemin.spec.reason_codes import ReasonCode

_READY = ("Ready", "Available", "Established", "Accepted", "Programmed")
"""Conditions that must hold where they are there."""


def generic(item: Manifest) -> Verdict:
    """Ready unless its status says otherwise: an object without a status is ready once it is there."""
    what = f"{kind_name(item)} {item['metadata']['name']}"
    if is_outdated(item):
        return Verdict("waiting", f"{what}: the change is not seen by its controller yet")
    if is_true(stalled := condition(item, "Stalled")):
        text = in_words(stalled)
        return Verdict("hopeless", f"{what}: {text}", code=code_of_text(text) or ReasonCode.INVALID)
    if is_true(reconciling := condition(item, "Reconciling")):
        return Verdict("waiting", f"{what}: {in_words(reconciling)}")
    for found in _conditions(item):
        if found["type"] not in _READY:
            continue
        if not is_of_now(found, item):
            return Verdict("waiting", f"{what}: the change is not seen by its controller yet")
        if not is_true(found):
            return Verdict("waiting", f"{what}: {in_words(found)}")
    return Verdict("ready", f"{what} is ready" if mapping(item, "status") else f"{what} exists", 1)


def _conditions(item: Manifest) -> list[Mapping[str, Any]]:
    """Its conditions, and those that are told for each of its parents."""
    status = mapping(item, "status")
    parents = [each for each in status.get("parents") or () if isinstance(each, Mapping)]
    lists = [status.get("conditions"), *(parent.get("conditions") for parent in parents)]
    return [found for one in lists for found in one or () if isinstance(found, Mapping) and found.get("type")]
