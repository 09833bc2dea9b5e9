"""Definitions, API services and routes: their statuses as controllers write them, and what is made of each."""

from typing import Any

import pytest

from kubemin.cluster.readiness import is_waited_for, readiness
from kubemin.spec.objects import Manifest
from kubemin.spec.reason_codes import ReasonCode


def condition(kind: str, status: str, reason: str = "", message: str = "", **more: Any) -> dict[str, Any]:
    return {"type": kind, "status": status, "reason": reason, "message": message, **more}


def cluster_object(kind: str, *conditions: dict[str, Any]) -> Manifest:
    group = {"CustomResourceDefinition": "apiextensions.k8s.io", "APIService": "apiregistration.k8s.io"}[kind]
    status = {"status": {"conditions": list(conditions)}} if conditions else {}
    return {"apiVersion": f"{group}/v1", "kind": kind, "metadata": {"name": "it", "generation": 1}, **status}


@pytest.mark.parametrize(
    ("item", "state", "said", "code"),
    [
        (cluster_object("CustomResourceDefinition"), "waiting", "not established yet", None),
        (
            cluster_object("CustomResourceDefinition", condition("NamesAccepted", "True", "NoConflicts")),
            "waiting",
            "not established yet",
            None,
        ),
        (
            cluster_object(
                "CustomResourceDefinition",
                condition("NamesAccepted", "True", "NoConflicts"),
                condition("Established", "True", "InitialNamesAccepted"),
            ),
            "ready",
            "is established",
            None,
        ),
        (
            cluster_object(
                "CustomResourceDefinition",
                condition("NamesAccepted", "False", "PluralConflict", '"widgets" is already in use'),
                condition("Established", "False", "NotAccepted", "not all names are accepted"),
            ),
            "hopeless",
            'NamesAccepted is False: PluralConflict: "widgets" is already in use',
            ReasonCode.CONFLICT,
        ),
        (cluster_object("APIService"), "waiting", "not available yet", None),
        (
            cluster_object("APIService", condition("Available", "False", "FailedDiscoveryCheck", "no response")),
            "waiting",
            "FailedDiscoveryCheck: no response",
            None,
        ),
        (
            cluster_object(
                "APIService", condition("Available", "False", "ServiceNotFound", "service/x is not present")
            ),
            "hopeless",
            "ServiceNotFound",
            ReasonCode.CONFIG_MISSING,
        ),
        (cluster_object("APIService", condition("Available", "True", "Passed")), "ready", "is available", None),
    ],
)
def test_definitions_and_api_services(item: Manifest, state: str, said: str, code: ReasonCode | None) -> None:
    verdict = readiness(item)
    assert (verdict.state, verdict.code, said in verdict.message) == (state, code, True), verdict


OK = (condition("Accepted", "True", "Accepted"), condition("ResolvedRefs", "True", "ResolvedRefs"))
OLD = tuple({**one, "observedGeneration": 1} for one in OK)
NO_HOST = (condition("Accepted", "False", "NoMatchingListenerHostname", "no listener"), OK[1])
NO_BACKEND = (OK[0], condition("ResolvedRefs", "False", "BackendNotFound", "service web is not there"))
REFUSED = (OK[0], condition("ResolvedRefs", "False", "RefNotPermitted", "no ReferenceGrant"))
PENDING = (condition("Accepted", "False", "Pending", "not yet"), OK[1])
OLD_FALSE = tuple({**one, "observedGeneration": 1} for one in NO_HOST)


def parent(name: str = "web", *conditions: dict[str, Any], **ref: Any) -> dict[str, Any]:
    full = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": name, **ref}
    return {"parentRef": full, "controllerName": "example.com/gateway", "conditions": list(conditions)}


def route(kind: str, parents: list[dict[str, Any]], said: list[dict[str, Any]] | None) -> Manifest:
    status = {} if said is None else {"status": {"parents": said}}
    meta = {"name": "it", "namespace": "default", "generation": 2}
    refs = {"parentRefs": parents}
    return {"apiVersion": "gateway.networking.k8s.io/v1", "kind": kind, "metadata": meta, "spec": refs, **status}


TWO = [{"name": "web"}, {"name": "web", "namespace": "infra", "sectionName": "https"}]


@pytest.mark.parametrize("kind", ["HTTPRoute", "GRPCRoute", "TCPRoute", "TLSRoute", "UDPRoute"])
@pytest.mark.parametrize(
    ("parents", "said", "state", "words", "code"),
    [
        (TWO[:1], None, "waiting", "no controller of a gateway", None),
        (TWO[:1], [], "waiting", "no controller of a gateway", None),
        (TWO[:1], [parent("web", *OK)], "ready", "accepted by each", None),
        (TWO[:1], [parent("web", OK[0])], "waiting", "waits for its parent web", None),
        (TWO[:1], [parent("web", *OLD)], "waiting", "waits for its parent web", None),
        (TWO[:1], [parent("web", *OLD_FALSE)], "waiting", "waits for its parent web", None),
        (TWO[:1], [parent("web", *PENDING)], "waiting", "waits for its parent web", None),
        (TWO[:1], [parent("other", *OK)], "waiting", "waits for its parent web", None),
        (TWO, [parent("web", *OK)], "waiting", "waits for its parent infra/web/https", None),
        (TWO, [parent("web", *OK), parent("web", *OK, namespace="infra", sectionName="https")], "ready", "each", None),
        (TWO[:1], [parent("web", *NO_HOST)], "hopeless", "parent web: Accepted is False", ReasonCode.INVALID),
        (TWO[:1], [parent("web", *NO_BACKEND)], "hopeless", "service web", ReasonCode.CONFIG_MISSING),
        (TWO[:1], [parent("web", *REFUSED)], "hopeless", "no ReferenceGrant", ReasonCode.POLICY),
        ([], [parent("gone", *OK)], "ready", "each", None),
    ],
)
def test_a_route_is_ready_for_each_of_its_parents(
    kind: str,
    parents: list[dict[str, Any]],
    said: list[dict[str, Any]] | None,
    state: str,
    words: str,
    code: ReasonCode | None,
) -> None:
    verdict = readiness(route(kind, parents, said))
    assert (verdict.state, verdict.code, words in verdict.message) == (state, code, True), verdict


@pytest.mark.parametrize(
    "kind",
    [
        *("ConfigMap", "Service", "Ingress", "CronJob", "PersistentVolumeClaim", "HorizontalPodAutoscaler"),
        *("PodDisruptionBudget", "NetworkPolicy", "ServiceAccount"),
    ],
)
def test_what_is_there_is_enough_where_no_time_makes_it_better(kind: str) -> None:
    """Neither for an address nor for a volume is waited: a rule can ask for that."""
    assert not is_waited_for(kind)
