"""What a caller may not see answers as what is not there, in whatever way it is named."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from kubemin.api.deps import Deps
from tests.api.conftest import application
from tests.api.guarded import Caller, Guarded, guarded_by
from tests.api.two_clusters import knowing_two


@pytest.fixture
async def guarded(deps: Deps) -> AsyncIterator[Guarded]:
    async with knowing_two(deps) as knowing, guarded_by(knowing) as one:
        yield one


ADDRESSES = (
    "/applications/{}",
    "/applications/{}/components",
    "/applications/{}/logs",
    "/workflow/tasks/{}",
    "/tasks?appId={}",
)


@pytest.mark.parametrize("path", ADDRESSES)
async def test_a_name_does_not_tell_whether_there_is_such_an_application(guarded: Guarded, path: str) -> None:
    admin, eve = await guarded.by(), await guarded.by("eve", {"role": "admin", "namespaces": ["elsewhere"]})
    await admin.post("/apply", {"application": application(namespace="shop", name="there")})

    async def asked(caller: Caller, name: str) -> Any:
        return await caller.call("GET", path.format(f"shop~{name}"), 404)

    hidden, nothing = await asked(eve, "there"), await asked(eve, "nowhere")
    assert str(hidden).replace("there", "nowhere") == str(nothing)


async def test_who_may_not_see_an_application_does_not_learn_its_project(guarded: Guarded) -> None:
    """Not by writing one of its name, either: that this is refused is all that it tells, on each way to write it."""
    admin, eve = await guarded.by(), await guarded.by("eve", {"role": "deployer", "projects": ["own"]})
    theirs = {**application(namespace="shop", name="there"), "project": "takeover-of-acme"}
    await admin.post("/apply", {"application": theirs})
    mine = {**application(namespace="shop", name="there"), "project": "own"}
    for path, body in (
        ("/apply", {"application": mine}),
        ("/apply", {"application": mine, "dryRun": True}),
        ("/applications", mine),
        ("/applications/plan", mine),
        ("/applications/try", mine),
    ):
        refused = await eve.call("POST", path, 403, json=body)
        assert refused["message"] == (
            "This needs the role deployer for application there in namespace shop; eve has no role there."
        ), path
        assert not refused.get("errors")


async def test_who_may_only_look_is_told_of_no_name_whether_it_is_free(guarded: Guarded) -> None:
    admin, eve = await guarded.by(), await guarded.by("eve", {"role": "viewer", "projects": ["own"]})
    await admin.post("/apply", {"application": {**application(namespace="shop", name="there"), "project": "blue"}})
    hidden, free = ({**application(namespace="shop", name=name), "project": "own"} for name in ("there", "nowhere"))
    assert await eve.post("/applications/try", hidden) == await eve.post("/applications/try", free)
    text = [json.dumps(one) for one in (hidden, free)]
    read = [await eve.post("/applications/read", {"text": one}) for one in text]
    assert str(read[0]).replace("there", "nowhere") == str(read[1])
    for path, sent in (("/applications", hidden), ("/applications/plan", hidden), ("/apply", {"application": hidden})):
        await eve.post(path, sent, 403)
