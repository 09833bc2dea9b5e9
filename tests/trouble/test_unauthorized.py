"""A token that changes while a task runs costs nothing; one that is refused for good ends the task, and is named."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml

from kubemin.cluster import Cluster
from kubemin.spec.states import Cleanup, TaskStatus
from kubesim.server import SimServer
from tests.engine.instance import Instance, web
from tests.engine.test_points import differences
from tests.trouble.test_refusals import LATE, ends_as_it_was, furnish, waits
from tests.waiting import PATIENCE

FIRST, SECOND = "first", "second"


@pytest.fixture
async def sim() -> AsyncIterator[SimServer]:
    """It knows one token, which the tests change."""
    async with SimServer(speed=50, token=FIRST) as server:
        yield server


@pytest.fixture
def token(tmp_path: Path) -> Path:
    """The file that the token is in."""
    return tmp_path / "token"


@pytest.fixture
async def cluster(sim: SimServer, tmp_path: Path, token: Path) -> AsyncIterator[Cluster]:
    await asyncio.to_thread(token.write_text, FIRST)
    config = yaml.safe_load(sim.kubeconfig())
    config["users"][0]["user"] = {"tokenFile": str(token)}
    await asyncio.to_thread((tmp_path / "config").write_text, yaml.safe_dump(config))
    connection = await Cluster.connect(kubeconfig=str(tmp_path / "config"), context=None, timeout=PATIENCE)
    yield connection
    await connection.aclose()


def rotate(sim: SimServer) -> None:
    """From now on the server takes the second token only."""
    sim.authorization.admin_token = SECOND


async def test_a_token_that_is_rotated_in_the_middle_costs_no_task(instance: Instance, token: Path) -> None:
    before = await instance.snapshot()
    app_id = await instance.save(LATE)
    async with instance.worker():
        task_id = await instance.exec(app_id)
        await instance.until(lambda: waits(instance, task_id))
        rotate(instance.sim)
        await asyncio.to_thread(token.write_text, SECOND)
        await instance.service.cancel(app_id, task_id, "ada", "no")
        task = await instance.settled(task_id)
        assert (task.status, task.cleanup) == (TaskStatus.CANCELLED, Cleanup.DONE), task.cleanup_why
        assert differences(before, await instance.snapshot()) == []
        again = await instance.settled(await instance.exec(await instance.save([web("api")], name="other")))
        assert again.status is TaskStatus.COMPLETED, again.reason


async def test_a_token_that_nobody_puts_right_ends_the_task_and_the_reason_says_what_to_do(
    instance: Instance, token: Path
) -> None:
    """It ends though the wait for the Pods has no end: the watch says it. The cleanup is named, and done later."""
    furnish(instance)
    before = await instance.snapshot()
    app_id = await instance.save(LATE)
    async with instance.worker():
        task_id = await instance.exec(app_id)
        await instance.until(lambda: waits(instance, task_id))
        rotate(instance.sim)
        async with instance.sim.outage():  # the watches that were open would go on
            pass
        task = await instance.settled(task_id)
        assert (task.status, task.cleanup) == (TaskStatus.FAILED, Cleanup.INCOMPLETE)
        for words in ("401", f"from the file {token}", "write a valid token to the file"):
            assert words in task.reason
        assert "refuses the credentials" in task.cleanup_why
        assert SECOND not in task.reason
        await asyncio.to_thread(token.write_text, SECOND)
        await ends_as_it_was(instance, task_id, before)
