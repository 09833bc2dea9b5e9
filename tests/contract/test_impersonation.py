"""Acting as somebody else: whose rights count, and what a refusal says of whom."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from kubemin.cluster import Cluster, errors
from kubemin.cluster.reasons import code_of
from kubemin.spec.acting import Identity
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.reason_codes import ReasonCode
from tests.manifests import configmap, role, secret

from .conftest import Robot
from .kube import PATIENCE, Json, Kube

pytestmark = pytest.mark.authorization

T = TypeVar("T")
GROUP = "rbac.authorization.k8s.io"
CONFIGMAPS = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "create", "patch", "delete"]}
MANAGES_ROLES = {"apiGroups": [GROUP], "resources": ["roles"], "verbs": ["get", "create"]}
ACTS = {"apiGroups": [""], "resources": ["serviceaccounts"], "verbs": ["impersonate"]}


async def grant(kube: Kube, kind: str, name: str, *rules: Json) -> None:
    """Give a user or a group these rights in the test's namespace."""
    subject = {"apiGroup": GROUP, "kind": kind, "name": name}
    await _bind(kube, "theirs", subject, *rules)


async def _bind(kube: Kube, name: str, subject: Json, *rules: Json) -> None:
    await kube.make("roles", {**role(name), "rules": list(rules)})
    ref = {"apiGroup": GROUP, "kind": "Role", "name": name}
    bound = {"apiVersion": f"{GROUP}/v1", "kind": "RoleBinding", "metadata": {"name": name}, "roleRef": ref}
    await kube.make("rolebindings", {**bound, "subjects": [subject]})


async def allowed(kube: Kube, ask: Callable[[], Awaitable[T]]) -> T:
    """The answer, once the authorizer knows of the rights: that of a real cluster may know a moment late."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                return await ask()
            except errors.Forbidden:
                if not kube.real:
                    raise
                await asyncio.sleep(0.05)


def placed(kube: Kube, body: Json) -> Manifest:
    return {**body, "metadata": {**body["metadata"], "namespace": kube.namespace}}


def caller(kube: Kube) -> Identity:
    """A user that no other test has."""
    return Identity(f"idp#Zoë-{kube.namespace}", ("équipe one",))


async def test_a_write_is_done_with_the_rights_of_the_other_and_no_others(kube: Kube) -> None:
    ada = caller(kube)
    acting = kube.cluster.acting_as(ada)
    await grant(kube, "User", ada.user, CONFIGMAPS)
    manifest = placed(kube, configmap("mine"))
    made = await allowed(kube, lambda: acting.create(manifest))
    ref = ObjectRef.of(made)
    version = {"uid": made["metadata"]["uid"], "resourceVersion": made["metadata"]["resourceVersion"]}
    await acting.apply({**manifest, "metadata": {**manifest["metadata"], **version}})
    assert (await acting.patch(ref, {}, dry_run=True))["metadata"]["uid"] == version["uid"]
    await acting.delete(ref, uid=version["uid"], dry_run=True)
    assert await kube.cluster.get(ref)
    await acting.delete(ref, uid=version["uid"])
    for dry in (True, False):
        with pytest.raises(errors.CallerForbidden) as caught:
            await acting.create(placed(kube, secret()), dry_run=dry)
        lacking = f'User "{ada.user}" cannot create resource "secrets" in API group "" in the namespace "'
        assert lacking + kube.namespace in caught.value.message
        assert code_of(caught.value) is ReasonCode.RIGHTS
    with pytest.raises(errors.CallerForbidden):
        await acting.replace(placed(kube, configmap("mine")), dry_run=True)  # update, which the role has not


async def test_the_groups_that_are_said_count_and_no_others(kube: Kube) -> None:
    ada = caller(kube)
    await grant(kube, "Group", ada.groups[0], CONFIGMAPS)
    await allowed(kube, lambda: kube.cluster.acting_as(ada).create(placed(kube, configmap())))
    with pytest.raises(errors.CallerForbidden):
        await kube.cluster.acting_as(Identity(ada.user)).get(ObjectRef("ConfigMap", kube.namespace, "web"))


async def test_nobody_grants_by_it_what_they_may_not(kube: Kube) -> None:
    ada = caller(kube)
    acting = kube.cluster.acting_as(ada)
    await grant(kube, "User", ada.user, CONFIGMAPS, MANAGES_ROLES)
    narrow = {**role("narrow"), "rules": [{**CONFIGMAPS, "verbs": ["get"]}]}
    await allowed(kube, lambda: acting.create(placed(kube, narrow)))
    with pytest.raises(errors.CallerForbidden, match="is attempting to grant RBAC permissions not currently held"):
        await acting.create(placed(kube, role("wide")))


async def test_who_may_not_act_as_others_is_named(kube: Kube, robot: Robot) -> None:
    own = await robot.may(CONFIGMAPS, MANAGES_ROLES)
    user = f"system:serviceaccount:{kube.namespace}:robot"

    async def refused(cluster: Cluster) -> str:
        with pytest.raises(errors.NotImpersonated) as caught:
            await cluster.create(placed(kube, configmap()))
        assert code_of(caught.value) is ReasonCode.RIGHTS
        return caught.value.message

    for one in (Identity("ada"), Identity("ada", ("ops",)), Identity(f"system:serviceaccount:{kube.namespace}:other")):
        assert f'User "{user}" cannot impersonate' in await refused(own.cluster.acting_as(one))
    assert (await own.cluster.create(placed(kube, configmap())))["metadata"]["uid"]  # by itself it may


async def test_an_account_acts_as_those_accounts_that_it_may(kube: Kube, robot: Robot) -> None:
    own = await robot.may(MANAGES_ROLES, ACTS)
    other = {"kind": "ServiceAccount", "name": "other", "namespace": kube.namespace}
    await _bind(kube, "others", other, CONFIGMAPS)
    name = f"system:serviceaccount:{kube.namespace}:other"
    made = await allowed(kube, lambda: own.cluster.acting_as(Identity(name)).create(placed(kube, configmap())))
    assert made["metadata"]["name"] == "web"
    with pytest.raises(errors.CallerForbidden, match=f'User "{name}" cannot create resource "secrets"'):
        await own.cluster.acting_as(Identity(name)).create(placed(kube, secret()))
    with pytest.raises(errors.NotImpersonated):
        await own.cluster.acting_as(Identity("system:serviceaccount:kube-system:other")).create(
            placed(kube, configmap("b"))
        )
