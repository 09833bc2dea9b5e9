"""A component's ``service``: fields of the Service in front of its Pods."""

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from kubemin.spec.check_context import CheckContext
from kubemin.spec.field_types import LabelKey
from kubemin.spec.issues import Issue, IssueCode
from kubemin.spec.model import Flag, SpecModel, Text
from kubemin.spec.ports import Port
from kubemin.spec.values import check_annotations

HEADLESS = "Headless"
ServiceType = Literal["ClusterIP", "NodePort", "LoadBalancer", "Headless"]
_OUTSIDE = ("NodePort", "LoadBalancer")
_DAY = 86400


def _network(text: str) -> str:
    try:
        ipaddress.ip_network(text)
    except ValueError as error:
        raise PydanticCustomError("network", "must be a network such as 192.0.2.0/24") from error
    return text


class ClientIpConfig(SpecModel):
    """How long a client keeps its Pod."""

    timeout_seconds: Annotated[int, Field(strict=True, ge=1, le=_DAY)] = Field(description="seconds, at most a day")


class SessionAffinityConfig(SpecModel):
    """More about ``sessionAffinity``."""

    client_ip: ClientIpConfig = Field(alias="clientIP", description="of `ClientIP`")


class ServiceFields(SpecModel):
    """What kind of Service it is. The ports are those of the component."""

    type: ServiceType | None = Field(
        default=None, description="default: `ClusterIP`; `Headless`: no address, its name leads to the Pods"
    )
    annotations: dict[Text, Text] | None = Field(default=None, description="of the Service")
    session_affinity: Literal["None", "ClientIP"] | None = Field(
        default=None, description="`ClientIP`: a client always has the same Pod"
    )
    session_affinity_config: SessionAffinityConfig | None = Field(default=None, description="more about that")
    internal_traffic_policy: Literal["Cluster", "Local"] | None = Field(
        default=None, description="`Local`: only Pods of the same node"
    )
    external_traffic_policy: Literal["Cluster", "Local"] | None = Field(
        default=None, description="the same of what comes from outside; keeps the client's address"
    )
    publish_not_ready_addresses: Flag | None = Field(default=None, description="Pods that are not ready count too")
    load_balancer_class: LabelKey | None = Field(default=None, description="which load balancer makes it")
    load_balancer_source_ranges: (
        list[Annotated[Text, AfterValidator(_network), Field(json_schema_extra={"format": "network"})]] | None
    ) = Field(default=None, description="networks whose clients may come")
    allocate_load_balancer_node_ports: Flag | None = Field(
        default=None, description="whether a LoadBalancer has ports of the nodes too; default: true"
    )

    def rendered(self) -> dict[str, Any]:
        """The fields of the Service's spec."""
        spec: dict[str, Any] = {"type": "ClusterIP", **self.kept()}
        spec.pop("annotations", None)
        if self.publish_not_ready_addresses is False:  # the API server would not keep it
            del spec["publishNotReadyAddresses"]
        return {**spec, "type": "ClusterIP", "clusterIP": "None"} if self.type == HEADLESS else spec


_ONLY: Mapping[str, Sequence[str]] = {
    "external_traffic_policy": _OUTSIDE,
    "load_balancer_class": ("LoadBalancer",),
    "load_balancer_source_ranges": ("LoadBalancer",),
    "allocate_load_balancer_node_ports": ("LoadBalancer",),
    "session_affinity": ("ClusterIP", *_OUTSIDE),
}
"""Fields that only some types have."""


def check_service(
    service: ServiceFields | None, ports: Sequence[Port], context: CheckContext, what: str, path: str
) -> Iterator[Issue]:
    """What is wrong with ``service``; ``path`` is that of the component's properties."""
    type_ = (service and service.type) or "ClusterIP"
    for index, port in enumerate(ports):
        if port.node_port is not None and type_ not in _OUTSIDE:
            message = f"{what}: only a Service of the type {' or '.join(_OUTSIDE)} has ports of the nodes."
            yield Issue(f"{path}.ports[{index}].nodePort", IssueCode.INVALID_FIELD_VALUE, message)
    if service is None:
        return
    here = f"{path}.service"
    if not ports:
        yield Issue(here, IssueCode.INVALID_FIELD_VALUE, f"{what} has no ports, and so no Service.")
    yield from check_annotations(service.annotations or {}, context, what, f"{here}.annotations")
    for field, types in _ONLY.items():
        if getattr(service, field) is not None and type_ not in types:
            alias = ServiceFields.model_fields[field].alias
            message = f"{what}: only a Service of the type {' or '.join(types)} has {alias}, and not {type_}."
            yield Issue(f"{here}.{alias}", IssueCode.INVALID_FIELD_VALUE, message)
    if service.session_affinity_config is not None and service.session_affinity != "ClientIP":
        message = f"{what}: sessionAffinityConfig needs sessionAffinity: ClientIP."
        yield Issue(f"{here}.sessionAffinityConfig", IssueCode.INVALID_FIELD_VALUE, message)
