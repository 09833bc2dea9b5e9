"""The client: pages, type information, deletions, probes."""

import asyncio
import json
from typing import Any

import pytest

from kubemin.cluster import Cluster, errors
from kubemin.spec.objects import ObjectRef

from .servers import RawServer, Seen, answering, response
from .test_transport import OBJECT, REF, WRITES, connected, serving


def listing(names: list[str], token: str = "", version: str = "9") -> bytes:
    items = [{"metadata": {"name": name}} for name in names]
    return json.dumps({"items": items, "metadata": {"resourceVersion": version, "continue": token}}).encode()


async def test_a_list_reads_all_pages_and_fills_in_what_kind_the_items_are() -> None:
    pages = {None: listing(["a", "b"], "t1", "7"), "t1": listing(["c"], "t2"), "t2": listing([], "", "7")}

    async def reply(request: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(response(200, pages[request.query.get("continue")]))

    async with serving(reply) as (cluster, server):
        found = await cluster.list("Deployment", "shop", labels="a=b", fields="metadata.name=c")
    assert [item["metadata"]["name"] for item in found.items] == ["a", "b", "c"]
    assert {(item["apiVersion"], item["kind"]) for item in found.items} == {("apps/v1", "Deployment")}
    assert found.resource_version == "7"
    assert {request.query["labelSelector"] for request in server.seen} == {"a=b"}
    assert {request.query["fieldSelector"] for request in server.seen} == {"metadata.name=c"}
    assert {request.query["limit"] for request in server.seen} == {"500"}


async def test_a_page_token_that_expired_makes_the_list_begin_anew() -> None:
    async def reply(request: Seen, writer: asyncio.StreamWriter) -> None:
        if "continue" in request.query:
            writer.write(response(410, b'{"kind":"Status","reason":"Expired","message":"too old"}'))
        else:
            writer.write(response(200, listing(["a"], "t1") if "limit" in request.query else listing(["a", "b"])))

    async with serving(reply) as (cluster, _):
        found = await cluster.list("Pod")
    assert [item["metadata"]["name"] for item in found.items] == ["a", "b"]


@pytest.mark.parametrize(
    ("body", "terminating"),
    [
        ({"kind": "Status", "status": "Success"}, False),
        ({"kind": "Service", "metadata": {"name": "web"}}, False),
        ({"kind": "Pod", "metadata": {"name": "web", "deletionTimestamp": "2026-01-01T00:00:00Z"}}, True),
    ],
)
async def test_a_delete_tells_what_still_terminates(body: dict[str, Any], terminating: bool) -> None:
    async with serving(answering(200, json.dumps(body).encode())) as (cluster, _):
        found = await cluster.delete(REF, uid="u")
    assert found == (body if terminating else None)


async def test_probes_surround_every_write_whatever_comes_of_it() -> None:
    points: list[tuple[str, int]] = []

    async with RawServer(answering(409, b"{}")) as server:

        async def hook(point: str) -> None:
            points.append((point, len(server.seen)))

        cluster = await Cluster.connect(kubeconfig=None, context=None, url=server.url, hook=hook)
        for call in WRITES.values():
            with pytest.raises(errors.Conflict):
                await call(cluster)
        with pytest.raises(errors.Conflict):
            await cluster.create(OBJECT, dry_run=True)
        with pytest.raises(errors.Conflict):
            await cluster.get(ObjectRef("Pod", "shop", "web"))
        await cluster.aclose()
    expected = [
        (f"call:{verb}:ConfigMap/web:{when}", n + (when == "after"))
        for n, verb in enumerate(WRITES)
        for when in ("before", "after")
    ]
    assert points == expected


async def test_a_probe_that_raises_keeps_the_request_from_being_sent() -> None:
    async def hook(point: str) -> None:
        raise RuntimeError(point)

    async with RawServer(answering(200)) as server:
        cluster = await Cluster.connect(kubeconfig=None, context=None, url=server.url, hook=hook)
        with pytest.raises(RuntimeError, match="call:create:ConfigMap/web:before"):
            await cluster.create(OBJECT)
        await cluster.aclose()
        assert server.seen == []


async def test_a_log_is_text_or_a_refusal() -> None:
    pod = ObjectRef("Pod", "shop", "web-1")
    async with serving(answering(200, b"one\ntwo\xff\n")) as (cluster, server):
        assert await cluster.log(pod, "app", lines=2, previous=True) == "one\ntwo\ufffd\n"
    assert server.seen[0].target == ("/api/v1/namespaces/shop/pods/web-1/log?container=app&tailLines=2&previous=true")
    async with serving(answering(400, b"{}")) as (cluster, _):
        with pytest.raises(errors.Invalid):
            await cluster.log(pod, "app")


async def test_the_version_is_the_servers() -> None:
    async with serving(answering(200, b'{"gitVersion":"v1.36.1"}')) as (cluster, _):
        assert await cluster.version() == "v1.36.1"


async def test_a_url_that_is_none_is_said_at_once() -> None:
    with pytest.raises(errors.Misconfigured, match="nonsense"):
        async with connected("nonsense"):
            pass


async def test_a_body_of_megabytes_is_sent_with_its_length() -> None:
    big = {**OBJECT, "data": {"blob": "x" * 2_500_000}}
    async with serving(answering(200, b'{"kind":"ConfigMap"}')) as (cluster, server):
        await cluster.create(big)
        await cluster.get(REF)
    assert json.loads(server.seen[0].body) == big
    assert "transfer-encoding" not in server.seen[0].headers
