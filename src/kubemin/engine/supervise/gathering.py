"""Gathering of evidence: what the Pods of components say, masked and small. What does not come in time is left out."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kubemin.cluster import Cluster
from kubemin.cluster.errors import ClusterError, Forbidden
from kubemin.cluster.informers import Informers
from kubemin.engine.objects.masking import Mask
from kubemin.spec.labels import APP_ID, CLI_COMPONENT_NAME
from kubemin.spec.objects import Manifest, ObjectRef

_COMPONENTS, _PODS, _EVENTS, _LINES = 20, 3, 20, 50
_POD_BYTES = 64 * 1024
_LOG_BYTES = 256 * 1024  # of one answer: a line may be of any length
_TEXTS = (16384, 4096, 1024, 256, 64, 16)
"""To how many characters texts are cut, until a Pod is small enough."""

_LATE = "no answer in time"


@dataclass(frozen=True)
class Suspect:
    """A component that was not ready, and the namespace of its objects."""

    component: str
    namespace: str


@dataclass
class Gathering:
    """One collection of evidence. ``found`` grows while `run` runs, and may be read when it was cut short."""

    cluster: Cluster
    informers: Informers
    app_id: str
    mask: Mask
    found: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    async def run(self, suspects: Sequence[Suspect], seconds: float) -> dict[str, list[dict[str, Any]]]:
        """What is known of each suspect's Pods within ``seconds``: by component, each Pod as the API shows it."""
        try:
            async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
                for suspect in suspects[:_COMPONENTS]:
                    group.create_task(self._component(suspect))
        except TimeoutError:
            pass  # what came in time is there
        return {name: [_fitted(pod) for pod in pods] for name, pods in self.found.items() if pods}

    async def _component(self, suspect: Suspect) -> None:
        labels = {APP_ID: self.app_id, CLI_COMPONENT_NAME: suspect.component}
        try:
            pods = await self._pods(suspect.namespace, labels)
        except ClusterError:
            return  # nothing is known of its Pods, not even that there are any
        chosen = sorted(pods, key=_interest)[:_PODS]
        shown = [(pod, self._pod(pod)) for pod in chosen]
        self.found.setdefault(suspect.component, []).extend(entry for _, entry in shown)
        async with asyncio.TaskGroup() as group:
            for pod, entry in shown:
                group.create_task(self._events(pod, entry))
                for container in entry["containers"]:
                    group.create_task(self._logs(ObjectRef.of(pod), container))

    async def _pods(self, namespace: str, labels: Mapping[str, str]) -> Sequence[Manifest]:
        if self.informers.synced("Pod"):
            return self.informers.snapshot("Pod", namespace, labels)
        selector = ",".join(f"{key}={value}" for key, value in labels.items())
        return (await self.cluster.list("Pod", namespace, labels=selector)).items

    def _pod(self, pod: Manifest) -> dict[str, Any]:
        status = pod.get("status") or {}
        containers = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
        return {
            "name": pod["metadata"]["name"],
            "state": self._masked({key: status[key] for key in ("phase", "reason", "message") if status.get(key)})
            | {
                "conditions": [
                    self._masked({key: one[key] for key in ("type", "status", "reason", "message") if one.get(key)})
                    for one in status.get("conditions") or ()
                ]
            },
            "events": [],
            "note": f"events: {_LATE}",
            "containers": [self._container(one) for one in containers],
        }

    def _container(self, status: Mapping[str, Any]) -> dict[str, Any]:
        state, last = status.get("state") or {}, status.get("lastState") or {}
        ready = bool(status.get("ready")) or (state.get("terminated") or {}).get("exitCode") == 0
        return {
            "name": str(status.get("name")),
            "restarts": int(status.get("restartCount") or 0),
            "ready": ready,
            "state": self._state(state),
            "lastState": self._state(last),
            "log": "",
            "previousLog": "",
            "note": "" if ready else f"log: {_LATE}",
        }

    def _state(self, state: Mapping[str, Any]) -> dict[str, Any]:
        return {key: self._masked(value) for key, value in state.items() if isinstance(value, dict)}

    def _masked(self, part: Mapping[str, Any]) -> dict[str, Any]:
        """With its message masked; the other fields are words of Kubernetes."""
        return {key: self.mask.cut(str(value)) if key == "message" else value for key, value in part.items()}

    async def _events(self, pod: Manifest, entry: dict[str, Any]) -> None:
        meta = pod["metadata"]
        try:
            namespace = meta.get("namespace", "default")
            listed = await self.cluster.list("Event", namespace, fields=f"involvedObject.uid={meta['uid']}")
        except ClusterError as error:
            entry["note"] = _unread("events", error)
            return
        told = sorted(listed.items, key=lambda event: str(event.get("lastTimestamp") or event.get("eventTime") or ""))
        entry["note"] = ""
        entry["events"] = [
            {
                "type": str(event.get("type") or ""),
                "reason": str(event.get("reason") or ""),
                "message": self.mask.cut(str(event.get("message") or "")),
                "count": int(event.get("count") or 1),
                "at": str(event.get("lastTimestamp") or event.get("eventTime") or ""),
            }
            for event in told[-_EVENTS:]
        ]

    async def _logs(self, pod: ObjectRef, entry: dict[str, Any]) -> None:
        """The log of a container that is not ready, and that of its former run if it had one."""
        state, last = entry["state"], entry["lastState"]
        if entry["ready"]:
            return
        if not state.keys() & {"running", "terminated"} and "terminated" not in last:
            reason = (state.get("waiting") or {}).get("reason")
            entry["note"] = f"it never ran: {reason or 'it waits'}"
            return
        async with asyncio.TaskGroup() as group:
            group.create_task(self._log(pod, entry, "log", previous=False))
            # Of a container that waits for its next run, the log is that of the last one already.
            if "terminated" in last:
                group.create_task(self._log(pod, entry, "previousLog", previous=True))

    async def _log(self, pod: ObjectRef, entry: dict[str, Any], to: str, *, previous: bool) -> None:
        try:
            text = await self.cluster.log(pod, entry["name"], lines=_LINES, previous=previous, most=_LOG_BYTES)
        except ClusterError as error:
            if not previous or isinstance(error, Forbidden):
                entry["note"] = _unread("logs", error)
            return
        if len(text.encode()) >= _LOG_BYTES:  # cut in the middle of a line, so perhaps of a secret value
            text = text.rpartition("\n")[0]
        entry[to] = self.mask(text)
        if not previous:
            entry["note"] = ""


