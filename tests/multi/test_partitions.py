"""Workers that lose the database or the API server (design §6)."""

import pytest

from kubemin.spec.states import Cleanup, TaskStatus
from kubesim.faults import Fault
from tests.engine.instance import conf
from tests.multi.fleet import LEASE, Fleet, gated
from tests.servers.postgresql import Postgresql
from tests.servers.proxy import Proxy


@pytest.mark.parametrize("how", ["stall", "refuse"])
async def test_a_worker_cut_off_from_the_database_gives_its_tasks_up(
    fleet: Fleet, postgres: Postgresql, database_name: str, how: str
) -> None:
    async with Proxy(postgres.port) as proxy:
        first = fleet.worker(database_url=postgres.url(database_name, port=proxy.port), lease_seconds=LEASE)
        _, task_id = await fleet.deploy(conf("settings", a="1"), gated("api"))
        await fleet.waits_for(task_id, "api")
        if how == "stall":
            proxy.stall()
        else:
            proxy.refuse()
        await first.said("left to another worker")
        fleet.worker()
        await fleet.owned(task_id, 2)
        writes = len(fleet.writes)
        proxy.heal()
        fleet.open()
        task = await fleet.settled(task_id)
        assert (task.status, task.lease_epoch) == (TaskStatus.COMPLETED, 2)
        assert fleet.writes[writes:] == []
        _, other = await fleet.deploy(gated("web"), name="other")
        assert (await fleet.settled(other)).status is TaskStatus.COMPLETED
        assert await first.terminate() == 0


@pytest.mark.parametrize(("how", "lease"), [("stall", 15.0), ("refuse", 12.0)])
async def test_a_short_outage_of_the_database_is_sat_out(
    fleet: Fleet, postgres: Postgresql, database_name: str, how: str, lease: float
) -> None:
    async with Proxy(postgres.port) as proxy:
        worker = fleet.worker(database_url=postgres.url(database_name, port=proxy.port), lease_seconds=lease)
        _, task_id = await fleet.deploy(conf("settings", a="1"), gated("api"))
        await fleet.waits_for(task_id, "api")
        if how == "stall":
            proxy.stall()
        else:
            proxy.refuse()
        await worker.said("cannot renew leases")
        proxy.heal()
        renewed = (await fleet.task(task_id)).lease_expires_at
        await fleet.renewed(task_id, renewed)
        fleet.open()
        task = await fleet.settled(task_id)
        assert (task.status, task.reason, task.lease_epoch) == (TaskStatus.COMPLETED, "", 1)


@pytest.mark.parametrize("how", ["stall", "refuse", "drop answers"])
async def test_a_worker_cut_off_from_the_api_server_goes_on_when_it_is_back(fleet: Fleet, how: str) -> None:
    """While it waits for one task, and in the middle of a write of another one."""
    async with Proxy(fleet.instance.sim.port) as proxy:

        def cut_off(_: object) -> None:
            if how == "stall":
                proxy.stall()
            elif how == "refuse":
                proxy.refuse()
            else:
                proxy.drop_answers = True

        fleet.instance.sim.faults.add(Fault("call", verb="create", resource="configmaps", name="later", call=cut_off))
        fleet.worker(api_port=proxy.port, request_timeout_seconds=1)
        _, task_id = await fleet.deploy(conf("settings", a="1"), gated("api"))
        await fleet.waits_for(task_id, "api")
        _, other = await fleet.deploy(conf("later", a="1"), name="other")
        await fleet.troubled(other)
        fleet.open()
        proxy.heal()
        for one in (task_id, other):
            task = await fleet.settled(one)
            assert (task.status, task.lease_epoch, task.attempt) == (TaskStatus.COMPLETED, 1, 1), task.reason
        assert [len(fleet.made("ConfigMap", name)) for name in ("settings", "later")] == [1, 1]


async def test_a_rollback_without_an_api_server_ends_when_it_is_back(fleet: Fleet) -> None:
    before = await fleet.snapshot()
    async with Proxy(fleet.instance.sim.port) as proxy:
        fleet.worker(api_port=proxy.port, request_timeout_seconds=1, cleanup_seconds=1)
        app_id, task_id = await fleet.deploy(conf("settings", a="1"), gated("api"))
        await fleet.waits_for(task_id, "api")
        proxy.refuse()
        await fleet.instance.service.cancel(app_id, task_id, "ada", "no")
        task = await fleet.settled(task_id)
        assert task.cleanup is Cleanup.INCOMPLETE
        assert "ConfigMap/default/settings" in task.cleanup_why
        proxy.heal()
        await fleet.instance.service.retry_cleanup(task_id)
        await fleet.until_as(before)
        await fleet.cleaned(task_id)
