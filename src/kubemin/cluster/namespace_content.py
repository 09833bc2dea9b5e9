"""All objects of a namespace, and all of a kind that a definition defines, also of kinds that KubeMin does not know."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kubemin.cluster.answers import object_in
from kubemin.cluster.client import Cluster
from kubemin.cluster.errors import NotFound
from kubemin.cluster.requests import Request
from kubemin.spec.objects import Manifest

_PASSING = {
    ("", "events"),
    ("events.k8s.io", "events"),
    ("", "endpoints"),
    ("discovery.k8s.io", "endpointslices"),
    ("coordination.k8s.io", "leases"),
}
"""By group and plural. The cluster makes and removes these for other objects. They do not show that somebody uses the
namespace."""


@dataclass(frozen=True, slots=True)
class Item:
    """``name`` is ``Kind/name``; ``controller`` the ownerReference of its controller, if it has one."""

    name: str
    uid: str
    namespace: str
    controller: Mapping[str, Any] | None


async def namespace_content(cluster: Cluster, namespace: str) -> list[Item]:
    """All objects of the namespace. Raises `ClusterError` if anything cannot be listed: it might not be empty."""
    groups = (await _get(cluster, "/apis"))["groups"]
    versions = [("", "/api/v1"), *((group["name"], f"/apis/{one}") for group in groups for one in _versions(group))]
    served = await _all(cluster, [path for _, path in versions])
    # A group need not serve all its kinds in the version that it prefers: each is listed in the first that has it.
    resources: dict[tuple[str, str], tuple[str, str]] = {}
    for (group, path), found in zip(versions, served, strict=True):
        for resource in found["resources"]:
            name = group, resource["name"]
            if resource["namespaced"] and "list" in resource["verbs"] and name not in _PASSING:
                resources.setdefault(name, (f"{path}/namespaces/{namespace}/{resource['name']}", resource["kind"]))
    listings = await _all(cluster, [path for path, _ in resources.values()])
    listed = zip(resources.values(), listings, strict=True)
    return [found for (_, kind), listing in listed for found in _items(kind, listing)]


def _versions(group: Mapping[str, Any]) -> list[str]:
    """All versions of a group, the preferred one first."""
    preferred = group["preferredVersion"]["groupVersion"]
    return sorted((one["groupVersion"] for one in group["versions"]), key=lambda version: version != preferred)


async def defined_objects(cluster: Cluster, definition: Manifest) -> list[Item]:
    """All objects of the kind that a CustomResourceDefinition defines. Raises `ClusterError`.

    Where it is not served, there are none yet.
    """
    spec = definition["spec"]
    for version in spec["versions"]:
        if version["served"]:
            try:
                listing = await _get(cluster, f"/apis/{spec['group']}/{version['name']}/{spec['names']['plural']}")
            except NotFound:
                continue
            return _items(spec["names"]["kind"], listing)
    return []


def _items(kind: str, listing: dict[str, Any]) -> list[Item]:
    return [
        Item(
            f"{kind}/{item['metadata']['name']}",
            item["metadata"]["uid"],
            item["metadata"].get("namespace", ""),
            _controller(item),
        )
        for item in listing["items"]
        if "uid" in item["metadata"]  # an aggregated API (metrics, for example) returns values that are no objects
    ]


async def _all(cluster: Cluster, paths: list[str]) -> list[dict[str, Any]]:
    return list(await asyncio.gather(*(_get(cluster, path) for path in paths)))


async def _get(cluster: Cluster, path: str) -> dict[str, Any]:
    request = Request("read", "GET", path, path)
    return object_in(request, await cluster.raw(request))


def _controller(item: Manifest) -> Mapping[str, Any] | None:
    return next((owner for owner in item["metadata"].get("ownerReferences") or [] if owner.get("controller")), None)
