"""What an object has that its manifest does not, as others set it; and what it lacks. Pure.

Others' fields are told by managedFields: a field that nobody owns is a default. Only what runs counts, which is all
outside ``metadata`` and ``status``: marks that controllers and tools leave on an object say nothing about that. Nor
does what the API server fills in itself, which it gives to whoever made the object.
"""

import copy
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kubemin.engine.objects.diff import NOT_CONTENT, Path, format_path
from kubemin.engine.objects.fields_v1 import Fields, find_item
from kubemin.engine.objects.list_keys import ListKeys, items_by_key, list_keys_of
from kubemin.spec.labels import MANAGER
from kubemin.spec.objects import Manifest

_BOOKKEEPERS = frozenset({"kube-controller-manager", "kube-scheduler"})
"""Managers whose fields are the cluster's own bookkeeping, such as the volume of a claim."""

_FILLED_IN: Mapping[str, tuple[object, ...]] = {
    "allocateLoadBalancerNodePorts": (True,),
    "completionMode": ("NonIndexed",),
    "defaultMode": (420,),
    "dnsPolicy": ("ClusterFirst",),
    "failureThreshold": (3,),
    "internalTrafficPolicy": ("Cluster",),
    "parallelism": (1,),
    "completions": (1,),
    "backoffLimit": (6,),
    "podManagementPolicy": ("OrderedReady",),
    "podReplacementPolicy": ("TerminatingOrFailed",),
    "progressDeadlineSeconds": (600,),
    "periodSeconds": (10,),
    "protocol": ("TCP",),
    "resources": ({},),
    "restartPolicy": ("Always",),
    "revisionHistoryLimit": (10,),
    "scheme": ("HTTP",),
    "schedulerName": ("default-scheduler",),
    "securityContext": ({},),
    "serviceAccount": ("default",),
    "service": ("",),
    "sessionAffinity": ("None",),
    "sessionAffinityConfig": ({"clientIP": {"timeoutSeconds": 10800}},),
    "successThreshold": (1,),
    "suspend": (False,),
    "terminationGracePeriodSeconds": (30,),
    "terminationMessagePath": ("/dev/termination-log",),
    "terminationMessagePolicy": ("File",),
    "timeoutSeconds": (1,),
}
"""Fields, and the value with which the API server fills them in."""

SET_BY_SERVER = frozenset(
    {
        "clusterIP",
        "clusterIPs",
        "externalTrafficPolicy",
        "healthCheckNodePort",
        "imagePullPolicy",
        "ipFamilies",
        "ipFamilyPolicy",
        "manualSelector",
        "nodePort",
        "persistentVolumeClaimRetentionPolicy",
        "replicas",
        "storageClassName",
        "strategy",
        "targetPort",
        "type",
        "updateStrategy",
        "volumeMode",
        "volumeName",
    }
)
"""Fields that it fills in with what depends on the cluster or the object; `replicas` is spoken of by itself."""


_COPIES: Mapping[str, str] = {"serviceAccount": "serviceAccountName"}
"""Fields that it fills in with the value of another."""


@dataclass(frozen=True)
class ForeignField:
    """A field, or an item of a list, that others set and the manifest does not have."""

    path: str
    keys: tuple[str, ...]
    """The way to it, as managedFields spell it."""
    managers: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.path} ({'manager' if len(self.managers) == 1 else 'managers'} {', '.join(self.managers)})"


def fields_of_others(wanted: Manifest, live: Manifest) -> list[ForeignField]:
    """What an apply of ``wanted`` leaves in the object as it is others'."""
    found: dict[tuple[str, ...], dict[str, None]] = {}
    for entry in live["metadata"].get("managedFields") or []:
        manager = str(entry.get("manager"))
        if manager == MANAGER or manager in _BOOKKEEPERS or entry.get("subresource"):
            continue
        fields = {key: below for key, below in (entry.get("fieldsV1") or {}).items() if key[2:] not in NOT_CONTENT}
        for keys in _not_wanted(fields, wanted, live, ()):
            found.setdefault(keys, {})[manager[:_LONGEST]] = None
    return [ForeignField(_path(keys), keys, tuple(sorted(managers))) for keys, managers in found.items()]


_LONGEST = 80


