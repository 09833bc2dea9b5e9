"""What the cluster refuses to create: by a policy, or as a quota is full. What is there may still be changed."""

from kubemin.spec.objects import Manifest
from kubesim.faults import Armed, Fault
from kubesim.problems import Problem
from kubesim.resources import RESOURCES
from kubesim.server import SimServer
from tests.proof.script import Deny

_NAMESPACE = "default"


def _title(plural: str) -> str:
    """The name of a policy or quota."""
    return f"proof-{plural}-proof"


def said_of(error: str, plural: str, name: str) -> bool:
    """Whether this tells of such a refusal to create this object."""
    if plural not in RESOURCES:
        return False
    return any(f'{RESOURCES[plural].qualified} "{name}"' in one and _title(plural) in one for one in error.split(";"))


class Refusals:
    """The policies and quotas of a round."""

    def __init__(self, sim: SimServer) -> None:
        self._sim = sim
        self._denied: list[tuple[Deny, Armed | None]] = []

    def begin(self, deny: Deny, namespace: str) -> None:
        """Refuse from now on. A quota is only in the namespace that is always there."""
        full = deny.full and namespace == _NAMESPACE
        if full:
            self._fill(deny.resource)
        self._denied.append((deny, None if full else self._forbid(deny)))

    def calm(self) -> None:
        """End all but what lasts; the faults of the cluster have been cleared."""
        lasting = [(deny, armed) for deny, armed in self._denied if deny.lasts]
        self._end([one for one in self._denied if one not in lasting])
        self._denied = [(deny, armed and self._forbid(deny)) for deny, armed in lasting]

    def end(self) -> None:
        """End all."""
        self._end(self._denied)
        self._denied = []

    def _forbid(self, deny: Deny) -> Armed:
        plural = deny.resource
        fault = Fault("deny", verb="create", resource=plural, times=None, code=deny.code, policy=_title(plural))
        return self._sim.faults.add(fault)

    def _fill(self, plural: str) -> None:
        used = sum(1 for obj in self._sim.registry.scan(plural) if obj["metadata"]["namespace"] == _NAMESPACE)
        hard = {f"count/{RESOURCES[plural].qualified}": str(used)}
        quota: Manifest = {"metadata": {"name": _title(plural)}, "spec": {"hard": hard}}
        try:
            self._sim.registry.create("resourcequotas", _NAMESPACE, quota, manager="kubectl")
        except Problem:
            return  # it is there already, and as full

    def _end(self, denied: list[tuple[Deny, Armed | None]]) -> None:
        for deny, armed in denied:
            if armed is not None:
                self._sim.faults.remove(armed)
            elif self._sim.registry.peek("resourcequotas", _NAMESPACE, _title(deny.resource)) is not None:
                self._sim.registry.delete("resourcequotas", _NAMESPACE, _title(deny.resource))
