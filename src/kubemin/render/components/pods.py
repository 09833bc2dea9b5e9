"""From a component to its Pod and Services: what webservice, store and job share."""

from collections.abc import Iterator

from kubemin.render.context import Context
from kubemin.render.model import Rendered
from kubemin.render.pod import Pod, container
from kubemin.render.traits import apply_traits
from kubemin.spec.component import AUTO, Component
from kubemin.spec.names import port_name
from kubemin.spec.objects import Manifest


def build_pod(context: Context) -> Pod:
    """The Pod of a component, with all its traits."""
    component = context.component
    properties = component.properties
    main = container(component.name, component.image, command=properties.command, env=properties.env)
    if properties.ports:
        main["ports"] = [
            {"name": port_name(component.name, port), "containerPort": port, "protocol": "TCP"}
            for port in component.port_numbers
        ]
    pod = Pod(main)
    apply_traits(pod, context)
    return pod


def replicas(component: Component) -> Manifest:
    """The part of a workload's spec that says how many Pods it has; nothing where others decide."""
    return {} if component.replicas == AUTO else {"replicas": component.replicas}


def service(context: Context, name: str | None = None, **spec: object) -> Manifest:
    """A Service over the component's own Pods; ``spec`` adds to it."""
    component = context.component
    ports = [
        {"name": port_name(component.name, port), "port": port, "targetPort": port, "protocol": "TCP"}
        for port in component.port_numbers
    ]
    body = {"type": "ClusterIP", **spec, "selector": context.selector(), "ports": ports}
    return context.manifest("Service", name or context.name("Service"), {"spec": body})


def with_objects(workload: Manifest, pod: Pod, context: Context) -> Iterator[Rendered]:
    """The workload and what its traits made."""
    for made in pod.objects:
        yield context.rendered(made)
    for claim in pod.claims.values():
        yield context.rendered(claim, if_absent=True)
    yield context.rendered(workload)
