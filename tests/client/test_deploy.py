"""The deploy block: left early in whichever way, the cluster is as it was, and the error is the one that left it."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import aclosing, closing

import pytest

from kubemin.client import AsyncClient, Client, KubeminError, NotCompleted, Patience, Result, Run, ServerLost
from kubemin.client.sync_run import Deploy
from tests.cli.kubemin import Running
from tests.client.applications import NEVER, application, cluster
from tests.client.proxy import Proxy

PATH = "/api/v1/apply"


class Enough(Exception):
    """Leaves a block."""


def _left_by(error: BaseException, block: Deploy, first: Callable[[Run], object]) -> Run:
    """Leave the block by this error, after something else."""
    runs: list[Run] = []
    try:
        with block as run:
            runs.append(run)
            first(run)
            raise error
    except type(error) as caught:
        assert caught is error  # noqa: PT017  the very same
    return runs[0]


def _until_it_has_made_something(run: Run) -> None:
    for event in run.events():
        if event["type"] == "resource" and event["state"] in ("created", "changed"):
            return


def _by(error: BaseException) -> Callable[[Client, dict[str, object]], Result]:
    def leave(client: Client, spec: dict[str, object]) -> Result:
        result = _left_by(error, client.deploy(spec), _until_it_has_made_something).result
        assert result is not None
        return result

    return leave


def _by_break(client: Client, spec: dict[str, object]) -> Result:
    with client.deploy(spec) as run:
        for _ in run.events():
            break
    assert run.result is not None
    return run.result


def _by_close(client: Client, spec: dict[str, object]) -> Result:
    runs: list[Run] = []

    def deploying() -> Generator[object, None, None]:
        with client.deploy(spec) as run:
            runs.append(run)
            yield from run.events()

    with closing(deploying()) as events:
        next(events)
    assert runs[0].result is not None
    return runs[0].result


def _by_cancel(client: Client, spec: dict[str, object]) -> Result:
    with client.deploy(spec) as run:
        return run.cancel("not today")


UNDONE = ("done", "none")
"""Where it is cancelled at once, nothing may have been written yet."""

WAYS = {
    "error": _by(Enough("enough")),
    "Ctrl-C": _by(KeyboardInterrupt()),
    "break": _by_break,
    "close": _by_close,
    "cancel": _by_cancel,
}


@pytest.mark.parametrize("way", WAYS)
def test_left_early_the_cluster_is_as_it_was(server: Running, way: str) -> None:
    """With what was deployed before, and another configuration of it."""
    client, name = Client(server.url), f"early-{way.lower()}"
    with client.deploy(application(name)) as run:
        assert run.wait().completed
    before = cluster(server, name)
    assert len(before) == 3
    result = WAYS[way](client, application(name, NEVER, value="2"))
    assert (result.status, result.exceptions) == ("cancelled", [])
    assert result.cleanup in UNDONE
    assert cluster(server, name) == before
    assert client.revision(name.join(["default/", ""]))["revision"] == 1


async def _deploying(
    client: AsyncClient, spec: dict[str, object], begun: asyncio.Queue[str]
) -> AsyncGenerator[object, None]:
    async with client.deploy(spec) as run:
        await begun.put(run.task_id)
        async for event in run.events():
            yield event


async def _async_error(client: AsyncClient, spec: dict[str, object]) -> str:
    try:
        async with client.deploy(spec) as run:
            raise Enough
    except Enough:
        return run.task_id


async def _async_cancel(client: AsyncClient, spec: dict[str, object]) -> str:
    begun = asyncio.Queue[str]()

    async def deploy() -> None:
        async for _ in _deploying(client, spec, begun):
            pass

    task = asyncio.create_task(deploy())
    begun_task = await begun.get()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    return begun_task


async def _async_break(client: AsyncClient, spec: dict[str, object]) -> str:
    async with client.deploy(spec) as run:
        async for _ in run.events():
            break
    return run.task_id


async def _async_close(client: AsyncClient, spec: dict[str, object]) -> str:
    begun = asyncio.Queue[str]()
    async with aclosing(_deploying(client, spec, begun)) as events:
        await anext(events)
    return await begun.get()


ASYNC_WAYS = {"error": _async_error, "cancel": _async_cancel, "break": _async_break, "close": _async_close}


@pytest.mark.parametrize("way", ASYNC_WAYS)
async def test_left_early_in_an_event_loop(server: Running, way: str) -> None:
    name = f"async-{way}"
    async with AsyncClient(server.url) as client:
        task = await ASYNC_WAYS[way](client, application(name, NEVER))
        now = await client.task(task)
    assert (now["status"], now["cleanup"]["exceptions"]) == ("cancelled", [])
    assert now["cleanup"]["state"] in UNDONE
    assert cluster(server, name) == {}


def test_left_at_its_end_it_waits_and_what_failed_is_no_silence(server: Running) -> None:
    client = Client(server.url)
    with client.deploy(application("late", NEVER), timeout_seconds=1) as watched:
        assert watched.wait().status == "timeout"
    with pytest.raises(NotCompleted) as caught, client.deploy(application("late", NEVER), timeout_seconds=1):
        pass
    assert (caught.value.result.reason_code, caught.value.result.cleanup) == ("TIMEOUT", "done")
    with client.deploy(application("fine"), note="in time") as run:
        pass
    assert run.result is not None
    assert run.result.completed
    assert client.revisions("default/fine")["revisions"][0]["note"] == "in time"


def test_detached_it_goes_on(server: Running) -> None:
    client = Client(server.url)
    run = _left_by(Enough(), client.deploy(application("detached", NEVER)), Run.detach)
    assert client.task(run.task_id)["status"] not in ("cancelled", "completed")
    client.cancel(run.task_id)
    assert client.wait(run.task_id).status == "cancelled"


def test_a_lost_answer_begins_no_second_task(server: Running, proxy: Proxy) -> None:
    proxy.loses = [PATH] * 2
    with Client(proxy.url).deploy(application("lost")) as run:
        assert run.revision == 1
    assert [one["taskId"] for one in Client(server.url).tasks_of("default/lost")["tasks"]] == [run.task_id]


async def test_a_lost_answer_begins_no_second_task_of_an_event_loop(server: Running, proxy: Proxy) -> None:
    proxy.loses = [PATH]
    async with AsyncClient(proxy.url) as client:
        async with client.deploy(application("async-lost")) as run:
            pass
        tasks = await client.tasks_of("default/async-lost")
    assert [one["taskId"] for one in tasks["tasks"]] == [run.task_id]


class _Interrupted(Patience):
    """Somebody presses Ctrl-C while the answer is waited for."""

    def lost(self, error: KubeminError) -> None:
        raise KeyboardInterrupt


def test_interrupted_before_it_is_known_to_have_begun(server: Running, proxy: Proxy) -> None:
    proxy.loses = [PATH]
    with (
        pytest.raises(KeyboardInterrupt),
        Client(proxy.url).deploy(application("unknown", NEVER), patience=_Interrupted()),
    ):
        pytest.fail("it is entered")
    (task,) = Client(server.url).tasks_of("default/unknown")["tasks"]
    assert task["status"] == "cancelled"
    assert cluster(server, "unknown") == {}


def test_a_server_that_is_away_as_the_block_is_left_is_told_with_the_error(server: Running, proxy: Proxy) -> None:
    error, block = Enough(), Client(proxy.url).deploy(application("alone", NEVER), patience=Patience(0))
    run = _left_by(error, block, lambda _: proxy.close())
    (note,) = error.__notes__
    assert note.startswith(f"task {run.task_id} may go on: it could not be cancelled (no server answers at ")
    Client(server.url).cancel(run.task_id)


def test_a_server_that_was_never_there_is_an_error_at_once() -> None:
    with pytest.raises(ServerLost) as caught, Client("http://127.0.0.1:9").deploy(application("nowhere")):
        pytest.fail("it is entered")
    assert not caught.value.sent
