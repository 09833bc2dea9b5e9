"""What the authorizer knows: the rules that a user has by the roles and bindings in the storage."""

from dataclasses import dataclass

from kubesim.authorization.rules import Right, is_granted
from kubesim.jsondata import Object
from kubesim.problems import not_found
from kubesim.resources import RESOURCES
from kubesim.storage import Key, Storage

ROLES = {"Role": "roles", "ClusterRole": "clusterroles"}
BINDINGS = ("rolebindings", "clusterrolebindings")

MASTERS = "system:masters"
AUTHENTICATED = "system:authenticated"
UNAUTHENTICATED = "system:unauthenticated"
ANONYMOUS = "system:anonymous"
_ACCOUNT = "system:serviceaccount:"


def groups_of(namespace: str) -> tuple[str, ...]:
    """The groups of a namespace's ServiceAccounts, but for that of everybody."""
    return "system:serviceaccounts", f"system:serviceaccounts:{namespace}"


@dataclass(frozen=True, slots=True)
class User:
    """Name and groups, as authentication tells them."""

    name: str
    groups: tuple[str, ...]

    @property
    def is_master(self) -> bool:
        """Whether nothing is ever refused to it."""
        return MASTERS in self.groups


class Policy:
    """Roles and bindings as the authorizer has them: as they are stored or, while it lags, as they were."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._held: dict[str, dict[Key, Object]] | None = None

    def hold(self) -> None:
        """From now on know nothing of what is written: the authorizer's cache lags until ``release``."""
        self._held = {plural: dict(self._stored(plural)) for plural in (*ROLES.values(), *BINDINGS)}

    def release(self) -> None:
        """Know what is stored again."""
        self._held = None

    def role(self, ref: Object, namespace: str) -> list[Object]:
        """The rules of the role that a binding of ``namespace`` (empty: a ClusterRoleBinding) names. 404 without it."""
        plural = ROLES[ref["kind"]]
        role = self._known(plural).get((namespace if plural == "roles" else "", ref["name"]))
        if role is None:
            raise not_found(RESOURCES[plural], ref["name"])
        return role.get("rules") or []

    def rules_of(self, user: User, namespace: str) -> tuple[list[Object], list[str]]:
        """All rules of a user in a namespace (empty: cluster-wide only), and which roles were missing."""
        rules: list[Object] = []
        missing: list[str] = []
        for plural in BINDINGS if namespace else BINDINGS[1:]:
            for (space, _), binding in sorted(self._known(plural).items()):
                if space not in ("", namespace) or not _applies(user, binding, namespace):
                    continue
                ref = binding["roleRef"]
                plural_of_role = ROLES[ref["kind"]]
                role = self._known(plural_of_role).get((space if plural_of_role == "roles" else "", ref["name"]))
                if role is None:
                    missing.append(f'{ref["kind"].lower()}.{ref["apiGroup"]} "{ref["name"]}" not found')
                else:
                    rules += role.get("rules") or []
        return rules, missing

    def allows(self, user: User, right: Right, namespace: str) -> bool:
        """Whether the user has the right in the namespace."""
        return user.is_master or is_granted(right, self.rules_of(user, namespace)[0])

    def _known(self, plural: str) -> dict[Key, Object]:
        return dict(self._stored(plural)) if self._held is None else self._held[plural]

    def _stored(self, plural: str) -> list[tuple[Key, Object]]:
        return [(key, entry.obj) for key, entry in self._storage.shelf(plural).items()]


def _applies(user: User, binding: Object, namespace: str) -> bool:
    return any(_is(user, subject, namespace) for subject in binding.get("subjects") or ())


def _is(user: User, subject: Object, namespace: str) -> bool:
    if subject["kind"] == "ServiceAccount":
        return user.name == f"{_ACCOUNT}{subject.get('namespace') or namespace}:{subject['name']}"
    return subject["name"] == user.name if subject["kind"] == "User" else subject["name"] in user.groups
