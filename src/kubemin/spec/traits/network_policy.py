"""The ``networkPolicy`` trait: who may reach the component's Pods, and whom these may reach."""

from collections.abc import Iterator, Sequence
from ipaddress import ip_network

from pydantic import Field

from kubemin.spec.check_context import CheckContext, Made
from kubemin.spec.field_types import PortRef, Protocol
from kubemin.spec.issues import Issue, IssueCode
from kubemin.spec.model import AsItStands, SpecModel, Text, Whole
from kubemin.spec.names import is_label, object_name
from kubemin.spec.objects import ObjectRef


class Peer(SpecModel):
    """The other side: a component, a namespace, or what Kubernetes' own selectors say."""

    component: Text = Field(default="", description="the Pods of a component of the application")
    namespace: Text = Field(default="", description="all Pods of a namespace; with `podSelector` those")
    pod_selector: AsItStands | None = Field(default=None, description="Pods, as Kubernetes selects them")
    namespace_selector: AsItStands | None = Field(default=None, description="namespaces, as Kubernetes selects them")
    ip_block: AsItStands | None = Field(default=None, description="`cidr`, and `except` which parts of it")


class PolicyPort(SpecModel):
    """A port of the Pods that are reached, or a range of them."""

    port: PortRef | None = Field(default=None, description="its number or name; default: every port")
    end_port: Whole | None = Field(default=None, description="the last of a range that begins with `port`")
    protocol: Protocol | None = Field(default=None, description="default: TCP")


class IngressRule(SpecModel):
    """Who may come, and to which ports. Without peers everybody, without ports to all."""

    from_: list[Peer] = Field(default=[], alias="from", description="who may come; none: everybody")
    ports: list[PolicyPort] = Field(default=[], description="to which ports; none: to all")


class EgressRule(SpecModel):
    """Whom the Pods may reach, and at which ports."""

    to: list[Peer] = Field(default=[], description="whom they may reach; none: everybody")
    ports: list[PolicyPort] = Field(default=[], description="at which ports; none: at all")


class NetworkPolicy(SpecModel):
    """A NetworkPolicy for the component's Pods. What is given is restricted; an empty list allows nothing."""

    ingress: list[IngressRule] | None = Field(default=None, description="who may reach the Pods")
    egress: list[EgressRule] | None = Field(default=None, description="whom the Pods may reach")


def check(policy: NetworkPolicy, context: CheckContext, path: str) -> Iterator[Issue]:
    """What is wrong with ``networkPolicy``."""
    what = f'The network policy of component "{context.component}"'
    if policy.ingress is None and policy.egress is None:
        message = f"{what} needs ingress, egress or both; an empty list of rules allows nothing."
        yield Issue(path, IssueCode.INVALID_TRAIT_CONFIG, message)
    for index, rule in enumerate(policy.ingress or ()):
        here = f"{path}.ingress[{index}]"
        yield from _check_peers(rule.from_, context, what, f"{here}.from")
        yield from _check_ports(rule.ports, what, f"{here}.ports")
    for index, out in enumerate(policy.egress or ()):
        here = f"{path}.egress[{index}]"
        yield from _check_peers(out.to, context, what, f"{here}.to")
        yield from _check_ports(out.ports, what, f"{here}.ports")


def _check_peers(peers: Sequence[Peer], context: CheckContext, what: str, path: str) -> Iterator[Issue]:
    for index, peer in enumerate(peers):
        here = f"{path}[{index}]"
        fields = ("component", "namespace", "pod_selector", "namespace_selector", "ip_block")
        given = {field for field in fields if getattr(peer, field) not in ("", None)}
        alone = given & {"component", "ip_block"} and len(given) > 1
        if not given or alone or {"namespace", "namespace_selector"} <= given:
            message = (
                f"{what}: a peer is one component, one ipBlock, or a namespace or namespaceSelector, "
                "a podSelector, or one of the former with the latter."
            )
            yield Issue(here, IssueCode.INVALID_TRAIT_CONFIG, message)
        if peer.component and peer.component not in context.components:
            message = f'{what} names the component "{peer.component[:80]}", which the application does not have.'
            yield Issue(f"{here}.component", IssueCode.COMPONENT_NOT_FOUND, message)
        if peer.namespace and not is_label(peer.namespace):
            message = f'{what}: "{peer.namespace[:80]}" cannot name a namespace.'
            yield Issue(f"{here}.namespace", IssueCode.INVALID_NAME_FORMAT, message)
        if peer.ip_block is not None and not _is_network(peer.ip_block.get("cidr")):
            message = f"{what}: an ipBlock needs its cidr, such as 10.0.0.0/8."
            yield Issue(f"{here}.ipBlock.cidr", IssueCode.INVALID_TRAIT_CONFIG, message)


def _is_network(cidr: object) -> bool:
    try:
        return isinstance(cidr, str) and "/" in cidr and bool(ip_network(cidr, strict=False))
    except ValueError:
        return False


def _check_ports(ports: Sequence[PolicyPort], what: str, path: str) -> Iterator[Issue]:
    for index, port in enumerate(ports):
        here, number = f"{path}[{index}]", port.port
        if isinstance(number, int) and not 1 <= number <= 65535:
            message = f"{what}: port {number} is not between 1 and 65535."
            yield Issue(f"{here}.port", IssueCode.INVALID_TRAIT_CONFIG, message)
        if port.end_port is not None and not (isinstance(number, int) and number <= port.end_port <= 65535):
            message = f"{what}: a range ends with an endPort of at most 65535 that is not below its port, a number."
            yield Issue(f"{here}.endPort", IssueCode.INVALID_TRAIT_CONFIG, message)


def made(_policy: NetworkPolicy, context: CheckContext, path: str) -> Iterator[Made]:
    """The one object."""
    yield Made(ObjectRef("NetworkPolicy", context.namespace, object_name("NetworkPolicy", context.main)), path)
