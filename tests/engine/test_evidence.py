"""Evidence of a failed task: it is there, masked and small, and it is in nobody's way."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubemin.cluster import Cluster
from kubemin.engine import ExecOptions
from kubemin.engine.objects.masking import CutOnce, Mask, secret_values
from kubemin.engine.supervise import evidence as keeping
from kubemin.engine.supervise import gathering
from kubemin.spec.objects import Manifest
from kubemin.spec.states import Cleanup, TaskStatus
from kubemin.store import Tx, evidence
from kubemin.store.errors import Unavailable
from kubesim.faults import Fault
from tests.engine.instance import QUICK, Instance, secret, web

WAITS = QUICK.model_copy(update={"evidence_seconds": 30})
"""A machine that is busy must not make a test fail: only what hangs runs into the limit."""
HANGS = QUICK.model_copy(update={"evidence_seconds": 3})
QUICKLY = ExecOptions(hopeless_after_seconds=0.2)


async def kept(instance: Instance, task_id: str) -> dict[str, Any]:
    async with instance.db.read() as tx:
        return {one.component: one.pods for one in await evidence.of_task(tx, task_id)}


async def test_what_crashes_is_told_with_its_former_run_and_what_is_ready_is_not(instance: Instance) -> None:
    app_id = await instance.save([web("fine"), web("api", "api:crash")])
    async with instance.worker(WAITS):
        task = await instance.settled(await instance.exec(app_id, QUICKLY))
    assert (task.status, task.cleanup) == (TaskStatus.FAILED, Cleanup.DONE)
    found = await kept(instance, task.id)
    assert set(found) == {"api"}
    (pod,) = found["api"]
    (container,) = pod["containers"]
    assert "simulated crash" in container["log"]
    assert "simulated crash" in container["previousLog"]
    assert container["restarts"] >= 1
    assert container["lastState"]["terminated"]["exitCode"] == 1
    assert {one["type"] for one in pod["state"]["conditions"]} >= {"Ready", "PodScheduled"}
    assert "BackOff" in {event["reason"] for event in pod["events"]}
    assert (pod["note"], container["note"]) == ("", "")


async def test_what_never_ran_says_why(instance: Instance) -> None:
    app_id = await instance.save([web("api", "api:pull")])
    async with instance.worker(WAITS):
        task = await instance.settled(await instance.exec(app_id, QUICKLY))
    (pod,) = (await kept(instance, task.id))["api"]
    assert pod["containers"][0]["note"] == "it never ran: ImagePullBackOff"
    assert "waiting" in pod["containers"][0]["state"]


async def cancel(instance: Instance, task_id: str) -> None:
    task = await instance.task(task_id)
    await instance.service.cancel(task.app_id, task_id, "ada", "enough")


async def running_late(instance: Instance, *more: dict[str, Any], replicas: int = 1) -> str:
    """A task that waits for Pods that run and are never ready; returns its id."""
    app_id = await instance.save([web("late", "late:never", replicas=replicas), *more])
    task_id = await instance.exec(app_id)

    async def waits() -> bool:
        pods = (await instance.cluster.list("Pod")).items
        return [pod["status"].get("phase") for pod in pods].count("Running") >= replicas

    await instance.until(waits)
    return task_id


async def test_a_cancel_does_not_wait_for_a_log_that_hangs(instance: Instance) -> None:
    """The log is held until after the rollback is done: so the rollback cannot have waited for it."""
    before = await instance.snapshot()
    async with instance.worker(HANGS):
        task_id = await running_late(instance)
        held = instance.sim.faults.add(Fault("hold", resource="pods", subresource="log", times=None))
        await cancel(instance, task_id)
        task = await instance.settled(task_id)
        assert (task.status, task.cleanup) == (TaskStatus.CANCELLED, Cleanup.DONE)
        assert await instance.snapshot() == before
        (pod,) = (await kept(instance, task_id))["late"]
        assert pod["containers"][0]["note"] == "log: no answer in time"
        assert pod["events"] != []
        await held.release()


async def test_an_api_server_that_answers_no_reads_changes_nothing(instance: Instance) -> None:
    async with instance.worker(WAITS):
        task_id = await running_late(instance)
        instance.sim.faults.add(Fault("drop", resource="pods", subresource="log", times=None))
        instance.sim.faults.add(Fault("drop", resource="events", verb="list", times=None))
        await cancel(instance, task_id)
        task = await instance.settled(task_id)
    assert (task.status, task.reason, task.cleanup) == (TaskStatus.CANCELLED, "enough", Cleanup.DONE)
    (pod,) = (await kept(instance, task_id))["late"]
    assert pod["note"].startswith("no events: ")
    assert pod["containers"][0]["note"].startswith("no logs: ")


async def test_without_the_right_evidence_says_so_and_has_the_rest(instance: Instance) -> None:
    async with instance.worker(WAITS):
        task_id = await running_late(instance)
        said = 'pods "x" is forbidden: User "kubemin" cannot get resource "pods/log"'
        instance.sim.faults.add(Fault("status", code=403, resource="pods", subresource="log", times=None, message=said))
        await cancel(instance, task_id)
        await instance.settled(task_id)
    (pod,) = (await kept(instance, task_id))["late"]
    assert pod["containers"][0]["note"].startswith("not allowed to read logs: ")
    assert pod["events"] != []


async def test_at_most_three_pods_of_a_component(instance: Instance) -> None:
    async with instance.worker(WAITS):
        task_id = await running_late(instance, replicas=5)
        await cancel(instance, task_id)
        await instance.settled(task_id)
    assert len((await kept(instance, task_id))["late"]) == 3


async def test_a_database_that_takes_no_evidence_does_not_keep_the_rollback_from_its_end(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused(*_: object) -> None:
        raise Unavailable("no")

    monkeypatch.setattr(evidence, "add", refused)
    before = await instance.snapshot()
    async with instance.worker(WAITS):
        task_id = await running_late(instance)
        await cancel(instance, task_id)
        task = await instance.settled(task_id)
    assert (task.status, task.cleanup) == (TaskStatus.CANCELLED, Cleanup.DONE)
    assert await instance.snapshot() == before
    assert await kept(instance, task_id) == {}


async def test_a_rollback_does_not_wait_until_evidence_is_stored(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database is held until the rollback is done; what was gathered is stored all the same, and whole."""
    free, begin = asyncio.Event(), instance.db.begin

    @asynccontextmanager
    async def slow(label: str, *, urgent: bool = False) -> AsyncIterator[Tx]:
        if label == "evidence":
            await free.wait()
        async with begin(label, urgent=urgent) as tx:
            yield tx

    monkeypatch.setattr(instance.db, "begin", slow)
    async with instance.worker(HANGS):
        task_id = await running_late(instance)
        await cancel(instance, task_id)
        assert (await instance.settled(task_id)).cleanup is Cleanup.DONE
        assert await kept(instance, task_id) == {}
        free.set()
    assert set(await kept(instance, task_id)) == {"late"}


