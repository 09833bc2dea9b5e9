"""Nobody grants what they may not do: roles need every right in them, bindings every right of their role."""

from typing import Any

import pytest

from core.conftest import CONFIG_MAPS
from kubesim import SimServer

from .conftest import (
    BINDINGS,
    CLUSTER_BINDINGS,
    CLUSTER_ROLES,
    GROUP,
    ROLES,
    Account,
    Client,
    binding,
    role,
    rule,
)

READS = rule("", "configmaps", "get,list")
MANAGES = rule(GROUP, "roles,rolebindings,clusterroles,clusterrolebindings", "create,get,update,patch,delete")


async def test_a_role_takes_every_right_that_is_in_it(account: Account) -> None:
    ci = await account(READS, MANAGES)
    assert (await ci.post(ROLES, role("fine", rule("", "configmaps", "list")))).status == 201
    wide = role("wide", rule("", "configmaps,secrets", "get,watch"), rule("apps", "deployments", "get", "web"))
    answer = await ci.post(ROLES, wide, dryRun="All")
    assert (answer.status, answer.body["reason"]) == (403, "Forbidden")
    assert answer.body["details"] == {"name": "wide", "group": GROUP, "kind": "roles"}
    assert answer.body["message"] == (
        'roles.rbac.authorization.k8s.io "wide" is forbidden: user "system:serviceaccount:default:ci" '
        '(groups=["system:serviceaccounts" "system:serviceaccounts:default" "system:authenticated"]) '
        "is attempting to grant RBAC permissions not currently held:\n"
        '{APIGroups:[""], Resources:["configmaps"], Verbs:["watch"]}\n'
        '{APIGroups:[""], Resources:["secrets"], Verbs:["get" "watch"]}\n'
        '{APIGroups:["apps"], Resources:["deployments"], ResourceNames:["web"], Verbs:["get"]}'
    )


@pytest.mark.parametrize("way", ["put", "patch", "apply"])
async def test_a_role_does_not_grow_past_its_writer(way: str, account: Account, admin: Client) -> None:
    ci = await account(READS, MANAGES)
    await admin.made(ROLES, role("r", READS))
    forced = {"force": "true"} if way == "apply" else {}
    answer = await getattr(ci, way)(f"{ROLES}/r", role("r", rule("", "secrets", "get")), **forced)
    assert answer.status == 403
    assert "is attempting to grant" in answer.body["message"]
    fewer = role("r", rule("", "configmaps", "get"))
    assert (await getattr(ci, way)(f"{ROLES}/r", fewer, **forced)).status == 200


async def test_with_escalate_a_role_may_hold_anything(account: Account) -> None:
    ci = await account(MANAGES, rule(GROUP, "roles", "escalate"))
    assert (await ci.post(ROLES, role("wide", rule("*", "*", "*")))).status == 201


async def test_a_name_in_a_rule_is_less_than_all(account: Account) -> None:
    ci = await account(MANAGES, rule("", "secrets", "get", "mine"))
    assert (await ci.post(ROLES, role("one", rule("", "secrets", "get", "mine")))).status == 201
    assert (await ci.post(ROLES, role("all", rule("", "secrets", "get")))).status == 403


async def test_a_cluster_role_takes_rights_in_the_whole_cluster(account: Account) -> None:
    ci = await account(READS, everywhere=(MANAGES,))
    assert (await ci.post(CLUSTER_ROLES, role("r", READS, kind="ClusterRole"))).status == 403
    urls: Any = {"nonResourceURLs": ["/metrics"], "verbs": ["get"]}
    answer = await ci.post(CLUSTER_ROLES, role("r", urls, kind="ClusterRole"))
    assert '{NonResourceURLs:["/metrics"], Verbs:["get"]}' in answer.body["message"]


