"""What PersistentVolumeClaims and StorageClasses must be."""

import json
from typing import Any

from kubesim.admit.quantity import quantity_value
from kubesim.admit.validation import formats
from kubesim.admit.validation.causes import Causes
from kubesim.admit.validation.metadata import check_selector

__all__ = ["check_claim", "check_claim_spec", "check_storage_class"]

Object = dict[str, Any]

_ACCESS_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
_FIXED = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n"


def check_claim_spec(path: str, spec: Object, causes: Causes) -> None:
    """Check a claim's spec."""
    modes = spec.get("accessModes", ())
    if not modes:
        causes.required(f"{path}.accessModes", "at least 1 access mode is required")
    if "selector" in spec:
        check_selector(f"{path}.selector", spec["selector"], causes)
    for mode in modes:
        causes.one_of(f"{path}.accessModes", mode, _ACCESS_MODES)
    if "ReadWriteOncePod" in modes and len(modes) > 1:
        causes.forbidden(f"{path}.accessModes", "may not use ReadWriteOncePod with other access modes")
    size = spec["resources"].get("requests", {}).get("storage")
    if size is None:
        causes.required(f"{path}.resources[storage]")
    elif quantity_value(size) <= 0:
        causes.invalid(f"{path}.resources[storage]", size, "must be greater than zero")
    class_name = spec.get("storageClassName")
    if class_name:
        causes.each_invalid(f"{path}.storageClassName", class_name, formats.dns_subdomain(class_name))
    if "volumeMode" in spec:
        causes.one_of(f"{path}.volumeMode", spec["volumeMode"], ("Block", "Filesystem"))


def check_claim(obj: Object, old: Object | None, causes: Causes) -> None:
    """Check a claim. Whether its class lets it grow is admission's matter."""
    spec = obj["spec"]
    if old is None:
        check_claim_spec("spec", spec, causes)
        return
    before = old["spec"]
    if spec == before:
        return
    check_claim_spec("spec", spec, causes)
    bound = obj["status"].get("phase") == "Bound"
    if _fixed(spec, before, bound=bound) != _fixed(before, before, bound=bound):
        shown = "".join(
            f"  {sign} {json.dumps(value, sort_keys=True)}\n" for sign, value in (("-", before), ("+", spec))
        )
        causes.forbidden("spec", _FIXED + shown)
    new_size = spec["resources"].get("requests", {}).get("storage", "0")
    old_size = before["resources"].get("requests", {}).get("storage", "0")
    if quantity_value(new_size) < quantity_value(old_size):
        capacity = old["status"].get("capacity", {}).get("storage", "0")
        if quantity_value(new_size) <= quantity_value(capacity):
            causes.forbidden("spec.resources.requests.storage", "field can not be less than status.capacity")
    causes.unchanged("volumeMode", spec.get("volumeMode"), before.get("volumeMode"))


def _fixed(spec: Object, before: Object, *, bound: bool) -> Object:
    """The part that may not change: the volume is set once, the class once, and a bound claim may grow."""
    fixed = dict(spec)
    if "volumeName" not in before:
        fixed.pop("volumeName", None)
    if "storageClassName" not in before:
        fixed.pop("storageClassName", None)
    if bound:
        fixed.pop("volumeAttributesClassName", None)
        resources = spec["resources"]
        requests = {key: value for key, value in resources.get("requests", {}).items() if key != "storage"}
        fixed["resources"] = {**resources, "requests": requests}
    return fixed


def check_storage_class(obj: Object, old: Object | None, causes: Causes) -> None:
    """Check a StorageClass."""
    if not obj["provisioner"]:
        causes.required("provisioner")
    causes.one_of("reclaimPolicy", obj["reclaimPolicy"], ("Delete", "Retain"))
    causes.one_of("volumeBindingMode", obj["volumeBindingMode"], ("Immediate", "WaitForFirstConsumer"))
    if old is not None:
        if obj.get("parameters") != old.get("parameters"):
            causes.forbidden("parameters", "updates to parameters are forbidden.")
        if obj["provisioner"] != old["provisioner"]:
            causes.forbidden("provisioner", "updates to provisioner are forbidden.")
        if obj["reclaimPolicy"] != old["reclaimPolicy"]:
            causes.forbidden("reclaimPolicy", "updates to reclaimPolicy are forbidden.")
        causes.unchanged("volumeBindingMode", obj["volumeBindingMode"], old["volumeBindingMode"])
