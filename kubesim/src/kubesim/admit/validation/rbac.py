"""What roles and role bindings must be."""

from typing import Any

from kubesim.admit.validation.causes import Causes

__all__ = ["check_cluster_role", "check_cluster_role_binding", "check_role", "check_role_binding"]

Object = dict[str, Any]

_GROUP = "rbac.authorization.k8s.io"


def check_role(obj: Object, old: Object | None, causes: Causes) -> None:
    """Check a Role."""
    _check_rules(obj, causes, namespaced=True)


def check_cluster_role(obj: Object, old: Object | None, causes: Causes) -> None:
    """Check a ClusterRole."""
    _check_rules(obj, causes, namespaced=False)


def _check_rules(obj: Object, causes: Causes, *, namespaced: bool) -> None:
    for index, rule in enumerate(obj["rules"] or ()):
        where = f"rules[{index}]"
        urls, resources = rule.get("nonResourceURLs"), rule.get("resources")
        if not rule["verbs"]:
            causes.required(f"{where}.verbs", "verbs must contain at least one value")
        if urls:
            if namespaced:
                causes.invalid(f"{where}.nonResourceURLs", urls, "namespaced rules cannot apply to non-resource URLs")
            if rule.get("apiGroups") or resources or rule.get("resourceNames"):
                causes.invalid(
                    f"{where}.nonResourceURLs",
                    urls,
                    "rules cannot apply to both regular resources and non-resource URLs",
                )
            continue
        if not rule.get("apiGroups"):
            causes.required(f"{where}.apiGroups", "resource rules must supply at least one api group")
        if not resources:
            causes.required(f"{where}.resources", "resource rules must supply at least one resource")


def check_role_binding(obj: Object, old: Object | None, causes: Causes) -> None:
    """Check a RoleBinding."""
    _check_binding(obj, old, ("Role", "ClusterRole"), causes)


def check_cluster_role_binding(obj: Object, old: Object | None, causes: Causes) -> None:
    """Check a ClusterRoleBinding."""
    _check_binding(obj, old, ("ClusterRole",), causes)


def _check_binding(obj: Object, old: Object | None, kinds: tuple[str, ...], causes: Causes) -> None:
    role = obj["roleRef"]
    causes.one_of("roleRef.apiGroup", role["apiGroup"], (_GROUP,))
    causes.one_of("roleRef.kind", role["kind"], kinds)
    if not role["name"]:
        causes.required("roleRef.name")
    for index, subject in enumerate(obj.get("subjects", ())):
        _check_subject(f"subjects[{index}]", subject, causes)
    if old is not None and role != old["roleRef"]:
        shown = {"APIGroup": role["apiGroup"], "Kind": role["kind"], "Name": role["name"]}
        causes.invalid("roleRef", shown, "cannot change roleRef")


def _check_subject(path: str, subject: Object, causes: Causes) -> None:
    if not subject["name"]:
        causes.required(f"{path}.name")
    kind, group = subject["kind"], subject.get("apiGroup", "")
    if kind == "ServiceAccount":
        causes.one_of(f"{path}.apiGroup", group, ("",))
        if not subject.get("namespace"):
            causes.required(f"{path}.namespace")
    elif kind in ("User", "Group"):
        causes.one_of(f"{path}.apiGroup", group, (_GROUP,))
    else:
        causes.unsupported(f"{path}.kind", kind, ("ServiceAccount", "User", "Group"))
