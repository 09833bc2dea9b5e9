"""From a component to its Pod and Services: what the types that run containers share."""

from collections.abc import Iterator

from kubemin.render.context import Context
from kubemin.render.model import Rendered
from kubemin.render.pod import Pod, container
from kubemin.render.traits import apply_traits
from kubemin.spec.component import AUTO, Component
from kubemin.spec.objects import Manifest
from kubemin.spec.ports import OpenPort, Port, open_ports
from kubemin.spec.service_fields import ServiceFields


def build_pod(context: Context) -> Pod:
    """The Pod of a component, with all its traits."""
    component = context.component
    properties = component.properties
    pod = Pod(
        container(
            component.name,
            component.image,
            properties,
            command=properties.command,
            env=properties.env,
            ports=[_open_port(port) for port in open_ports(properties.ports, component.name)],
        )
    )
    apply_traits(pod, context)
    return pod


def replicas(component: Component) -> Manifest:
    """The part of a workload's spec that says how many Pods it has; nothing where others decide."""
    return {} if component.replicas == AUTO else {"replicas": component.replicas}


def service(context: Context) -> Manifest:
    """The component's Service, over its own Pods."""
    component = context.component
    given = component.properties.service or ServiceFields()
    ports = [_service_port(port, component.name) for port in component.properties.ports]
    body = {**given.rendered(), "selector": context.selector(), "ports": ports}
    return context.manifest("Service", context.name("Service"), {"spec": body}, annotations=given.annotations)


def headless_service(context: Context, name: str) -> Manifest:
    """A Service that gives each Pod a name of its own. Members of a store find each other before they are ready."""
    component = context.component
    ports = [_service_port(port, component.name) for port in component.properties.ports]
    for port in ports:
        port.pop("nodePort", None)
    body = {
        "type": "ClusterIP",
        "clusterIP": "None",
        "publishNotReadyAddresses": True,
        "selector": context.selector(),
        "ports": ports,
    }
    return context.manifest("Service", name, {"spec": body})


def _open_port(port: OpenPort) -> Manifest:
    on_node = {} if port.host_port is None else {"hostPort": port.host_port}
    return {"name": port.name, "containerPort": port.number, "protocol": port.protocol, **on_node}


def _service_port(port: Port, component: str) -> Manifest:
    made = {"name": port.name_in(component), "port": port.port, "targetPort": port.target, "protocol": port.spoken}
    more = {"nodePort": port.node_port, "appProtocol": port.app_protocol}
    return {**made, **{key: value for key, value in more.items() if value is not None}}


def with_objects(workload: Manifest, pod: Pod, context: Context) -> Iterator[Rendered]:
    """The workload and what its traits made."""
    for made in pod.objects:
        yield context.rendered(made)
    for claim in pod.claims.values():
        yield context.rendered(claim, if_absent=True)
    yield context.rendered(workload)
