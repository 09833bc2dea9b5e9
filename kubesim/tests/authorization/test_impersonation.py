"""Acting as somebody else, by headers: the sender needs the right to, and then has only the other's rights."""

import json
from typing import Any

import pytest

from authorization.conftest import BINDINGS, GROUP, ROLES, Account, Client, Rule, binding, role, rule
from core.conftest import CONFIG_MAPS, DEPLOYMENTS
from kubesim import SimServer

SENDER = "system:serviceaccount:default:ci"
AUTHENTICATION = "authentication.k8s.io"
ANYBODY = rule("", "users,groups,serviceaccounts", "impersonate")


def headers(user: str | None = "ada", *groups: str, **more: str) -> Any:
    sent = [] if user is None else [("Impersonate-User", user)]
    return [*sent, *(("Impersonate-Group", one) for one in groups), *more.items()]


class As(Client):
    """Requests with these headers beside the sender's token."""

    more: Any = ()

    async def call(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        sent = [("Authorization", f"Bearer {self.token}"), *self.more]
        data = None if body is None else json.dumps(body)
        kind = [("Content-Type", options.pop("content_type", "application/json"))] if data else []
        async with self.session.request(
            method, self.server.url + path, data=data, headers=[*sent, *kind], params=options
        ) as response:
            return response.status, await response.json(content_type=None)


def acting(sender: Client, more: Any) -> As:
    made = As(sender.server, sender.session)
    made.token, made.more = sender.token, more
    return made


async def grant(admin: Client, name: str, subject: dict[str, str], *rules: Rule) -> None:
    await admin.made(ROLES, role(name, *rules))
    await admin.made(BINDINGS, {**binding(name, name), "subjects": [{"apiGroup": GROUP, **subject}]})


@pytest.fixture
async def ada(admin: Client) -> None:
    """May list ConfigMaps; whoever is in the group ``ops`` may list Deployments."""
    await grant(admin, "ada", {"kind": "User", "name": "ada"}, rule("", "configmaps", "list"))
    await grant(admin, "ops", {"kind": "Group", "name": "ops"}, rule("apps", "deployments", "list"))


async def test_who_may_impersonate_has_the_rights_of_the_other_and_no_others(account: Account, ada: None) -> None:
    ci = await account(rule("", "secrets", "list"), everywhere=(ANYBODY,))
    own = acting(ci, headers())
    assert (await own.call("GET", CONFIG_MAPS))[0] == 200
    status, body = await own.call("GET", CONFIG_MAPS.replace("configmaps", "secrets"))
    assert (status, body["message"].split(" in API")[0]) == (
        403,
        'secrets is forbidden: User "ada" cannot list resource "secrets"',
    )
    assert (await own.call("GET", DEPLOYMENTS))[0] == 403
    assert (await acting(ci, headers("ada", "dev", "ops")).call("GET", DEPLOYMENTS))[0] == 200
    assert (await ci.get(CONFIG_MAPS)).status == 403  # without the headers it is the account itself


async def test_without_the_right_nothing_is_done_and_the_sender_is_named(
    account: Account, ada: None, server: SimServer
) -> None:
    ci = await account(rule("", "configmaps", "*"))
    status, body = await acting(ci, headers()).call("GET", CONFIG_MAPS)
    assert (status, body["reason"]) == (403, "Forbidden")
    assert f'User "{SENDER}" cannot impersonate' in body["message"]
    named = await account(everywhere=(rule("", "users", "impersonate", "grace"),), name="named")
    assert (await acting(named, headers("grace")).call("GET", CONFIG_MAPS))[0] == 403
    assert (await acting(named, headers("ada")).call("GET", CONFIG_MAPS))[0] == 403


@pytest.mark.parametrize(
    ("lacking", "sent"),
    [
        (rule("", "users", "impersonate"), headers("ada", "ops")),
        (rule("", "users,groups", "impersonate"), headers("ada", "ops", **{"Impersonate-Uid": "1"})),
        (rule("", "users,groups", "impersonate"), headers("ada", **{"Impersonate-Extra-scopes": "view"})),
        (rule("", "users,groups", "impersonate"), headers("system:serviceaccount:default:ci")),
    ],
    ids=["groups", "uids", "userextras", "serviceaccounts"],
)
async def test_each_thing_that_is_impersonated_is_a_right(
    lacking: Rule, sent: Any, account: Account, ada: None
) -> None:
    ci = await account(everywhere=(lacking,))
    assert (await acting(ci, sent).call("GET", CONFIG_MAPS))[0] == 403
    more = [rule(AUTHENTICATION, "uids,userextras/scopes", "impersonate"), ANYBODY]
    able = await account(rule("", "configmaps", "list"), everywhere=tuple(more), name="able")
    status, body = await acting(able, sent).call("GET", CONFIG_MAPS)
    assert status == 200 or "cannot list" in body["message"]


async def test_what_names_no_user_is_refused(account: Account) -> None:
    ci = await account(rule("", "configmaps", "list"), everywhere=(ANYBODY,))
    for sent in (headers(None, "ops"), headers("", "ops")):
        assert (await acting(ci, sent).call("GET", CONFIG_MAPS))[0] == 400
    assert (await acting(ci, headers("")).call("GET", CONFIG_MAPS))[0] == 200  # an empty name is none


async def test_an_account_that_is_impersonated_has_its_groups(account: Account, admin: Client) -> None:
    subject = {"kind": "Group", "name": "system:serviceaccounts:default"}
    await grant(admin, "all", subject, rule("", "configmaps", "list"))
    ci = await account(everywhere=(ANYBODY,))
    other = acting(ci, headers("system:serviceaccount:default:other"))
    assert (await other.call("GET", CONFIG_MAPS))[0] == 200
    assert (await acting(ci, headers("ada")).call("GET", CONFIG_MAPS))[0] == 403


async def test_an_impersonated_user_grants_only_what_they_have(account: Account, admin: Client) -> None:
    manages = rule(GROUP, "roles", "create")
    await grant(admin, "ada", {"kind": "User", "name": "ada"}, manages)
    ci = await account(rule("*", "*", "*"), everywhere=(ANYBODY,))
    status, body = await acting(ci, headers()).call("POST", ROLES, role("wide", rule("", "secrets", "get")))
    assert status == 403
    assert 'user "ada" (groups=["system:authenticated"]) is attempting to grant' in body["message"]


CONSTRAINED = (
    rule(AUTHENTICATION, "users,groups", "impersonate:user-info"),
    rule("", "configmaps", "impersonate-on:user-info:list"),
)


async def test_a_constrained_right_holds_for_what_it_names(account: Account, ada: None) -> None:
    ci = await account(everywhere=CONSTRAINED)
    assert (await acting(ci, headers()).call("GET", CONFIG_MAPS))[0] == 200
    status, body = await acting(ci, headers("ada", "ops")).call("GET", DEPLOYMENTS)
    assert status == 403
    assert f'User "{SENDER}" cannot impersonate-on:user-info:list resource "deployments"' in body["message"]


async def test_a_constrained_right_is_never_that_of_the_masters(account: Account) -> None:
    ci = await account(everywhere=CONSTRAINED)
    assert (await acting(ci, headers("ada", "system:masters")).call("GET", CONFIG_MAPS))[0] == 403
    legacy = await account(everywhere=(ANYBODY,), name="legacy")
    assert (await acting(legacy, headers("ada", "system:masters")).call("GET", CONFIG_MAPS))[0] == 200
