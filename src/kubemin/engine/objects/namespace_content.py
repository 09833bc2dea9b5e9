"""What a Namespace or a definition of ours holds, and whether it may go again (design R10)."""

from collections.abc import Collection

from kubemin.cluster import Cluster
from kubemin.cluster.errors import Forbidden, NotFound
from kubemin.cluster.namespace_content import Item, defined_objects, namespace_content
from kubemin.engine.objects.live import get_or_none
from kubemin.spec.kinds import DEFINITION, kind_name
from kubemin.spec.objects import Manifest, ObjectRef

CONTENT = "*"
"""Key in a Namespace's dependents: the uids of everything that was in it right after it was made."""

_OF_EVERY_NAMESPACE = ("ServiceAccount/default", "ConfigMap/kube-root-ca.crt")
"""Made by controllers in every namespace, a moment after it."""

NAMESPACE = "Namespace"
HOLDERS = frozenset({NAMESPACE, DEFINITION})
"""Kinds whose deletion takes along whatever is in the object, or is of the kind that it defines."""

_MOST = 20
"""Names of objects that are told."""


async def foreign_objects(cluster: Cluster, ref: ObjectRef, known: Collection[str]) -> list[str]:
    """What is in a Namespace, or of the kind of a definition, that is not ours. Raises `ClusterError`.

    That is all but what was in it at first, and what controllers made of something else here. By the time that it goes,
    everything of ours is gone already: what a controller made of that is about to go, too.
    """
    if ref.kind == DEFINITION:
        definition = await get_or_none(cluster, ref)
        content = [] if definition is None else await defined_objects(cluster, definition)
    else:
        content = await namespace_content(cluster, ref.name)
    here = {item.uid for item in content} | set(known)
    asked = [item for item in content if item.uid not in known and item.name not in _OF_EVERY_NAMESPACE]
    found = sorted([item.name for item in asked if await _is_of_others(cluster, item, here)])
    return [*found[:_MOST], *([f"{len(found) - _MOST} more"] if len(found) > _MOST else [])]


async def _is_of_others(cluster: Cluster, item: Item, here: Collection[str]) -> bool:
    """Whether the item stays where only what is ours goes: nothing controls it, or something that is elsewhere does."""
    if item.controller is None or item.controller["uid"] in here:
        return item.controller is None
    kind = kind_name(item.controller)
    try:
        namespace = item.namespace if (await cluster.served(kind)).namespaced else ""
        live = await get_or_none(cluster, ObjectRef(kind, namespace, item.controller["name"]))
    except NotFound:
        return False
    except Forbidden:
        return True
    return live is not None and bool(live["metadata"]["uid"] == item.controller["uid"])


def is_held_by(ref: ObjectRef, holder: ObjectRef, live: Manifest) -> bool:
    """Whether an object is in that Namespace, or of the kind that the definition, as it is there, defines."""
    if holder.kind == DEFINITION:
        return ref.kind == f"{live['spec']['names']['kind']}.{live['spec']['group']}"
    return ref.namespace == holder.name
