"""Tasks: run, cancelled, looked at. The worker's part is played by calls of the store."""

from contextlib import AbstractAsyncContextManager
from typing import Any, NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubemin.api.codes import ApiCode
from kubemin.api.parameters import moment_of
from kubemin.api.progress import component_status
from kubemin.spec.objects import ObjectRef
from kubemin.spec.reason_codes import ReasonCode
from kubemin.spec.states import Cleanup, JobStatus, ResourceState, TaskStatus
from kubemin.store import Database, Tx, evidence, jobs, journal, tasks
from tests.api.conftest import Api
from tests.api.test_applications import MISSING

ENDED = [status for status in TaskStatus if status.ended]


async def _exec(api: Api, app: Any, **body: Any) -> str:
    answer = await api.post(f"/applications/{app['id']}/workflow/exec", {"workflowId": app["workflowId"], **body})
    task_id = answer["taskId"]
    assert isinstance(task_id, str)
    return task_id


async def _claim(api: Api) -> tasks.Task:
    async with api.db.begin("test") as tx:
        task = await tasks.claim_next(tx, "worker-1", 60, 3)
        assert task is not None
        assert await tasks.start(tx, task.id, task.lease_epoch)
    return task


async def _status(api: Api, task_id: str) -> Any:
    return await api.get(f"/workflow/tasks/{task_id}/status")


async def test_every_component_is_there_from_the_first_answer_on(api: Api) -> None:
    app = await api.create()
    task_id = await _exec(api, app)
    status = await _status(api, task_id)
    assert {one["name"]: (one["type"], one["status"]) for one in status["components"]} == {
        "web": ("webservice", "waiting"),
        "conf": ("config", "waiting"),
        "keys": ("secret", "waiting"),
    }
    assert (status["status"], status["appId"], status["type"]) == ("waiting", app["id"], "deploy")
    assert (status["workflowId"], status["workflowName"]) == (app["workflowId"], "shop-workflow")
    assert (status["attempt"], status["worker"], status["reason"], status["cancelledBy"]) == (0, "", "", "")
    assert status["cleanup"] == {
        "state": "none",
        "created": 0,
        "deleted": 0,
        "restored": 0,
        "unchanged": 0,
        "kept": 0,
        "released": 0,
        "volumes": [],
        "remaining": [],
        "exceptions": [],
    }
    assert isinstance(status["createTime"], int)
    assert not {"startTime", "endTime"} & (set(status) | set(status["components"][0]))


async def test_what_runs_shows_in_status_and_stages(api: Api) -> None:
    task_id = await _exec(api, await api.create())
    task = await _claim(api)
    stages = (await api.get(f"/workflow/tasks/{task_id}/stages"))["stages"]
    web = next(stage for stage in stages if stage["type"] == "Deployment")
    assert web["name"].startswith("web/Deployment/shop-web")
    assert (web["step"], web["component"], web["ref"]) == ("deploy", "web", "Deployment/default/shop-web")
    assert web["stage"] > min(stage["stage"] for stage in stages)
    async with api.db.begin("test") as tx:
        done = [stage["id"] for stage in stages if stage["type"] == "ConfigMap"]
        changes = [jobs.JobChange(web["id"], JobStatus.RUNNING, "0 of 1 ready")]
        await jobs.set_many(tx, task_id, changes + [jobs.JobChange(seq, JobStatus.COMPLETED) for seq in done])
    status = await _status(api, task_id)
    found = {one["name"]: one for one in status["components"]}
    assert {name: one["status"] for name, one in found.items()} == {
        "web": "running",
        "conf": "completed",
        "keys": "queued",
    }
    assert isinstance(found["web"]["startTime"], int)
    assert "endTime" not in found["web"]
    assert isinstance(found["conf"]["endTime"], int)
    assert (status["status"], status["worker"], status["attempt"]) == ("running", "worker-1", 1)
    after = {stage["id"]: stage for stage in (await api.get(f"/workflow/tasks/{task_id}/stages"))["stages"]}
    assert (after[web["id"]]["status"], after[web["id"]]["info"]) == ("running", "0 of 1 ready")
    assert task.id == task_id