async def test_a_fault_of_its_own_changes_nothing(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(gathering, "_fitted", broken)
    async with instance.worker(HANGS):
        task_id = await running_late(instance)
        await cancel(instance, task_id)
        task = await instance.settled(task_id)
    assert (task.status, task.cleanup) == (TaskStatus.CANCELLED, Cleanup.DONE)


@pytest.mark.parametrize("stored", [{}, {"late": [{"name": "as the first worker found it"}]}])
async def test_a_successor_takes_evidence_only_where_there_is_none(instance: Instance, stored: dict[str, Any]) -> None:
    async with instance.worker(name="first"):
        task_id = await running_late(instance)
    await cancel(instance, task_id)  # nobody has it at present
    async with instance.db.begin("evidence") as tx:
        await evidence.add(tx, task_id, stored)
    async with instance.worker(name="second"):
        task = await instance.settled(task_id)
    assert task.cleanup is Cleanup.DONE
    found = await kept(instance, task_id)
    assert set(found) == {"late"}
    assert not stored or found == stored


async def test_secrets_of_the_application_are_masked_in_what_containers_say(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = "s3cret-value"
    spoken = f"password={value} basic={base64.b64encode(value.encode()).decode()}\n"
    monkeypatch.setattr(Cluster, "log", lambda *_, **__: asyncio.sleep(0, spoken))
    app_id = await instance.save([secret("keys", password=value), web("api", "api:crash")])
    async with instance.worker(WAITS):
        task = await instance.settled(await instance.exec(app_id, QUICKLY))
    found = await kept(instance, task.id)
    assert "password=******" in found["api"][0]["containers"][0]["log"]
    assert "it said last: password=******" in task.reason
    everything = json.dumps(found) + task.reason + "".join(job.error + job.info for job in await instance.jobs(task.id))
    assert value not in everything
    assert base64.b64encode(value.encode()).decode() not in everything


async def test_a_log_that_the_server_cuts_ends_with_a_whole_line(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = "s3cret-value-of-some-length"

    async def cut(*_: object, most: int | None = None, **__: object) -> str:
        text = "whole\n" + f"{'x' * 1000}\n" * 300 + f"{'y' * 300_000}"
        return text[: (most or len(text)) - len(value) + 1] + value[:-1] if most else ""

    monkeypatch.setattr(Cluster, "log", cut)
    app_id = await instance.save([secret("keys", password=value), web("api", "api:crash")])
    async with instance.worker(WAITS):
        task = await instance.settled(await instance.exec(app_id, QUICKLY))
    log = (await kept(instance, task.id))["api"][0]["containers"][0]["log"]
    assert log.endswith("x" * 1000)
    assert value[:-1] not in log


SECRETS = st.lists(st.text(min_size=1, max_size=40), min_size=1, max_size=5)


@given(SECRETS, st.text(max_size=40), st.text(max_size=40))
def test_no_value_is_left_in_a_text(values: list[str], before: str, after: str) -> None:
    mask = Mask(values)
    for value in values:
        if len(value.strip()) < 4:
            continue
        encoded = base64.b64encode(value.encode("utf-8", "surrogatepass")).decode().rstrip("=")
        for form in (value, encoded, json.dumps(value)[1:-1]):
            said = mask(f"{before} {form} {after}")
            rest = before + after + "******"
            assert form not in said or form in rest or len(form) < 8 or form in f"{before} ****** {after}"


@given(st.text("abc123", min_size=1, max_size=3))
def test_a_short_value_is_masked_only_where_it_stands_alone(value: str) -> None:
    mask = Mask([value])
    assert mask(f"pin={value};") == "pin=******;"
    assert mask(f"x{value}x") == f"x{value}x"


def test_of_two_values_the_longer_one_is_masked() -> None:
    mask = Mask(["hunter", "hunter2-and-more"])
    assert mask("hunter2-and-more hunter") == "****** ******"


@pytest.mark.timeout(60)  # what grows with the size of the value times that of the text takes many minutes
@pytest.mark.parametrize(
    "value",
    ["\n".join(f"{number:032x}" for number in range(20_000)), "\n".join("A" * number for number in range(1, 1500))],
    ids=["many lines", "lines that begin alike"],
)
def test_the_work_of_masking_is_bounded(value: str) -> None:
    mask, line = Mask([value]), value.splitlines()[-2]
    assert mask(f"it said {line}\nand more") == "it said ******\nand more"
    assert mask("-ABAAAA-" * 32_000 + line).endswith("******")


@given(st.text("abc", max_size=20), st.lists(st.text("abcd", min_size=8, max_size=30), min_size=1), st.data())
def test_the_beginning_of_a_value_is_masked_where_a_message_is_cut(
    before: str, values: list[str], data: st.DataObject
) -> None:
    value = data.draw(st.sampled_from(values))
    cut = data.draw(st.integers(8, len(value)))
    said = Mask(values).cut(f"{before} {value[:cut]}")
    assert not said.endswith(value[:cut])
    assert said.endswith("******")
    assert Mask(values).cut(f"{before} {value[:7]}.") == Mask(values)(f"{before} {value[:7]}.")


@pytest.mark.timeout(60)
def test_the_work_of_masking_what_was_cut_is_bounded() -> None:
    mask = Mask(["A" * number + "\n" for number in range(1, 1500)])
    assert mask.cut("x" + "A" * 4096) == "x******"


async def test_the_mask_is_built_again_only_for_another_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    built = 0

    class Counted(Mask):
        def __init__(self, values: Iterable[str]) -> None:
            nonlocal built
            built += 1
            super().__init__(values)

    monkeypatch.setattr(keeping, "Mask", Counted)
    new = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "new"}}
    mask = keeping.TaskMask([{**new, "stringData": {"a": "the-new-one"}}])
    found: list[Manifest] = []
    assert built == 0
    said = "the-new-one, the-old-one"
    assert mask.of(found)(said) == "******, the-old-one"
    found.append({**new, "kind": "ConfigMap"})
    assert (mask.of(found)(said), built) == ("******, the-old-one", 1)
    old = {**new, "data": {"a": base64.b64encode(b"the-old-one").decode()}}
    found.append(old)
    assert (mask.of(found)(said), mask.of(found)(said), built) == ("******, ******", "******, ******", 2)


@given(st.dictionaries(st.text("abc", min_size=1), st.text(max_size=20), max_size=4))
def test_the_values_are_those_of_secrets_alone(data: dict[str, str]) -> None:
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    kept_secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": encoded}
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "public"}}
    assert sorted(secret_values([kept_secret, config])) == sorted(data.values())


LINES = st.text(max_size=2000)


@given(st.lists(st.tuples(LINES, LINES), max_size=40), st.integers(1, 50))
def test_a_pod_is_never_larger_than_its_share(texts: list[tuple[str, str]], times: int) -> None:
    containers = [
        {"name": f"c{i}", "state": {"waiting": {"message": one * times}}, "log": two * times, "previousLog": ""}
        for i, (one, two) in enumerate(texts)
    ]
    pod = {"name": "p", "state": {}, "events": [], "containers": containers, "note": ""}
    fitted = gathering._fitted(pod)
    assert len(json.dumps(fitted, ensure_ascii=False).encode("utf-8", "surrogatepass")) <= 64 * 1024
    if len(json.dumps(pod)) < 16000:
        assert fitted == pod


def test_a_text_that_comes_again_is_masked_anew_once_another_value_is_secret() -> None:
    cut, text = CutOnce(), "password hunter2 refused"
    assert cut(Mask(()), text) == cut(Mask(()), text) == text
    known = Mask(["hunter2"])
    for _ in range(2):
        assert cut(known, text) == "password ****** refused"
    assert cut(known, "hunter2 again") == "****** again"
