"""Which Pods have read a ConfigMap or Secret when they started, and will never read it again. Pure.

A container reads its environment once, when it starts, and a file that is mounted by ``subPath`` stays as it was then,
too. The files of any other volume follow the object by themselves, so a Pod that reads only these is none of them: but
for what its init containers have made of them.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from kubemin.spec.objects import Manifest, ObjectRef

READ = ("ConfigMap", "Secret")
"""The kinds that Pods read."""

_FIELDS = {
    "ConfigMap": ("configMapRef", "configMapKeyRef", "configMap", "name"),
    "Secret": ("secretRef", "secretKeyRef", "secret", "secretName"),
}
"""Where a Pod's spec names one: in ``envFrom``, in ``env``, in volumes, and what its name is called in a volume."""

_READS_AGAIN = ("CrashLoopBackOff", "ImagePullBackOff", "ErrImagePull", "CreateContainerConfigError")
"""What a container waits for that will read when it starts next."""


def may_have_read(pod: Manifest, ref: ObjectRef, since: datetime) -> bool:
    """Whether a container of the Pod read the object when it started, not before ``since``, or is about to.

    A container that starts just now may have read already.
    """
    status = pod.get("status") or {}
    if pod["metadata"].get("namespace") != ref.namespace or "deletionTimestamp" in pod["metadata"] or is_finished(pod):
        return False
    if not pod["spec"].get("nodeName"):
        return False  # it starts later
    names = dict(_readers(pod["spec"], ref))
    found = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    states = {one["name"]: one.get("state") or {} for one in found}
    return any(_may_have_read(states.get(name) or {}, since, runs_on=runs_on) for name, runs_on in names.items())


def is_required(pod: Manifest, ref: ObjectRef) -> bool:
    """Whether a container of the Pod does not start without the object."""
    _, _, in_volume, name = _FIELDS[ref.kind]
    sources = [source for container in _containers(pod["spec"]) for source in _sources(container, ref)]
    sources += [source for volume in pod["spec"].get("volumes") or () for source in _mounted(volume, in_volume, name)]
    return any(_names(source, ref) and not source.get("optional") for source in sources)


def is_finished(pod: Manifest) -> bool:
    """Whether none of its containers will ever run again."""
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")


def is_ready(pod: Manifest) -> bool:
    """Whether the Pod serves."""
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def _may_have_read(state: Mapping[str, Any], since: datetime, *, runs_on: bool) -> bool:
    if waiting := state.get("waiting"):
        return waiting.get("reason") not in _READS_AGAIN
    if running := state.get("running"):
        return _time(running.get("startedAt")) >= since
    if terminated := state.get("terminated"):  # one that runs on is started again at any moment
        return runs_on or _time(terminated.get("startedAt")) >= since
    return True


def _time(text: str | None) -> datetime:
    return datetime.fromisoformat(text or "9999-12-31T00:00:00Z")


def _readers(spec: Mapping[str, Any], ref: ObjectRef) -> Iterator[tuple[str, bool]]:
    """The names of the containers that read the object when they start, and whether each is to run on."""
    volumes = {volume["name"] for volume in spec.get("volumes") or () if _is_of(volume, ref)}
    for container in _containers(spec):
        init = container in (spec.get("initContainers") or ())
        runs_on = not init or container.get("restartPolicy") == "Always"
        mounted = any(
            mount["name"] in volumes and (not runs_on or mount.get("subPath") or mount.get("subPathExpr"))
            for mount in container.get("volumeMounts") or ()
        )
        if mounted or any(_names(source, ref) for source in _sources(container, ref)):
            yield container["name"], runs_on


def _containers(spec: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]


def _sources(container: Mapping[str, Any], ref: ObjectRef) -> Iterator[Mapping[str, Any]]:
    """What the container's environment comes from, of the object's kind."""
    whole, key, _, _ = _FIELDS[ref.kind]
    for source in container.get("envFrom") or ():
        yield source.get(whole) or {}
    for variable in container.get("env") or ():
        yield (variable.get("valueFrom") or {}).get(key) or {}


def _is_of(volume: Mapping[str, Any], ref: ObjectRef) -> bool:
    _, _, field, name = _FIELDS[ref.kind]
    return any(_names(source, ref) for source in _mounted(volume, field, name))


def _mounted(volume: Mapping[str, Any], field: str, name: str) -> Iterator[Mapping[str, Any]]:
    """What a volume's files come from, as what has a ``name``."""
    if source := volume.get(field):
        yield {**source, "name": source.get(name)}
    for projected in (volume.get("projected") or {}).get("sources") or ():
        yield projected.get(field) or {}


def _names(source: Mapping[str, Any], ref: ObjectRef) -> bool:
    return bool(source.get("name") == ref.name)
