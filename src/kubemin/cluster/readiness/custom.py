"""Custom resource definitions, API services, and the routes of the Gateway API: what ready means for each."""

from collections.abc import Iterator, Mapping
from typing import Any

from kubemin.cluster.readiness.fields import condition, in_words, is_of_now, is_true, mapping
from kubemin.cluster.readiness.verdict import Trouble, Verdict
from kubemin.spec.kinds import kind_name
from kubemin.spec.objects import Manifest
from kubemin.spec.reason_codes import ReasonCode

_ROUTES = "gateway.networking.k8s.io/"
_REASONS = {"BackendNotFound": ReasonCode.CONFIG_MISSING, "RefNotPermitted": ReasonCode.POLICY}
"""Why a route is not as it should be; any other reason is one of its own content."""


def definition(item: Manifest) -> Verdict:
    """Ready once it is established: until then nobody serves its objects."""
    what = f"{kind_name(item)} {item['metadata']['name']}"
    if is_true(condition(item, "Established")):
        return Verdict("ready", f"{what} is established", 1)
    names = condition(item, "NamesAccepted")
    if names.get("status") == "False":
        return Verdict("hopeless", f"{what}: {in_words(names)}", code=ReasonCode.CONFLICT)
    return Verdict("waiting", f"{what}: it is not established yet")


def api_service(item: Manifest) -> Verdict:
    """Ready once what serves it answers."""
    what = f"{kind_name(item)} {item['metadata']['name']}"
    found = condition(item, "Available")
    if is_true(found):
        return Verdict("ready", f"{what} is available", 1)
    if found.get("reason") == "ServiceNotFound":
        return Verdict("hopeless", f"{what}: {in_words(found)}", code=ReasonCode.CONFIG_MISSING)
    return Verdict("waiting", f"{what}: {in_words(found) if found else 'it is not available yet'}")


def is_route(item: Manifest) -> bool:
    """Whether it is a route of the Gateway API: an HTTPRoute, a GRPCRoute, and so on."""
    return str(item["kind"]).endswith("Route") and str(item["apiVersion"]).startswith(_ROUTES)


def route(item: Manifest) -> Verdict:
    """Ready once each of its parents has accepted it and found its backends, as it is now.

    A parent of which nobody says anything is not there, or has no controller.
    """
    what = f"{kind_name(item)} {item['metadata']['name']}"
    asked = [each for each in mapping(item, "spec").get("parentRefs") or () if isinstance(each, Mapping)]
    said = [each for each in mapping(item, "status").get("parents") or () if isinstance(each, Mapping)]
    if not said:
        return Verdict("waiting", f"{what}: no controller of a gateway has said anything of it yet", 0, len(asked) or 1)
    waits: list[str] = []
    ready = 0
    for parent in asked:
        answers = [each for each in said if _is_of(each, parent, item)]
        troubles = [trouble for each in answers for trouble in _troubles(each, item)]
        if troubles:
            code, text = troubles[0]
            return Verdict("hopeless", f"{what}: parent {_named(parent)}: {text}", ready, len(asked), code=code)
        if answers and all(_holds(each, item) for each in answers):
            ready += 1
        else:
            waits.append(_named(parent))
    if waits:
        message = f"{what}: waits for its parent {waits[0]}" + (f" and {len(waits) - 1} more" if waits[1:] else "")
        return Verdict("waiting", message, ready, len(asked))
    return Verdict("ready", f"{what} is accepted by each of its parents", ready, len(asked) or 1)


def _is_of(status: Mapping[str, Any], parent: Mapping[str, Any], item: Manifest) -> bool:
    """Whether the status is about this parent. What neither names is the default."""
    here = item["metadata"].get("namespace", "")
    defaults = {"group": _ROUTES[:-1], "kind": "Gateway", "namespace": here, "sectionName": "", "port": 0}
    said = mapping(status, "parentRef")
    fields = (*defaults, "name")
    return all((said.get(name) or defaults.get(name)) == (parent.get(name) or defaults.get(name)) for name in fields)


def _conditions(status: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for found in status.get("conditions") or ():
        if isinstance(found, Mapping) and found.get("type") in ("Accepted", "ResolvedRefs"):
            yield found


def _holds(status: Mapping[str, Any], item: Manifest) -> bool:
    met = {found["type"] for found in _conditions(status) if is_true(found) and is_of_now(found, item)}
    return met == {"Accepted", "ResolvedRefs"}


def _troubles(status: Mapping[str, Any], item: Manifest) -> Iterator[Trouble]:
    for found in _conditions(status):
        if found.get("status") == "False" and found.get("reason") != "Pending" and is_of_now(found, item):
            yield Trouble(_REASONS.get(str(found.get("reason")), ReasonCode.INVALID), in_words(found))


def _named(parent: Mapping[str, Any]) -> str:
    return "/".join(str(parent[key]) for key in ("namespace", "name", "sectionName") if parent.get(key))