def _unread(what: str, error: ClusterError) -> str:
    may_not = isinstance(error, Forbidden)
    return f"not allowed to read {what}: {error.message}" if may_not else f"no {what}: {error.message}"


def _interest(pod: Manifest) -> tuple[bool, bool, str]:
    """First Pods that are not ready, then those that are to stay."""
    conditions = (pod.get("status") or {}).get("conditions") or ()
    ready = any(one.get("type") == "Ready" and one.get("status") == "True" for one in conditions)
    return ready, "deletionTimestamp" in pod["metadata"], str(pod["metadata"]["name"])


def _fitted(pod: dict[str, Any]) -> dict[str, Any]:
    """The Pod with its texts cut so that all of it takes no more than its share: of logs the end stays."""
    for most in _TEXTS:
        cut: dict[str, Any] = _cut(pod, most, ())
        if len(json.dumps(cut, ensure_ascii=False).encode("utf-8", "surrogatepass")) <= _POD_BYTES:
            return cut
    return {**_cut(pod, _TEXTS[-1], ()), "events": [], "containers": [], "note": "it has too many containers to show"}


def _cut(value: Any, most: int, path: Sequence[str]) -> Any:
    if isinstance(value, dict):
        return {key: _cut(one, most, (*path, key)) for key, one in value.items()}
    if isinstance(value, list):
        return [_cut(one, most, path) for one in value]
    if not isinstance(value, str) or len(value) <= most or path[-1] == "name":
        return value
    return "…" + value[-most:] if path[-1] in ("log", "previousLog") else value[:most] + "…"
