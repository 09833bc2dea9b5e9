"""What a caller may not see answers as what is not there, in whatever way it is named."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from kubemin.api.deps import Deps
from tests.api.conftest import application
from tests.api.guarded import Caller, Guarded, guarded_by


@pytest.fixture
async def guarded(deps: Deps) -> AsyncIterator[Guarded]:
    async with guarded_by(deps) as one:
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
    """Not by writing one of its name, either: that this is refused is all that it tells."""
    admin, eve = await guarded.by(), await guarded.by("eve", {"role": "deployer", "projects": ["own"]})
    theirs = {**application(namespace="shop", name="there"), "project": "takeover-of-acme"}
    await admin.post("/apply", {"application": theirs})
    mine = {**application(namespace="shop", name="there"), "project": "own"}
    for path, body, status in (("/apply", {"application": mine}, 403), ("/applications/plan", mine, 409)):
        refused = await eve.call("POST", path, status, json=body)
        assert "acme" not in str(refused)
        assert "application there in namespace shop" in str(refused)
