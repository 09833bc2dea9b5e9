# ruff: noqa: RUF012  (Pydantic copies defaults)
"""The ``rbac`` trait: a service account for the Pods, and what it may do."""

from collections.abc import Iterator, Sequence
from itertools import product

from pydantic import ConfigDict, Field

from kubemin.spec.check_context import CheckContext, Made
from kubemin.spec.issues import Issue, IssueCode
from kubemin.spec.limits import Grant, Limits, listed
from kubemin.spec.model import Flag, SpecModel, Text
from kubemin.spec.names import is_label, is_subdomain, object_name
from kubemin.spec.objects import ObjectRef
from kubemin.spec.privileges import CLUSTER_ROLES, PLATFORM_NAMES
from kubemin.spec.values import check_annotations, check_labels

MAX_LIST = 64
MAX_RULES = 64


class Rule(SpecModel):
    """A rule of a Role, with Kubernetes' own fields."""

    model_config = ConfigDict(json_schema_extra={"required": ["verbs"]})

    api_groups: list[Text] = Field(default=[], description="API groups")
    resources: list[Text] = Field(default=[], description="kinds, in their plural")
    resource_names: list[Text] = Field(default=[], description="only objects of these names")
    non_resource_urls: list[Text] = Field(default=[], alias="nonResourceURLs", description="paths that are no objects")
    verbs: list[Text] = Field(default=[], description="what may be done")


class Rbac(SpecModel):
    """A service account in the component's namespace, bound to a Role in ``namespace`` or to a ClusterRole.

    The component's Pods run under the first service account. The service account defaults to the name of the
    component's main object, the Role and its binding to that of the service account; those of the whole cluster have
    the namespace before it, as other namespaces may have such an application too. Rules may only hold what
    ``Limits.rbac_namespaced`` or ``rbac_cluster`` allow.
    """

    model_config = ConfigDict(json_schema_extra={"required": ["rules"]})

    service_account: Text = ""
    namespace: Text | None = Field(default=None, description="of the Role and its binding; default: the component's")
    cluster_scope: Flag = False
    role_name: Text = ""
    binding_name: Text = ""
    rules: list[Rule] = []
    role_labels: dict[Text, Text] = {}
    binding_labels: dict[Text, Text] = {}
    service_account_labels: dict[Text, Text] = {}
    service_account_annotations: dict[Text, Text] = {}
    automount_service_account_token: Flag | None = None

    def account(self, main: str) -> str:
        """Name of the service account, of a component with this main name."""
        return self.service_account or object_name("ServiceAccount", main)

    def role(self, main: str, namespace: str) -> str:
        """Name of the Role or ClusterRole; ``namespace`` is the component's."""
        return self.role_name or self._default(main, namespace)

    def binding(self, main: str, namespace: str) -> str:
        """Name of the binding; ``namespace`` is the component's."""
        return self.binding_name or self._default(main, namespace)

    def _default(self, main: str, namespace: str) -> str:
        account = self.account(main)
        return object_name("ClusterRole", namespace, account) if self.cluster_scope else account

    @property
    def account_settings(self) -> tuple[object, ...]:
        """What entries that share a service account must agree on."""
        return self.service_account_labels, self.service_account_annotations, self.automount_service_account_token


def check(entries: Sequence[Rbac], context: CheckContext, path: str) -> Iterator[Issue]:
    """What is wrong with ``rbac``."""
    accounts: dict[str, Rbac] = {}
    for index, entry in enumerate(entries):
        here = f"{path}[{index}]"
        yield from _check_names(entry, context, here)
        yield from _check_privileges(entry, context, here)
        yield from _check_rules(entry, context, here)
        first = accounts.setdefault(entry.account(context.main), entry)
        if first.account_settings != entry.account_settings:
            yield Issue(
                here,
                IssueCode.INVALID_TRAIT_CONFIG,
                f'Component "{context.component}" describes the service account '
                f'"{entry.account(context.main)}" twice, and differently.',
            )


def _check_names(entry: Rbac, context: CheckContext, path: str) -> Iterator[Issue]:
    what = f'Component "{context.component}"'
    names = (("serviceAccount", entry.service_account), ("roleName", entry.role_name))
    for field, name in (*names, ("bindingName", entry.binding_name)):
        if name and not is_subdomain(name):
            yield Issue(
                f"{path}.{field}",
                IssueCode.INVALID_NAME_FORMAT,
                f'{what} gives "{name}" as {field}: use lower-case letters, digits, "-" and ".".',
            )
    if entry.service_account == "default":
        yield Issue(
            f"{path}.serviceAccount",
            IssueCode.INVALID_TRAIT_CONFIG,
            f'{what} would give rights to the service account "default", under which other Pods run too.',
        )
    if entry.namespace and not is_label(entry.namespace):
        yield Issue(
            f"{path}.namespace", IssueCode.INVALID_NAME_FORMAT, f'{what}: "{entry.namespace}" cannot name a namespace.'
        )
    for field, given in (
        ("roleLabels", entry.role_labels),
        ("bindingLabels", entry.binding_labels),
        ("serviceAccountLabels", entry.service_account_labels),
    ):
        yield from check_labels(given, context.limits, what, f"{path}.{field}")
    yield from check_annotations(entry.service_account_annotations, context, what, f"{path}.serviceAccountAnnotations")


