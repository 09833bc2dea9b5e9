"""Why a Pod does not run, in the words of the cluster."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kubemin.cluster.readiness.fields import condition, mapping, text
from kubemin.spec.objects import Manifest

_STUCK = frozenset(
    {
        "CrashLoopBackOff",
        "CreateContainerConfigError",
        "CreateContainerError",
        "ErrImageNeverPull",
        "ErrImagePull",
        "ImageInspectError",
        "ImagePullBackOff",
        "InvalidImageName",
        "RegistryUnavailable",
        "RunContainerError",
        "SignatureValidationFailed",
    }
)
"""Reasons why a container waits that do not end by themselves."""

_CRASHES = 3
"""After so many restarts a container counts as crashing, also while it runs again."""


def why_stuck(pods: Sequence[Manifest], events: Sequence[Manifest] = ()) -> str | None:
    """The reason why one of ``pods`` will not get ready; None if all of them may still get ready."""
    stuck = [
        f"Pod {_name(item)}: {problem}"
        for item in sorted(pods, key=_name)
        if "deletionTimestamp" not in item["metadata"]
        for problem in _stuck_reasons(item, events)
    ]
    if not stuck:
        return None
    return stuck[0] if len(stuck) == 1 else f"{stuck[0]} (and {len(stuck) - 1} more)"


def crashed(pods: Sequence[Manifest]) -> tuple[Manifest, str] | None:
    """A Pod with a container that crashes, and the container's name, to read its log."""
    for item in sorted(pods, key=_name):
        for statuses in ("initContainerStatuses", "containerStatuses"):
            for each in mapping(item, "status").get(statuses) or ():
                backing_off = text(mapping(each, "state", "waiting"), "reason") == "CrashLoopBackOff"
                if backing_off or ((each.get("restartCount") or 0) >= _CRASHES and not each.get("ready")):
                    return item, str(each.get("name"))
    return None


def _stuck_reasons(item: Manifest, events: Sequence[Manifest]) -> Iterator[str]:
    status = mapping(item, "status")
    if text(status, "phase") in {"Succeeded", "Failed"}:
        return
    scheduled = condition(item, "PodScheduled")
    if scheduled and scheduled.get("status") == "False" and scheduled.get("reason") == "Unschedulable":
        yield f"Unschedulable: {scheduled.get('message') or 'no node takes it'}"
        return
    problems = [
        why
        for what, statuses in (("init container", "initContainerStatuses"), ("container", "containerStatuses"))
        for each in status.get(statuses) or ()
        if (why := _why_container_stuck(what, each))
    ]
    # One container is enough; the others of the Pod mostly wait for the same reason.
    yield from problems[:1] or _missing_volumes(item, events)


def _why_container_stuck(what: str, status: Mapping[str, Any]) -> str | None:
    waiting = mapping(status, "state", "waiting")
    reason = text(waiting, "reason")
    name = f"{what} {status.get('name')}"
    restarts = status.get("restartCount") or 0
    if reason == "CrashLoopBackOff":
        return f"{name}: CrashLoopBackOff: {_last_exit(status) or waiting.get('message') or 'it keeps ending'}"
    if reason in _STUCK:
        return f"{name}: {reason}: {waiting.get('message') or 'no message'}"
    if restarts >= _CRASHES and not status.get("ready") and _last_exit(status):
        return f"{name}: restarted {restarts} times: {_last_exit(status)}"
    return None


def _last_exit(status: Mapping[str, Any]) -> str:
    ended = mapping(status, "state", "terminated") or mapping(status, "lastState", "terminated")
    if not ended:
        return ""
    code = ended.get("exitCode")
    reason = ended.get("reason")
    ending = f"it ended with exit code {code}"
    if reason and reason not in {"Error", "Completed"}:
        ending += f" ({reason})"
    message = str(ended.get("message") or "").strip()
    return f"{ending}: {message}" if message else ending


def _missing_volumes(item: Manifest, events: Sequence[Manifest]) -> Iterator[str]:
    """A mounted ConfigMap or Secret that does not exist: only events show it.

    Other failed mounts mostly succeed later.
    """
    if any(each.get("started") for each in mapping(item, "status").get("containerStatuses") or ()):
        return
    for event in events:
        about = mapping(event, "involvedObject").get("uid") == item["metadata"].get("uid")
        message = str(event.get("message") or "")
        if about and event.get("reason") == "FailedMount" and "not found" in message:
            yield f"FailedMount: {message}"
            return


def _name(item: Manifest) -> str:
    return str(item["metadata"].get("name", "?"))
