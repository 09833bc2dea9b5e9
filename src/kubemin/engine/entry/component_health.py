"""How components do in the cluster, from watches: never a request a question."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass
from typing import Literal

from kubemin.cluster.informers import Informers
from kubemin.cluster.readiness import Verdict
from kubemin.engine.entry.component_states import state_of, worst_of
from kubemin.engine.entry.component_verdicts import Verdicts
from kubemin.engine.objects.ownership import controlled
from kubemin.spec.kind import Health
from kubemin.spec.kinds import OWN, kind_of
from kubemin.spec.labels import NAME
from kubemin.spec.names import DEFAULT_CLUSTER
from kubemin.spec.objects import Manifest
from kubemin.spec.readiness import ReadinessRule
from kubemin.spec.states import ComponentState
from kubemin.store import Database, kinds

_IDLE_SECONDS = 600.0
"""So long after the last question the watches end."""
_FIRST_SECONDS = 2.0
"""How long questions wait for watches that have just begun."""

_AGAIN_SECONDS = 5.0
"""So long it is not asked anew which other kinds tasks have written."""

_TELLING = tuple(name for name in sorted(OWN) if kind_of(name).health is not Health.NOTHING)
_WATCHED = {*_TELLING, *(name for kind in _TELLING for name in kind_of(kind).told_by)}


@dataclass(frozen=True)
class ComponentHealth:
    """``status`` says whether it is as it is to be, in the four words that older clients know; ``state`` says more.

    ``abnormal``: what is wrong with it; ``links``: addresses from outside, type and value.
    """

    status: Literal["Running", "Pending", "Failed", "Not Deploy"]
    state: ComponentState
    abnormal: str = ""
    links: tuple[tuple[str, str], ...] = ()


class ComponentWatch:
    """Keeps the watches going that `states` answers from, while somebody asks.

    Watches have as much to read as the managed objects of the cluster change, also where nobody wants to know.
    """

    def __init__(
        self,
        db: Database,
        opened: Callable[[], AbstractAsyncContextManager[Informers]],
        *,
        cluster: str = DEFAULT_CLUSTER,
        rules: Sequence[ReadinessRule] = (),
        idle_seconds: float = _IDLE_SECONDS,
    ) -> None:
        """``opened``: watches of the ``cluster`` to use as long as the context lasts. ``rules``: the settings'."""
        self._cluster = cluster
        self._verdicts = Verdicts(db, rules)
        self._db = db
        self._opened = opened
        self._telling: tuple[str, ...] = _TELLING
        self._ask_again_at = float("-inf")
        self._idle_seconds = idle_seconds
        self._asked = asyncio.Event()
        self._synced = asyncio.Event()
        self._informers: Informers | None = None
        self._waits_until = 0.0
        """By the loop's clock: later questions are answered with what is known by then."""

    async def run(self) -> None:
        """Watch while somebody asks. Never ends."""
        while True:
            await self._asked.wait()
            async with self._opened() as informers, aclosing(self._verdicts):
                self._informers = informers
                await asyncio.gather(*(informers.watch(kind) for kind in _WATCHED))
                self._synced.set()
                while self._asked.is_set():
                    self._asked.clear()
                    await asyncio.sleep(self._idle_seconds)
                self._synced.clear()
                self._informers = None

    async def states(self, app_id: str) -> dict[str, ComponentHealth]:
        """By component name; one that is not in the cluster is left out.

        The first question begins the watches and waits for them, but not for a cluster that is away.
        """
        if self._informers is None and not self._asked.is_set():
            self._waits_until = asyncio.get_running_loop().time() + _FIRST_SECONDS
        self._asked.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(self._waits_until):
                await self._synced.wait()
        if (informers := self._informers) is None:
            return {}
        await self._begin_others(informers)
        parts: defaultdict[str, list[Manifest]] = defaultdict(list)
        for kind in self._telling:
            for obj in informers.of_application(kind, app_id):
                if not controlled(obj):  # a CronJob's Jobs: the newest of them would have to be told from the others
                    parts[obj["metadata"]["labels"].get(NAME, "")].append(obj)
        rules = await self._verdicts.rules_of(app_id)
        return {
            name: _health(objects, await self._verdicts.of(informers, objects, rules.get(name, ())))
            for name, objects in parts.items()
        }

    async def _begin_others(self, informers: Informers) -> None:
        """Watch what tasks have written by now. Nobody waits: a kind may be gone, or we may not see it."""
        now = asyncio.get_running_loop().time()
        if now >= self._ask_again_at:
            self._ask_again_at = now + _AGAIN_SECONDS
            async with self._db.read() as tx:
                written = await kinds.written(tx, self._cluster)
            found = [kind for kind in written if kind_of(kind).health is not Health.NOTHING]
            self._telling = (*_TELLING, *sorted(set(found) - OWN))
        for kind in self._telling[len(_TELLING) :]:
            informers.begin(kind)


def _health(objects: Sequence[Manifest], told: Sequence[tuple[Manifest, Verdict]]) -> ComponentHealth:
    links = tuple(link for obj in objects for link in _links(obj))
    wrong = "; ".join(verdict.message for _, verdict in told if verdict.state == "hopeless")
    verdicts = {verdict.state for _, verdict in told}
    if not told:
        return ComponentHealth("Pending", ComponentState.PENDING, wrong, links)
    state = worst_of({state_of(obj, verdict) for obj, verdict in told})
    if "hopeless" in verdicts:
        return ComponentHealth("Failed", state, wrong, links)
    return ComponentHealth("Running" if verdicts == {"ready"} else "Pending", state, wrong, links)


def _links(obj: Manifest) -> list[tuple[str, str]]:
    spec, status = obj.get("spec", {}), obj.get("status", {})
    if obj["kind"] == "Ingress":
        secure = {host for tls in spec.get("tls") or [] for host in tls.get("hosts") or []}
        hosts = dict.fromkeys(rule["host"] for rule in spec.get("rules") or [] if rule.get("host"))
        return [("Ingress", f"{'https' if host in secure else 'http'}://{host}") for host in hosts]
    if obj["kind"] == "HTTPRoute":
        return [("HTTPRoute", str(host)) for host in spec.get("hostnames") or []]
    if obj["kind"] == "Service" and spec.get("type") == "LoadBalancer":
        doors = (status.get("loadBalancer") or {}).get("ingress") or []
        addresses = [door.get("hostname") or door.get("ip") for door in doors]
        return [("LoadBalancer", f"{address}:{port['port']}") for address in addresses for port in spec["ports"]]
    if obj["kind"] == "Service" and spec.get("type") == "NodePort":
        return [("NodePort", str(port["nodePort"])) for port in spec["ports"] if "nodePort" in port]
    return []
