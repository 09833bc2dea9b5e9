"""What a CustomResourceDefinition must be."""

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from kubesim.admit.validation import formats
from kubesim.admit.validation.causes import Causes
from kubesim.custom.schema_check import check_schema

__all__ = ["check_definition"]

Object = dict[str, Any]

_APPROVED = "api-approved.kubernetes.io"
_REVIEW = "see https://github.com/kubernetes/enhancements/pull/1111"
_COLUMN_TYPES = ("boolean", "date", "integer", "number", "string")
_COLUMN_FORMATS = ("byte", "date", "date-time", "double", "float", "int32", "int64", "password")
_MAX_WARNING = 256


def check_definition(obj: Object, old: Object | None) -> None:
    """Raise Problem 422 with a cause a field if a CustomResourceDefinition is not valid, or may not follow ``old``."""
    causes = Causes()
    spec = obj["spec"]
    if old is None and obj["metadata"].get("name") not in (None, "", f"{spec['names']['plural']}.{spec['group']}"):
        causes.invalid("metadata.name", obj["metadata"]["name"], 'must be spec.names.plural+"."+spec.group')
    _check_group(spec["group"], causes)
    if not spec["scope"]:
        causes.required("spec.scope")
    else:
        causes.one_of("spec.scope", spec["scope"], ("Cluster", "Namespaced"))
    _check_versions(spec, causes)
    _check_names(spec["names"], causes)
    if spec.get("preserveUnknownFields") and not (old is not None and old["spec"].get("preserveUnknownFields")):
        causes.invalid(
            "spec.preserveUnknownFields",
            True,
            "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead",
        )
    _check_conversion(spec.get("conversion") or {}, causes)
    if old is not None:
        _check_update(spec, old, causes)
    _check_stored(obj, causes)
    _check_approval(obj, old, causes)
    causes.raise_for("CustomResourceDefinition", obj)


def _check_group(group: str, causes: Causes) -> None:
    if not group:
        causes.required("spec.group")
    elif wrong := formats.dns_subdomain(group):
        causes.invalid("spec.group", group, ",".join(wrong))
    elif "." not in group:
        causes.invalid("spec.group", group, "should be a domain with at least one dot")


def _check_versions(spec: Object, causes: Causes) -> None:
    versions = spec["versions"] or []
    for index, version in enumerate(versions):
        path = f"spec.versions[{index}]"
        schema = (version.get("schema") or {}).get("openAPIV3Schema")
        if schema is None:
            causes.required(f"{path}.schema.openAPIV3Schema")
    names = [version["name"] for version in versions]
    for index, version in enumerate(versions):
        path = f"spec.versions[{index}]"
        _joined(f"{path}.name", version["name"], formats.service_name(version["name"]), causes)
        _check_deprecation(path, version, causes)
        subresources = version.get("subresources") or {}
        schema = (version.get("schema") or {}).get("openAPIV3Schema")
        if schema is not None:
            status = subresources.get("status") is not None
            check_schema(f"{path}.schema.openAPIV3Schema", schema, causes, status=status)
        _check_scale(f"{path}.subresources", subresources.get("scale"), causes)
        _check_columns(f"{path}.additionalPrinterColumns", version.get("additionalPrinterColumns") or (), causes)
    if len(set(names)) != len(names):
        causes.invalid("spec.versions", versions, "must contain unique version names")
    if sum(version["storage"] for version in versions) != 1:
        causes.invalid("spec.versions", versions, "must have exactly one version marked as storage version")


def _joined(path: str, value: str, wrong: Iterable[str], causes: Causes, prefix: str = "") -> None:
    if text := ",".join(wrong):
        causes.invalid(path, value, prefix + text)


def _check_deprecation(path: str, version: Object, causes: Causes) -> None:
    warning = version.get("deprecationWarning")
    where = f"{path}.deprecationWarning"
    if warning is None:
        return
    if not version.get("deprecated"):
        causes.invalid(where, warning, "can only be set for deprecated versions")
    elif not warning:
        causes.invalid(where, warning, "must not be an empty string")
    elif len(warning) > _MAX_WARNING:
        causes.invalid(where, warning, f"must be <= {_MAX_WARNING} characters long")


def _check_scale(path: str, scale: Object | None, causes: Causes) -> None:
    if scale is None:
        return
    for field, root in (("specReplicasPath", ".spec."), ("statusReplicasPath", ".status.")):
        value, where = scale[field], f"{path}.scale.{field}"
        if not value:
            causes.required(where)
        elif not value.startswith("."):
            causes.invalid(where, value, "must be a simple json path starting with .")
        elif not value.startswith(root):
            causes.invalid(where, value, f"should be a json path under {root.rstrip('.')}")
    selector = scale.get("labelSelectorPath")
    if selector and not selector.startswith((".spec.", ".status.")):
        where = f"{path}.scale.labelSelectorPath"
        causes.invalid(where, selector, "should be a json path under either .spec or .status")


