"""Why a Pod does not run, in the words of the cluster."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kubemin.cluster.readiness.fields import condition, mapping, text
from kubemin.cluster.readiness.verdict import Trouble
from kubemin.spec.objects import Manifest
from kubemin.spec.reason_codes import ReasonCode

_STUCK = {
    "CrashLoopBackOff": ReasonCode.CRASH_LOOP,
    "RunContainerError": ReasonCode.CRASH_LOOP,
    "CreateContainerError": ReasonCode.CRASH_LOOP,
    "CreateContainerConfigError": ReasonCode.CONFIG_MISSING,
    "ErrImageNeverPull": ReasonCode.IMAGE_PULL,
    "ErrImagePull": ReasonCode.IMAGE_PULL,
    "ImageInspectError": ReasonCode.IMAGE_PULL,
    "ImagePullBackOff": ReasonCode.IMAGE_PULL,
    "InvalidImageName": ReasonCode.IMAGE_PULL,
    "RegistryUnavailable": ReasonCode.IMAGE_PULL,
    "SignatureValidationFailed": ReasonCode.IMAGE_PULL,
}
"""Reasons why a container waits that do not end by themselves."""

_MUST_NOT_BE_ROOT = "runAsNonRoot"
"""In the message of a CreateContainerConfigError that is about the Pod itself, and about no configuration."""


def why_stuck(pods: Sequence[Manifest], events: Sequence[Manifest] = ()) -> Trouble | None:
    """Why one of ``pods`` will not get ready; None if all of them may still get ready.

    What the container itself says stands at the end: it may be cut there, in the middle of a secret value.
    """
    stuck = [(_name(item), problem) for item in _going(pods) for problem in _stuck_reasons(item, events)]
    if not stuck:
        return None
    name, (code, text) = stuck[0]
    more = f" (and {len(stuck) - 1} more)" if len(stuck) > 1 else ""
    return Trouble(code, f"Pod {name}{more}: {text}")


def restarted(pods: Sequence[Manifest]) -> bool:
    """Whether a container of one of ``pods`` that ended runs again, and is not ready yet.

    How often it was restarted says nothing: restart rules may want it so, and a sidecar runs on for ever.
    """
    return any(
        mapping(each, "state").get("running") is not None and not each.get("ready") and _ended_before(each)
        for item in _going(pods)
        for _, each in _containers(item)
    )


def crashed(pods: Sequence[Manifest]) -> tuple[Manifest, str] | None:
    """A Pod with a container that crashes, and the container's name, to read its log."""
    for item in _going(pods):
        for _, each in _containers(item):
            if text(mapping(each, "state", "waiting"), "reason") == "CrashLoopBackOff" or (
                not each.get("ready") and _ended_before(each)
            ):
                return item, str(each.get("name"))
    return None


def _going(pods: Sequence[Manifest]) -> list[Manifest]:
    return sorted((item for item in pods if "deletionTimestamp" not in item["metadata"]), key=_name)


def _containers(item: Manifest) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each container's status, with what it is called. Of a Pod that is to end, not the sidecars beside what runs.

    Sidecars are init containers that restart always. One that crashes keeps a Pod from being ready, but not from ending
    well once its own containers have begun.
    """
    status, spec = mapping(item, "status"), mapping(item, "spec")
    ends = spec.get("restartPolicy", "Always") != "Always"
    begun = any(
        mapping(each, "state").keys() & {"running", "terminated"} for each in status.get("containerStatuses") or ()
    )
    sidecars = {each.get("name") for each in spec.get("initContainers") or () if each.get("restartPolicy") == "Always"}
    for each in status.get("initContainerStatuses") or ():
        if not (ends and begun and each.get("name") in sidecars):
            yield ("sidecar" if each.get("name") in sidecars else "init container"), each
    for each in status.get("containerStatuses") or ():
        yield "container", each


def _ended_before(status: Mapping[str, Any]) -> bool:
    """Whether this is not its first run."""
    return bool(mapping(status, "lastState", "terminated"))


def _stuck_reasons(item: Manifest, events: Sequence[Manifest]) -> Iterator[Trouble]:
    status = mapping(item, "status")
    if text(status, "phase") in {"Succeeded", "Failed"}:
        return
    scheduled = condition(item, "PodScheduled")
    if scheduled and scheduled.get("status") == "False" and scheduled.get("reason") == "Unschedulable":
        why = str(scheduled.get("message") or "no node takes it")
        about_volume = "persistentvolumeclaim" in why.lower() or "volume node affinity" in why
        yield Trouble(ReasonCode.VOLUME if about_volume else ReasonCode.UNSCHEDULABLE, f"Unschedulable: {why}")
        return
    problems = [found for what, each in _containers(item) if (found := _why_container_stuck(what, each))]
    # One container is enough; the others of the Pod mostly wait for the same reason.
    yield from problems[:1] or _missing_volumes(item, events)


def _why_container_stuck(what: str, status: Mapping[str, Any]) -> Trouble | None:
    waiting = mapping(status, "state", "waiting")
    reason = text(waiting, "reason")
    code = _STUCK.get(reason)
    if code is None:
        return None
    why = str(waiting.get("message") or "")
    if reason == "CrashLoopBackOff":
        why = _last_exit(status) or why or "it keeps ending"
    if _MUST_NOT_BE_ROOT in why:
        code = ReasonCode.INVALID
    return Trouble(code, f"{what} {status.get('name')}: {reason}: {why or 'no message'}")


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


def _missing_volumes(item: Manifest, events: Sequence[Manifest]) -> Iterator[Trouble]:
    """A mounted ConfigMap or Secret that does not exist: only events show it.

    Other failed mounts mostly succeed later.
    """
    if any(each.get("started") for each in mapping(item, "status").get("containerStatuses") or ()):
        return
    for event in events:
        about = mapping(event, "involvedObject").get("uid") == item["metadata"].get("uid")
        message = str(event.get("message") or "")
        if about and event.get("reason") == "FailedMount" and "not found" in message:
            code = ReasonCode.VOLUME if "persistentvolumeclaim" in message else ReasonCode.CONFIG_MISSING
            yield Trouble(code, f"FailedMount: {message}")
            return


def _name(item: Manifest) -> str:
    return str(item["metadata"].get("name", "?"))
