"""Who a request is from, and what the roles and bindings in the cluster let them do."""

from collections.abc import Callable
from typing import Any

import aiohttp
import pytest

from core.conftest import CONFIG_MAPS, DEPLOYMENTS, Api, config_map, deployment
from custom.samples import CRDS, definition, widget
from kubesim import SimServer
from kubesim.problems import Problem

from .conftest import BINDINGS, CLUSTER_BINDINGS, GROUP, Account, Client, Rule, binding, role, rule

USER = "system:serviceaccount:default:ci"
PODS = "/api/v1/namespaces/default/pods"


async def test_an_unknown_token_is_a_401(client: Callable[[str], Client]) -> None:
    answer = await client("nonsense").get(CONFIG_MAPS)
    assert (answer.status, answer.body["reason"]) == (401, "Unauthorized")


async def test_without_a_token_one_is_anonymous(server: SimServer, session: aiohttp.ClientSession) -> None:
    nobody = Api(server, session)
    answer = await nobody.get(CONFIG_MAPS)
    assert answer.status == 403
    assert 'User "system:anonymous" cannot list resource "configmaps"' in answer.body["message"]
    assert (await nobody.get("/version")).status == 200
    assert (await nobody.get("/apis")).status == 403


async def test_the_administrator_may_do_everything(admin: Client) -> None:
    await admin.made(CONFIG_MAPS, config_map())
    await admin.made("/api/v1/namespaces", {"metadata": {"name": "other"}})
    assert (await admin.get("/sim/faults")).status == 200


async def test_an_account_may_discover_and_nothing_else(account: Account) -> None:
    ci = await account()
    for path in ("/version", "/api", "/apis", "/apis/apps/v1", "/openapi/v2", "/readyz"):
        assert (await ci.get(path)).status in (200, 404), path
    assert (await ci.get("/sim/faults")).status == 403
    answer = await ci.patch(f"{DEPLOYMENTS}/web", {"spec": {}})
    assert answer.body == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": f'deployments.apps "web" is forbidden: User "{USER}" cannot patch resource "deployments" '
        'in API group "apps" in the namespace "default"',
        "reason": "Forbidden",
        "details": {"name": "web", "group": "apps", "kind": "deployments"},
        "code": 403,
    }
    everywhere = await ci.get("/apis/apps/v1/deployments")
    assert everywhere.body["message"] == (
        f'deployments.apps is forbidden: User "{USER}" cannot list resource "deployments" '
        'in API group "apps" at the cluster scope'
    )


async def test_a_token_dies_with_its_account(account: Account, admin: Client, server: SimServer) -> None:
    ci = await account(rule("", "configmaps", "list"))
    assert (await ci.get(CONFIG_MAPS)).status == 200
    path = "/api/v1/namespaces/default/serviceaccounts"
    await admin.delete(f"{path}/ci")
    assert (await ci.get(CONFIG_MAPS)).status == 401
    await admin.made(path, {"metadata": {"name": "ci"}})  # another one of that name
    assert (await ci.get(CONFIG_MAPS)).status == 401
    with pytest.raises(Problem, match='serviceaccounts "other" not found'):
        server.account_token("default", "other")


REQUESTS: dict[str, tuple[Rule, str, str, Any]] = {
    "get": (rule("", "configmaps", "get"), "GET", f"{CONFIG_MAPS}/a", None),
    "list": (rule("", "configmaps", "list"), "GET", CONFIG_MAPS, None),
    "create": (rule("", "configmaps", "create"), "POST", CONFIG_MAPS, config_map("b")),
    "update": (rule("", "configmaps", "update"), "PUT", f"{CONFIG_MAPS}/a", config_map()),
    "patch": (rule("", "configmaps", "patch"), "PATCH", f"{CONFIG_MAPS}/a", {"data": {"key": "other"}}),
    "delete": (rule("", "configmaps", "delete"), "DELETE", f"{CONFIG_MAPS}/a", None),
    "deletecollection": (rule("", "configmaps", "deletecollection"), "DELETE", CONFIG_MAPS, None),
    "a group": (rule("apps", "deployments", "get"), "GET", f"{DEPLOYMENTS}/web", None),
    "a subresource": (rule("apps", "deployments/scale", "get"), "GET", f"{DEPLOYMENTS}/web/scale", None),
    "any resource's subresource": (rule("apps", "*/scale", "get"), "GET", f"{DEPLOYMENTS}/web/scale", None),
    "a name": (rule("", "configmaps", "get", "a"), "GET", f"{CONFIG_MAPS}/a", None),
    "a name, by a selector": (
        rule("", "configmaps", "list", "a"),
        "GET",
        f"{CONFIG_MAPS}?fieldSelector=metadata.name%3Da",
        None,
    ),
    "a namespace": (rule("", "namespaces", "get"), "GET", "/api/v1/namespaces/default", None),
    "all": (rule("*", "*", "*"), "GET", f"{DEPLOYMENTS}/web/scale", None),
}


