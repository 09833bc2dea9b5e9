"""What ``kubectl get pods`` says of a Pod."""

from collections.abc import Callable
from typing import Any

from kubesim.jsondata import Object


def pod_ready(pod: Object) -> str:
    """``1/2``: ready containers of all."""
    statuses = pod.get("status", {}).get("containerStatuses") or ()
    return f"{sum(bool(status.get('ready')) for status in statuses)}/{len(pod['spec'].get('containers') or ())}"


def pod_restarts(pod: Object, since: Callable[[str], str]) -> str:
    """``3 (20s ago)``: restarts of all containers, and when the last one was."""
    statuses = pod.get("status", {}).get("containerStatuses") or ()
    count = sum(status.get("restartCount", 0) for status in statuses)
    ends = [
        end
        for status in statuses
        if (end := ((status.get("lastState") or {}).get("terminated") or {}).get("finishedAt"))
    ]
    return f"{count} ({since(max(ends))} ago)" if count and ends else str(count)


def pod_status(pod: Object) -> str:
    """One word for the state: the phase, or what keeps the Pod from it."""
    status: Object = pod.get("status") or {}
    reason = str(status.get("reason") or status.get("phase", ""))
    for condition in status.get("conditions") or ():
        if condition["type"] == "PodScheduled" and condition.get("reason") == "SchedulingGated":
            reason = "SchedulingGated"
    reason = _init_reason(pod, status) or _container_reason(status, reason)
    if "deletionTimestamp" in pod["metadata"]:
        return "Unknown" if status.get("reason") == "NodeLost" else "Terminating"
    return reason


def _init_reason(pod: Object, status: Object) -> str:
    containers = pod["spec"].get("initContainers") or ()
    for index, container in enumerate(status.get("initContainerStatuses") or ()):
        state: Object = container.get("state") or {}
        ended, waiting = state.get("terminated"), state.get("waiting")
        if ended is not None and not ended.get("exitCode"):
            continue
        if _restarts_always(containers, container["name"]) and container.get("started"):
            continue
        if ended is not None:
            return "Init:" + (ended.get("reason") or _exit(ended))
        if waiting and waiting.get("reason") not in (None, "", "PodInitializing"):
            return f"Init:{waiting['reason']}"
        return f"Init:{index}/{len(containers)}"
    return ""


def _restarts_always(containers: Any, name: str) -> bool:
    return any(container["name"] == name and container.get("restartPolicy") == "Always" for container in containers)


def _container_reason(status: Object, reason: str) -> str:
    running = False
    for container in reversed(status.get("containerStatuses") or ()):
        state: Object = container.get("state") or {}
        ended, waiting = state.get("terminated"), state.get("waiting")
        if waiting and waiting.get("reason"):
            reason = waiting["reason"]
        elif ended is not None:
            reason = ended.get("reason") or _exit(ended)
        elif container.get("ready") and state.get("running") is not None:
            running = True
    if reason == "Completed" and running:
        ready = any(
            condition["type"] == "Ready" and condition["status"] == "True"
            for condition in status.get("conditions") or ()
        )
        return "Running" if ready else "NotReady"
    return reason


def _exit(ended: Object) -> str:
    return f"Signal:{ended['signal']}" if ended.get("signal") else f"ExitCode:{ended.get('exitCode', 0)}"
