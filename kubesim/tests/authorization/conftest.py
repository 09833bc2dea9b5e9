"""A simulated cluster that enforces RBAC, and clients of it: the administrator, and ServiceAccounts."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from core.conftest import Api
from kubesim import SimServer

ROLES = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles"
BINDINGS = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings"
CLUSTER_ROLES = "/apis/rbac.authorization.k8s.io/v1/clusterroles"
CLUSTER_BINDINGS = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"

GROUP = "rbac.authorization.k8s.io"

Rule = dict[str, list[str]]
Account = Callable[..., Awaitable["Client"]]


class Client(Api):
    """Requests under one token."""

    token: str = ""

    async def call(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        headers = {**(options.pop("headers", None) or {}), "Authorization": f"Bearer {self.token}"}
        return await super().call(method, path, body, headers=headers, **options)


def rule(groups: str, resources: str, verbs: str, *names: str) -> Rule:
    """A rule of a role; several of a thing with commas."""
    named = {"resourceNames": list(names)} if names else {}
    return {"apiGroups": groups.split(","), "resources": resources.split(","), "verbs": verbs.split(","), **named}


def role(name: str, *rules: Rule, kind: str = "Role") -> dict[str, Any]:
    return {"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": {"name": name}, "rules": list(rules)}


def binding(name: str, of: str, *, account: str = "ci", kind: str = "RoleBinding", of_kind: str = "") -> dict[str, Any]:
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": kind,
        "metadata": {"name": name},
        "roleRef": {"apiGroup": GROUP, "kind": of_kind or kind.removesuffix("Binding"), "name": of},
        "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": "default"}],
    }


@pytest.fixture
async def server() -> AsyncIterator[SimServer]:
    async with SimServer(speed=100, authorize=True) as running:
        yield running


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as running:
        yield running


@pytest.fixture
def client(server: SimServer, session: aiohttp.ClientSession) -> Callable[[str], Client]:
    def make(token: str) -> Client:
        made = Client(server, session)
        made.token = token
        return made

    return make


@pytest.fixture
def admin(server: SimServer, client: Callable[[str], Client]) -> Client:
    return client(server.authorization.admin_token or "")


@pytest.fixture
def account(server: SimServer, admin: Client, client: Callable[[str], Client]) -> Account:
    """Makes a ServiceAccount of the namespace ``default`` with these rules there, and with ``everywhere`` ones."""

    async def make(*rules: Rule, everywhere: tuple[Rule, ...] = (), name: str = "ci") -> Client:
        accounts = "/api/v1/namespaces/default/serviceaccounts"
        await admin.made(accounts, {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}})
        if rules:
            await admin.made(ROLES, role(f"{name}-role", *rules))
            await admin.made(BINDINGS, binding(f"{name}-binding", f"{name}-role", account=name))
        if everywhere:
            await admin.made(CLUSTER_ROLES, role(f"{name}-role", *everywhere, kind="ClusterRole"))
            bound = binding(f"{name}-binding", f"{name}-role", account=name, kind="ClusterRoleBinding")
            await admin.made(CLUSTER_BINDINGS, bound)
        return client(server.account_token("default", name))

    return make
