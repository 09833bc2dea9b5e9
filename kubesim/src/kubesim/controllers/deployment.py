"""The Deployment controller: a ReplicaSet for each template, and the Pods moved from the old ones to the new."""

from kubesim.controllers.hub import Controller, Hub, Key
from kubesim.controllers.owners import claim, orphans_of_interest, reference, safe_hash, with_meta
from kubesim.controllers.progress import Progress, counts
from kubesim.controllers.rollout import (
    DESIRED,
    HASH,
    MAXIMUM,
    NOT_COPIED,
    REVISION,
    REVISION_HISTORY,
    bounds,
    is_complete,
    new_size,
    old_sizes,
    proportions,
    replicas_of,
    revision,
    same_template,
)
from kubesim.controllers.view import controller_of, is_deleting, is_finished
from kubesim.jsondata import Object, copy_json
from kubesim.problems import Problem
from kubesim.storage import EventType


class DeploymentController(Controller):
    """Syncs Deployments by namespace and name."""

    watches = ("deployments", "replicasets", "pods")

    def __init__(self, hub: Hub) -> None:
        super().__init__(hub)
        self._progress = Progress(hub)

    def changed(self, event: EventType, plural: str, obj: Object, old: Object | None) -> None:
        meta = obj["metadata"]
        if plural == "deployments":
            self.enqueue(meta["namespace"], meta["name"])
            return
        if plural == "pods":
            # Only Recreate waits for Pods, and only for the last of them to go.
            if event != "DELETED":
                return
            owner = controller_of(obj)
            found = self.view.by_uid(owner["uid"]) if owner is not None else None
            if found is None:
                return
            obj = found[1]
        owner = controller_of(obj)
        if owner is not None and owner["kind"] == "Deployment":
            self.enqueue(meta["namespace"], owner["name"])
        elif plural == "replicasets":
            for deployment in orphans_of_interest(self.hub, "deployments", obj):
                self.enqueue(meta["namespace"], deployment["metadata"]["name"])

    def sync(self, key: Key) -> None:
        deployment = self.view.get("deployments", key[0], key[1])
        if deployment is None:
            self.hub.forget(self, key)
            return
        sets = claim(self.hub, deployment, "replicasets")
        if is_deleting(deployment):
            self._progress.forget(deployment)
            self._write(deployment, self._progress.status(*self._load(key), estimate=False))
            return
        deployment = self._write(deployment, self._progress.note_pause(deployment))
        if deployment["spec"].get("paused") or self._is_scaling(deployment, sets):
            self._adopt_revision(deployment, sets, create=False)
            self._scale(key)
            self._clean_up(key)
            self._finish(key, estimate=False)
        elif (deployment["spec"].get("strategy") or {}).get("type") == "Recreate":
            self._recreate(key, deployment, sets)
        else:
            self._roll(key, deployment, sets)

    def _load(self, key: Key) -> tuple[Object, list[Object], Object | None]:
        """The Deployment as it is now, its old ReplicaSets by age, and its new one."""
        deployment = self.view.get("deployments", key[0], key[1])
        assert deployment is not None  # nothing in a sync deletes it
        sets = self.view.controlled(deployment["metadata"]["uid"], "replicasets")
        sets.sort(key=lambda found: found["metadata"]["creationTimestamp"])
        template = deployment["spec"]["template"]
        new = next((found for found in sets if same_template(found["spec"]["template"], template)), None)
        return deployment, [found for found in sets if found is not new], new

    # --- strategies

    def _roll(self, key: Key, deployment: Object, sets: list[Object]) -> None:
        self._adopt_revision(deployment, sets, create=True)
        deployment, old, new = self._load(key)
        assert new is not None
        size = new_size(deployment, [*old, new], new)
        if size != replicas_of(new):
            self._resize(deployment, new, size)
        else:
            sizes = old_sizes(deployment, old, new)
            for found in old:
                name = found["metadata"]["name"]
                if name in sizes:
                    self._resize(deployment, found, sizes[name])
            if not sizes and is_complete(deployment, counts(deployment, old, new)):
                self._clean_up(key)
        self._finish(key, estimate=True)

    def _recreate(self, key: Key, deployment: Object, sets: list[Object]) -> None:
        self._adopt_revision(deployment, sets, create=False)
        deployment, old, new = self._load(key)
        active = [found for found in old if replicas_of(found) > 0]
        for found in active:
            self._resize(deployment, found, 0)
        pods = (pod for found in old for pod in self.view.controlled(found["metadata"]["uid"], "pods"))
        if active or any(not is_finished(pod) for pod in pods):
            self._finish(key, estimate=True)
            return
        if new is None:
            self._adopt_revision(deployment, old, create=True)
            deployment, old, new = self._load(key)
        if new is not None and replicas_of(new) != replicas_of(deployment):
            self._resize(deployment, new, replicas_of(deployment))
        if is_complete(deployment, counts(deployment, old, new)):
            self._clean_up(key)
        self._finish(key, estimate=True)

    def _is_scaling(self, deployment: Object, sets: list[Object]) -> bool:
        desired = str(replicas_of(deployment))
        return any(
            replicas_of(found) > 0 and (found["metadata"].get("annotations") or {}).get(DESIRED, desired) != desired
            for found in sets
        )

    def _scale(self, key: Key) -> None:
        """Follow a change of ``spec.replicas``: over all active ReplicaSets alike, while a rollout is under way."""
        deployment, old, new = self._load(key)
        everything = [*old, *([new] if new is not None else ())]
        active = [found for found in everything if replicas_of(found) > 0]
        if len(active) <= 1:
            newest = old[-1] if old else None
            only = active[0] if active else new or newest
            if only is not None:
                self._resize(deployment, only, replicas_of(deployment), bump=True)
        elif new is not None and self._is_saturated(deployment, new):
            for found in old:
                if replicas_of(found) > 0:
                    self._resize(deployment, found, 0)
        elif (deployment["spec"].get("strategy") or {}).get("type") != "Recreate":
            sizes = proportions(deployment, active)
            for found in active:
                self._resize(deployment, found, sizes[found["metadata"]["name"]], bump=True)

    def _is_saturated(self, deployment: Object, new: Object) -> bool:
        replicas = replicas_of(deployment)
        desired = (new["metadata"].get("annotations") or {}).get(DESIRED)
        available = int(new.get("status", {}).get("availableReplicas", 0))
        return replicas_of(new) == replicas and desired == str(replicas) and available == replicas

    # --- ReplicaSets

    def _adopt_revision(self, deployment: Object, sets: list[Object], *, create: bool) -> None:
        """Bring the new ReplicaSet's annotations and the Deployment's revision up to date; make it if asked to."""
        template = deployment["spec"]["template"]
        ordered = sorted(sets, key=lambda found: found["metadata"]["creationTimestamp"])
        new = next((found for found in ordered if same_template(found["spec"]["template"], template)), None)
        number = max((revision(found) for found in ordered if found is not new), default=0) + 1
        if new is not None:
            annotations = self._annotations(deployment, new, number)
            min_ready = deployment["spec"].get("minReadySeconds", 0)
            if (
                annotations != (new["metadata"].get("annotations") or {})
                or new["spec"].get("minReadySeconds", 0) != min_ready
            ):
                spec = {**new["spec"], "minReadySeconds": min_ready}
                new = self.hub.update("replicasets", {**with_meta(new, annotations=annotations), "spec": spec})
            status = self._progress.note_set(deployment, new, created=False)
        elif create:
            new = self._create_set(deployment, ordered, number)
            status = self._progress.note_set(deployment, new, created=True)
        else:
            return
        self._write(deployment, status, number=revision(new))

    def _annotations(self, deployment: Object, new: Object, target: int) -> dict[str, str]:
        copied = deployment["metadata"].get("annotations") or {}
        annotations: dict[str, str] = {
            **(new["metadata"].get("annotations") or {}),
            **{key: value for key, value in copied.items() if key not in NOT_COPIED},
        }
        before = annotations.get(REVISION)
        if before is None or revision(new) < target:
            annotations[REVISION] = str(target)
            if before is not None:
                history = annotations.get(REVISION_HISTORY)
                annotations[REVISION_HISTORY] = f"{history},{before}" if history else before
        return annotations

    def _create_set(self, deployment: Object, sets: list[Object], number: int) -> Object:
        meta, spec = deployment["metadata"], deployment["spec"]
        template = copy_json(spec["template"])
        collisions = int((deployment.get("status") or {}).get("collisionCount", 0))
        text = safe_hash(spec["template"], collisions)
        template["metadata"] = {
            **(template.get("metadata") or {}),
            "labels": {**(template.get("metadata", {}).get("labels") or {}), HASH: text},
        }
        selector = copy_json(spec["selector"])
        selector["matchLabels"] = {**(selector.get("matchLabels") or {}), HASH: text}
        new: Object = {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {
                "name": f"{meta['name']}-{text}",
                "namespace": meta["namespace"],
                "labels": dict(template["metadata"]["labels"]),
                "ownerReferences": [reference(deployment)],
            },
            "spec": {
                "replicas": 0,
                "selector": selector,
                "template": template,
                "minReadySeconds": spec.get("minReadySeconds", 0),
            },
        }
        if new["spec"]["minReadySeconds"] == 0:
            del new["spec"]["minReadySeconds"]
        new["spec"]["replicas"] = new_size(deployment, [*sets, new], new)
        new["metadata"]["annotations"] = self._annotations(deployment, new, number) | self._sizes(deployment)
        try:
            made = self.hub.create("replicasets", new)
        except Problem as problem:
            if problem.reason == "AlreadyExists":
                # Somebody else's ReplicaSet has the name: the next try makes another one.
                status = {**(deployment.get("status") or {}), "collisionCount": collisions + 1}
                self._write(deployment, status)
                raise
            self._write(deployment, self._progress.note_failure(deployment, problem))
            raise
        if replicas_of(made) > 0:
            self._event(deployment, f"Scaled up replica set {made['metadata']['name']} from 0 to {replicas_of(made)}")
        return made

    def _sizes(self, deployment: Object) -> dict[str, str]:
        replicas = replicas_of(deployment)
        return {DESIRED: str(replicas), MAXIMUM: str(replicas + bounds(deployment).surge)}

    def _resize(self, deployment: Object, found: Object, size: int, *, bump: bool = False) -> None:
        """Give a ReplicaSet a size. ``bump``: its annotations are brought up to date even if the size stays."""
        before = replicas_of(found)
        annotations = {**(found["metadata"].get("annotations") or {}), **self._sizes(deployment)}
        if before == size and not (bump and annotations != found["metadata"].get("annotations")):
            return
        self.hub.update(
            "replicasets",
            {**with_meta(found, annotations=annotations), "spec": {**found["spec"], "replicas": size}},
        )
        if before != size:
            way = "up" if size > before else "down"
            self._event(deployment, f"Scaled {way} replica set {found['metadata']['name']} from {before} to {size}")

    def _clean_up(self, key: Key) -> None:
        """Delete the oldest ReplicaSets beyond ``revisionHistoryLimit``, if they have no Pods left."""
        deployment, old, _ = self._load(key)
        limit = int(deployment["spec"].get("revisionHistoryLimit", 10))
        alive = sorted((found for found in old if not is_deleting(found)), key=revision)
        for found in alive[: max(0, len(alive) - limit)]:
            status = found.get("status", {})
            seen = status.get("observedGeneration", 0) >= found["metadata"].get("generation", 0)
            if seen and not replicas_of(found) and not status.get("replicas"):
                self.hub.delete("replicasets", found)

    # --- status

    def _finish(self, key: Key, *, estimate: bool) -> None:
        deployment, old, new = self._load(key)
        written = self._write(deployment, self._progress.status(deployment, old, new, estimate=estimate))
        left = self._progress.left(written)
        if left is not None:
            self.hub.later(left, self, key)

    def _write(self, deployment: Object, status: Object, *, number: int | None = None) -> Object:
        """Write the status, and with it the revision: the status subresource takes annotations too."""
        annotations = deployment["metadata"].get("annotations") or {}
        if number is not None and annotations.get(REVISION) != str(number):
            deployment = with_meta(deployment, annotations={**annotations, REVISION: str(number)})
        elif (deployment.get("status") or {}) == status:
            return deployment
        return self.hub.update("deployments", {**deployment, "status": status}, subresource="status")

    def _event(self, deployment: Object, message: str) -> None:
        self.hub.recorder.record(deployment, "Normal", "ScalingReplicaSet", message, component="deployment-controller")
