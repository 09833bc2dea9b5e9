"""Checks of a Pod as a whole: what its containers share."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from kubemin.spec import container_fields
from kubemin.spec.check_context import CheckContext
from kubemin.spec.container_fields import Lifecycle, OtherContainer, check_container
from kubemin.spec.issues import Issue, IssueCode
from kubemin.spec.names import is_label, shorten
from kubemin.spec.ports import ContainerPort, Port, check_container_ports, open_ports
from kubemin.spec.traits import Traits, probes
from kubemin.spec.traits.container import ContainerTraits
from kubemin.spec.traits.envs import Env
from kubemin.spec.traits.storage import Storage

_NESTED = ("init", "sidecar")
_VOLUME_FIELDS = ("source_name", "tmp_create", "size", "claim_name", "storage_class", "host_path")


def container_name(name: str, component: str, kind: str, index: int) -> str:
    """Name of the ``index``-th init or sidecar container."""
    return name or shorten(f"{component}-{kind}-{index}", 63)


def check_pod(traits: Traits, env: Mapping[str, str], context: CheckContext, path: str) -> Iterator[Issue]:
    """Container names differ, variables are set once, and a volume of one name is one volume."""
    yield from _check_names(traits, context, path)
    yield from _check_variables(env, traits.envs, context, f"{path}.envs")
    volumes = {storage.name: storage for storage in reversed(traits.storage)}
    for index, init in enumerate(traits.init):
        here = f"{path}.init[{index}].traits"
        yield from _check_variables(init.properties.env, init.traits.envs, context, f"{here}.envs")
        yield from _check_volumes(volumes, init.traits.storage, context, f"{here}.storage")
    for index, sidecar in enumerate(traits.sidecar):
        here = f"{path}.sidecar[{index}].traits"
        yield from _check_variables(sidecar.env, sidecar.traits.envs, context, f"{here}.envs")
        yield from _check_volumes(volumes, sidecar.traits.storage, context, f"{here}.storage")


def other_ports(traits: Traits) -> list[ContainerPort]:
    """The ports of the containers that run beside the component's own."""
    beside = [init.properties for init in traits.init if init.properties.restart_policy is not None]
    return [port for container in (*beside, *traits.sidecar) for port in container.ports]


def check_other_containers(traits: Traits, grace: int, context: CheckContext, path: str) -> Iterator[Issue]:
    """What is wrong with the fields of init and sidecar containers. ``grace``: seconds that the Pod has to end."""
    for here, container in _others(traits, path):
        what = f'A container of component "{context.component}"'
        yield from check_container(container, container.ports, grace, context, what, here)
        yield from check_container_ports(container.ports, context.component, what, f"{here}.ports")


def _others(traits: Traits, path: str) -> Iterator[tuple[str, OtherContainer]]:
    """The init and sidecar containers, and where their fields are."""
    for index, init in enumerate(traits.init):
        yield f"{path}.init[{index}].properties", init.properties
    for index, sidecar in enumerate(traits.sidecar):
        yield f"{path}.sidecar[{index}]", sidecar


def check_port_names(
    traits: Traits, ports: Sequence[Port], lifecycle: Lifecycle | None, context: CheckContext, path: str
) -> Iterator[Issue]:
    """Names of ports in probes and hooks: the kubelet looks for them in the same container.

    ``path`` is that of the component.
    """
    names = {port.name for port in open_ports(ports, context.component)}
    yield from _check_port_names(names, traits, lifecycle, context, f"{path}.traits", f"{path}.properties")
    for index, init in enumerate(traits.init):
        here, properties = f"{path}.traits.init[{index}]", init.properties
        names = {port.name for port in properties.ports if port.name}
        yield from _check_port_names(
            names, init.traits, properties.lifecycle, context, f"{here}.traits", f"{here}.properties"
        )
    for index, sidecar in enumerate(traits.sidecar):
        here = f"{path}.traits.sidecar[{index}]"
        names = {port.name for port in sidecar.ports if port.name}
        yield from _check_port_names(names, sidecar.traits, sidecar.lifecycle, context, f"{here}.traits", here)


def _check_port_names(
    names: Collection[str],
    traits: ContainerTraits,
    lifecycle: Lifecycle | None,
    context: CheckContext,
    of_traits: str,
    of_fields: str,
) -> Iterator[Issue]:
    asked = probes.named_ports(traits.probes, f"{of_traits}.probes")
    for name, here in (*asked, *container_fields.named_ports(lifecycle, f"{of_fields}.lifecycle")):
        if name not in names:
            known = ", ".join(sorted(names)) or "none"
            message = f'Component "{context.component}": the container has no port named "{name}" (it has {known}).'
            code = IssueCode.INVALID_PROBE_CONFIG if ".probes[" in here else IssueCode.INVALID_FIELD_VALUE
            yield Issue(here, code, message)


def _check_names(traits: Traits, context: CheckContext, path: str) -> Iterator[Issue]:
    seen = {context.component}
    for kind in _NESTED:
        for index, container in enumerate(getattr(traits, kind)):
            name = container_name(container.name, context.component, kind, index)
            here = f"{path}.{kind}[{index}].name"
            if container.name and not is_label(name):
                yield Issue(
                    here,
                    IssueCode.INVALID_NAME_FORMAT,
                    f'"{name}" cannot name a container: use lower-case letters, digits and "-", at most 63.',
                )
            elif name in seen:
                yield Issue(
                    here,
                    IssueCode.INVALID_TRAIT_CONFIG,
                    f'Component "{context.component}" has two containers named "{name}".',
                )
            seen.add(name)


def _check_variables(env: Mapping[str, str], envs: list[Env], context: CheckContext, path: str) -> Iterator[Issue]:
    for index, variable in enumerate(envs):
        if variable.name in env:
            yield Issue(
                f"{path}[{index}].name",
                IssueCode.INVALID_TRAIT_CONFIG,
                f'Component "{context.component}" sets the environment variable "{variable.name}" '
                "in its properties, and again here.",
            )


def _check_volumes(
    volumes: dict[str, Storage], storages: list[Storage], context: CheckContext, path: str
) -> Iterator[Issue]:
    for index, storage in enumerate(storages):
        first = volumes.setdefault(storage.name, storage)
        if first is not storage and not _same_volume(first, storage):
            yield Issue(
                f"{path}[{index}]",
                IssueCode.DUPLICATE_OBJECT,
                f'Component "{context.component}" describes the volume "{storage.name}" twice, and differently.',
            )


def _same_volume(first: Storage, again: Storage) -> bool:
    """Whether a later entry means the volume of the first: of one type, and in what else it says at all the same."""
    if first.type != again.type:
        return False
    return all(
        getattr(again, field) in (Storage.model_fields[field].default, getattr(first, field))
        for field in _VOLUME_FIELDS
    )