def _check_privileges(entry: Rbac, context: CheckContext, path: str) -> Iterator[Issue]:
    """No rights in others' namespaces, and no name of an account, Role or binding that belongs to the platform."""
    what, limits = f'Component "{context.component}"', context.limits
    if entry.namespace and not context.may_grant_in(entry.namespace):
        yield Issue(
            f"{path}.namespace",
            IssueCode.NOT_ALLOWED,
            f'{what} would grant rights in "{entry.namespace}", which is not its namespace; '
            "KUBEMIN_ALLOW_RBAC_NAMESPACES does not allow it.",
        )
    taken = PLATFORM_NAMES | (CLUSTER_ROLES if entry.cluster_scope else frozenset())
    names = {  # the last field of a name is told: the others follow from it where they are not written
        entry.binding(context.main, context.namespace): "bindingName",
        entry.role(context.main, context.namespace): "roleName",
        entry.account(context.main): "serviceAccount",
    }
    for name, field in names.items():
        if name in taken and not listed(name, limits.allow_rbac_names):
            yield Issue(
                f"{path}.{field}",
                IssueCode.NOT_ALLOWED,
                f'{what} gives "{name}" as {field}, which Kubernetes or KubeMin uses itself; '
                "KUBEMIN_ALLOW_RBAC_NAMES does not allow it.",
            )


def _check_rules(entry: Rbac, context: CheckContext, path: str) -> Iterator[Issue]:
    what = f'Component "{context.component}"'
    if not entry.rules:
        yield Issue(f"{path}.rules", IssueCode.MISSING_RBAC_RULES, f"{what} has an rbac trait without rules.")
    if len(entry.rules) > MAX_RULES:
        yield Issue(
            f"{path}.rules",
            IssueCode.INVALID_TRAIT_CONFIG,
            f"{what} has more than {MAX_RULES} rules in one rbac trait.",
        )
    for index, rule in enumerate(entry.rules[:MAX_RULES]):
        here = f"{path}.rules[{index}]"
        lists = (rule.api_groups, rule.resources, rule.resource_names, rule.non_resource_urls, rule.verbs)
        if not any(rule.verbs):
            yield Issue(f"{here}.verbs", IssueCode.MISSING_RBAC_VERBS, f"{what} has an rbac rule without verbs.")
        if bool(rule.resources) == bool(rule.non_resource_urls):
            yield Issue(
                here, IssueCode.INVALID_TRAIT_CONFIG, f"{what}: an rbac rule needs either resources or nonResourceURLs."
            )
        elif rule.non_resource_urls and not entry.cluster_scope:
            yield Issue(
                f"{here}.nonResourceURLs",
                IssueCode.INVALID_TRAIT_CONFIG,
                f"{what}: nonResourceURLs need clusterScope, as a namespace has no URLs.",
            )
        elif any(len(items) > MAX_LIST for items in lists):
            yield Issue(
                here, IssueCode.INVALID_TRAIT_CONFIG, f"{what}: a list in an rbac rule has over {MAX_LIST} items."
            )
        elif refused := refused_in(rule, entry.cluster_scope, context.limits):
            where = "cluster-wide" if entry.cluster_scope else "in a namespace"
            yield Issue(
                here, IssueCode.INVALID_TRAIT_CONFIG, f"{what} may not grant {refused} {where}: this server forbids it."
            )


def refused_in(rule: Rule, cluster: bool, limits: Limits) -> str | None:
    """The first thing in the rule that no grant covers."""
    grants = limits.rbac_cluster if cluster else limits.rbac_namespaced
    for group, resource, verb in product(*map(dict.fromkeys, (rule.api_groups or [""], rule.resources, rule.verbs))):
        if not any(_covers(grant, group, resource, verb) for grant in grants):
            return f'"{verb}" on "{resource}{"." + group if group else ""}"'
    for url, verb in product(rule.non_resource_urls, rule.verbs):
        if not any(_has(grant.urls, url) and _has(grant.verbs, verb) for grant in grants):
            return f'"{verb}" on "{url}"'
    return None


def _covers(grant: Grant, group: str, resource: str, verb: str) -> bool:
    return _has(grant.groups, group) and _has(grant.resources, resource) and _has(grant.verbs, verb)


def _has(allowed: Sequence[str], wanted: str) -> bool:
    return wanted in allowed or "*" in allowed


def made(entries: Sequence[Rbac], context: CheckContext, path: str) -> Iterator[Made]:
    """Service accounts (each once), roles and bindings."""
    accounts: set[str] = set()
    for index, entry in enumerate(entries):
        here = f"{path}[{index}]"
        account = entry.account(context.main)
        if account not in accounts:
            yield Made(ObjectRef("ServiceAccount", context.namespace, account), here)
        accounts.add(account)
        prefix = "Cluster" if entry.cluster_scope else ""
        namespace = "" if entry.cluster_scope else entry.namespace or context.namespace
        yield Made(ObjectRef(f"{prefix}Role", namespace, entry.role(context.main, context.namespace)), here)
        yield Made(ObjectRef(f"{prefix}RoleBinding", namespace, entry.binding(context.main, context.namespace)), here)
