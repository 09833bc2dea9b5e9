"""Lists that are longer than a page, and what pages and polls ask of the database."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from kubemin.api.deps import Deps
from kubemin.spec.objects import ObjectRef
from kubemin.spec.states import Cleanup, JobStatus, TaskStatus
from kubemin.store import jobs, journal, tasks
from tests.api.conftest import PREFIX, Api, application
from tests.api.guarded import Guarded, guarded_by
from tests.store.history import Work


@pytest.fixture
async def guarded(deps: Deps) -> AsyncIterator[Guarded]:
    async with guarded_by(deps) as one:
        yield one


async def every(api: Api, path: str, name: str, between: Any = None, **params: Any) -> list[str]:
    """The ids of all pages, by the cursor of each."""
    found: list[str] = []
    cursor = None
    while True:
        page = await api.get(path, **params, **({"after": cursor} if cursor else {}))
        found += [one["id"] for one in page[name]]
        cursor = page.get("nextCursor")
        if cursor is None:
            return found
        if between is not None:
            await between()


async def _exec(api: Api, app: Any) -> str:
    answer = await api.post(f"/applications/{app['id']}/workflow/exec", {"workflowId": app["workflowId"]})
    return str(answer["taskId"])


@pytest.mark.parametrize("size", [1, 2, 3, 7])
async def test_a_cursor_goes_once_through_all_tasks_though_new_ones_come(api: Api, size: int) -> None:
    one, other = await api.create(), await api.create(name="other")
    ids = [await _exec(api, app) for app in (one, other, one, one, other, one)]

    async def more() -> None:
        await _exec(api, one)

    mine = [ids[number] for number in (5, 3, 2, 0)]
    assert await every(api, "/tasks", "tasks", more, pageSize=size) == ids[::-1]
    newer = len((await api.get("/tasks", pageSize=1000))["tasks"]) - len(ids)
    assert (await every(api, "/tasks", "tasks", appId=one["id"], pageSize=size))[newer:] == mine
    path = f"/applications/{one['id']}/workflow/tasks"
    assert (await every(api, path, "tasks", pageSize=size))[newer:] == mine
    assert await every(api, "/tasks", "tasks", status="failed", pageSize=size) == []


@pytest.mark.parametrize("size", [1, 2, 3, 7])
async def test_a_cursor_goes_once_through_all_applications_though_some_change(api: Api, size: int) -> None:
    ids = [(await api.create(name=f"app-{number}"))["id"] for number in range(6)]

    async def change() -> None:  # the first one is then before all that was seen
        await api.post("/applications", {**application(name="app-5"), "id": ids[5]})

    assert await every(api, "/applications", "applications", change, pageSize=size) == ids[::-1]
    page = await api.get("/applications", pageSize=size)
    assert (page["total"], page["page"]) == (6, 1)


@pytest.mark.parametrize("path", ["/tasks", "/applications"])
async def test_a_cursor_of_something_else_is_refused(api: Api, path: str) -> None:
    await api.create()
    for query in ({"after": "x"}, {"after": "1.5~x"}, {"after": "é" * 3}, {"after": "a" * 24, "page": 1}):
        envelope = await api.get(path, 400, **query)
        assert [error["field"] for error in envelope["errors"]] == ["after"]


async def test_a_cursor_tells_nothing_of_what_there_is(guarded: Guarded) -> None:
    """What is asked for after something hidden is answered as after what is not there."""
    admin = await guarded.by()
    hidden = (await admin.post("/apply", {"application": application(namespace="other")}))["taskId"]
    own = await admin.create(namespace="shop")
    eve = await guarded.by("eve", {"role": "viewer", "namespaces": ["shop"]})
    for path in ("/tasks", f"/applications/{own['id']}/workflow/tasks"):
        answers = [await eve.get(path, 400, after=task_id) for task_id in (hidden, "x" * len(hidden))]
        assert answers[0] == answers[1]
        assert await eve.get(path, after="1") == await eve.get(path, after=str(2**40))


@pytest.fixture
async def sizes(api: Api) -> dict[int, tuple[str, str]]:
    """By number of components: an application, and a task of it."""
    made = {}
    for count in (3, 40):
        parts = [
            {"name": f"web-{number}", "type": "webservice", "image": "web:1", "properties": {"ports": [{"port": 80}]}}
            for number in range(count)
        ]
        app = await api.create(name=f"app-{count}", component=parts)
        made[count] = app["id"], await _exec(api, app)
    return made


async def test_what_is_shown_of_many_components_takes_as_many_statements_as_of_few(
    api: Api, sizes: dict[int, tuple[str, str]]
) -> None:
    work = Work()
    work.watch_sqlite(api.db)
    executed: dict[int, list[dict[str, int]]] = {}
    for count, (app_id, task_id) in sizes.items():
        executed[count] = []
        for path in (
            f"/applications/{app_id}",
            f"/applications/{app_id}/components",
            f"/applications/{app_id}/workflows",
            f"/applications/{app_id}/workflow/tasks",
            f"/workflow/tasks/{task_id}/status",
            f"/workflow/tasks/{task_id}/stages",
            f"/workflow/tasks/{task_id}/resources",
        ):
            work.executed.clear()
            await api.get(path)
            executed[count].append(dict(work.executed))
    few, many = executed.values()
    assert few == many
    assert max(sum(statements.values()) for statements in few) <= 8


async def test_a_status_that_has_not_changed_is_not_sent_again(api: Api) -> None:
    """And each change is: of the task, of a job, of the journal."""
    app = await api.create()
    path = f"/workflow/tasks/{await _exec(api, app)}/status"
    assert "etag" not in (await api.http.get(f"{PREFIX}{path}")).headers, "how long it waits, other tasks say"
    async with api.db.begin("claim") as tx:
        [task] = await tasks.claim(tx, "w", 60, 3, 1)
        await tasks.start(tx, task.id, task.lease_epoch)
    row = journal.NewResource(seq=1, job_seq=1, ref=ObjectRef("Deployment", "default", "web"))
    known = ""
    for change in (
        lambda tx: tasks.promote(tx, task.id, 1),
        lambda tx: jobs.set_many(tx, task.id, [jobs.JobChange(1, JobStatus.RUNNING)]),
        lambda tx: journal.add(tx, task.id, [row]),
        lambda tx: tasks.finish(tx, task.id, task.lease_epoch, TaskStatus.COMPLETED, "", Cleanup.NONE),
    ):
        async with api.db.begin("change") as tx:
            await tasks.guard(tx, task.id, task.lease_epoch)
            await change(tx)
        answer = await api.http.get(f"{PREFIX}{path}", headers={"If-None-Match": known})
        assert answer.status_code == 200
        while "etag" not in answer.headers:
            answer = await api.http.get(f"{PREFIX}{path}")
        known = answer.headers["etag"]
        work = Work()
        work.watch_sqlite(api.db)
        unchanged = await api.http.get(f"{PREFIX}{path}", headers={"If-None-Match": known})
        assert (unchanged.status_code, unchanged.content) == (304, b"")
        assert sum("FROM tasks" in statement or "FROM jobs" in statement for statement in work.executed) == 1
