"""``networkPolicy``: who may reach the component's Pods, and whom these may reach."""

from collections.abc import Sequence

from kubemin.render.context import Context
from kubemin.render.pod import Pod
from kubemin.spec.objects import Manifest
from kubemin.spec.traits.network_policy import NetworkPolicy, Peer, PolicyPort

_NAMESPACE = "kubernetes.io/metadata.name"
"""The label that the API server gives each namespace."""


def apply(policy: NetworkPolicy, pod: Pod, context: Context) -> None:
    """Make the policy, over all Pods of the component: those of a new version beside the others too."""
    spec: Manifest = {"podSelector": {"matchLabels": context.all_pods()}, "policyTypes": []}
    if policy.ingress is not None:
        spec["policyTypes"].append("Ingress")
        spec["ingress"] = [_rule("from", rule.from_, rule.ports, context) for rule in policy.ingress]
    if policy.egress is not None:
        spec["policyTypes"].append("Egress")
        spec["egress"] = [_rule("to", rule.to, rule.ports, context) for rule in policy.egress]
    pod.objects.append(context.manifest("NetworkPolicy", context.name("NetworkPolicy"), {"spec": spec}))


def _rule(side: str, peers: Sequence[Peer], ports: Sequence[PolicyPort], context: Context) -> Manifest:
    rule: Manifest = {}
    if peers:
        rule[side] = [_peer(peer, context) for peer in peers]
    if ports:
        rule["ports"] = [{key: value for key, value in port.dump().items() if value != ""} for port in ports]
    return rule


def _peer(peer: Peer, context: Context) -> Manifest:
    if peer.component:
        return _component(peer.component, context)
    selectors = {
        "namespaceSelector": _namespace(peer.namespace) if peer.namespace else peer.namespace_selector,
        "podSelector": peer.pod_selector,
        "ipBlock": peer.ip_block,
    }
    return {name: selector for name, selector in selectors.items() if selector is not None}


def _component(name: str, context: Context) -> Manifest:
    """The Pods of a component, which may be in another namespace."""
    pods = {"podSelector": {"matchLabels": context.all_pods(name)}}
    other = next(part for part in context.application.component if part.name == name)
    namespace = context.application.namespace_of(other)
    return pods if namespace == context.namespace else {"namespaceSelector": _namespace(namespace), **pods}


def _namespace(name: str) -> Manifest:
    return {"matchLabels": {_NAMESPACE: name}}
