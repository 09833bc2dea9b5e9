"""What pods and pod templates must be."""

from collections.abc import Callable, Iterable
from typing import Any

from kubesim.admit.validation import formats
from kubesim.admit.validation.causes import Causes
from kubesim.admit.validation.containers import check_containers, check_init_containers
from kubesim.admit.validation.metadata import check_annotations, check_labels, check_selector

__all__ = ["check_pod", "check_pod_spec", "check_pod_template", "check_pod_update"]

Object = dict[str, Any]

_MODES = "must be a number between 0 and 0777 (octal), both inclusive"
_UPDATABLE = (
    "`spec.containers[*].image`",
    "`spec.initContainers[*].image`",
    "`spec.activeDeadlineSeconds`",
    "`spec.tolerations` (only additions to existing tolerations)",
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
)


def check_pod_template(path: str, template: Object, causes: Causes, *, claims: Iterable[str] = ()) -> None:
    """Check a template. ``claims`` are volumes that the owner adds (a StatefulSet's claim templates)."""
    metadata = template["metadata"]
    check_labels(f"{path}.labels", metadata.get("labels"), causes)
    check_annotations(f"{path}.annotations", metadata.get("annotations"), causes)
    check_pod_spec(f"{path}.spec", template["spec"], causes, claims=claims)
    if "ephemeralContainers" in template["spec"]:
        causes.forbidden(f"{path}.spec.ephemeralContainers", "ephemeral containers not allowed in pod template")


def check_pod(pod: Object, causes: Causes) -> None:
    """Check a new pod."""
    check_pod_spec("spec", pod["spec"], causes)
    if "ephemeralContainers" in pod["spec"]:
        causes.forbidden("spec.ephemeralContainers", "cannot be set on create")


def check_pod_spec(path: str, spec: Object, causes: Causes, *, claims: Iterable[str] = ()) -> None:
    """Check a decoded pod spec."""
    volumes = set(claims)
    if "volumes" in spec:
        _check_volumes(f"{path}.volumes", spec["volumes"], volumes, causes)
    check_containers(f"{path}.containers", spec["containers"], volumes, causes)
    if "initContainers" in spec:
        check_init_containers(f"{path}.initContainers", spec["initContainers"], spec["containers"], volumes, causes)
    causes.one_of(f"{path}.restartPolicy", spec["restartPolicy"], ("Always", "OnFailure", "Never"))
    causes.one_of(
        f"{path}.dnsPolicy", spec["dnsPolicy"], ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
    )
    if "nodeSelector" in spec:
        check_labels(f"{path}.nodeSelector", spec["nodeSelector"], causes)
    causes.not_negative(f"{path}.terminationGracePeriodSeconds", spec.get("terminationGracePeriodSeconds"))
    for field, names in _NAMED.items():
        value = spec.get(field)
        if value:
            causes.each_invalid(f"{path}.{field}", value, names(value))
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and not 1 <= deadline <= 2**31 - 1:
        causes.invalid(f"{path}.activeDeadlineSeconds", deadline, "must be between 1 and 2147483647, inclusive")
    if "tolerations" in spec:
        _check_tolerations(f"{path}.tolerations", spec["tolerations"], causes)
    if "topologySpreadConstraints" in spec:
        _check_spread(f"{path}.topologySpreadConstraints", spec["topologySpreadConstraints"], causes)


_NAMED: dict[str, Callable[[str], tuple[str, ...]]] = {
    "serviceAccountName": formats.dns_subdomain,
    "nodeName": formats.dns_subdomain,
    "priorityClassName": formats.dns_subdomain,
    "runtimeClassName": formats.dns_subdomain,
    "hostname": formats.dns_label,
    "subdomain": formats.dns_label,
}


def _check_volumes(path: str, volumes: list[Object], names: set[str], causes: Causes) -> None:
    own: set[str] = set()
    for index, volume in enumerate(volumes):
        where = f"{path}[{index}]"
        name = volume["name"]
        if not name:
            causes.required(f"{where}.name")
        else:
            causes.each_invalid(f"{where}.name", name, formats.dns_label(name))
        if name in own:
            causes.duplicate(f"{where}.name", name)
        own.add(name)
        sources = [key for key in volume if key != "name"]
        for extra in sources[1:]:
            causes.forbidden(f"{where}.{extra}", "may not specify more than 1 volume type")
        if not sources:
            causes.required(where, "must specify a volume type")
            continue
        check = _VOLUMES.get(sources[0])
        if check is not None:
            check(f"{where}.{sources[0]}", volume[sources[0]], causes)
    names |= own


def _check_config_map_volume(path: str, source: Object, causes: Causes) -> None:
    if not source.get("name"):
        causes.required(f"{path}.name")
    _check_modes(path, source, causes)