@pytest.mark.parametrize("dry", [{}, {"dryRun": "All"}], ids=["", "dry"])
async def test_a_binding_takes_a_role_that_is_there(dry: dict[str, str], account: Account) -> None:
    ci = await account(READS, MANAGES)
    answer = await ci.post(BINDINGS, binding("b", "r"), **dry)
    assert (answer.status, answer.body["reason"]) == (404, "NotFound")
    assert answer.body["message"] == 'roles.rbac.authorization.k8s.io "r" not found'
    assert answer.body["details"] == {"name": "r", "group": GROUP, "kind": "roles"}
    await ci.post(ROLES, role("r", READS), dryRun="All")  # which stores nothing
    assert (await ci.post(BINDINGS, binding("b", "r"), **dry)).status == 404
    await ci.made(ROLES, role("r", READS))
    assert (await ci.post(BINDINGS, binding("b", "r"), **dry)).status == 201


async def test_a_binding_takes_the_rights_of_its_role(account: Account, admin: Client) -> None:
    ci = await account(READS, MANAGES)
    await admin.made(ROLES, role("wide", rule("", "secrets", "get")))
    answer = await ci.post(BINDINGS, binding("b", "wide"))
    assert answer.status == 403
    assert answer.body["message"].startswith('rolebindings.rbac.authorization.k8s.io "b" is forbidden: user ')
    assert answer.body["message"].endswith('\n{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}')


async def test_that_is_asked_before_whether_the_name_is_taken(account: Account, admin: Client) -> None:
    ci = await account(READS, MANAGES)
    await admin.made(BINDINGS, binding("b", "r"))
    assert (await ci.post(BINDINGS, binding("b", "r"))).status == 404
    await admin.made(ROLES, role("r", READS))
    assert (await ci.post(BINDINGS, binding("b", "r"))).status == 409


async def test_that_is_asked_of_every_change_of_a_binding(account: Account, admin: Client) -> None:
    ci = await account(READS, MANAGES)
    made = (await admin.made(BINDINGS, binding("b", "gone"))).body
    labelled = {"metadata": {"labels": {"a": "b"}}}
    answer = await ci.patch(f"{BINDINGS}/b", labelled)
    assert (answer.status, answer.body["details"]["kind"]) == (404, "roles")
    assert (await ci.put(f"{BINDINGS}/b", made)).status == 200  # which changes nothing
    assert (await ci.put(f"{BINDINGS}/other", {**made, "metadata": {"name": "other"}})).status == 404
    assert (await ci.delete(f"{BINDINGS}/b")).status == 200  # which grants nothing


@pytest.mark.parametrize("names", [(), ("r",)])
async def test_with_bind_the_role_need_not_be_there(names: tuple[str, ...], account: Account) -> None:
    ci = await account(MANAGES, rule(GROUP, "roles", "bind", *names))
    assert (await ci.post(BINDINGS, binding("b", "r"))).status == 201
    assert (await ci.post(BINDINGS, binding("c", "other"))).status == (404 if names else 201)


async def test_a_cluster_role_is_bound_by_the_same_rules(account: Account) -> None:
    ci = await account(everywhere=(READS, MANAGES))
    bound = binding("b", "r", kind="ClusterRoleBinding")
    answer = await ci.post(CLUSTER_BINDINGS, bound)
    assert answer.body["message"] == 'clusterroles.rbac.authorization.k8s.io "r" not found'
    await ci.made(CLUSTER_ROLES, role("r", READS, kind="ClusterRole"))
    await ci.made(CLUSTER_BINDINGS, bound)
    await ci.made(BINDINGS, binding("b", "r", of_kind="ClusterRole"))


async def test_the_authorizer_may_lag(account: Account, server: SimServer) -> None:
    ci = await account(READS, MANAGES)
    server.authorization.policy.hold()
    await ci.made(ROLES, role("r", READS))
    assert (await ci.post(BINDINGS, binding("b", "r"))).status == 404
    assert (await ci.get(CONFIG_MAPS)).status == 200  # what it knew it knows
    server.authorization.policy.release()
    await ci.made(BINDINGS, binding("b", "r"))
