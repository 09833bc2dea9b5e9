"""The StatefulSet controller: Pods with names and volumes that stay, made and changed in order."""

import re
from collections.abc import Sequence

from kubesim.controllers import revisions
from kubesim.controllers.hub import Controller, Key
from kubesim.controllers.owners import claim, orphans_of_interest, pod_from, reference, with_meta
from kubesim.controllers.revisions import REVISION_LABEL
from kubesim.controllers.rollout import replicas_of, scaled
from kubesim.controllers.view import controller_of, is_deleting, is_finished, is_ready, obj_phase
from kubesim.jsondata import Object, copy_json
from kubesim.problems import Problem
from kubesim.storage import EventType

_ORDINAL = re.compile(r"(.*)-([0-9]+)")
_POD_NAME = "statefulset.kubernetes.io/pod-name"
_POD_INDEX = "apps.kubernetes.io/pod-index"
_COMPONENT = "statefulset-controller"


class StatefulSetController(Controller):
    """Syncs StatefulSets by namespace and name."""

    # Not its revisions: the real controller does not either, or a foreground deletion would never end.
    watches = ("statefulsets", "pods", "persistentvolumeclaims")

    def changed(self, event: EventType, plural: str, obj: Object, old: Object | None) -> None:
        meta = obj["metadata"]
        if plural == "statefulsets":
            self.enqueue(meta["namespace"], meta["name"])
            return
        if plural == "persistentvolumeclaims":
            # The real controller does not watch claims, it sees a lost one when the Pod that waits for it changes.
            if event == "DELETED":
                for pod in self.view.users(plural, meta["namespace"], meta["name"]):
                    if (owner := controller_of(pod)) is not None and owner["kind"] == "StatefulSet":
                        self.enqueue(meta["namespace"], owner["name"])
            return
        owner = controller_of(obj)
        if owner is not None and owner["kind"] == "StatefulSet":
            self.enqueue(meta["namespace"], owner["name"])
        elif event != "DELETED" and plural == "pods":
            for found in orphans_of_interest(self.hub, "statefulsets", obj):
                self.enqueue(meta["namespace"], found["metadata"]["name"])

    def sync(self, key: Key) -> None:
        found = self.view.get("statefulsets", key[0], key[1])
        if found is None:
            self.hub.forget(self, key)
            return
        pods = claim(self.hub, found, "pods", fits=lambda pod: _parent(pod) == found["metadata"]["name"])
        claim(self.hub, found, "controllerrevisions")
        if is_deleting(found) and not self.view.controlled(found["metadata"]["uid"], "controllerrevisions"):
            return  # made anew, they would be collected anew: a foreground deletion would never end
        current, update, collisions = revisions.settle(self.hub, found)
        failure: Problem | None = None
        if not is_deleting(found):
            try:
                self._move(found, pods, current, update)
            except Problem as problem:
                failure = problem
        self._write_status(key, current, update, collisions)
        latest = self.view.get("statefulsets", key[0], key[1])
        if latest is not None:
            self._clean_up(latest)
            revisions.truncate(self.hub, latest, self._pods(latest))
        if failure is not None:
            raise failure

    def _pods(self, found: Object) -> list[Object]:
        return self.view.controlled(found["metadata"]["uid"], "pods")

    # --- Pods

    def _move(self, found: Object, pods: Sequence[Object], current: Object, update: Object) -> None:
        """One step: make the first Pod that is missing, else take the last that is too many, else update one."""
        spec = found["spec"]
        start, count = _start(found), replicas_of(found)
        ordered = spec.get("podManagementPolicy", "OrderedReady") != "Parallel"
        by_ordinal = {ordinal: pod for pod in pods if (ordinal := _ordinal(pod)) is not None}
        replicas = [by_ordinal.get(ordinal) for ordinal in range(start, start + count)]
        condemned = [by_ordinal[n] for n in sorted(by_ordinal, reverse=True) if not start <= n < start + count]
        for ordinal, pod in enumerate(replicas, start):
            if self._settle(found, ordinal, pod, current, update) and ordered:
                return
        everything = [*replicas, *reversed(condemned)]
        sick = next((pod for pod in everything if pod is None or not self._is_available(found, pod)), None)
        for pod in condemned:
            self._fix_claims(found, pod)
            if is_deleting(pod):
                if ordered:
                    return
                continue
            if ordered and not self._is_available(found, pod) and pod is not sick:
                return
            self._delete(found, pod)
            if ordered:
                return
        if (spec.get("updateStrategy") or {}).get("type") != "OnDelete":
            self._update(found, replicas, update)

    def _settle(self, found: Object, ordinal: int, pod: Object | None, current: Object, update: Object) -> bool:
        """Bring one Pod into being. True if those after it have to wait."""
        if pod is None:
            self._create(found, ordinal, current, update)
            return True
        if is_finished(pod):
            if not is_deleting(pod):
                self._delete(found, pod)
            return True
        if obj_phase(pod) == "Pending":
            self._make_claims(found, ordinal, pod)
        if is_deleting(pod) or not self._is_available(found, pod):
            return True
        self._fix_claims(found, pod)
        return False

    def _update(self, found: Object, replicas: Sequence[Object | None], update: Object) -> None:
        """Delete the highest Pods that are of an older revision, so that they come again as new ones."""
        rolling = (found["spec"].get("updateStrategy") or {}).get("rollingUpdate") or {}
        allowed = max(1, scaled(rolling.get("maxUnavailable", 1), replicas_of(found), up=False))
        unavailable = sum(pod is None or not self._is_available(found, pod) for pod in replicas)
        for pod in list(reversed(replicas))[: max(0, len(replicas) - int(rolling.get("partition") or 0))]:
            if unavailable >= allowed:
                return
            if pod is None or is_deleting(pod):
                continue
            if (pod["metadata"].get("labels") or {}).get(REVISION_LABEL) != update["metadata"]["name"]:
                self._delete(found, pod)
                unavailable += 1

    def _is_available(self, found: Object, pod: Object) -> bool:
        min_ready = int(found["spec"].get("minReadySeconds", 0))
        return not is_deleting(pod) and obj_phase(pod) == "Running" and self.hub.available(pod, min_ready)

    def _create(self, found: Object, ordinal: int, current: Object, update: Object) -> None:
        name = f"{found['metadata']['name']}-{ordinal}"
        revision = current if self._keeps_current(found, ordinal) else update
        labels = {
            _POD_INDEX: str(ordinal),
            REVISION_LABEL: revision["metadata"]["name"],
            _POD_NAME: name,
        }
        template = revisions.template_of(revision)
        pod = pod_from(template, found, labels=labels)
        pod["metadata"]["name"] = name
        pod["spec"]["hostname"] = name
        if found["spec"].get("serviceName"):
            pod["spec"]["subdomain"] = found["spec"]["serviceName"]
        claims = _claims(found, ordinal)
        own = [
            {"name": volume, "persistentVolumeClaim": {"claimName": made["metadata"]["name"]}}
            for volume, made in claims.items()
        ]
        others = [volume for volume in pod["spec"].get("volumes") or () if volume["name"] not in claims]
        if own or others:
            pod["spec"]["volumes"] = [*own, *others]
        try:
            self._make_claims(found, ordinal, None)
            self.hub.create("pods", pod)
        except Problem as problem:
            if problem.reason != "AlreadyExists" or self._is_foreign(found, name):
                message = f"create Pod {name} in StatefulSet {found['metadata']['name']} failed error: "
                self._event(found, "Warning", "FailedCreate", f"{message}{problem.message}")
            raise
        message = f"create Pod {name} in StatefulSet {found['metadata']['name']} successful"
        self._event(found, "Normal", "SuccessfulCreate", message)

    def _is_foreign(self, found: Object, name: str) -> bool:
        pod = self.view.get("pods", found["metadata"]["namespace"], name)
        owner = controller_of(pod) if pod is not None else None
        return owner is None or owner["uid"] != found["metadata"]["uid"]

    def _keeps_current(self, found: Object, ordinal: int) -> bool:
        """Whether a Pod that has to be made again comes back as it was: below the partition only."""
        rolling = (found["spec"].get("updateStrategy") or {}).get("rollingUpdate") or {}
        return ordinal < _start(found) + int(rolling.get("partition") or 0)

    def _delete(self, found: Object, pod: Object) -> None:
        self.hub.delete("pods", pod)
        message = f"delete Pod {pod['metadata']['name']} in StatefulSet {found['metadata']['name']} successful"
        self._event(found, "Normal", "SuccessfulDelete", message)

    # --- claims

    def _make_claims(self, found: Object, ordinal: int, pod: Object | None) -> None:
        """Make the claims of a Pod that are missing. A Pod that is there already mounts what it mounts."""
        for made in _claims(found, ordinal).values():
            meta = made["metadata"]
            if self.view.get("persistentvolumeclaims", meta["namespace"], meta["name"]) is not None:
                continue
            what = f"Claim {meta['name']} Pod {found['metadata']['name']}-{ordinal} in StatefulSet "
            try:
                self.hub.create("persistentvolumeclaims", made)
            except Problem as problem:
                message = f"create {what}{found['metadata']['name']} failed error: {problem.message}"
                self._event(found, "Warning", "FailedCreate", message)
                raise
            self._event(found, "Normal", "SuccessfulCreate", f"create {what}{found['metadata']['name']} success")
            if pod is not None:
                self._fix_claims(found, pod)

    def _fix_claims(self, found: Object, pod: Object) -> None:
        """Own the Pod's claims as ``persistentVolumeClaimRetentionPolicy`` says: not at all, unless it says Delete."""
        ordinal = _ordinal(pod)
        if ordinal is None:
            return
        policy = found["spec"].get("persistentVolumeClaimRetentionPolicy") or {}
        condemned = not _start(found) <= ordinal < _start(found) + replicas_of(found)
        wanted = []
        if policy.get("whenDeleted") == "Delete":
            wanted.append(reference(found))
        if policy.get("whenScaled") == "Delete" and condemned:
            wanted = [reference(pod)]
        mine = {("StatefulSet", found["metadata"]["name"]): found, ("Pod", pod["metadata"]["name"]): pod}
        for made in _claims(found, ordinal).values():
            stored = self.view.get("persistentvolumeclaims", made["metadata"]["namespace"], made["metadata"]["name"])
            if stored is None or is_deleting(stored):
                continue
            owners = stored["metadata"].get("ownerReferences") or []
            namesakes = [owner for owner in owners if (owner["kind"], owner["name"]) in mine]
            if any(owner["uid"] != mine[owner["kind"], owner["name"]]["metadata"]["uid"] for owner in namesakes):
                continue  # it belongs to an earlier one of that name, and is the garbage collector's
            others = [owner for owner in owners if owner not in namesakes]
            if owners != [*others, *wanted]:
                self.hub.update("persistentvolumeclaims", with_meta(stored, ownerReferences=[*others, *wanted]))

    def _clean_up(self, found: Object) -> None:
        """Look again when a ready Pod becomes available."""
        min_ready = int(found["spec"].get("minReadySeconds", 0))
        if not min_ready:
            return
        waits = [self.hub.available_in(pod, min_ready) for pod in self._pods(found) if is_ready(pod)]
        pending = [wait for wait in waits if wait > 0]
        if pending:
            self.hub.later(min(pending), self, (found["metadata"]["namespace"], found["metadata"]["name"]))

    # --- status

    def _write_status(self, key: Key, current: Object, update: Object, collisions: int) -> None:
        found = self.view.get("statefulsets", key[0], key[1])
        if found is None:
            return
        pods = self._pods(found)
        running = [pod for pod in pods if obj_phase(pod) == "Running" and is_ready(pod)]
        min_ready = int(found["spec"].get("minReadySeconds", 0))
        names = {"currentReplicas": current["metadata"]["name"], "updatedReplicas": update["metadata"]["name"]}
        counts = {
            field: sum(
                (pod["metadata"].get("labels") or {}).get(REVISION_LABEL) == name
                for pod in pods
                if not is_deleting(pod)
            )
            for field, name in names.items()
        }
        counts["readyReplicas"] = len(running)
        total, ready = len(pods), len(running)
        strategy = (found["spec"].get("updateStrategy") or {}).get("type", "RollingUpdate")
        if strategy == "RollingUpdate" and counts["updatedReplicas"] == total == ready == replicas_of(found):
            counts["currentReplicas"] = counts["updatedReplicas"]
            current = update
        status: Object = {
            "observedGeneration": found["metadata"].get("generation", 0),
            "replicas": total,
            **{field: value for field, value in counts.items() if value},
            "currentRevision": current["metadata"]["name"],
            "updateRevision": update["metadata"]["name"],
            "collisionCount": collisions,
            "availableReplicas": sum(self.hub.available(pod, min_ready) for pod in running),
        }
        self.hub.set_status("statefulsets", found, status)

    def _event(self, found: Object, kind: str, reason: str, message: str) -> None:
        self.hub.recorder.record(found, kind, reason, message, component=_COMPONENT)


def _start(found: Object) -> int:
    return int((found["spec"].get("ordinals") or {}).get("start", 0))


def _parent(pod: Object) -> str:
    match = _ORDINAL.fullmatch(pod["metadata"]["name"])
    return match[1] if match else ""


def _ordinal(pod: Object) -> int | None:
    match = _ORDINAL.fullmatch(pod["metadata"]["name"])
    return int(match[2]) if match else None


def _claims(found: Object, ordinal: int) -> dict[str, Object]:
    """The claims of one Pod, by the name of their template. They carry the template's labels and the selector's."""
    made: dict[str, Object] = {}
    selector = (found["spec"].get("selector") or {}).get("matchLabels") or {}
    for template in found["spec"].get("volumeClaimTemplates") or ():
        source = template.get("metadata") or {}
        volume = source.get("name", "")
        meta: Object = {
            "name": f"{volume}-{found['metadata']['name']}-{ordinal}",
            "namespace": found["metadata"]["namespace"],
            "labels": {**(source.get("labels") or {}), **selector},
        }
        if source.get("annotations"):
            meta["annotations"] = dict(source["annotations"])
        made[volume] = {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": meta,
            "spec": copy_json(template["spec"]),
        }
    return made
