"""Requests that are sent as somebody else: every one of a connection, and their refusals."""

import asyncio
import json
from pathlib import Path

import pytest

from kubemin.cluster import Cluster, errors
from kubemin.cluster.reasons import code_of
from kubemin.cluster.requests import watch
from kubemin.spec.acting import Identity
from kubemin.spec.objects import ObjectRef
from kubemin.spec.reason_codes import ReasonCode

from .servers import RawServer, Seen, answering, response
from .test_credentials import VERSION, connected, write_kubeconfig
from .test_transport import OBJECT, READS, REF, WRITES, Call, serving

ADA = Identity("idp#José 李", ("équipe", "ops,dev"))
POD = ObjectRef("Pod", "shop", "web")

CALLS: dict[str, Call] = {
    **WRITES,
    **READS,
    "a dry run of a delete": lambda cluster: cluster.delete(REF, uid="u", dry_run=True),
    "log": lambda cluster: cluster.log(POD, "main"),
}
calls = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)


async def follow(cluster: Cluster) -> None:
    async with cluster.stream(watch("Pod", None, labels=None, version="1", seconds=1), silence=5) as chunks:
        async for _ in chunks:
            pass


def refusal(message: str, **more: object) -> bytes:
    status = {"kind": "Status", "status": "Failure", "reason": "Forbidden", "code": 403, "message": message, **more}
    return json.dumps(status).encode()


@calls
async def test_every_request_says_as_whom_it_is_sent(call: Call) -> None:
    async with serving(answering(200, b'{"metadata":{"name":"web"},"items":[]}')) as (cluster, server):
        await call(cluster.acting_as(ADA))
        await call(cluster)
    acting, own = server.seen
    assert acting.headers["impersonate-user"] == [ADA.user]
    assert acting.headers["impersonate-group"] == list(ADA.groups)
    assert not any(name.startswith("impersonate") for name in own.headers)
    assert (acting.method, acting.target, acting.body) == (own.method, own.target, own.body)


async def test_streams_say_it_too() -> None:
    async with serving(answering(200, b"{}")) as (cluster, server):
        await follow(cluster.acting_as(ADA))
        await follow(cluster)
    assert [one.headers.get("impersonate-user") for one in server.seen] == [[ADA.user], None]


async def test_what_is_served_is_asked_for_once_and_by_kubemin_itself() -> None:
    kinds = {
        "metadata": {"name": "example.com"},
        "versions": [{"version": "v1", "resources": [{"resource": "widgets", "responseKind": {"kind": "Widget"}}]}],
    }
    kinds["versions"][0]["resources"][0] |= {"scope": "Namespaced", "verbs": ["create"]}  # type: ignore[index]

    async def reply(request: Seen, writer: asyncio.StreamWriter) -> None:
        found = {"items": [kinds]} if request.path == "/apis" else {"items": [], "metadata": {"name": "a"}}
        writer.write(response(200, json.dumps(found).encode()))

    async with serving(reply) as (cluster, server):
        acting = cluster.acting_as(ADA)
        for one in (acting, cluster, cluster.acting_as(ADA)):
            await one.get(ObjectRef("Widget.example.com", "shop", "a"))
    discovered = [one for one in server.seen if one.path in ("/api", "/apis")]
    assert len(discovered) == 2
    assert not any("impersonate-user" in one.headers for one in discovered)


@calls
async def test_a_refusal_tells_the_callers_rights_from_kubemins(call: Call) -> None:
    lacks = refusal(
        'deployments.apps is forbidden: User "ada" cannot create resource "deployments" in API group "apps"'
    )
    async with serving(answering(403, lacks)) as (cluster, _):
        with pytest.raises(errors.CallerForbidden) as caught:
            await call(cluster.acting_as(ADA))
        assert code_of(caught.value) is ReasonCode.RIGHTS
        with pytest.raises(errors.Forbidden) as own:
            await call(cluster)
        assert not isinstance(own.value, errors.CallerForbidden)
    for verb, resource in (("impersonate", "users"), ("impersonate-on:user-info:create", "deployments")):
        text = f'{resource} is forbidden: User "robot" cannot {verb} resource "{resource}" in API group ""'
        async with serving(answering(403, refusal(text))) as (cluster, _):
            with pytest.raises(errors.NotImpersonated, match=r"deploy/impersonation\.yaml") as mine:
                await call(cluster.acting_as(ADA))
        assert 'User "robot" cannot' in mine.value.message
        assert code_of(mine.value) is ReasonCode.RIGHTS


async def test_a_namespace_that_goes_and_a_policy_stay_what_they_are() -> None:
    going = refusal("web is forbidden", details={"causes": [{"reason": "NamespaceTerminating"}]})
    async with serving(answering(403, going)) as (cluster, _):
        with pytest.raises(errors.NamespaceTerminating):
            await cluster.acting_as(ADA).create(OBJECT)
    policy = refusal('admission webhook "p" denied the request: User "ada" cannot impersonate well')
    async with serving(answering(403, policy)) as (cluster, _):
        with pytest.raises(errors.CallerForbidden) as caught:
            await cluster.acting_as(ADA).create(OBJECT)
    assert code_of(caught.value) is ReasonCode.POLICY


async def test_a_kubeconfig_that_acts_as_somebody_acts_as_nobody_else(tmp_path: Path) -> None:
    """Of two users an API server takes the first, with the groups of both."""
    user = {"token": "t", "as": "limited", "as-groups": ["few"]}
    async with (
        RawServer(answering(200, VERSION)) as server,
        connected(write_kubeconfig(tmp_path, server.url, user)) as cluster,
    ):
        await cluster.version()
        with pytest.raises(errors.NotImpersonated, match="acts as somebody itself"):
            await cluster.acting_as(ADA).version()
    assert len(server.seen) == 1


async def test_acting_as_nobody_is_being_itself() -> None:
    async with serving(answering(200, VERSION)) as (cluster, server):
        assert cluster.acting_as(None) is cluster
        assert not cluster.acts
        acting = cluster.acting_as(ADA)
        assert acting.acts
        await acting.aclose()  # the connections are not its own
        await cluster.version()
    assert len(server.seen) == 1
