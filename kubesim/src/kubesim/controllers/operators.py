"""Operators: what acts on the objects of custom resources, as a test or a demonstration asks for it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kubesim import conditions
from kubesim.controllers.hub import Controller, Hub, Key
from kubesim.controllers.owners import reference, with_meta
from kubesim.controllers.view import is_deleting
from kubesim.jsondata import Object, copy_json
from kubesim.problems import Problem
from kubesim.resources import Resource
from kubesim.storage import EventType

_MANAGER = "operator"


@dataclass(frozen=True, slots=True)
class Operator:
    """What becomes of the objects of a custom resource, ``plural.group``, each time that their spec changes.

    After ``seconds`` at speed 1 the object's ``condition`` is true or, with the message ``fail``, false; and its
    status has ``status``, and ``observedGeneration``. The resource needs a status subresource for that.
    """

    resource: str
    seconds: float = 1.0
    condition: str = "Ready"
    fail: str = ""
    status: Mapping[str, Any] = field(default_factory=dict)
    children: Callable[[Object], Iterable[Object]] | None = None
    """The objects that it makes at once for an object, which then owns them. They are made, not changed."""
    finalizer: str = ""
    """Put on its objects. It is taken off ``seconds`` after an object was asked to go."""
    reconcile: Callable[[Object], Object | None] | None = None
    """Answers with an object's next status, in place of all that is said here of it; None leaves it."""
    runs_as: tuple[str, str, str] | None = None
    """Plural, namespace and name of the workload that it is: it acts only while a Pod of that is ready."""


class Operators(Controller):
    """Syncs the objects of custom resources by resource, namespace and name."""

    watches = ("*",)

    def __init__(self, hub: Hub, operators: Sequence[Operator]) -> None:
        super().__init__(hub)
        self._operators = {operator.resource: operator for operator in operators}
        self._since: dict[Key, tuple[tuple[str, int, bool], float]] = {}

    def take_up(self, operator: Operator) -> None:
        """Let one more act."""
        self._operators[operator.resource] = operator
        self._enqueue_all(operator)

    def _enqueue_all(self, operator: Operator) -> None:
        for obj in self.view.all(operator.resource):
            self.enqueue(operator.resource, obj["metadata"].get("namespace", ""), obj["metadata"]["name"])

    def changed(self, event: EventType, plural: str, obj: Object, old: Object | None) -> None:
        meta = obj["metadata"]
        if plural in self._operators:
            self.enqueue(plural, meta.get("namespace", ""), meta["name"])
        for operator in self._operators.values():
            if operator.runs_as == (plural, meta.get("namespace", ""), meta["name"]):
                self._enqueue_all(operator)

    def sync(self, key: Key) -> None:
        operator = self._operators[key[0]]
        found = self.view.get(*key)
        if found is None:
            self.hub.forget(self, key)
            self._since.pop(key, None)
            return
        if not self._runs(operator):
            return
        meta = found["metadata"]
        finalizers = meta.get("finalizers") or []
        if operator.finalizer and not is_deleting(found) and operator.finalizer not in finalizers:
            with_it = with_meta(found, finalizers=[*finalizers, operator.finalizer])
            found = self.hub.update(key[0], with_it, manager=_MANAGER)
        if not is_deleting(found) and operator.children is not None:
            self._make(found, operator.children(copy_json(found)))
        if self._waits(key, operator, found):
            return
        if is_deleting(found):
            if operator.finalizer in finalizers:
                left = [each for each in finalizers if each != operator.finalizer]
                self.hub.update(key[0], with_meta(found, finalizers=left), manager=_MANAGER)
            return
        status = operator.reconcile(copy_json(found)) if operator.reconcile else self._status(operator, found)
        if status is not None:
            self.hub.set_status(key[0], found, status, manager=_MANAGER)

    def _runs(self, operator: Operator) -> bool:
        if operator.runs_as is None:
            return True
        workload = self.view.get(*operator.runs_as)
        return workload is not None and bool((workload.get("status") or {}).get("readyReplicas"))

    def _waits(self, key: Key, operator: Operator, found: Object) -> bool:
        """Whether the operator is still at work on this state of the object."""
        meta = found["metadata"]
        state = (meta["uid"], meta.get("generation", 0), is_deleting(found))
        known, since = self._since.get(key, (None, 0.0))
        if known != state:
            since = self.hub.time()
            self._since[key] = state, since
        left = since + operator.seconds - self.hub.time()
        if left > 0:
            self.hub.later(left, self, key)
        return left > 0

    def _status(self, operator: Operator, found: Object) -> Object:
        generation = found["metadata"].get("generation", 0)
        status = found.get("status") or {}
        known = status.get("conditions") or []
        outcome = ("False", "Failed", operator.fail) if operator.fail else ("True", "Reconciled", "")
        old = conditions.find(known, operator.condition)
        if old is None or (old["status"], old.get("observedGeneration")) != (outcome[0], generation):
            known = conditions.put(known, operator.condition, *outcome, self.hub.now(), again=True)
            known[-1]["observedGeneration"] = generation
            known[-1].setdefault("message", "")
        return {**status, **copy_json(dict(operator.status)), "observedGeneration": generation, "conditions": known}

    def _make(self, owner: Object, children: Iterable[Object]) -> None:
        for child in children:
            resource = self._resource(child)
            meta = {**child["metadata"], "ownerReferences": [reference(owner)]}
            if resource.namespaced:
                meta.setdefault("namespace", owner["metadata"].get("namespace", ""))
            if self.view.get(resource.key, meta.get("namespace", ""), meta["name"]) is None:
                self.hub.create(resource.key, {**child, "metadata": meta}, manager=_MANAGER)

    def _resource(self, child: Object) -> Resource:
        resource = self.hub.registry.catalog.kind(child["apiVersion"], child["kind"])
        if resource is None:
            raise Problem(404, "NotFound", f"no kind {child['kind']} in {child['apiVersion']} is served")
        return resource
