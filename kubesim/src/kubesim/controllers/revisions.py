"""ControllerRevisions: the templates that a StatefulSet has had, by which its updates and rollbacks are told apart."""

from collections.abc import Sequence

from kubesim.controllers.hub import Hub
from kubesim.controllers.owners import reference, safe_hash
from kubesim.controllers.view import is_deleting
from kubesim.jsondata import Object, copy_json
from kubesim.problems import Problem

REVISION_LABEL = "controller-revision-hash"
"""The label of a Pod that names its revision."""

_HASH_LABEL = "controller.kubernetes.io/hash"


def template_of(revision: Object) -> Object:
    """The Pod template that a revision holds."""
    return {key: value for key, value in revision["data"]["spec"]["template"].items() if key != "$patch"}


def settle(hub: Hub, found: Object) -> tuple[Object, Object, int]:
    """The current and the update revision, made or renumbered if need be, and the count of name collisions."""
    status = found.get("status") or {}
    collisions = int(status.get("collisionCount", 0))
    known = _sorted(hub, found)
    template = found["spec"]["template"]
    equal = [revision for revision in known if template_of(revision) == template]
    if equal and equal[-1] is known[-1]:
        update = equal[-1]
    elif equal:
        # Back to an older template: its revision becomes the newest.
        update = hub.update("controllerrevisions", {**equal[-1], "revision": known[-1]["revision"] + 1})
    elif is_deleting(found):
        update = known[-1]
    else:
        update, collisions = _create(hub, found, known, collisions)
    current = next((r for r in known if r["metadata"]["name"] == status.get("currentRevision")), update)
    return current, update, collisions


def truncate(hub: Hub, found: Object, pods: Sequence[Object]) -> None:
    """Delete the oldest revisions that nothing uses, beyond ``revisionHistoryLimit``."""
    status = found.get("status") or {}
    live = {status.get("currentRevision"), status.get("updateRevision")}
    live |= {(pod["metadata"].get("labels") or {}).get(REVISION_LABEL) for pod in pods}
    idle = [revision for revision in _sorted(hub, found) if revision["metadata"]["name"] not in live]
    limit = int(found["spec"].get("revisionHistoryLimit", 10))
    for revision in idle[: max(0, len(idle) - limit)]:
        hub.delete("controllerrevisions", revision)


def _sorted(hub: Hub, found: Object) -> list[Object]:
    known = hub.view.controlled(found["metadata"]["uid"], "controllerrevisions")
    return sorted(known, key=lambda revision: (revision["revision"], revision["metadata"]["name"]))


def _create(hub: Hub, found: Object, known: Sequence[Object], collisions: int) -> tuple[Object, int]:
    template = copy_json(found["spec"]["template"])
    labels = {**(template.get("metadata", {}).get("labels") or {})}
    number = known[-1]["revision"] + 1 if known else 1
    while True:
        text = safe_hash(template, collisions)
        revision: Object = {
            "apiVersion": "apps/v1",
            "kind": "ControllerRevision",
            "metadata": {
                "name": f"{found['metadata']['name']}-{text}",
                "namespace": found["metadata"]["namespace"],
                "labels": {**labels, _HASH_LABEL: text},
                "annotations": dict(found["metadata"].get("annotations") or {}),
                "ownerReferences": [reference(found)],
            },
            "data": {"spec": {"template": {**template, "$patch": "replace"}}},
            "revision": number,
        }
        if not revision["metadata"]["annotations"]:
            del revision["metadata"]["annotations"]
        try:
            return hub.create("controllerrevisions", revision), collisions
        except Problem as problem:
            if problem.reason != "AlreadyExists":
                raise
            collisions += 1
