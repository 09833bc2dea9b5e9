"""Pods that follow objects as they stand, of whatever kind these are, and whose rights the objects get."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from kubemin.spec.kinds import DEFINITION, kind_name
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.order import annotations_of
from kubemin.spec.pod_security import as_map

_TOKEN, _TOKEN_OF = "kubernetes.io/service-account-token", "kubernetes.io/service-account.name"
"""The type of a Secret that Kubernetes fills with a token, and the annotation that says of which account."""
BINDINGS = frozenset({"RoleBinding", "ClusterRoleBinding"})


def pods_in(one: Manifest) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """What looks like the spec of a Pod, wherever it is, and where: of whatever kind the object is, Pods follow it."""
    return ((str(place), value) for place, value in _maps_in(one) if _is_pod(value))


def templates_in(one: Manifest) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """What has such a ``spec``, and where it is, with a point behind it."""
    found = ((place, value) for place, value in _maps_in(one) if _is_pod(as_map(value.get("spec"))))
    return ((f"{place}.".lstrip("."), value) for place, value in found)


def accounts_of(one: Manifest) -> Iterator[tuple[str, str]]:
    """The ServiceAccounts whose rights an object gets, and where it names them."""
    for place, spec in pods_in(one):
        for name in ("serviceAccountName", "serviceAccount"):
            if account := spec.get(name):
                yield f"{place}.{name}", str(account)
    if one.get("type") == _TOKEN and (account := annotations_of(one).get(_TOKEN_OF)):
        yield "metadata.annotations", str(account)


def used_rights(manifest: Manifest) -> set[ObjectRef]:
    """What gives its rights to a rendered object: accounts other than ``default``, and the role of a binding."""
    namespace = manifest["metadata"].get("namespace", "")
    found = {ObjectRef("ServiceAccount", namespace, name) for _, name in accounts_of(manifest) if name != "default"}
    if kind_name(manifest) in BINDINGS and isinstance(role := manifest.get("roleRef"), dict):
        kind = str(role.get("kind"))
        found.add(ObjectRef(kind, "" if kind == "ClusterRole" else namespace, str(role.get("name"))))
    return found


_OF_PODS = frozenset({"containers", "initContainers", "hostNetwork", "hostPID", "hostIPC"})


def _is_pod(value: Mapping[str, Any]) -> bool:
    if _OF_PODS.isdisjoint(value):  # nearly all maps, and each object of a run is looked through
        return False
    lists = (value.get(key) for key in ("containers", "initContainers"))
    held = any(isinstance(items, list) and any(isinstance(item, dict) for item in items) for items in lists)
    return held or any(value.get(key) is True for key in ("hostNetwork", "hostPID", "hostIPC"))


class _Place(NamedTuple):
    """Where something is in an object; its text is made for what is found alone."""

    above: "_Place | None"
    step: str

    def __str__(self) -> str:
        steps, place = list[str](), self
        while place.above is not None:
            steps.append(place.step)
            place = place.above
        return "".join(reversed(steps)).lstrip(".")


def _maps_in(one: Manifest) -> Iterator[tuple[_Place, Mapping[str, Any]]]:
    """Each map in the object, and where it is. Those in definitions describe Pods, and make none."""
    waiting: list[tuple[_Place, Any]] = [] if kind_name(one) == DEFINITION else [(_Place(None, ""), one)]
    while waiting:
        place, value = waiting.pop()
        if isinstance(value, dict):
            yield place, value
            waiting += [
                (_Place(place, f".{key}"), item) for key, item in value.items() if isinstance(item, dict | list)
            ]
        elif isinstance(value, list):
            waiting += [
                (_Place(place, f"[{index}]"), item) for index, item in enumerate(value) if isinstance(item, dict | list)
            ]
