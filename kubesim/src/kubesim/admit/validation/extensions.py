"""What API services, webhooks and classes of priority must be."""

from typing import Any

from kubesim.admit.validation.causes import Causes

__all__ = ["check_api_service", "check_priority_class", "check_webhooks"]

Object = dict[str, Any]

_HIGHEST = 1_000_000_000
_POLICIES = ("PreemptLowerPriority", "Never")


def check_api_service(obj: Object, old: Object | None, causes: Causes) -> None:
    """Check an APIService."""
    spec = obj["spec"]
    name = f"{spec.get('version', '')}.{spec.get('group', '')}"
    if obj["metadata"].get("name") != name:
        causes.invalid("metadata.name", obj["metadata"].get("name"), f'must be `spec.version+"."+spec.group`: {name}')
    if not spec.get("version"):
        causes.required("spec.version")
    for field, most in (("groupPriorityMinimum", 20000), ("versionPriority", 1000)):
        if not 0 < spec[field] <= most:
            causes.invalid(f"spec.{field}", spec[field], f"must be positive and less than {most}")
    service = spec.get("service")
    if service is None:
        if spec.get("caBundle"):
            causes.invalid("spec.caBundle", "0 bytes", "local APIServices may not have a caBundle")
        if spec.get("insecureSkipTLSVerify"):
            causes.invalid("spec.insecureSkipTLSVerify", True, "may not be true for local APIServices")
        return
    for field in ("namespace", "name"):
        if not service.get(field):
            causes.required(f"spec.service.{field}")


def check_webhooks(obj: Object, old: Object | None, causes: Causes) -> None:
    """Check a ValidatingWebhookConfiguration or a MutatingWebhookConfiguration."""
    seen: set[str] = set()
    for index, webhook in enumerate(obj.get("webhooks") or ()):
        path = f"webhooks[{index}]"
        name = webhook["name"]
        if name.count(".") < 2:
            causes.invalid(f"{path}.name", name, "should be a domain with at least three segments separated by dots")
        if name in seen:
            causes.duplicate(f"{path}.name", name)
        seen.add(name)
        client = webhook["clientConfig"]
        if (client.get("url") is None) == (client.get("service") is None):
            causes.required(f"{path}.clientConfig", "exactly one of url or service is required")
        if webhook.get("sideEffects") not in ("None", "NoneOnDryRun"):
            causes.unsupported(f"{path}.sideEffects", webhook.get("sideEffects", ""), ("None", "NoneOnDryRun"))
        if not webhook["admissionReviewVersions"]:
            causes.required(f"{path}.admissionReviewVersions", "must specify one of v1, v1beta1")
        causes.one_of(f"{path}.failurePolicy", webhook["failurePolicy"], ("Fail", "Ignore"))
        if not 1 <= webhook["timeoutSeconds"] <= 30:
            causes.invalid(
                f"{path}.timeoutSeconds",
                webhook["timeoutSeconds"],
                "the timeout value must be between 1 and 30 seconds",
            )


def check_priority_class(obj: Object, old: Object | None, causes: Causes) -> None:
    """Check a PriorityClass."""
    name = obj["metadata"].get("name") or ""
    if name.startswith("system-") and name not in ("system-cluster-critical", "system-node-critical"):
        why = (
            "priority class names with 'system-' prefix are reserved for system use only. error: the name is not known"
        )
        causes.forbidden("metadata.name", why)
    elif obj["value"] > _HIGHEST and not name.startswith("system-"):
        causes.forbidden("value", f"maximum allowed value of a user defined priority is {_HIGHEST}")
    causes.one_of("preemptionPolicy", obj["preemptionPolicy"], _POLICIES)
    if old is not None:
        if obj["value"] != old["value"]:
            causes.forbidden("value", "may not be changed in an update.")
        causes.unchanged("preemptionPolicy", obj["preemptionPolicy"], old["preemptionPolicy"])
