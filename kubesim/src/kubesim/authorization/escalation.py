"""Nobody grants what they may not do: what RBAC asks of who writes roles and bindings."""

from kubesim.authorization.policy import BINDINGS, ROLES, Policy, User
from kubesim.authorization.rules import Right, described, is_granted, quoted, rights_of
from kubesim.jsondata import Object
from kubesim.managed import settle_times
from kubesim.problems import forbidden
from kubesim.resources import Resource

_EVERYTHING: tuple[Object, ...] = (
    {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]},
    {"verbs": ["*"], "nonResourceURLs": ["*"]},
)


def check_escalation(
    policy: Policy, user: User, resource: Resource, place: tuple[str, str], new: Object, old: Object | None
) -> None:
    """Refuse to write a role with rights that the user lacks, or a binding to one. 403, or 404 without the role.

    ``place``: namespace and name in the URL, where a POST has none. ``escalate`` on the role, or ``bind`` on the role
    of the binding, allows it all the same; then the role need not be there.
    """
    if resource.key not in (*ROLES.values(), *BINDINGS) or user.is_master or _is_for_the_collector(new, old):
        return
    namespace, name = place
    if resource.key in BINDINGS:
        ref = new["roleRef"]
        if policy.allows(user, Right("bind", ref["apiGroup"], ROLES[ref["kind"]], ref["name"]), namespace):
            return
        _confirm(policy, user, resource, namespace, new, policy.role(ref, namespace))
        return
    if policy.allows(user, Right("escalate", resource.group, resource.key, name), namespace):
        return
    _confirm(policy, user, resource, namespace, new, new.get("rules") or [])
    if new.get("aggregationRule"):
        _confirm(policy, user, resource, namespace, new, _EVERYTHING)


def _confirm(
    policy: Policy,
    user: User,
    resource: Resource,
    namespace: str,
    new: Object,
    granted: list[Object] | tuple[Object, ...],
) -> None:
    own, missing_roles = policy.rules_of(user, namespace)
    if lacking := [right for right in rights_of(granted) if not is_granted(right, own)]:
        listed = "\n".join(described(lacking))
        errors = f"; resolution errors: [{', '.join(missing_roles)}]" if missing_roles else ""
        why = (
            f'user "{user.name}" (groups={quoted(user.groups)}) is attempting to grant RBAC permissions '
            f"not currently held:\n{listed}{errors}"
        )
        raise forbidden(resource, new["metadata"].get("name", ""), why)


def _is_for_the_collector(new: Object, old: Object | None) -> bool:
    """Whether only owner references and finalizers change, if anything does."""
    if old is None:
        return False
    same = {field: old["metadata"].get(field) for field in ("ownerReferences", "finalizers")}
    kept = {field: value for field, value in same.items() if value is not None}
    rest = {field: value for field, value in new["metadata"].items() if field not in same}
    candidate = {**new, "metadata": {**rest, **kept}}
    settle_times(candidate, old)
    return candidate == old
