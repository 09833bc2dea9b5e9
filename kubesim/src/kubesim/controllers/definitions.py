"""What the API server does for CustomResourceDefinitions: it accepts their names, serves them, and clears up."""

from kubesim import conditions
from kubesim.controllers.hub import Controller, Hub, Key
from kubesim.controllers.owners import with_meta
from kubesim.controllers.view import is_deleting
from kubesim.custom.definition import CLEANUP, DEFINITIONS, is_true
from kubesim.jsondata import Object
from kubesim.problems import Problem
from kubesim.storage import EventType

_MANAGER = "kube-apiserver"
_POLL = 5.0  # seconds from one look for objects that are left to the next, on a real server as well

Outcome = tuple[str, str, str, str]
"""Type, status, reason and message of a condition."""

_INSTALLING: Outcome = ("Established", "False", "Installing", "the initial names have been accepted")
_ESTABLISHED: Outcome = ("Established", "True", "InitialNamesAccepted", "the initial names have been accepted")
_NOT_ACCEPTED: Outcome = ("Established", "False", "NotAccepted", "not all names are accepted")
_IN_PROGRESS: Outcome = ("Terminating", "True", "InstanceDeletionInProgress", "CustomResource deletion is in progress")
_COMPLETED: Outcome = ("Terminating", "False", "InstanceDeletionCompleted", "removed all instances")
_NEVER: Outcome = ("Terminating", "False", "NeverEstablished", "resource was never established")


class DefinitionController(Controller):
    """Syncs definitions by name. ``delay`` is how many seconds go by, at speed 1, before one is served."""

    watches = (DEFINITIONS,)

    def __init__(self, hub: Hub, delay: float) -> None:
        super().__init__(hub)
        self._delay = delay
        self._since: dict[str, float] = {}

    def changed(self, event: EventType, plural: str, obj: Object, old: Object | None) -> None:
        self.enqueue(obj["metadata"]["name"])
        if event == "DELETED" or (old is not None and old["status"] != obj["status"]):
            # Names that it gave up are free for others.
            for other in self.view.all(DEFINITIONS):
                if other["spec"]["group"] == obj["spec"]["group"] and not is_true(other, "NamesAccepted"):
                    self.enqueue(other["metadata"]["name"])

    def sync(self, key: Key) -> None:
        found = self.view.get(DEFINITIONS, "", key[0])
        if found is None:
            self.hub.forget(self, key)
            self._since.pop(key[0], None)
        elif is_deleting(found):
            self._clear_up(key, found)
        elif not self._waits(key, found):
            self._establish(self._name(found))

    def _waits(self, key: Key, found: Object) -> bool:
        """Whether it is too early to look at a new definition."""
        if found["status"].get("conditions"):
            return False
        left = self._since.setdefault(key[0], self.hub.time()) + self._delay - self.hub.time()
        if left > 0:
            self.hub.later(left, self, key)
        return left > 0

    def _name(self, found: Object) -> Object:
        """Accept the names that nobody of the group has."""
        status = found["status"]
        wanted, accepted = found["spec"]["names"], status["acceptedNames"]
        if wanted == accepted:
            return found
        accepted, outcome = _settled(wanted, accepted, *self._taken(found))
        known = conditions.put(status.get("conditions") or (), *outcome, self.hub.now(), again=True)
        if not is_true(found, "Established"):
            second = _INSTALLING if outcome[1] == "True" else _NOT_ACCEPTED
            known = conditions.put(known, *second, self.hub.now(), again=True)
        return self._write(found, {**status, "acceptedNames": accepted, "conditions": known})

    def _taken(self, found: Object) -> tuple[set[str], set[str]]:
        """The names and the kinds that the group's definitions have, this one too."""
        names: set[str] = set()
        kinds: set[str] = set()
        for other in self.view.all(DEFINITIONS):
            if other["spec"]["group"] == found["spec"]["group"]:
                has = other["status"]["acceptedNames"]
                names |= {has["plural"], has.get("singular", ""), *(has.get("shortNames") or ())}
                kinds |= {has["kind"], has.get("listKind", "")}
        return names - {""}, kinds - {""}

    def _establish(self, found: Object) -> None:
        if is_true(found, "NamesAccepted") and not is_true(found, "Established"):
            self._conclude(found, _ESTABLISHED)

    def _clear_up(self, key: Key, found: Object) -> None:
        """Let the objects go first, then the definition."""
        if CLEANUP not in (found["metadata"].get("finalizers") or ()):
            return
        registry = self.hub.registry
        if not is_true(found, "Established"):
            self._release(found, _NEVER)
            return
        found = self._conclude(found, _IN_PROGRESS)
        name = found["metadata"]["name"]
        resource = registry.catalog.resources.get(name)
        for obj in self.view.all(name) if resource is not None else ():
            if not is_deleting(obj):
                self.hub.delete(name, obj)
        if self.view.all(name):
            self.hub.later(_POLL, self, key)
        else:
            self._release(found, _COMPLETED)

    def _release(self, found: Object, outcome: Outcome) -> None:
        left = [each for each in found["metadata"].get("finalizers") or () if each != CLEANUP]
        self._conclude(with_meta(found, finalizers=left), outcome)

    def _conclude(self, found: Object, outcome: Outcome) -> Object:
        status = found["status"]
        known = conditions.put(status.get("conditions") or (), *outcome, self.hub.now(), again=True)
        return self._write(found, {**status, "conditions": known})

    def _write(self, found: Object, status: Object) -> Object:
        try:
            return self.hub.update(DEFINITIONS, {**found, "status": status}, manager=_MANAGER, subresource="status")
        except Problem as problem:
            if problem.code not in (404, 409):
                raise
            return found


def _settled(wanted: Object, accepted: Object, names: set[str], kinds: set[str]) -> tuple[Object, Outcome]:
    """The names that are accepted, and what is said of them."""
    result = dict(accepted)
    reason, message = "NoConflicts", "no conflicts found"

    def refused(name: str, own: str, taken: set[str]) -> str:
        return f'"{name}" is already in use' if name != own and name in taken else ""

    for field, title, taken in (
        ("plural", "Plural", names),
        ("singular", "Singular", names),
        ("kind", "Kind", kinds),
        ("listKind", "ListKind", kinds),
    ):
        if text := refused(wanted.get(field, ""), accepted.get(field, ""), taken):
            reason, message = f"{title}Conflict", text
        else:
            result[field] = wanted.get(field, "")
        if field == "singular":
            own = accepted.get("shortNames") or ()
            texts = [
                text
                for name in wanted.get("shortNames") or ()
                if name not in own and (text := refused(name, "", names))
            ]
            if texts:
                reason, message = "ShortNamesConflict", texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
            else:
                _copy(result, wanted, "shortNames")
    _copy(result, wanted, "categories")
    return result, ("NamesAccepted", "True" if reason == "NoConflicts" else "False", reason, message)


def _copy(result: Object, wanted: Object, field: str) -> None:
    if wanted.get(field):
        result[field] = wanted[field]
    else:
        result.pop(field, None)
