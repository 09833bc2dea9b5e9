"""Who works on what, what waits, and which cleanups need somebody."""

from kubemin.spec.states import Cleanup, TaskStatus
from kubemin.store import tasks
from tests.api.conftest import Api, application


async def test_each_task_is_seen_where_it_is(api: Api) -> None:
    assert await api.get("/operations") | {"now": ""} == {
        "now": "",
        "workers": [],
        "queues": [],
        "incomplete": [],
        "incompleteTotal": 0,
    }
    for name in ("one", "two", "three"):
        await api.post("/apply", {"application": application(name=name, namespace="shops")})
    async with api.db.begin("work") as tx:
        undone = await tasks.claim_next(tx, "first", 60, 3)
        assert undone is not None
        assert await tasks.start(tx, undone.id, undone.lease_epoch)
        assert await tasks.finish(tx, undone.id, undone.lease_epoch, TaskStatus.FAILED, "no", Cleanup.PENDING)
        assert await tasks.set_cleanup(tx, undone.id, undone.lease_epoch, Cleanup.INCOMPLETE, "one is left")
        held = await tasks.claim_next(tx, "second", 0, 3)
        assert held is not None
    found = await api.get("/operations")
    assert [(one["worker"], one["tasks"], one["expired"]) for one in found["workers"]] == [("second", 1, 1)]
    assert [(one["namespace"], one["tasks"]) for one in found["queues"]] == [("shops", 1)]
    assert found["incompleteTotal"] == 1
    assert [(one["taskId"], one["name"], one["why"]) for one in found["incomplete"]] == [
        (undone.id, "one", "one is left")
    ]
