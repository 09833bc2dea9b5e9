"""Ports: of a container, and of the Service in front of it."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from pydantic import ConfigDict, Field

from kubemin.spec.field_types import PortRef, Protocol
from kubemin.spec.issues import Issue, IssueCode
from kubemin.spec.model import Flag, SpecModel, Text, Whole
from kubemin.spec.names import is_label_key, is_port_name, port_name


class ContainerPort(SpecModel):
    """A port of a container."""

    model_config = ConfigDict(json_schema_extra={"required": ["port"]})

    port: Whole = Field(default=0, description="its number")
    name: Text | None = Field(default=None, description="its name, at most 15 characters: probes and Services use it")
    protocol: Protocol | None = Field(default=None, description="default: `TCP`")
    host_port: Whole | None = Field(default=None, description="the same on the node; needs permission")

    def name_in(self, _component: str) -> str | None:
        """Its name, if it has one."""
        return self.name

    @property
    def spoken(self) -> str:
        """Its protocol."""
        return self.protocol or "TCP"


class Port(ContainerPort):
    """A port of the component's container, and of its Service."""

    name: Text | None = Field(default=None, description="at most 15 characters; default: `<component>-<port>`")
    target_port: PortRef | None = Field(
        default=None, description="where the container listens: a number, or the name of a port; default: `port`"
    )
    node_port: Whole | None = Field(default=None, description="of a NodePort or LoadBalancer; default: a free one")
    app_protocol: Text | None = Field(default=None, description="what is spoken on it, such as `kubernetes.io/h2c`")
    expose: Flag | None = Field(default=None, description="accepted, and means nothing")

    def name_in(self, component: str) -> str:
        """Its name in the Service, and in the container if it is one of the container's."""
        return self.name or port_name(component, self.port)

    @property
    def target(self) -> int | str:
        """Where the Service sends what comes in."""
        return self.port if self.target_port is None else self.target_port


@dataclass(frozen=True, slots=True)
class OpenPort:
    """A port on which the component's container listens."""

    number: int
    name: str
    protocol: str
    host_port: int | None


def open_ports(ports: Sequence[Port], component: str) -> list[OpenPort]:
    """The ports of the component's container: each number and protocol once, with the first name."""
    found: dict[tuple[int, str], OpenPort] = {}
    for port in ports:
        if isinstance(port.target, int):
            own = OpenPort(port.target, port.name_in(component), port.spoken, port.host_port)
            found.setdefault((own.number, own.protocol), own)
    return list(found.values())


def check_container_ports(ports: Sequence[ContainerPort], component: str, what: str, path: str) -> Iterator[Issue]:
    """What is wrong with the ports of one container by themselves."""
    numbers: set[tuple[int, str]] = set()
    names: set[str | None] = set()
    for index, port in enumerate(ports):
        here = f"{path}[{index}]"
        yield from _check_number(port, what, here)
        if (port.port, port.spoken) in numbers:
            message = f"{what} lists port {port.port} twice."
            yield Issue(f"{here}.port", IssueCode.INVALID_FIELD_VALUE, message)
        elif (name := port.name_in(component)) in names:
            message = f'{what} has two ports named "{name}": give one of them another name.'
            yield Issue(f"{here}.name", IssueCode.INVALID_FIELD_VALUE, message)
        numbers.add((port.port, port.spoken))
        names |= {port.name_in(component)} - {None}


def check_ports(
    ports: Sequence[Port], component: str, of_others: Collection[str], what: str, path: str
) -> Iterator[Issue]:
    """What is wrong with a component's ports. ``of_others``: names of the ports of its other containers."""
    yield from check_container_ports(ports, component, what, path)
    known = {port.name for port in open_ports(ports, component)} | {*of_others}
    for index, port in enumerate(ports):
        here, target = f"{path}[{index}]", port.target
        if isinstance(target, str) and target not in known:
            message = f'{what}: no container has a port named "{target}".'
            yield Issue(f"{here}.targetPort", IssueCode.INVALID_FIELD_VALUE, message)
        elif isinstance(target, int) and port.target_port is not None and not _is_number(target):
            message = f"{what}: port {target} is not between 1 and 65535."
            yield Issue(f"{here}.targetPort", IssueCode.INVALID_FIELD_VALUE, message)
        if port.node_port is not None and not _is_number(port.node_port):
            message = f"{what}: port {port.node_port} is not between 1 and 65535."
            yield Issue(f"{here}.nodePort", IssueCode.INVALID_FIELD_VALUE, message)
        if port.app_protocol is not None and not is_label_key(port.app_protocol):
            message = f'{what}: "{port.app_protocol}" is no protocol such as kubernetes.io/h2c.'
            yield Issue(f"{here}.appProtocol", IssueCode.INVALID_FIELD_VALUE, message)


def _check_number(port: ContainerPort, what: str, path: str) -> Iterator[Issue]:
    here = f"{path}.port"
    if "port" not in port.model_fields_set:
        yield Issue(here, IssueCode.MISSING_REQUIRED_FIELD, f"{what} lists a port without its number.")
    elif not _is_number(port.port):
        yield Issue(here, IssueCode.INVALID_FIELD_VALUE, f"{what}: port {port.port} is not between 1 and 65535.")
    if port.host_port is not None and not _is_number(port.host_port):
        message = f"{what}: port {port.host_port} is not between 1 and 65535."
        yield Issue(f"{path}.hostPort", IssueCode.INVALID_FIELD_VALUE, message)
    if port.name and not is_port_name(port.name):
        message = (
            f'{what}: "{port.name}" cannot name a port: use at most 15 lower-case letters, digits and "-", '
            "one of them a letter."
        )
        yield Issue(f"{path}.name", IssueCode.INVALID_NAME_FORMAT, message)


def _is_number(port: int) -> bool:
    return 1 <= port <= 65535
