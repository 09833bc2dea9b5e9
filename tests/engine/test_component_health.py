"""How components do, from the watches."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest

from kubemin.cluster.informers import Informers
from kubemin.engine import ComponentWatch, ExecOptions
from kubemin.engine.entry import component_health
from kubesim.faults import Fault
from tests.engine.instance import EVERYTHING, Instance, web


@asynccontextmanager
async def watched(watch: ComponentWatch) -> AsyncIterator[ComponentWatch]:
    watching = asyncio.create_task(watch.run())
    try:
        yield watch
    finally:
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching


ONCE = (
    {"name": "done", "type": "job", "image": "done"},
    {**web("off"), "replicas": 0},
    {
        "name": "nightly",
        "type": "cronjob",
        "image": "nightly",
        "properties": {"schedule": "0 3 * * *", "suspend": True},
    },
)


async def test_states_follow_the_cluster(instance: Instance) -> None:
    app_id = await instance.save([*EVERYTHING, web("broken", "broken:pull"), web("late", "late:never"), *ONCE])
    async with (
        instance.worker(),
        watched(ComponentWatch(instance.db, lambda: aclosing(Informers(instance.cluster)))) as watch,
    ):
        assert await watch.states(app_id) == {}
        await instance.exec(app_id, ExecOptions())

        async def seen() -> bool:
            states = {name: one.state for name, one in (await watch.states(app_id)).items()}
            return states == {
                "settings": "Ready",
                "keys": "Ready",
                "db": "Running",
                "api": "Running",
                "front": "Running",
                "broken": "Failed",
                "late": "Pending",
                "done": "Completed",
                "off": "Idle",
                "nightly": "Suspended",
            }

        await instance.until(seen)
        found = await watch.states(app_id)
        assert "ImagePull" in found["broken"].abnormal
        waits = {"broken": "Failed", "late": "Pending"}
        assert {name: one.status for name, one in found.items()} == {**dict.fromkeys(found, "Running"), **waits}


async def test_links_of_ingresses(instance: Instance) -> None:
    route = {"hosts": ["shop.example.com"], "routes": [{"path": "/", "backend": {"serviceName": "api"}}]}
    app_id = await instance.save([web("api", traits={"ingress": [route]})])
    async with (
        instance.worker() as engine,
        watched(ComponentWatch(instance.db, lambda: contextlib.nullcontext(engine.informers["default"]))) as watch,
    ):
        await instance.settled(await instance.exec(app_id))
        assert (await watch.states(app_id))["api"].links == (("Ingress", "http://shop.example.com"),)


async def test_the_cluster_is_watched_while_somebody_asks(instance: Instance) -> None:
    app_id = await instance.save([web("api")])
    opened: list[Informers] = []
    ended: list[Informers] = []

    @asynccontextmanager
    async def recorded() -> AsyncIterator[Informers]:
        async with aclosing(Informers(instance.cluster)) as informers:
            opened.append(informers)
            yield informers
        ended.append(informers)

    async def none_is_open() -> bool:
        return len(ended) == len(opened)

    async with instance.worker(), watched(ComponentWatch(instance.db, recorded, idle_seconds=0.01)) as watch:
        await instance.settled(await instance.exec(app_id))
        assert not opened
        for asked in (1, 2):
            assert (await watch.states(app_id))["api"].status == "Running"
            await instance.until(none_is_open)
            assert len(opened) == asked


async def test_only_the_first_questions_wait_for_a_cluster_that_is_away(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance.sim.faults.add(Fault("latency", verb="list", seconds=3600, times=None))
    async with watched(ComponentWatch(instance.db, lambda: aclosing(Informers(instance.cluster)))) as watch:
        monkeypatch.setattr(component_health, "_FIRST_SECONDS", 0.01)
        assert await watch.states("any") == {}
        monkeypatch.setattr(component_health, "_FIRST_SECONDS", 3600.0)
        assert await watch.states("any") == {}
