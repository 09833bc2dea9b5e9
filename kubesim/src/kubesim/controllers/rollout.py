"""The arithmetic of a Deployment's rollout. Pure: how many Pods may be there, and which ReplicaSet gets how many."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from kubesim.jsondata import Object

REVISION = "deployment.kubernetes.io/revision"
REVISION_HISTORY = "deployment.kubernetes.io/revision-history"
DESIRED = "deployment.kubernetes.io/desired-replicas"
MAXIMUM = "deployment.kubernetes.io/max-replicas"
HASH = "pod-template-hash"

# What a Deployment's annotations say of itself is not copied to its ReplicaSets; all the others are.
NOT_COPIED = frozenset(
    {
        "kubectl.kubernetes.io/last-applied-configuration",
        REVISION,
        REVISION_HISTORY,
        DESIRED,
        MAXIMUM,
        "deprecated.deployment.rollback.to",
    }
)


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many Pods a rollout may have too many and too few."""

    surge: int
    unavailable: int


def replicas_of(obj: Object) -> int:
    """``spec.replicas``."""
    return int(obj["spec"].get("replicas", 1))


def count(sets: Sequence[Object], field: str) -> int:
    """The sum of a status field over ReplicaSets."""
    return sum(int(found.get("status", {}).get(field, 0)) for found in sets)


def wanted(sets: Sequence[Object]) -> int:
    """The sum of ``spec.replicas``."""
    return sum(replicas_of(found) for found in sets)


def scaled(value: int | str, total: int, *, up: bool) -> int:
    """A count, or a percentage of ``total``."""
    if isinstance(value, int):
        return value
    part = int(value.rstrip("%")) * total / 100
    return math.ceil(part) if up else math.floor(part)


def bounds(deployment: Object) -> Bounds:
    """What ``spec.strategy`` allows. Surge is rounded up, unavailable down; both zero would never move."""
    strategy = deployment["spec"].get("strategy") or {}
    if strategy.get("type") == "Recreate":
        return Bounds(0, 0)
    rolling = strategy.get("rollingUpdate") or {}
    replicas = replicas_of(deployment)
    surge = scaled(rolling.get("maxSurge", "25%"), replicas, up=True)
    unavailable = scaled(rolling.get("maxUnavailable", "25%"), replicas, up=False)
    if surge == 0 and unavailable == 0:
        unavailable = 1
    return Bounds(surge, min(unavailable, replicas))


def new_size(deployment: Object, sets: Sequence[Object], new: Object) -> int:
    """How many Pods the new ReplicaSet may have now."""
    replicas, size = replicas_of(deployment), replicas_of(new)
    if size >= replicas or (deployment["spec"].get("strategy") or {}).get("type") == "Recreate":
        return replicas
    room = replicas + bounds(deployment).surge - wanted(sets)
    return size + max(0, min(room, replicas - size))


def old_sizes(deployment: Object, old: Sequence[Object], new: Object | None) -> dict[str, int]:
    """Which old ReplicaSets shrink now, and to what, by name. Unhealthy Pods go first, as they serve nobody.

    ``old`` is sorted by age.
    """
    sets = [*old, *([new] if new is not None else ())]
    minimum = replicas_of(deployment) - bounds(deployment).unavailable
    coming = replicas_of(new) - int(new.get("status", {}).get("availableReplicas", 0)) if new is not None else 0
    room = wanted(sets) - minimum - coming
    sizes = {found["metadata"]["name"]: replicas_of(found) for found in old}
    if room <= 0 or not any(sizes.values()):
        return {}
    before = dict(sizes)
    for found in old:
        name = found["metadata"]["name"]
        unhealthy = sizes[name] - int(found.get("status", {}).get("availableReplicas", 0))
        drop = min(room, max(0, unhealthy))
        sizes[name] -= drop
        room -= drop
    spare = count(sets, "availableReplicas") - minimum
    for found in old:
        if spare <= 0:
            break
        name = found["metadata"]["name"]
        drop = min(spare, sizes[name])
        sizes[name] -= drop
        spare -= drop
    return {name: size for name, size in sizes.items() if size != before[name]}


def proportions(deployment: Object, sets: Sequence[Object]) -> dict[str, int]:
    """How a change of ``spec.replicas`` in the middle of a rollout spreads over the active ReplicaSets, by name."""
    allowed = replicas_of(deployment) + bounds(deployment).surge if replicas_of(deployment) > 0 else 0
    to_add = allowed - wanted(sets)
    ordered = sorted(sets, key=lambda found: (-replicas_of(found), _age(found, oldest_first=to_add < 0)))
    sizes: dict[str, int] = {}
    added = 0
    for found in ordered:
        size = replicas_of(found)
        share = 0
        if to_add != 0 and size > 0:
            before = number(found, MAXIMUM) or wanted(sets)
            share = round(size * allowed / before) - size
            left = to_add - added
            share = min(share, left) if to_add > 0 else max(share, left)
        sizes[found["metadata"]["name"]] = size + share
        added += share
    if ordered and to_add != added:
        first = ordered[0]["metadata"]["name"]
        sizes[first] = max(0, sizes[first] + to_add - added)
    return sizes


def _age(obj: Object, *, oldest_first: bool) -> tuple[int, ...]:
    digits = tuple(ord(letter) for letter in obj["metadata"].get("creationTimestamp", ""))
    return digits if oldest_first else tuple(-digit for digit in digits)


def number(obj: Object, annotation: str) -> int:
    """The number in an annotation, 0 if there is none: anybody may write there."""
    text = str((obj["metadata"].get("annotations") or {}).get(annotation, ""))
    return int(text) if text.isascii() and text.isdigit() else 0


def revision(obj: Object) -> int:
    """The revision that an object carries, 0 if none."""
    return number(obj, REVISION)


def same_template(left: Object, right: Object) -> bool:
    """Whether two Pod templates differ in nothing but the hash label."""
    return _plain(left) == _plain(right)


def _plain(template: Object) -> Object:
    meta = template.get("metadata") or {}
    labels = {key: value for key, value in (meta.get("labels") or {}).items() if key != HASH}
    return {
        "metadata": {key: value for key, value in {**meta, "labels": labels}.items() if value},
        "spec": template.get("spec"),
    }


def is_complete(deployment: Object, status: Object) -> bool:
    """Whether the rollout is done: all Pods are of the new template, and available."""
    replicas = replicas_of(deployment)
    counts = (status.get(field, 0) for field in ("updatedReplicas", "replicas", "availableReplicas"))
    return all(value == replicas for value in counts)


def has_progressed(status: Object, before: Object) -> bool:
    """Whether the rollout came further than it was."""

    def old_ones(found: Object) -> int:
        return int(found.get("replicas", 0)) - int(found.get("updatedReplicas", 0))

    return old_ones(status) < old_ones(before) or any(
        status.get(field, 0) > before.get(field, 0)
        for field in ("updatedReplicas", "readyReplicas", "availableReplicas")
    )
