"""Who is acted as for a request: whoever has shown who they are, and never a name that is merely given."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from kubemin.api.deps import Deps
from kubemin.cluster import Cluster
from kubemin.dispatch import LocalDoorbell
from kubemin.engine import TaskService
from kubemin.engine.entry.cluster_services import ClusterServices
from kubemin.identity.errors import Unknown
from kubemin.identity.grants import GrantBody
from kubemin.identity.principal import Principal
from kubemin.signals import LocalSignals
from kubemin.spec.acting import Naming
from kubemin.store import tasks
from tests.api.conftest import application
from tests.api.guarded import Caller, Guarded, guarded_by
from tests.cluster.servers import RawServer, answering

NAMING = Naming("idp#", "idp:", groups="team-*")
FORBIDDEN = b'{"kind":"Status","reason":"Forbidden","message":"pods is forbidden: User \\"idp#ada\\" cannot list"}'


class People:
    """An issuer whose tokens are names."""

    async def of_bearer(self, text: str) -> Principal:
        if text == "unknown":
            raise Unknown("unknown")
        admin = (GrantBody.model_validate({"role": "admin"}).grant,)
        return Principal(text, "oidc", admin, ("team-shop", "everybody"))

    async def aclose(self) -> None:
        """Nothing is open."""


@pytest.fixture
async def cluster() -> AsyncIterator[RawServer]:
    """It refuses everything."""
    async with RawServer(answering(403, FORBIDDEN)) as server:
        yield server


@asynccontextmanager
async def serving(deps: Deps, cluster: RawServer) -> AsyncIterator[Guarded]:
    found = await Cluster.connect(kubeconfig=None, context=None, url=cluster.url, naming=NAMING)
    service = TaskService(deps.db, LocalSignals(), LocalDoorbell(), deps.limits, namings={"default": NAMING})
    clusters = {"default": ClusterServices(deps.db, found, deps.limits)}
    try:
        async with guarded_by(replace(deps, service=service, clusters=clusters), None, People()) as guarded:
            yield guarded
    finally:
        await found.aclose()


async def acting_as(guarded: Guarded, task_id: str) -> Any:
    async with guarded.deps.db.read() as tx:
        task = await tasks.get(tx, task_id)
    assert task is not None
    return task.acting_as


async def test_each_way_to_a_task_records_who_asked(deps: Deps, cluster: RawServer) -> None:
    async with serving(deps, cluster) as guarded:
        ada = Caller(guarded, "ada")
        wanted = {"user": "idp#ada", "groups": ["idp:team-shop"]}
        app_id = (await ada.create())["id"]
        path = f"/applications/{app_id}"
        applied = await ada.post("/apply", {"application": application()})
        flows = (await ada.get(f"{path}/workflows"))["workflows"]
        runs = [
            applied,
            await ada.post(f"{path}/workflow/exec", {"workflowId": flows[0]["id"]}),
            await ada.post(f"{path}/rollback", {"revision": applied["revision"]}),
            await ada.call("DELETE", path),
        ]
        assert [await acting_as(guarded, one["taskId"]) for one in runs] == [wanted] * len(runs)
        told = [await ada.get(f"/workflow/tasks/{one['taskId']}/status") for one in runs]
        assert [one["actingAs"] for one in told] == ["idp#ada"] * len(
            runs
        )  # the user alone: groups are many, and theirs
        machine = await guarded.by("ci")
        applied = await machine.post("/apply", {"application": application(name="other")})
        assert await acting_as(guarded, applied["taskId"]) == {"user": "idp#ci", "groups": []}


async def test_who_cannot_be_acted_as_is_told_so_and_nothing_is_recorded(deps: Deps, cluster: RawServer) -> None:
    async with serving(deps, cluster) as guarded:
        guarded.deps.service._namings = {"default": Naming()}  # type: ignore[attr-defined]
        robot = Caller(guarded, "system:serviceaccount:kube-system:robot")
        answer = await robot.post("/apply", {"application": application()}, 403)
        assert "KUBEMIN_IMPERSONATION_SYSTEM_NAMES does not name it" in str(answer)
        async with guarded.deps.db.read() as tx:
            assert await tasks.page(tx) == []


async def test_what_a_caller_reads_is_read_as_them(deps: Deps, cluster: RawServer) -> None:
    """A refusal of the cluster is theirs (403); that the cluster cannot be asked is another matter (503)."""
    async with serving(deps, cluster) as guarded:
        ada = Caller(guarded, "ada")
        app_id = (await ada.create())["id"]
        cluster.seen.clear()
        for path, options in (("logs", {}), ("diff", {"from": "draft"})):
            answer = await ada.get(f"/applications/{app_id}/{path}", 403, **options)
            assert "cannot list" in str(answer)
        assert {one.headers["impersonate-user"][0] for one in cluster.seen} == {"idp#ada"}
        assert {one.headers["impersonate-group"][0] for one in cluster.seen} == {"idp:team-shop"}


async def test_whoami_says_as_whom_it_is_done(deps: Deps, cluster: RawServer) -> None:
    async with serving(deps, cluster) as guarded:
        who = await Caller(guarded, "ada").get("/whoami")
        assert who["actingAs"] == [{"cluster": "default", "user": "idp#ada", "groups": ["idp:team-shop"]}]
        elsewhere = await guarded.by("bea", {"role": "deployer", "clusters": ["edge"]})
        assert (await elsewhere.get("/whoami"))["actingAs"] == []
        guarded.deps.clusters["default"]._cluster.naming = Naming()
        (told,) = (await Caller(guarded, "system:admin").get("/whoami"))["actingAs"]
        assert "user" not in told
        assert "is a user of the cluster itself" in told["refused"]


async def test_a_task_says_nobody_where_nobody_is_acted_as(deps: Deps) -> None:
    async with guarded_by(deps) as guarded:
        admin = await guarded.by()
        ran = await admin.post("/apply", {"application": application()})
        assert "actingAs" not in await admin.get(f"/workflow/tasks/{ran['taskId']}/status")
