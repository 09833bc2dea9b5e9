"""Drift is told when it begins and when it ends, once, by one server at a time; a run that is under way is no drift."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import update
from structlog.testing import capture_logs

from kubemin.cluster import Cluster
from kubemin.dispatch import LocalDoorbell
from kubemin.engine import TaskService
from kubemin.engine.entry.compute_thread import ComputeThread
from kubemin.engine.entry.diffs import Diffs, ObjectChange, Side
from kubemin.notifications.drift import Drift, DriftSettings
from kubemin.signals import LocalHub, LocalSignals
from kubemin.spec.limits import Limits
from kubemin.spec.objects import ObjectRef
from kubemin.store import Database, duties, outbox, tables
from kubesim.server import SimServer
from tests.engine.instance import Instance, conf, secret
from tests.notifications.rows import types
from tests.waiting import PATIENCE


@pytest.fixture
async def instance(tmp_path: Path, migrated: Path) -> AsyncIterator[Instance]:
    """A whole engine, with somebody to tell."""
    shutil.copy(migrated, tmp_path / "kubemin.db")
    db = await Database.open(f"sqlite:///{tmp_path}/kubemin.db")
    async with db.begin("announce") as tx:
        await outbox.announce(tx)
    async with SimServer(speed=100) as sim:
        cluster = await Cluster.connect(kubeconfig=None, context=None, url=sim.url, timeout=PATIENCE)
        hub = LocalHub()
        service = TaskService(db, LocalSignals(hub), LocalDoorbell(), Limits())
        yield Instance(db, sim, cluster, service, hub)
        await cluster.aclose()
    await db.aclose()


def looking(instance: Instance) -> Drift:
    """A server that looks."""
    diffs = Diffs(instance.db, instance.cluster, Limits(), ComputeThread())
    return Drift(instance.db, {"default": diffs}, DriftSettings(every=3600, apart=0))


async def deployed(instance: Instance) -> str:
    app_id = await instance.save([conf("settings", level="info"), secret("keys", token="hush-hush")])
    async with instance.worker():
        await instance.settled(await instance.exec(app_id))
    return app_id


async def change(instance: Instance, name: str, kind: str, data: dict[str, Any]) -> None:
    live = await instance.cluster.get(ObjectRef(kind, "default", name))
    await instance.cluster.replace({**live, **data})


async def messages(instance: Instance) -> list[dict[str, Any]]:
    async with instance.db.begin("look") as tx:
        return [{"type": one.type, **one.data} for one in await outbox.untaken(tx, 100)]


async def test_drift_is_told_when_it_begins_and_when_it_ends(instance: Instance) -> None:
    app_id = await deployed(instance)
    one, other = looking(instance), looking(instance)
    assert await one.round() == 1
    assert await types(instance.db) == ["task.completed"]
    await change(instance, "settings", "ConfigMap", {"data": {"level": "by-hand"}})
    await change(instance, "keys", "Secret", {"data": {"token": "Ynkt aGFuZA==".replace(" ", "")}})
    await one.round()
    await one.round()
    assert await other.round() is None, "one server at a time"
    told = (await messages(instance))[1:]
    assert [message["type"] for message in told] == ["drift.began"]
    assert (told[0]["appId"], told[0]["name"], told[0]["revision"]) == (app_id, "shop", 1)
    assert told[0]["objects"] == [
        "ConfigMap/default/settings: differs in data.level",
        "Secret/default/keys: differs in data.token",
    ]
    assert "by-hand" not in str(told)
    assert "Ynkt" not in str(told)
    again = looking(instance)  # a server that was restarted, once the former one's time is over
    async with instance.db.begin("over") as tx:
        await duties.release(tx, "drift", one._owner)
    assert await again.round() == 1
    assert len(await types(instance.db)) == 2, "nothing is told twice"
    await change(instance, "settings", "ConfigMap", {"data": {"level": "info"}})
    await change(instance, "keys", "Secret", {"data": {"token": "aHVzaC1odXNo"}})
    await again.round()
    await again.round()
    assert await types(instance.db) == ["task.completed", "drift.began", "drift.ended"]


async def test_a_run_that_is_under_way_is_no_drift(instance: Instance) -> None:
    app_id = await deployed(instance)
    await change(instance, "settings", "ConfigMap", {"data": {"level": "by-hand"}})
    await instance.exec(app_id)
    assert await looking(instance).round() == 0
    assert await types(instance.db) == ["task.completed"]


async def test_an_application_that_was_never_deployed_has_not_drifted(instance: Instance) -> None:
    await instance.save([conf("settings", level="info")])
    assert await looking(instance).round() == 0


async def test_what_breaks_at_one_application_costs_no_other_its_look(instance: Instance) -> None:
    """It is counted each time, and logged once while it lasts."""
    apps = [await instance.save([conf(name, level="info")], name=name) for name in ("one", "two", "three")]
    async with instance.worker():
        for app_id in apps:
            await instance.settled(await instance.exec(app_id))
    for name in ("one", "two", "three"):
        await change(instance, name, "ConfigMap", {"data": {"level": "by-hand"}})
    first, second, third = sorted(apps)
    async with instance.db.begin("damage") as tx:
        mine = tables.revisions.c.app_id == first
        await tx.write(update(tables.revisions).where(mine).values(spec="s1:gone:AAAA"))
    diffs = Diffs(instance.db, instance.cluster, Limits(), ComputeThread())

    class Breaks:
        async def between(self, app_id: str, begin: Side, end: Side) -> list[ObjectChange]:
            if app_id == second:
                raise ZeroDivisionError
            return await diffs.between(app_id, begin, end)

    registry = CollectorRegistry()
    drift = Drift(instance.db, {"default": Breaks()}, DriftSettings(every=3600, apart=0), registry)
    with capture_logs() as logged:
        assert [await drift.round(), await drift.round()] == [1, 1]
    assert [one["appId"] for one in await messages(instance) if one["type"] == "drift.began"] == [third]
    assert sorted(one["application"] for one in logged if one["log_level"] == "error") == [first, second]
    assert registry.get_sample_value("kubemin_drift_looks_failed_total") == 4
