"""Kinds of others that the cluster serves all the time: routes of a Gateway, and Secrets that an operator fetches."""

from collections.abc import Iterator

from kubemin.spec.objects import Manifest
from kubesim import Operator
from tests.definitions import EXTERNAL_SECRET, HTTP_ROUTE

DEFINITIONS: tuple[Manifest, ...] = (HTTP_ROUTE, EXTERNAL_SECRET)
KEYS = tuple(str(one["metadata"]["name"]) for one in DEFINITIONS)
_CONDITIONS = ("Accepted", "ResolvedRefs")


def _routed(route: Manifest) -> Manifest:
    """What the controller of the Gateway says of a route."""
    meta = route["metadata"]
    said = [
        {"type": type_, "status": "True", "reason": type_, "observedGeneration": meta["generation"]}
        for type_ in _CONDITIONS
    ]
    controller = "example.com/edge"
    parents = [
        {"parentRef": parent, "controllerName": controller, "conditions": said}
        for parent in route["spec"]["parentRefs"]
    ]
    return {"parents": parents}


def _fetched(external: Manifest) -> Iterator[Manifest]:
    """The Secret that the operator makes, and does not change."""
    name = external["spec"]["target"]["name"]
    yield {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": {"password": "eA=="}}


OPERATORS = (Operator(KEYS[0], seconds=5, reconcile=_routed), Operator(KEYS[1], seconds=5, children=_fetched))
