"""Acting as somebody else: the ``Impersonate-*`` headers of a request, and whether its sender may send them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import unquote

from kubesim.authorization.policy import ANONYMOUS, AUTHENTICATED, MASTERS, UNAUTHENTICATED, Policy, User, groups_of
from kubesim.authorization.rules import Right
from kubesim.problems import Problem, bad_request

_USER, _GROUP, _UID, _EXTRA = "Impersonate-User", "Impersonate-Group", "Impersonate-Uid", "Impersonate-Extra-"
_AUTHENTICATION = "authentication.k8s.io"
_ACCOUNT = "system:serviceaccount:"
_NODE = "system:node:"
_MANY = 4
"""So many groups are first asked about all at once."""


class Headers(Protocol):
    """Those of a request; a name may be there several times."""

    def getall(self, key: str, default: list[str]) -> list[str]: ...

    def keys(self) -> Iterable[str]: ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """As whom a request is to be done."""

    name: str
    groups: tuple[str, ...]
    uid: str
    extra: Mapping[str, tuple[str, ...]]

    @property
    def account(self) -> tuple[str, str] | None:
        """Namespace and name, where it is a ServiceAccount."""
        namespace, colon, name = self.name.removeprefix(_ACCOUNT).partition(":")
        known = self.name.startswith(_ACCOUNT) and colon and namespace and name and ":" not in name
        return (namespace, name) if known else None

    @property
    def by_name_alone(self) -> bool:
        """Whether nothing but the name is asked for."""
        return not (self.groups or self.uid or self.extra)


def wanted(headers: Headers) -> Wanted | None:
    """As whom the request is to be done; None where as its sender. 400 where it names no user."""
    name = next(iter(headers.getall(_USER, [])), "")
    groups = tuple(headers.getall(_GROUP, []))
    uid = next(iter(headers.getall(_UID, [])), "")
    extra: dict[str, tuple[str, ...]] = {}
    for header in dict.fromkeys(key.lower() for key in headers.keys()):  # noqa: SIM118 (several of a name)
        if header.startswith(_EXTRA.lower()):
            extra[unquote(header.removeprefix(_EXTRA.lower()))] = tuple(headers.getall(header, []))
    if not name:
        if groups or uid or extra:
            raise bad_request("requested impersonation without impersonating a user name")
        return None
    return Wanted(name, groups, uid, extra)


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be done: it tells what a constrained right is about. ``namespace`` is empty for a cluster's."""

    right: Right
    namespace: str


def impersonated(policy: Policy, sender: User, as_whom: Wanted, request: Request) -> User:
    """The user who is acted as. 403 where the sender may not.

    A right by the verb ``impersonate:<mode>``, together with ``impersonate-on:<mode>:<verb>`` on what is asked for, is
    enough (Kubernetes 1.36); so is the older ``impersonate``, which holds for every request. The refusal tells of the
    first that was tried.
    """
    refused: Problem | None = None
    for mode in _modes(as_whom):
        try:
            _check(policy, sender, as_whom, request, mode)
        except Problem as problem:
            refused = refused or problem
        else:
            return _user(as_whom)
    assert refused is not None
    raise refused


def _modes(as_whom: Wanted) -> Iterator[str]:
    if as_whom.account is None and not as_whom.name.startswith(_NODE):
        yield "user-info"
    elif as_whom.account is not None and as_whom.by_name_alone:
        yield "serviceaccount"
    yield ""


def _check(policy: Policy, sender: User, as_whom: Wanted, request: Request, mode: str) -> None:
    verb = f"impersonate:{mode}" if mode else "impersonate"
    group = _AUTHENTICATION if mode else ""

    def require(resource: str, name: str, namespace: str = "", of: str = group) -> None:
        _require(policy, sender, Right(verb, of, resource, name), namespace)

    if mode:
        on = request.right
        about = Right(f"impersonate-on:{mode}:{on.verb}", on.group, on.resource, on.name, on.url)
        _require(policy, sender, about, request.namespace)
    if (account := as_whom.account) is not None:
        require("serviceaccounts", account[1], account[0])
    else:
        require("users", as_whom.name)
    if as_whom.uid:
        require("uids", as_whom.uid, of=_AUTHENTICATION)
    if mode and (MASTERS in as_whom.groups or "" in as_whom.groups):
        named = MASTERS if MASTERS in as_whom.groups else ""
        raise _refusal(
            sender, Right(verb, group, "groups", named), "", f"impersonating the {named} group is not allowed"
        )
    all_at_once = Right(verb, group, "groups", "*")
    if not (mode and len(as_whom.groups) >= _MANY and policy.allows(sender, all_at_once, "")):
        for one in as_whom.groups:
            require("groups", one)
    for key, values in as_whom.extra.items():
        for value in values:
            require(f"userextras/{key}", value, of=_AUTHENTICATION)


def _require(policy: Policy, sender: User, right: Right, namespace: str) -> None:
    if not policy.allows(sender, right, namespace):
        raise _refusal(sender, right, namespace)


def _refusal(sender: User, right: Right, namespace: str, more: str = "") -> Problem:
    plural = right.resource.partition("/")[0]
    qualified = f"{plural}.{right.group}" if right.group else plural
    named = f' "{right.name}"' if right.name else ""
    where = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
    what = f'path "{right.url}"' if right.url else f'resource "{right.resource}" in API group "{right.group}" {where}'
    said = f'User "{sender.name}" cannot {right.verb} {what}' + (f": {more}" if more else "")
    details = {"name": right.name, "group": right.group, "kind": plural}
    return Problem(
        403,
        "Forbidden",
        f"{qualified}{named} is forbidden: {said}",
        details={key: value for key, value in details.items() if value},
    )


def _user(as_whom: Wanted) -> User:
    groups = as_whom.groups
    if not groups and as_whom.account is not None:
        groups = groups_of(as_whom.account[0])
    if as_whom.name == ANONYMOUS:
        groups = tuple(dict.fromkeys((*groups, UNAUTHENTICATED)))
    elif UNAUTHENTICATED not in groups:
        groups = tuple(dict.fromkeys((*groups, AUTHENTICATED)))
    return User(as_whom.name, groups)
