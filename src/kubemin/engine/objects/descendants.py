"""What is still there of what controllers made of an object that is gone, or goes (design R5). Pure.

The garbage collector deletes it, one turn after the other: a Deployment's ReplicaSets, then their Pods; so it is with
a CronJob's Jobs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kubemin.cluster.cached_readiness import pod_labels
from kubemin.engine.objects.ownership import controller_ref
from kubemin.engine.objects.rollout import surely_made_all
from kubemin.spec.kinds import kind_name, kind_of
from kubemin.spec.labels import APP_ID
from kubemin.spec.objects import Manifest, ObjectRef

_BETWEEN = {"Deployment": "ReplicaSet", "CronJob": "Job"}
"""The kinds that make no Pods by themselves, and what they make that does."""

Present = Mapping[str, Sequence[Manifest]]
"""Objects by kind; their metadata is enough."""


@dataclass(frozen=True)
class Owner:
    """An object that is gone, or goes; what its controller made is told by it.

    ``uid`` is None where nobody knows which object of the name it was. ``view``: the object as it was last, or its
    manifest. ``made_all``: its controller has nothing under way that it waits for: nothing comes once all is gone.
    """

    ref: ObjectRef
    uid: str | None
    view: Manifest
    made_all: bool = False

    @classmethod
    def of(cls, live: Manifest) -> "Owner":
        """That of an object as the server has it."""
        return cls(ObjectRef.of(live), live["metadata"]["uid"], live, surely_made_all(live))

    @property
    def told_by(self) -> tuple[str, ...]:
        """Those of `kinds` that are watched anyway."""
        return kind_of(self.ref.kind).told_by

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of what is waited for."""
        controller = kind_of(self.ref.kind).controller
        history = controller.history if controller else None
        return self.told_by if history is None or history in self.told_by else (*self.told_by, history)

    @property
    def selector(self) -> Mapping[str, str]:
        """The labels that its Pods must have; empty where that is not known."""
        return ((self.view.get("spec") or {}).get("selector") or {}).get("matchLabels") or {}

    @property
    def labels(self) -> Mapping[str, str]:
        """Labels that what its controller made has, as many as are known."""
        return pod_labels(self.view)

    @property
    def asked_by(self) -> str | None:
        """A label selector that leaves out nothing of it, and is the same for many owners."""
        labels = self.selector
        if self.ref.kind in ("Job", "CronJob"):  # the one never changes, nor does the other's application
            labels = self.labels
        app_id = labels.get(APP_ID)
        return None if app_id is None else f"{APP_ID}={app_id}"

    def descendants(self, present: Present) -> list[Manifest]:
        """What is there of it, in the order of the kinds: what it controls, and what that controls or did control.

        A Pod whose ReplicaSet or Job is gone does not tell whose that was; its labels do.
        """
        found = [obj for objects in present.values() for obj in objects if self._controls(obj)]
        maker = _BETWEEN.get(self.ref.kind)
        if maker is None:
            return found
        its = {obj["metadata"]["uid"] for obj in found}
        others = {obj["metadata"]["uid"] for obj in present.get(maker, ())} - its
        return found + [pod for pod in present.get("Pod", ()) if self._made_by_its(maker, pod, its, others)]

    def _controls(self, obj: Manifest) -> bool:
        by = controller_ref(obj)
        if by is None:
            return False
        if self.uid is not None:
            return bool(by["uid"] == self.uid)
        return (by["kind"], by["name"]) == (self.ref.kind, self.ref.name)

    def _made_by_its(self, maker: str, pod: Manifest, its: set[str], others: set[str]) -> bool:
        by = controller_ref(pod)
        if by is None or by["kind"] != maker or by["uid"] in others:
            return False
        labels = pod["metadata"].get("labels") or {}
        known = self.selector or self.labels
        return by["uid"] in its or (bool(known) and known.items() <= labels.items())


def named(obj: Manifest) -> str:
    """An object for people, with the finalizers that keep it: ``Pod web-1 (example.com/hold)``."""
    finalizers = obj["metadata"].get("finalizers")
    return f"{kind_name(obj)} {obj['metadata']['name']}" + (f" ({', '.join(finalizers)})" if finalizers else "")
