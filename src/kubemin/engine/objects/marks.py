"""What on an object says whose it is: KubeMin's labels, annotations and ownership of fields. Pure.

They are on the object itself. Labels in selectors and Pod templates are content: without them Pods would start again,
or lose their owner.
"""

import copy
from collections.abc import Mapping
from typing import Any

from kubemin.engine.objects.fields_v1 import owned_fields
from kubemin.spec.labels import (
    ANNOTATIONS,
    APP_ID,
    LABELS,
    MANAGED_BY,
    MANAGER,
    SHARE_NAME,
    SHARE_STRATEGY,
    TASK_ID,
    WELL_KNOWN,
)
from kubemin.spec.objects import Manifest


def former_labels(before: Manifest) -> dict[str, str]:
    """The labels that an object had before KubeMin took it over, and that come back when it lets go of it.

    None that says that the object is KubeMin's: that would be an application which is gone.
    """
    labels: Mapping[str, str] = before["metadata"].get("labels") or {}
    return {
        name: value
        for name, value in labels.items()
        if name in WELL_KNOWN and (name, value) != (MANAGED_BY, MANAGER) and APP_ID not in labels
    }


def labels_only(before: Manifest) -> Manifest:
    """What a row of purpose ``release`` has of an object as it was before the application had it."""
    return {"metadata": {"labels": former_labels(before)}}


def released(live: Manifest, former: Mapping[str, str]) -> Manifest | None:
    """The object without anything of KubeMin's but its content; None where it is so already.

    ``former`` labels come back. What others own by now stays as they want it.
    """
    theirs = _labels_of_others(live)
    labels = {
        name: value
        for name, value in _map(live, "labels").items()
        if name not in LABELS or (name in WELL_KNOWN and name in theirs and (name, value) != (MANAGED_BY, MANAGER))
    }
    labels = {**former, **labels}
    entries = live["metadata"].get("managedFields") or []
    left = [entry for entry in entries if entry.get("manager") != MANAGER]
    changed = _with_marks(live, labels)
    if changed is None and left == entries:
        return None
    changed = changed or copy.copy(live)
    changed["metadata"] = {**changed["metadata"], "managedFields": left or [{}]}
    return changed


def handed_over(live: Manifest, marks: Mapping[str, str]) -> Manifest | None:
    """The object with the labels ``marks`` of another application of KubeMin's; None where it has them already.

    Its content stays, and KubeMin's ownership of its fields. It is managed and shared as before, also where the marks
    do not say so: else whoever else uses it would not find it any more, and it would be deleted under them.
    """
    gone = LABELS - {MANAGED_BY, SHARE_NAME, SHARE_STRATEGY}
    labels = {name: value for name, value in _map(live, "labels").items() if name not in gone}
    return _with_marks(live, {**labels, **{name: value for name, value in marks.items() if name in LABELS - {TASK_ID}}})


def _with_marks(live: Manifest, labels: Mapping[str, str]) -> Manifest | None:
    """The object with these labels and without KubeMin's annotations; None where nothing differs."""
    annotations = {k: v for k, v in _map(live, "annotations").items() if not k.startswith(ANNOTATIONS)}
    wanted: dict[str, Mapping[str, str]] = {"labels": labels, "annotations": annotations}
    if all(_map(live, field) == value for field, value in wanted.items()):
        return None
    metadata = {name: value for name, value in live["metadata"].items() if name not in wanted}
    return {**live, "metadata": metadata | {field: dict(value) for field, value in wanted.items() if value}}


def _map(obj: Manifest, field: str) -> Mapping[str, str]:
    found: Mapping[str, str] = obj["metadata"].get(field) or {}
    return found


def _labels_of_others(live: Manifest) -> set[str]:
    owned: dict[str, Any] = owned_fields(live, lambda manager: manager != MANAGER)
    below = owned.get("f:metadata", {}).get("f:labels", {})
    return {name.removeprefix("f:") for name in below}
