"""Events, as the real components record them: one object an occurrence, counted up when it repeats."""

import secrets
from collections import deque
from datetime import datetime, timedelta

from kubesim.jsondata import Object, stamp, utc_now
from kubesim.problems import Problem
from kubesim.registry import Registry

_KEEP = timedelta(hours=1)
_BURST, _REFILL = 25, 300.0  # events about one object at once, and seconds until there may be one more

# The components that record events, and the field manager of the process that each runs in.
_MANAGERS = {"kubelet": "kubelet", "default-scheduler": "kube-scheduler"}


class Recorder:
    """Writes events about objects. They go after an hour, and nobody talks too much, as in a real cluster."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._allowance: dict[tuple[str, str], tuple[float, datetime]] = {}
        self._seen: dict[tuple[str, ...], str] = {}
        self._made: deque[tuple[datetime, tuple[str, ...], str, str]] = deque()

    def record(
        self,
        obj: Object,
        kind: str,
        reason: str,
        message: str,
        *,
        component: str,
        field: str = "",
        host: str = "",
    ) -> None:
        """Record ``reason`` about ``obj``. ``kind`` is ``Normal`` or ``Warning``."""
        meta = obj["metadata"]
        namespace = meta.get("namespace") or "default"
        manager = _MANAGERS.get(component, "kube-controller-manager")
        moment = utc_now()
        key = (meta["uid"], reason, message, field)
        if not self._may_talk((meta["uid"], component), moment):
            return
        try:
            name = self._seen.get(key)
            if name is not None:
                event = self._registry.get("events", namespace, name)
                again = {**event, "count": event.get("count", 1) + 1, "lastTimestamp": stamp(moment)}
                self._registry.update("events", namespace, name, again, manager=manager)
                return
            self._expire(moment)
            name = f"{meta['name']}.{secrets.token_hex(8)}"
            involved = {
                "apiVersion": obj["apiVersion"],
                "kind": obj["kind"],
                "name": meta["name"],
                "uid": meta["uid"],
                "resourceVersion": meta["resourceVersion"],
                **({"namespace": meta["namespace"]} if meta.get("namespace") else {}),
                **({"fieldPath": field} if field else {}),
            }
            event = {
                "apiVersion": "v1",
                "kind": "Event",
                "metadata": {"name": name, "namespace": namespace},
                "involvedObject": involved,
                "reason": reason,
                "message": message,
                "source": {"component": component, **({"host": host} if host else {})},
                "firstTimestamp": stamp(moment),
                "lastTimestamp": stamp(moment),
                "count": 1,
                "type": kind,
                "eventTime": None,
                "reportingComponent": component,
                "reportingInstance": host,
            }
            self._registry.create("events", namespace, event, manager=manager)
        except Problem:
            # The namespace is going, or the event went before its repetition: nobody will miss it.
            self._seen.pop(key, None)
            return
        self._seen[key] = name
        self._made.append((moment, key, namespace, name))

    def _may_talk(self, who: tuple[str, str], now: datetime) -> bool:
        """Whether a component may record one more event about an object."""
        left, since = self._allowance.get(who, (float(_BURST), now))
        left = min(float(_BURST), left + (now - since).total_seconds() / _REFILL)
        if left < 1:
            return False
        self._allowance[who] = (left - 1, now)
        return True

    def _expire(self, now: datetime) -> None:
        while self._made and now - self._made[0][0] > _KEEP:
            _, key, namespace, name = self._made.popleft()
            self._seen.pop(key, None)
            for who in [who for who in self._allowance if who[0] == key[0]]:
                del self._allowance[who]
            try:
                self._registry.delete("events", namespace, name)
            except Problem as problem:
                if problem.code != 404:
                    raise
