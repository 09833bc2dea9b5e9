"""From a Pod's spec to what the own format says of a component's Pods. A field more is a line in `POD`."""

from collections.abc import Callable, Mapping
from typing import Any

from kubemin.convert.containers import Refer, TakenContainer, container
from kubemin.convert.taking import StaysError, as_is, no_counterpart, nothing_left, part, parts, taken
from kubemin.spec.objects import Manifest

Claim = Callable[[str], Manifest]
"""From the name of a volume claim to what `storage` says of it; raises `StaysError`."""


def pod(
    spec: Manifest,
    refer: Refer,
    claim: Claim,
    templates: Mapping[str, Manifest],
    marks: Mapping[str, bool],
    path: str,
) -> tuple[TakenContainer, Manifest, Manifest]:
    """Take a reduced Pod apart: its own container, and the component's further properties and traits.

    ``templates``: by name, what `storage` says of the claims that a StatefulSet makes. ``marks``: by name, whether a
    variable is said to be sensitive. Raises `StaysError`.
    """
    rest = dict(spec)
    volumes = dict(templates)
    for number, volume in enumerate(parts(rest, "volumes", path)):
        volumes[str(volume.get("name"))] = _volume(volume, refer, claim, f"{path}.volumes[{number}]")
    containers = [
        container(one, volumes, refer, marks, f"{path}.containers[{number}]")
        for number, one in enumerate(parts(rest, "containers", path))
    ]
    inits = [
        container(one, volumes, refer, marks, f"{path}.initContainers[{number}]")
        for number, one in enumerate(parts(rest, "initContainers", path))
    ]
    if not containers:
        raise StaysError(f"{path} has no containers")
    main, *beside = containers
    mounted = {one["name"] for each in (*containers, *inits) for one in each.traits.get("storage", ())}
    if unused := [name for name in volumes if name not in mounted]:
        raise StaysError(f"the volume {unused[0]} is mounted by no container")
    fields = taken(rest, POD, path)
    nothing_left(rest, path)
    for secret in fields.get("imagePullSecrets", ()):
        secret["name"] = refer("Secret", secret.get("name", ""))
    properties, traits = {"pod": fields} if fields else {}, dict[str, Any]()
    if inits:
        traits["init"] = [_init(one) for one in inits]
    if beside:
        traits["sidecar"] = [_sidecar(one) for one in beside]
    return main, properties, traits


def _init(one: TakenContainer) -> Manifest:
    return {
        "name": one.name,
        "properties": {"image": one.image, **one.properties, **_ports(one)},
        **({"traits": one.traits} if one.traits else {}),
    }


def _sidecar(one: TakenContainer) -> Manifest:
    traits = {"traits": one.traits} if one.traits else {}
    return {"name": one.name, "image": one.image, **one.properties, **_ports(one), **traits}


def _ports(one: TakenContainer) -> Manifest:
    """The ports of another container than the component's own."""
    ports = [{"port": port.get("containerPort"), **_beside_number(port)} for port in one.ports]
    return {"ports": ports} if ports else {}


def _beside_number(port: Manifest) -> Manifest:
    return {key: value for key, value in port.items() if key != "containerPort"}


def _volume(volume: Manifest, refer: Refer, claim: Claim, path: str) -> Manifest:
    rest = {key: dict(value) if isinstance(value, dict) else value for key, value in volume.items()}
    found: Manifest = {"name": rest.pop("name", "")}
    source = next(iter(rest), "")
    match source:
        case "emptyDir":
            left = part(rest, "emptyDir", path)
            found |= {"type": "ephemeral"}
        case "configMap":
            left = part(rest, "configMap", path)
            found |= {"type": "config", "sourceName": refer("ConfigMap", str(left.pop("name", "")))}
        case "secret":
            left = part(rest, "secret", path)
            found |= {"type": "secret", "sourceName": refer("Secret", str(left.pop("secretName", "")))}
        case "hostPath":
            left = part(rest, "hostPath", path)
            found |= {"type": "host-mounted", "hostPath": left.pop("path", "")}
        case "persistentVolumeClaim":
            left = part(rest, "persistentVolumeClaim", path)
            found |= {"type": "persistent", **claim(str(left.pop("claimName", "")))}
        case _:
            left = {}
    nothing_left({**rest, **{f"{source}.{field}": value for field, value in left.items()}}, path)
    return found


def claim_template(template: Manifest, path: str) -> Manifest:
    """What `storage` says of a claim that a StatefulSet makes for each Pod. Raises `StaysError`."""
    meta = template.get("metadata") or {}
    return {
        "name": meta.get("name", ""),
        "type": "persistent",
        "tmpCreate": True,
        **claim_spec(dict(template.get("spec") or {}), f"{path}.spec"),
    }


def claim_spec(rest: Manifest, path: str) -> Manifest:
    """Size and class of a volume claim. Raises `StaysError`."""
    modes, resources = rest.pop("accessModes", None), part(rest, "resources", path)
    if modes != ["ReadWriteOnce"]:
        raise no_counterpart(f"{path}.accessModes other than ReadWriteOnce")
    found = {"size": str(part(resources, "requests", path).pop("storage", ""))}
    if "storageClassName" in rest:
        found["storageClass"] = rest.pop("storageClassName")
    nothing_left({**rest, **resources}, path)
    return found


POD: Mapping[str, Callable[[Any, str], Manifest]] = {
    name: as_is(name)
    for name in (
        *("imagePullSecrets", "automountServiceAccountToken", "securityContext", "nodeSelector", "tolerations"),
        *("affinity", "topologySpreadConstraints", "terminationGracePeriodSeconds", "priorityClassName"),
        *("runtimeClassName", "hostAliases", "dnsPolicy", "dnsConfig", "enableServiceLinks", "shareProcessNamespace"),
        *("hostUsers", "hostNetwork", "hostPID", "hostIPC", "serviceAccountName"),
    )
}
"""A field of a Pod's spec, and what stands for it in ``pod``."""