def _check_secret_volume(path: str, source: Object, causes: Causes) -> None:
    if not source.get("secretName"):
        causes.required(f"{path}.secretName")
    _check_modes(path, source, causes)


def _check_modes(path: str, source: Object, causes: Causes) -> None:
    mode = source.get("defaultMode")
    if mode is not None and not 0 <= mode <= 0o777:
        causes.invalid(f"{path}.defaultMode", mode, _MODES)
    for index, item in enumerate(source.get("items", ())):
        where = f"{path}.items[{index}]"
        if not item["key"]:
            causes.required(f"{where}.key")
        if not item["path"]:
            causes.required(f"{where}.path")
        elif item["path"].startswith("/"):
            causes.invalid(f"{where}.path", item["path"], "must be a relative path")
        elif ".." in item["path"].split("/"):
            causes.invalid(f"{where}.path", item["path"], "must not contain '..'")
        mode = item.get("mode")
        if mode is not None and not 0 <= mode <= 0o777:
            causes.invalid(f"{where}.mode", mode, _MODES)


def _check_claim_volume(path: str, source: Object, causes: Causes) -> None:
    if not source["claimName"]:
        causes.required(f"{path}.claimName")


def _check_host_path(path: str, source: Object, causes: Causes) -> None:
    if not source["path"]:
        causes.required(f"{path}.path")
    elif ".." in source["path"].split("/"):
        causes.invalid(f"{path}.path", source["path"], "must not contain '..'")
    types = ("", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket")
    causes.one_of(f"{path}.type", source["type"], types)


_VOLUMES: dict[str, Callable[[str, Object, Causes], None]] = {
    "configMap": _check_config_map_volume,
    "hostPath": _check_host_path,
    "persistentVolumeClaim": _check_claim_volume,
    "secret": _check_secret_volume,
}


def _check_tolerations(path: str, tolerations: list[Object], causes: Causes) -> None:
    for index, toleration in enumerate(tolerations):
        where = f"{path}[{index}]"
        key, operator = toleration.get("key", ""), toleration.get("operator", "")
        if key:
            causes.each_invalid(f"{where}.key", key, formats.label_key(key))
        elif operator != "Exists":
            causes.invalid(
                f"{where}.operator",
                operator,
                'operator must be Exists when `key` is empty, which means "match all values and all keys"',
            )
        if operator == "Exists":
            if toleration.get("value"):
                causes.invalid(
                    f"{where}.operator", toleration["value"], "value must be empty when `operator` is 'Exists'"
                )
        else:
            causes.one_of(f"{where}.operator", operator or "Equal", ("Equal", "Exists"))
        effect = toleration.get("effect", "")
        if "tolerationSeconds" in toleration and effect != "NoExecute":
            causes.invalid(f"{where}.effect", effect, "effect must be 'NoExecute' when `tolerationSeconds` is set")
        if effect:
            causes.one_of(f"{where}.effect", effect, ("NoSchedule", "PreferNoSchedule", "NoExecute"))


def _check_spread(path: str, constraints: list[Object], causes: Causes) -> None:
    for index, constraint in enumerate(constraints):
        where = f"{path}[{index}]"
        if constraint["maxSkew"] <= 0:
            causes.invalid(f"{where}.maxSkew", constraint["maxSkew"], "must be greater than zero")
        if not constraint["topologyKey"]:
            causes.required(f"{where}.topologyKey", "can not be empty")
        causes.one_of(
            f"{where}.whenUnsatisfiable", constraint["whenUnsatisfiable"], ("DoNotSchedule", "ScheduleAnyway")
        )
        if "labelSelector" in constraint:
            check_selector(f"{where}.labelSelector", constraint["labelSelector"], causes)


def check_pod_update(new: Object, old: Object, causes: Causes) -> None:
    """Check that only the few fields of a running pod change that may."""
    spec, before = new["spec"], old["spec"]
    if spec == before:
        return
    check_pod_spec("spec", spec, causes)
    for field in ("containers", "initContainers"):
        if len(spec.get(field) or ()) != len(before.get(field) or ()):
            causes.forbidden(f"spec.{field}", "pod updates may not add or remove containers")
            return
    if _fixed_part(spec) != _fixed_part(before):
        causes.forbidden("spec", f"pod updates may not change fields other than {','.join(_UPDATABLE)}\n")


def _fixed_part(spec: Object) -> Object:
    free = ("activeDeadlineSeconds", "tolerations", "schedulingGates")
    fixed = {key: value for key, value in spec.items() if key not in free}
    for field in ("containers", "initContainers"):
        if field in fixed:
            fixed[field] = [
                {key: value for key, value in container.items() if key != "image"} for container in fixed[field] or ()
            ]
    return fixed
