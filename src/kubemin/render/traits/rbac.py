"""``rbac``: a service account, roles and bindings."""

from collections.abc import Sequence

from kubemin.render.context import Context
from kubemin.render.pod import Pod
from kubemin.spec.kinds import KINDS
from kubemin.spec.objects import Manifest
from kubemin.spec.traits.rbac import Rbac, Rule

_GROUP = "rbac.authorization.k8s.io"


def apply(entries: Sequence[Rbac], pod: Pod, context: Context) -> None:
    """Let the Pod run under the first account; make the accounts (each once), roles and bindings."""
    pod.service_account = entries[0].account(context.main)
    accounts: set[str] = set()
    for entry in entries:
        account = entry.account(context.main)
        if account not in accounts:
            pod.objects.append(_account(entry, account, context))
        accounts.add(account)
        pod.objects.extend(_role_and_binding(entry, account, context))


def _account(entry: Rbac, account: str, context: Context) -> Manifest:
    body: Manifest = {}
    if entry.automount_service_account_token is not None:
        body["automountServiceAccountToken"] = entry.automount_service_account_token
    return context.manifest(
        "ServiceAccount",
        account,
        body,
        more_labels=entry.service_account_labels,
        annotations=entry.service_account_annotations,
    )


def _role_and_binding(entry: Rbac, account: str, context: Context) -> tuple[Manifest, Manifest]:
    prefix = "Cluster" if entry.cluster_scope else ""
    name = entry.role(context.main, context.namespace)
    role = context.manifest(
        f"{prefix}Role",
        name,
        {"rules": [_rule(rule, entry.namespace or context.namespace, context) for rule in entry.rules]},
        namespace=entry.namespace,
        more_labels=entry.role_labels,
    )
    binding = context.manifest(
        f"{prefix}RoleBinding",
        entry.binding(context.main, context.namespace),
        {
            "roleRef": {"apiGroup": _GROUP, "kind": f"{prefix}Role", "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": context.namespace}],
        },
        namespace=entry.namespace,
        more_labels=entry.binding_labels,
    )
    return role, binding


def _rule(rule: Rule, namespace: str, context: Context) -> Manifest:
    groups = {"apiGroups": rule.api_groups or [""]} if rule.resources else {}
    body = {**groups, **{key: value for key, value in rule.dump().items() if value}}
    if rule.resource_names:
        kinds = [known.name for known in KINDS.values() if known.plural in rule.resources]
        body["resourceNames"] = [
            meant for name in rule.resource_names for meant in _meant(kinds, namespace, name, context)
        ]
    return body


def _meant(kinds: Sequence[str], namespace: str, name: str, context: Context) -> Sequence[str]:
    """The objects of a component that the rule names; else an object outside the application."""
    found = [context.application.referred(kind, namespace, name) for kind in kinds]
    return list(dict.fromkeys(one for one in found if one is not None)) or [name]
