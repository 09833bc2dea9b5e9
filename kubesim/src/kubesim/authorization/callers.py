"""Who sends a request, by its bearer token, and whether RBAC lets them."""

import secrets
from dataclasses import dataclass, replace
from functools import partial

from kubesim.authorization.escalation import check_escalation
from kubesim.authorization.impersonation import Headers, Request, impersonated, wanted
from kubesim.authorization.policy import (
    ANONYMOUS,
    AUTHENTICATED,
    MASTERS,
    UNAUTHENTICATED,
    Policy,
    User,
    groups_of,
)
from kubesim.authorization.rules import Right
from kubesim.calls import Call
from kubesim.jsondata import Object
from kubesim.problems import Problem, forbidden, not_found
from kubesim.resources import RESOURCES, Resource
from kubesim.selectors import field_terms
from kubesim.storage import Storage
from kubesim.verbs import Guard

_ADMIN = User("kubernetes-admin", (MASTERS, AUTHENTICATED))
_ANONYMOUS = User(ANONYMOUS, (UNAUTHENTICATED,))
_PUBLIC = ("/version", "/healthz", "/livez", "/readyz")


class Authorization:
    """Tokens, and the rights of who bears them.

    Without ``enforce`` whoever has the ``token`` (anybody, if there is none) may do everything. With it the token is
    the administrator's, and everybody else has the rights that the roles and bindings in the storage give them.
    """

    def __init__(self, storage: Storage, token: str | None, *, enforce: bool) -> None:
        self.policy = Policy(storage)
        self.admin_token = token or (secrets.token_hex(16) if enforce else None)
        self._storage = storage
        self._enforce = enforce
        self._accounts: dict[str, tuple[str, str, str]] = {}

    def token_of(self, namespace: str, name: str) -> str:
        """A new token of a ServiceAccount, good for as long as that very account is there. 404 without it."""
        account = self._storage.shelf("serviceaccounts").find(namespace, name)
        if account is None:
            raise not_found(RESOURCES["serviceaccounts"], name)
        token = secrets.token_hex(16)
        self._accounts[token] = (namespace, name, account.obj["metadata"]["uid"])
        return token

    def caller(self, header: str | None) -> "Caller | None":
        """Who sends that ``Authorization`` header; ``None`` where nothing is enforced. 401 for an unknown token."""
        if not self._enforce:
            if self.admin_token is not None and header != f"Bearer {self.admin_token}":
                raise _unauthorized()
            return None
        return Caller(_ANONYMOUS if header is None else self._user(header.removeprefix("Bearer ")), self.policy)

    def _user(self, token: str) -> User:
        if token == self.admin_token:
            return _ADMIN
        namespace, name, uid = self._accounts.get(token, ("", "", ""))
        account = self._storage.shelf("serviceaccounts").find(namespace, name)
        if account is None or account.obj["metadata"]["uid"] != uid:
            raise _unauthorized()
        return User(f"system:serviceaccount:{namespace}:{name}", (*groups_of(namespace), AUTHENTICATED))


def _unauthorized() -> Problem:
    return Problem(401, "Unauthorized", "Unauthorized")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sends a request. Refusals are raised, as ``Problem``."""

    user: User
    policy: Policy

    def acting(self, headers: Headers, path: str, call: Call | None) -> "Caller":
        """The caller as which these headers ask to be taken, for this call or path. 403 where they may not."""
        as_whom = wanted(headers)
        if as_whom is None:
            return self
        if call is None:
            asked = Request(Right("get", url=path), "")
        else:
            asked = Request(*self._asked("patch" if call.verb == "apply" else call.verb, call))
        return replace(self, user=impersonated(self.policy, self.user, as_whom, asked))

    def visit(self, path: str) -> None:
        """Refuse a path that is about no resource: what discovers the API is open to everybody who is somebody."""
        known = AUTHENTICATED in self.user.groups and not path.startswith("/sim/")
        if not (self.user.is_master or known or path.rstrip("/") in _PUBLIC):
            raise Problem(403, "Forbidden", f'forbidden: User "{self.user.name}" cannot get path "{path}"')

    def authorize(self, call: Call) -> None:
        """Refuse a call that no rule allows."""
        self._require("patch" if call.verb == "apply" else call.verb, call)

    def guard(self, call: Call) -> Guard:
        """What the writes of the call are to ask before they are done."""
        return partial(self._check, call)

    def _check(self, call: Call, resource: Resource, new: Object, old: Object | None) -> None:
        target = call.target
        check_escalation(self.policy, self.user, resource, (target.namespace, target.name), new, old)
        if old is None and call.method != "POST":
            self._require("create", call)

    def _require(self, verb: str, call: Call) -> None:
        right, namespace = self._asked(verb, call)
        if self.policy.allows(self.user, right, namespace):
            return
        where = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
        why = f'User "{self.user.name}" cannot {verb} resource "{right.resource}" in API group "{right.group}" {where}'
        if missing := self.policy.rules_of(self.user, namespace)[1]:
            listed = ", ".join(missing)
            why += f": RBAC: [{listed}]" if len(missing) > 1 else f": RBAC: {listed}"
        raise forbidden(call.target.resource, right.name, why)

    @staticmethod
    def _asked(verb: str, call: Call) -> tuple[Right, str]:
        """The right that a call needs, and in which namespace."""
        target = call.target
        plural, group = target.resource.plural, target.resource.group
        resource = f"{plural}/{target.subresource}" if target.subresource else plural
        namespace = target.name if target.resource.key == "namespaces" else target.namespace
        return Right(verb, group, resource, target.name or _selected(call)), namespace


def _selected(call: Call) -> str:
    """The one object that a list or a watch asks for: to the authorizer it is as if the URL named it."""
    terms = field_terms(call.target.resource, call.query.get("fieldSelector", "")) if call.method != "POST" else ()
    return next((value for path, operator, value in terms if (path, operator) == ("metadata.name", "=")), "")