def _check_columns(path: str, columns: Iterable[Object], causes: Causes) -> None:
    for index, column in enumerate(columns):
        where = f"{path}[{index}]"
        if not column["name"]:
            causes.required(f"{where}.name")
        choice = f"must be one of {','.join(_COLUMN_TYPES)}"
        if not column["type"]:
            causes.required(f"{where}.type", choice)
        elif column["type"] not in _COLUMN_TYPES:
            causes.invalid(f"{where}.type", column["type"], choice)
        if column.get("format") and column["format"] not in _COLUMN_FORMATS:
            causes.invalid(f"{where}.format", column["format"], f"must be one of {','.join(_COLUMN_FORMATS)}")
        if not column["jsonPath"]:
            causes.required(f"{where}.JSONPath")


def _check_names(names: Object, causes: Causes) -> None:
    path = "spec.names"
    for field in ("plural", "singular", "kind", "listKind"):
        if not names.get(field):
            causes.required(f"{path}.{field}")
    mixed = "may have mixed case, but should otherwise match: "
    for field, prefix in (("plural", ""), ("singular", ""), ("kind", mixed), ("listKind", mixed)):
        value = names.get(field) or ""
        checked = value.lower() if prefix else value
        if value or field == "plural":
            _joined(f"{path}.{field}", value, formats.service_name(checked), causes, prefix)
    for field in ("shortNames", "categories"):
        for index, value in enumerate(names.get(field) or ()):
            _joined(f"{path}.{field}[{index}]", value, formats.service_name(value), causes)
    if names.get("kind") and names["kind"] == names.get("listKind"):
        causes.invalid(f"{path}.listKind", names["listKind"], "kind and listKind may not be the same")


def _check_conversion(conversion: Object, causes: Causes) -> None:
    path = "spec.conversion"
    causes.one_of(f"{path}.strategy", conversion.get("strategy", "None"), ("None", "Webhook"))
    webhook = conversion.get("webhook") or {}
    if conversion.get("strategy") == "Webhook":
        client = webhook.get("clientConfig")
        if client is None:
            causes.required(f"{path}.webhookClientConfig", "required when strategy is set to Webhook")
        elif (client.get("url") is None) == (client.get("service") is None):
            causes.required(f"{path}.webhookClientConfig", "exactly one of url or service is required")
        if not webhook.get("conversionReviewVersions"):
            causes.required(f"{path}.conversionReviewVersions")
    elif webhook.get("clientConfig") is not None:
        causes.forbidden(f"{path}.webhookClientConfig", "should not be set when strategy is not set to Webhook")


def _check_update(spec: Object, old: Object, causes: Causes) -> None:
    before = old["spec"]
    conditions = (old.get("status") or {}).get("conditions") or ()
    if any(found["type"] == "Established" and found["status"] == "True" for found in conditions):
        causes.unchanged("spec.scope", spec["scope"], before["scope"])
        causes.unchanged("spec.names.kind", spec["names"]["kind"], before["names"]["kind"])
    causes.unchanged("spec.group", spec["group"], before["group"])
    causes.unchanged("spec.names.plural", spec["names"]["plural"], before["names"]["plural"])


def _check_stored(obj: Object, causes: Causes) -> None:
    stored = (obj.get("status") or {}).get("storedVersions") or []
    path = "status.storedVersions"
    if not stored:
        causes.invalid(path, stored, "must have at least one stored version")
        return
    versions = obj["spec"]["versions"] or []
    for version in versions:
        if version["storage"] and version["name"] not in stored:
            causes.invalid(path, stored, f"must have the storage version {version['name']}")
    known = {version["name"] for version in versions}
    for index, name in enumerate(stored):
        if name not in known:
            causes.invalid(
                f"{path}[{index}]",
                name,
                f"missing from spec.versions; {name} was previously a storage version, and must remain in "
                f"spec.versions until a storage migration ensures no data remains persisted in {name} and removes "
                f"{name} from status.storedVersions",
            )


def _check_approval(obj: Object, old: Object | None, causes: Causes) -> None:
    """Groups of the Kubernetes community need somebody's word that they were reviewed."""
    if not re.search(r"(^|\.)(k8s|kubernetes)\.io$", obj["spec"]["group"]):
        return
    text = _approval(obj)
    if text is None or (old is not None and _approval(old) == text):
        return
    annotation = (obj["metadata"].get("annotations") or {}).get(_APPROVED)
    path = f"metadata.annotations[{_APPROVED}]"
    if annotation:
        causes.invalid(path, annotation, text)
    else:
        causes.required(path, text)


def _approval(obj: Mapping[str, Any]) -> str | None:
    annotation = (obj["metadata"].get("annotations") or {}).get(_APPROVED, "")
    start = f'protected groups must have approval annotation "{_APPROVED}"'
    if not annotation:
        return f"{start}, {_REVIEW}"
    url = urlsplit(annotation)
    if annotation.startswith("unapproved") or (url.scheme and url.netloc):
        return None
    return f'{start} with either a URL or a reason starting with "unapproved", {_REVIEW}'
