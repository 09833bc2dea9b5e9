"""What a check may look at besides the value that it checks."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from kubemin.spec.limits import Limits, listed
from kubemin.spec.objects import ObjectRef


@dataclass(frozen=True, slots=True)
class CheckContext:
    """The component around a trait, and the application around the component."""

    limits: Limits
    components: Mapping[str, tuple[int, ...]]
    """Ports of each component, by name."""
    component: str
    type: str
    namespace: str
    application_namespace: str
    main: str = ""
    """What its objects are called (`names.main_name`)."""
    defined: Mapping[str, bool] = field(default_factory=dict)
    """The kinds that the application itself defines (`manifests.scopes`)."""
    known: "Known" = field(default_factory=lambda: Known())

    def may_run_as(self, account: str, namespace: str) -> bool:
        """Whether Pods may have this ServiceAccount: the application makes it, a setting names it, or all have it."""
        own = ObjectRef("ServiceAccount", namespace, account) in self.known.accounts
        return own or account == "default" or listed(account, self.limits.allow_service_accounts)

    def may_grant_in(self, namespace: str) -> bool:
        """Whether Roles and their bindings may be in this namespace: it is its own, or a setting names it."""
        own = (self.namespace, self.application_namespace, *self.known.namespaces)
        return namespace in own or listed(namespace, self.limits.allow_rbac_namespaces)


@dataclass(frozen=True, slots=True)
class Known:
    """What of the application its components refer to."""

    accounts: Collection[ObjectRef] = ()
    """The ServiceAccounts that it makes."""
    namespaces: Collection[str] = ()
    """The Namespaces that it makes."""
    account_owners: Collection[tuple[str, str]] = ()
    """Namespace and name of the components that make one."""
    secret_types: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """The types of its Secrets, by namespace and name of the components that make them."""


@dataclass(frozen=True, slots=True)
class Made:
    """A Kubernetes object that a part of the application will make, and the field that asks for it."""

    ref: ObjectRef
    field: str
