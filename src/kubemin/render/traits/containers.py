"""``init`` and ``sidecar``: further containers, with traits of their own."""

from collections.abc import Sequence

from kubemin.render.context import Context
from kubemin.render.pod import Pod, container
from kubemin.render.traits.container import apply_container_traits
from kubemin.spec.objects import Manifest
from kubemin.spec.pod import container_name
from kubemin.spec.ports import ContainerPort
from kubemin.spec.traits.init import Init
from kubemin.spec.traits.sidecar import Sidecar


def apply_init(containers: Sequence[Init], pod: Pod, context: Context) -> None:
    """Add the init containers, in order."""
    for index, init in enumerate(containers):
        made = container(
            container_name(init.name, context.component.name, "init", index),
            init.properties.image,
            init.properties,
            command=init.properties.command,
            env=init.properties.env,
            ports=container_ports(init.properties.ports),
        )
        if init.properties.restart_policy is not None:
            made["restartPolicy"] = init.properties.restart_policy
        apply_container_traits(init.traits, made, pod, context)
        pod.init_containers.append(made)


def apply_sidecar(containers: Sequence[Sidecar], pod: Pod, context: Context) -> None:
    """Add the sidecars after the component's own container."""
    for index, sidecar in enumerate(containers):
        made = container(
            container_name(sidecar.name, context.component.name, "sidecar", index),
            sidecar.image,
            sidecar,
            command=sidecar.command,
            env=sidecar.env,
            ports=container_ports(sidecar.ports),
        )
        apply_container_traits(sidecar.traits, made, pod, context)
        pod.sidecars.append(made)


def container_ports(ports: Sequence[ContainerPort]) -> list[Manifest]:
    """The ports of such a container; without a name where none is given."""
    return [
        {
            **({"name": port.name} if port.name else {}),
            "containerPort": port.port,
            "protocol": port.spoken,
            **({} if port.host_port is None else {"hostPort": port.host_port}),
        }
        for port in ports
    ]