@pytest.mark.parametrize("what", REQUESTS)
async def test_a_rule_allows_what_it_says(what: str, account: Account, admin: Client) -> None:
    allowed, method, path, body = REQUESTS[what]
    await admin.made(CONFIG_MAPS, config_map())
    await admin.made(DEPLOYMENTS, deployment())
    kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
    without = await account(name="without")
    assert (await without.call(method, path, body, content_type=kind)).status == 403
    answer = await (await account(allowed)).call(method, path, body, content_type=kind)
    assert answer.status in (200, 201), answer.body


OTHERS: dict[str, tuple[Rule, str]] = {
    "another verb": (rule("", "configmaps", "list"), f"{CONFIG_MAPS}/a"),
    "another group": (rule("", "deployments", "*"), f"{DEPLOYMENTS}/web"),
    "another resource": (rule("", "secrets", "*"), f"{CONFIG_MAPS}/a"),
    "another name": (rule("", "configmaps", "get", "b"), f"{CONFIG_MAPS}/a"),
    "a name, of a list": (rule("", "configmaps", "list", "a"), CONFIG_MAPS),
    "a resource is not its subresources": (rule("apps", "deployments", "*"), f"{DEPLOYMENTS}/web/scale"),
    "a subresource is not its resource": (rule("apps", "deployments/scale", "*"), f"{DEPLOYMENTS}/web"),
    "another namespace": (rule("*", "*", "*"), "/api/v1/namespaces/kube-system/configmaps"),
    "the cluster": (rule("*", "*", "*"), "/api/v1/configmaps"),
}


@pytest.mark.parametrize("what", OTHERS)
async def test_a_rule_allows_nothing_else(what: str, account: Account) -> None:
    allowed, path = OTHERS[what]
    assert (await (await account(allowed)).get(path)).status == 403


async def test_a_cluster_role_holds_everywhere_or_where_it_is_bound(account: Account, admin: Client) -> None:
    ci = await account(everywhere=(rule("", "configmaps", "list"),))
    assert (await ci.get("/api/v1/configmaps")).status == 200
    assert (await ci.get("/api/v1/namespaces/kube-system/configmaps")).status == 200
    await admin.delete(f"{CLUSTER_BINDINGS}/ci-binding")
    assert (await ci.get(CONFIG_MAPS)).status == 403
    await admin.made(BINDINGS, binding("here", "ci-role", of_kind="ClusterRole"))
    assert (await ci.get(CONFIG_MAPS)).status == 200
    assert (await ci.get("/api/v1/configmaps")).status == 403


@pytest.mark.parametrize(
    "subject",
    [
        {"kind": "User", "name": USER, "apiGroup": GROUP},
        {"kind": "Group", "name": "system:serviceaccounts:default", "apiGroup": GROUP},
        {"kind": "Group", "name": "system:authenticated", "apiGroup": GROUP},
    ],
    ids=lambda subject: subject["name"],
)
async def test_an_account_is_a_user_in_groups(subject: dict[str, str], account: Account, admin: Client) -> None:
    ci = await account()
    await admin.made("/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles", role("r", rule("", "*", "list")))
    await admin.made(BINDINGS, {**binding("b", "r"), "subjects": [subject]})
    assert (await ci.get(CONFIG_MAPS)).status == 200


async def test_the_log_of_a_pod_is_a_right_of_its_own(account: Account) -> None:
    ci = await account(rule("", "pods", "*"))
    answer = await ci.get(f"{PODS}/web/log")
    assert answer.status == 403
    assert answer.body["message"].startswith(f'pods "web" is forbidden: User "{USER}" cannot get resource "pods/log"')


async def test_a_watch_is_a_verb(account: Account) -> None:
    ci = await account(rule("", "configmaps", "get,list"))
    answer = await ci.get(CONFIG_MAPS, watch="true")
    assert "cannot watch resource" in answer.body["message"]


async def test_who_creates_by_an_apply_needs_create_too(account: Account) -> None:
    ci = await account(rule("", "configmaps", "patch"))
    answer = await ci.apply(f"{CONFIG_MAPS}/a", config_map())
    assert "cannot create resource" in answer.body["message"]


async def test_a_binding_to_nothing_is_named(account: Account, admin: Client) -> None:
    ci = await account()
    await admin.made(BINDINGS, binding("b", "gone"))
    answer = await ci.get(CONFIG_MAPS)
    assert answer.body["message"].endswith(
        'in the namespace "default": RBAC: role.rbac.authorization.k8s.io "gone" not found'
    )


async def test_custom_resources_and_their_definitions_need_rights_too(admin: Client, account: Account) -> None:
    widgets = "/apis/example.com/v1/namespaces/default/widgets"
    ci = await account(rule("example.com", "widgets", "get,list,create"))
    assert (await ci.post(CRDS, definition())).status == 403
    await admin.made(CRDS, definition())
    await admin.server.controllers.settled()
    await ci.made(widgets, widget())
    assert (await ci.get(widgets)).names == ["a"]
    refused = await ci.delete(f"{widgets}/a")
    assert (refused.status, refused.body["details"]["group"]) == (403, "example.com")
    assert 'cannot delete resource "widgets" in API group "example.com"' in refused.body["message"]
    status = await ci.patch(f"{widgets}/a/status", {"status": {}})
    assert 'cannot patch resource "widgets/status"' in status.body["message"]