def fields_beyond(fields: Fields, wanted: Manifest, live: Manifest) -> Iterable[tuple[str, ...]]:
    """The ways to what ``fields`` names, ``live`` has and ``wanted`` does not, but for what the server fills in."""
    return _not_wanted(fields, wanted, live, ())


def is_filled_in(name: str, value: object) -> bool:
    """Whether the API server fills in a field of this name with such a value, where the manifest has none."""
    return name in SET_BY_SERVER or value in _FILLED_IN.get(name, ())


def _not_wanted(fields: Fields, wanted: Any, live: Any, keys: tuple[str, ...]) -> Iterable[tuple[str, ...]]:
    """The ways to what ``fields`` names, ``live`` has and ``wanted`` does not: as few as say all."""
    for key, below in fields.items():
        here = (*keys, key)
        if key.startswith("f:") and isinstance(live, dict) and key[2:] in live:
            name = key[2:]
            if isinstance(wanted, dict) and name in wanted:
                yield from _not_wanted(below, wanted[name], live[name], here)
            elif any(inner.startswith(("k:", "v:")) for inner in below):
                yield from _not_wanted(below, [], live[name], here)
            elif not is_filled_in(name, live[name]) and live[name] != live.get(_COPIES.get(name, "")):
                yield here
        elif key.startswith("k:") and isinstance(live, list) and (item := find_item(live, key)) is not None:
            declared = find_item(wanted, key) if isinstance(wanted, list) else None
            if declared is None:
                yield here
            else:
                yield from _not_wanted(below, declared, item, here)
        elif key.startswith("v:") and isinstance(live, list) and isinstance(wanted, list):
            value = json.loads(key[2:])
            if value in live and value not in wanted:
                yield here


def _path(keys: Iterable[str]) -> str:
    return format_path(tuple(_part(key) for key in keys))


def _part(key: str) -> str:
    if key.startswith("f:"):
        return key[2:]
    value = json.loads(key[2:])
    return f"[{','.join(map(str, value.values())) if isinstance(value, dict) else value}]"


def without_fields(obj: Manifest, fields: Iterable[ForeignField]) -> Manifest:
    """A copy of the object that lacks these; a list or map that has nothing left goes too."""
    result = copy.deepcopy(obj)
    for field in fields:
        _remove(result, field.keys)
    return result


def _remove(target: Any, keys: tuple[str, ...]) -> None:
    key, rest = keys[0], keys[1:]
    if key.startswith("f:") and isinstance(target, dict):
        name = key[2:]
        if rest and name in target:
            _remove(target[name], rest)
        if not rest or target.get(name) in ([], {}):
            target.pop(name, None)
    elif key.startswith("k:") and isinstance(target, list) and (item := find_item(target, key)) is not None:
        if rest:
            _remove(item, rest)
        else:
            target.remove(item)
    elif key.startswith("v:") and isinstance(target, list) and json.loads(key[2:]) in target:
        target.remove(json.loads(key[2:]))


def dropped_fields(wanted: Manifest, answer: Manifest) -> list[str]:
    """Fields of the manifest that the server took and its answer does not have: it does not know them, or has them off.

    Only what is absent counts, as values are spelled in other ways (``1000m`` is ``1``); what is empty is left out.
    """
    content = {key: value for key, value in wanted.items() if key not in (*NOT_CONTENT, "stringData")}
    return _dropped(content, answer, (), list_keys_of(answer))


def _dropped(wanted: Any, answer: Any, path: Path, keys: ListKeys) -> list[str]:
    if isinstance(wanted, dict) and isinstance(answer, dict):
        found: list[str] = []
        for key, value in wanted.items():
            if key not in answer:
                if not _empty(value):
                    found.append(format_path((*path, key)))
            elif value != answer[key]:
                found += _dropped(value, answer[key], (*path, key), keys)
        return found
    if isinstance(wanted, list) and isinstance(answer, list):
        if (maps := items_by_key(keys, path[-1], wanted, answer)) is not None:
            return _dropped(maps[0], maps[1], path, keys)
        if len(wanted) == len(answer):
            pairs = enumerate(zip(wanted, answer, strict=True))
            return [one for at, (ours, there) in pairs for one in _dropped(ours, there, (*path, f"[{at}]"), keys)]
    return []


def _empty(value: Any) -> bool:
    """Whether the server may leave it out: it means the same as nothing."""
    if isinstance(value, dict):
        return all(_empty(one) for one in value.values())
    return value is None or value in ("", 0, False, [])