@pytest.mark.parametrize("ending", [TaskStatus.COMPLETED, TaskStatus.FAILED, TaskStatus.TIMEOUT])
async def test_once_the_task_has_ended_each_component_has(api: Api, ending: TaskStatus) -> None:
    task_id = await _exec(api, await api.create())
    task = await _claim(api)
    async with api.db.begin("test") as tx:
        assert await tasks.finish(tx, task_id, task.lease_epoch, ending, "so it went", Cleanup.NONE)
    status = await _status(api, task_id)
    assert (status["status"], status["reason"]) == (ending, "so it went")
    assert {one["status"] for one in status["components"]} == {ending}
    assert all(isinstance(one["endTime"], int) for one in status["components"])


async def test_the_journal_shows_as_resources_and_in_the_cleanup(api: Api) -> None:
    task_id = await _exec(api, await api.create())
    task = await _claim(api)

    def entry(seq: int, kind: str, state: ResourceState, **more: Any) -> journal.NewResource:
        ref = ObjectRef(kind, "default", f"object-{seq}")
        return journal.NewResource(seq=seq, job_seq=1, ref=ref, state=state, uid=f"uid-{seq}", **more)

    secret = {"kind": "Secret", "data": {"token": "aHVzaA=="}}
    async with api.db.begin("test") as tx:
        await journal.add(
            tx,
            task_id,
            [
                entry(1, "Deployment", ResourceState.DELETED),
                entry(2, "Secret", ResourceState.RESTORED, before=secret),
                entry(3, "Service", ResourceState.CREATED, why="a finalizer holds it"),
                entry(4, "ConfigMap", ResourceState.KEPT, before={"kind": "ConfigMap"}, why="changed by kubectl"),
                entry(5, "ConfigMap", ResourceState.OBSERVED),
            ],
        )
        assert await tasks.finish(tx, task_id, task.lease_epoch, TaskStatus.FAILED, "no", Cleanup.PENDING)
        assert await tasks.set_cleanup(tx, task_id, task.lease_epoch, Cleanup.INCOMPLETE, "one is left")
    cleanup = (await _status(api, task_id))["cleanup"]
    left = {"kind": "Service", "namespace": "default", "name": "object-3", "why": "a finalizer holds it"}
    assert cleanup == {
        "state": "incomplete",
        "created": 2,
        "deleted": 1,
        "restored": 1,
        "unchanged": 0,
        "kept": 1,
        "released": 0,
        "volumes": [],
        "remaining": [left],
        "exceptions": [],
        "attempts": 1,
    }
    answer = await api.http.get(f"/api/v1/workflow/tasks/{task_id}/resources")
    assert "aHVzaA" not in answer.text
    rows = answer.json()["data"]["resources"]
    assert [row["seq"] for row in rows] == [1, 2, 3, 4, 5]
    assert rows[2].pop("at").endswith("Z")
    about = {"seq": 3, "job": 1, "purpose": "apply", "apiVersion": "v1", "state": "created", "uid": "uid-3"}
    assert rows[2] == {**left, **about}
    rollback = (await api.get(f"/workflow/tasks/{task_id}/stages"))["stages"][-1]
    assert (rollback["name"], rollback["status"], rollback["error"]) == ("rollback", "failed", "one is left")

    again = await api.post(f"/workflow/tasks/{task_id}/cleanup")
    assert (again["taskId"], again["status"]) == (task_id, "failed")
    assert (await _claim_cleanup(api)).id == task_id


async def _claim_cleanup(api: Api) -> tasks.Task:
    async with api.db.begin("test") as tx:
        task = await tasks.claim_next(tx, "worker-2", 60, 3)
    assert task is not None
    return task


async def test_cancel_records_who_and_why_and_again_is_the_same_answer(api: Api) -> None:
    app = await api.create()
    task_id = await _exec(api, app)
    await _claim(api)
    path = f"/applications/{app['id']}/workflow/cancel"
    first = await api.post(path, {"taskId": task_id, "user": "eve", "reason": "wrong image"})
    assert first == {"taskId": task_id, "status": "cancelled", "cleanup": "pending"}
    assert await api.post(path, {"taskId": task_id, "user": "bob", "reason": "no, me"}) == first
    status = await _status(api, task_id)
    assert (status["status"], status["reason"], status["cancelledBy"]) == ("cancelled", "wrong image", "eve")
    assert {one["status"] for one in status["components"]} == {"cancelled"}


