"""What an account without all rights may write of roles and bindings."""

from typing import Any

import pytest

from tests.manifests import role

from .conftest import Robot
from .kube import Json, Kube

pytestmark = pytest.mark.authorization

GROUP = "rbac.authorization.k8s.io"
GRANTS = "is attempting to grant RBAC permissions not currently held"

PODS = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}
SECRETS = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}
MANAGES = {
    "apiGroups": [GROUP],
    "resources": ["roles", "rolebindings"],
    "verbs": ["get", "create", "update", "patch", "delete"],
}
BINDS = {"apiGroups": [GROUP], "resources": ["roles"], "verbs": ["bind"]}


def binding(kube: Kube, **metadata: Any) -> Json:
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "reader", **metadata},
        "roleRef": {"apiGroup": GROUP, "kind": "Role", "name": "reader"},
        "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": kube.namespace}],
    }


async def test_what_no_rule_allows_is_a_403(robot: Robot) -> None:
    kube = await robot.may(MANAGES)
    user = f"system:serviceaccount:{kube.namespace}:robot"
    (await kube.patch("deployments", "web", {"spec": {}})).refused(
        403,
        "Forbidden",
        f'deployments.apps "web" is forbidden: User "{user}" cannot patch resource "deployments" in API group "apps" '
        f'in the namespace "{kube.namespace}"',
    )
    listed = await kube.list("secrets")
    listed.refused(
        403, "Forbidden", f'secrets is forbidden: User "{user}" cannot list resource "secrets" in API group ""'
    )


@pytest.mark.parametrize("dry", [None, "All"])
async def test_without_bind_the_role_comes_first(dry: str | None, kube: Kube, robot: Robot) -> None:
    own = await robot.may(PODS, MANAGES)
    refused = (await own.post("rolebindings", binding(kube), dryRun=dry)).refused(
        404, "NotFound", 'roles.rbac.authorization.k8s.io "reader" not found'
    )
    assert refused["details"] == {"name": "reader", "group": GROUP, "kind": "roles"}
    (await own.post("roles", role(), dryRun="All")).ok(201)  # which stores nothing
    (await own.post("rolebindings", binding(kube), dryRun=dry)).refused(404, "NotFound")
    await own.make("roles", role())
    (await own.soon("the role", lambda: own.post("rolebindings", binding(kube), dryRun=dry))).ok(201)


async def test_without_bind_the_role_holds_nothing_that_the_account_lacks(kube: Kube, robot: Robot) -> None:
    own = await robot.may(PODS, MANAGES)
    await kube.make("roles", {**role(), "rules": [PODS, SECRETS]})
    (await own.post("rolebindings", binding(kube))).refused(403, "Forbidden", GRANTS)


async def test_a_role_takes_the_rights_in_it_and_a_dry_run_says_so(kube: Kube, robot: Robot) -> None:
    own = await robot.may(PODS, MANAGES)
    wide = {**role(), "rules": [PODS, SECRETS]}
    message = f'{GRANTS}:\n{{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}}'
    for dry in (None, "All"):
        (await own.post("roles", wide, dryRun=dry)).refused(403, "Forbidden", message)
    await own.make("roles", role())
    (await own.patch("roles", "reader", {"rules": [SECRETS]}, dryRun="All")).refused(403, "Forbidden", message)


async def test_that_is_asked_before_whether_the_name_is_taken(kube: Kube, robot: Robot) -> None:
    own = await robot.may(PODS, MANAGES)
    await kube.make("rolebindings", binding(kube))
    (await own.post("rolebindings", binding(kube))).refused(404, "NotFound", "roles")


async def test_a_binding_is_not_changed_without_its_role_and_goes_all_the_same(kube: Kube, robot: Robot) -> None:
    own = await robot.may(PODS, MANAGES)
    await kube.make("rolebindings", binding(kube))
    labelled = {"metadata": {"labels": {"a": "b"}}}
    assert (await own.patch("rolebindings", "reader", labelled)).refused(404, "NotFound")["details"]["kind"] == "roles"
    (await own.put("rolebindings", binding(kube, labels={"a": "b"}))).refused(404, "NotFound")
    (await own.delete("rolebindings", "reader")).ok()


async def test_with_bind_the_role_need_not_be_there(kube: Kube, robot: Robot) -> None:
    own = await robot.may(MANAGES, BINDS)
    await own.make("rolebindings", binding(kube))