async def test_a_cancel_is_one_transaction(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may not wait in the queue for the database, or for the loop, more often than it has to."""
    app = await api.create()
    task_id = await _exec(api, app)
    begun: list[str] = []
    begin = Database.begin

    def told(self: Database, label: str, *, urgent: bool = False) -> AbstractAsyncContextManager[Tx]:
        begun.append(label)
        return begin(self, label, urgent=urgent)

    def refused(self: Database, *, urgent: bool = False) -> NoReturn:
        raise AssertionError("it reads in a transaction of its own")

    monkeypatch.setattr(Database, "begin", told)
    monkeypatch.setattr(Database, "read", refused)
    await api.post(f"/applications/{app['id']}/workflow/cancel", {"taskId": task_id})
    assert begun == ["cancel"]


async def test_cancel_without_user_and_reason_says_system(api: Api) -> None:
    app = await api.create()
    task_id = await _exec(api, app)
    answer = await api.post(f"/applications/{app['id']}/workflow/cancel", {"taskId": task_id})
    assert answer["cleanup"] == "none"
    status = await _status(api, task_id)
    assert (status["reason"], status["cancelledBy"]) == ("cancelled by system", "system")


async def test_what_cannot_be_cancelled_says_why(api: Api) -> None:
    app, other = await api.create(), await api.create(name="other")
    task_id = await _exec(api, app)
    path = f"/applications/{app['id']}/workflow/cancel"
    elsewhere = f"/applications/{other['id']}/workflow/cancel"
    assert (await api.post(elsewhere, {"taskId": task_id}, 404))["code"] == ApiCode.WORKFLOW_NOT_FOUND
    assert (await api.post(path, {"taskId": MISSING}, 404))["code"] == ApiCode.TASK_NOT_FOUND
    assert (await api.post(path, {"taskId": ""}, 404))["code"] == ApiCode.TASK_NOT_FOUND
    assert (await api.post(path, {}, 400))["errors"][0]["field"] == "taskId"
    assert (await api.post(path, {"taskId": task_id, "reason": "a\nb"}, 400))["errors"][0]["field"] == "reason"
    task = await _claim(api)
    async with api.db.begin("test") as tx:
        assert await tasks.finish(tx, task_id, task.lease_epoch, TaskStatus.FAILED, "", Cleanup.NONE)
    envelope = await api.post(path, {"taskId": task_id}, 409)
    assert envelope["code"] == ApiCode.TASK_ENDED


@pytest.mark.parametrize("cleanup", [None, "none", "task"])
async def test_a_cancel_that_comes_too_late_gets_the_task_as_it_is(api: Api, cleanup: str | None) -> None:
    app = await api.create()
    task_id = await _exec(api, app)
    task = await _claim(api)
    async with api.db.begin("test") as tx:
        assert await tasks.finish(tx, task_id, task.lease_epoch, TaskStatus.COMPLETED, "", Cleanup.NONE)
    before = await _status(api, task_id)
    path = f"/api/v1/applications/{app['id']}/workflow/cancel"
    answer = await api.http.post(path, json={"taskId": task_id, **({"cleanup": cleanup} if cleanup else {})})
    assert (answer.status_code, answer.json()["code"]) == (200, 0)
    assert answer.json()["data"] == {"taskId": task_id, "status": "completed", "cleanup": "none"}
    assert "has already ended as completed" in answer.json()["message"]
    assert await _status(api, task_id) == before


async def test_a_second_run_waits_is_refused_or_takes_over(api: Api) -> None:
    app = await api.create()
    first = await _exec(api, app)
    path = f"/applications/{app['id']}/workflow/exec"
    envelope = await api.post(path, {"onActive": "reject"}, 409)
    assert envelope["code"] == ApiCode.TASK_ACTIVE
    assert first in envelope["message"]
    queued = await _exec(api, app, onActive="queue")
    assert (await _status(api, queued))["status"] == "waiting"
    last = await _exec(api, app, on_active="supersede")
    listed = (await api.get(f"/applications/{app['id']}/workflow/tasks"))["tasks"]
    assert [(one["id"], one["status"]) for one in listed] == [
        (last, "waiting"),
        (queued, "cancelled"),
        (first, "cancelled"),
    ]
    assert {one["workflowDisplayName"] for one in listed} == {"shop-workflow"}
    assert all(one["id"] == one["taskId"] and one["createTime"].endswith("Z") for one in listed)


async def test_looking_at_a_task_reads_no_objects(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    task_id = await _exec(api, await api.create())
    task = await _claim(api)
    ref = ObjectRef("Secret", "default", "keys")
    large = {"data": {"token": "aHVzaA=="}}
    async with api.db.begin("test") as tx:
        await journal.add(
            tx, task_id, [journal.NewResource(seq=1, job_seq=1, ref=ref, before=large, applied=large, dependents={})]
        )
        assert await tasks.finish(tx, task_id, task.lease_epoch, TaskStatus.FAILED, "no", Cleanup.NONE)

    def refuse(tx: Tx, stored: str) -> Any:
        raise AssertionError(stored)

    monkeypatch.setattr(Tx, "unseal", refuse)
    for path in ("status", "stages", "resources"):
        assert await api.get(f"/workflow/tasks/{task_id}/{path}")
    stream = await api.http.get(f"/api/v1/workflow/tasks/{task_id}/events", headers={"Last-Event-ID": "1000"})
    assert stream.status_code == 200
    assert (await api.post(f"/workflow/tasks/{task_id}/cleanup"))["cleanup"] == "none"


async def test_one_idempotency_key_is_one_task(api: Api) -> None:
    app = await api.create()
    path = f"/applications/{app['id']}/workflow/exec"
    first = await api.post(path, {"workflowId": app["workflowId"]}, Idempotency_Key="key-1")
    assert await api.post(path, {"workflowId": app["workflowId"]}, Idempotency_Key="key-1") == first
    assert await api.post(path, {}, Idempotency_Key="key-1") == first
    assert (await api.post(path, {"restore": False}, 409, Idempotency_Key="key-1"))["code"] == ApiCode.CONFLICT
    assert await api.post(path, {}, Idempotency_Key="key-2") != first
    assert (await api.post(path, {}, 400, Idempotency_Key="k" * 256))["errors"][0]["field"] == "Idempotency-Key"
    assert len((await api.get("/tasks"))["tasks"]) == 2


@pytest.mark.parametrize(
    "body",
    [
        {"onActive": "whatever"},
        {"cleanup": 1},
        {"timeoutSeconds": 0},
        {"timeoutSeconds": -1},
        {"hopelessAfterSeconds": "x"},
        {"restore": "false"},
        {"adopt": "yes"},
        {"takeOver": "yes"},
        {"dryRun": 0},
        {"timeoutSeconds": "5"},
        {"dry": True},
    ],
)
async def test_a_wrong_option_is_named(api: Api, body: dict[str, Any]) -> None:
    app = await api.create()
    envelope = await api.post(f"/applications/{app['id']}/workflow/exec", body, 400)
    assert [error["field"] for error in envelope["errors"]] == list(body)
    assert (await api.get("/tasks"))["tasks"] == []


async def test_all_tasks_are_filtered_and_paged(api: Api) -> None:
    one, other = await api.create(), await api.create(name="other")
    ids = [await _exec(api, app) for app in (one, other, one)]
    await api.post(f"/applications/{one['id']}/workflow/cancel", {"taskId": ids[0]})

    async def found(**params: Any) -> list[str]:
        return [task["id"] for task in (await api.get("/tasks", **params))["tasks"]]

    assert await found() == ids[::-1]
    assert await found(appId=other["id"]) == [ids[1]]
    assert await found(status="cancelled") == [ids[0]]
    assert await found(pageSize=1, page=2) == [ids[1]]
    assert await found(since="2001-01-01") == ids[::-1]
    assert await found(since="2999-01-01T00:00:00Z") == []
    assert await found(since="32000000000") == []
    assert await found(since="1000000000") == ids[::-1]
    assert (await api.get("/tasks", 400, status="odd"))["errors"][0]["field"] == "status"
    for wrong in ("yesterday", "2024-13-01", "-5", "2024-01-01T25:00:00Z"):
        assert (await api.get("/tasks", 400, since=wrong))["errors"][0]["field"] == "since"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1767225600", 1767225600),
        ("2026-01-01", 1767225600),
        ("2026-01-01T00:00:00Z", 1767225600),
        ("2026-01-01T01:00:00+01:00", 1767225600),
        ("2026-01-01T01:00:00 01:00", 1767225600),
        ("2026-01-01 00:00:00", 1767225600),
        ("2025-12-31T19:00:00.5-05:00", 1767225600.5),
    ],
)
def test_moments(text: str, seconds: float) -> None:
    assert moment_of(text).timestamp() == seconds


@pytest.mark.parametrize("path", ["status", "stages", "resources", "events"])
@pytest.mark.parametrize("task_id", [MISSING, "x", "%20", "a" * 5000])
async def test_an_unknown_task_is_404(api: Api, path: str, task_id: str) -> None:
    assert (await api.get(f"/workflow/tasks/{task_id}/{path}", 404))["code"] == ApiCode.TASK_NOT_FOUND
    assert (await api.post(f"/workflow/tasks/{task_id}/cleanup", None, 404))["code"] == ApiCode.TASK_NOT_FOUND


@given(st.sampled_from(TaskStatus), st.lists(st.sampled_from(JobStatus)))
def test_a_component_is_terminal_when_its_task_is(task: TaskStatus, of_jobs: list[JobStatus]) -> None:
    status = TaskStatus(component_status(task, of_jobs)) if component_status(task, of_jobs) != "prepare" else None
    if task.ended:
        assert status is not None
        assert status.ended
    if of_jobs and all(job in (JobStatus.COMPLETED, JobStatus.SKIPPED) for job in of_jobs):
        assert status is TaskStatus.COMPLETED
    if not of_jobs and task.ended:
        assert status is task
    if JobStatus.FAILED in of_jobs:
        assert status is TaskStatus.FAILED


async def test_what_is_not_as_it_was_is_named_when_the_rollback_is_done(api: Api) -> None:
    task_id = await _exec(api, await api.create())
    task = await _claim(api)
    states = {
        "grew": (ResourceState.KEPT, "it grew"),
        "gone": (ResourceState.LOST, "somebody deleted it"),
        "left": (ResourceState.CREATED, ""),
        "same": (ResourceState.UNCHANGED, ""),
        "back": (ResourceState.RESTORED, ""),
        "seen": (ResourceState.OBSERVED, ""),
    }
    rows = [
        journal.NewResource(seq=seq, job_seq=1, ref=ObjectRef("Secret", "default", name), state=state, why=why)
        for seq, (name, (state, why)) in enumerate(states.items(), start=1)
    ]
    async with api.db.begin("test") as tx:
        await journal.add(tx, task_id, rows)
        ended = (TaskStatus.FAILED, "no quota", Cleanup.PENDING, ReasonCode.QUOTA)
        assert await tasks.finish(tx, task_id, task.lease_epoch, *ended)
        assert await tasks.set_cleanup(tx, task_id, task.lease_epoch, Cleanup.DONE)
    status = await _status(api, task_id)
    assert (status["reasonCode"], status["advice"]) == ("QUOTA", ReasonCode.QUOTA.advice)
    assert status["cleanup"]["unchanged"] == 1
    named = {one["name"]: one["why"] for one in status["cleanup"]["exceptions"]}
    assert set(named) == {"grew", "gone", "left"}
    assert (named["grew"], named["gone"]) == ("it grew", "somebody deleted it")
    assert named["left"]


async def _refused(*_: object) -> Any:
    raise AssertionError("one query too many")


async def test_evidence_is_shown_and_named_in_the_status(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    task_id = await _exec(api, await api.create())
    assert await api.get(f"/workflow/tasks/{task_id}/evidence") == {"components": []}
    container = {
        "name": "app",
        "restarts": 3,
        "ready": False,
        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {},
        "log": "boom\n",
        "previousLog": "boom\n",
        "note": "",
    }
    event = {"type": "Warning", "reason": "BackOff", "message": "again", "count": 2, "at": "2026-01-01T00:00:00Z"}
    pod = {"name": "web-1", "state": {"phase": "Running"}, "events": [event], "note": "", "containers": [container]}
    async with api.db.begin("test") as tx:
        await evidence.add(tx, task_id, {"web": [pod]})
    kept = {"components": [{"name": "web", "pods": [pod], "note": ""}]}
    assert await api.get(f"/workflow/tasks/{task_id}/evidence") == kept
    with monkeypatch.context() as patch:  # while it runs nobody asks for what is not there yet
        patch.setattr(evidence, "components_of", _refused)
        assert (await _status(api, task_id))["evidence"] == []
    task = await _claim(api)
    async with api.db.begin("test") as tx:
        assert await tasks.finish(tx, task_id, task.lease_epoch, TaskStatus.FAILED, "no", Cleanup.NONE)
    assert (await _status(api, task_id))["evidence"] == ["web"]
    assert (await api.http.get(f"/api/v1/workflow/tasks/{'x' * 24}/evidence")).status_code == 404


@pytest.mark.parametrize(
    "pods", [[{"name": "web-1", "later": {"more": [1]}}], [{"name": "\udc80"}], {"another": "form"}]
)
async def test_evidence_that_another_version_stored_is_sent_as_it_is(api: Api, pods: Any) -> None:
    task_id = await _exec(api, await api.create())
    async with api.db.begin("test") as tx:
        await evidence.add(tx, task_id, {"web": pods})
    kept = {"components": [{"name": "web", "pods": pods, "note": ""}]}
    assert await api.get(f"/workflow/tasks/{task_id}/evidence") == kept


async def _not_promoted(api: Api, task_id: str, code: ApiCode = ApiCode.CONFLICT) -> str:
    """Why it is not."""
    envelope = await api.post(f"/workflow/tasks/{task_id}/promote", None, 409)
    assert envelope["code"] == code
    return str(envelope["message"])


async def test_a_pause_is_shown_and_promoted_once(api: Api) -> None:
    steps = [
        {"name": "conf"},
        {"name": "approve", "type": "pause"},
        {"name": "web"},
        {"name": "again", "type": "pause"},
    ]
    app = await api.create(workflow=steps)
    task_id = await _exec(api, app)
    path = f"/workflow/tasks/{task_id}/promote"
    assert "has not begun" in await _not_promoted(api, task_id)
    task = await _claim(api)
    status = await _status(api, task_id)
    assert [one["name"] for one in status["components"]] == ["conf", "web"]  # a pause is no component
    assert "hold" not in status
    assert "not come to 'approve'" in await _not_promoted(api, task_id)
    (pause,) = [
        one for one in (await api.get(f"/workflow/tasks/{task_id}/stages"))["stages"] if "approve" in one["name"]
    ]
    assert (pause["type"], pause["step"], pause["component"], pause["ref"]) == ("Pause", "approve", "", "")
    async with api.db.begin("test") as tx:
        await jobs.set_many(tx, task_id, [jobs.JobChange(pause["id"], JobStatus.RUNNING, "waits for promote")])
    hold = (await _status(api, task_id))["hold"]
    assert (hold["name"], hold["component"], hold["info"]) == ("approve", "", "waits for promote")
    (_, later) = [
        one for one in (await api.get(f"/workflow/tasks/{task_id}/stages"))["stages"] if one["type"] == "Pause"
    ]
    await api.post(path, {"seq": later["id"]}, 409)  # it is not this one that waits
    assert await api.post(path, {"user": "ada"}) == {"taskId": task_id, "name": "approve"}
    assert "promoted already" in await _not_promoted(api, task_id)
    assert (await _status(api, task_id))["hold"]["info"] == "promoted by ada"
    async with api.db.begin("test") as tx:
        await jobs.set_many(tx, task_id, [jobs.JobChange(pause["id"], JobStatus.COMPLETED)])
    assert "not come to 'again'" in await _not_promoted(api, task_id)
    async with api.db.begin("test") as tx:
        await jobs.set_many(tx, task_id, [jobs.JobChange(later["id"], JobStatus.RUNNING, "waits for promote")])
    # Asked again for the one that has passed, as after a lost answer: the same, and the later one still waits.
    assert await api.post(path, {"seq": hold["seq"]}) == {"taskId": task_id, "name": "approve"}
    assert (await _status(api, task_id))["hold"] == {
        **hold,
        "seq": later["id"],
        "name": "again",
        "since": (await _status(api, task_id))["hold"]["since"],
    }
    assert (await api.post(path, {"seq": later["id"]}))["name"] == "again"
    async with api.db.begin("test") as tx:
        await tasks.finish(tx, task_id, task.lease_epoch, TaskStatus.COMPLETED, "", Cleanup.NONE)
    assert await api.post(path, {"seq": hold["seq"]}) == {"taskId": task_id, "name": "approve"}
    assert "already ended" in await _not_promoted(api, task_id, ApiCode.TASK_ENDED)
    assert (await api.post(f"/workflow/tasks/{'x' * 24}/promote", None, 404))["code"] == ApiCode.TASK_NOT_FOUND
