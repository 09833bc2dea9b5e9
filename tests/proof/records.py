"""What tasks left in the database; of those that it has forgotten, what it had said before."""

from collections.abc import Collection
from dataclasses import dataclass, field

from kubemin.store import Database, holdings, jobs, journal, retention, tasks
from kubemin.store.jobs import JobRow
from kubemin.store.journal import ResourceRow
from kubemin.store.tasks import Task


@dataclass
class Records:
    """By task id."""

    db: Database
    forgotten: dict[str, tuple[Task, list[ResourceRow], list[JobRow]]] = field(default_factory=dict)

    async def task(self, task_id: str) -> Task:
        """The task itself."""
        return (await self._read(task_id))[0]

    async def rows(self, task_id: str) -> list[ResourceRow]:
        """Its journal."""
        return (await self._read(task_id))[1]

    async def jobs(self, task_id: str) -> list[JobRow]:
        """Its jobs, and the pauses of its workflow."""
        return (await self._read(task_id))[2]

    async def forget(self, task_ids: Collection[str]) -> int:
        """Have the database forget all that may be of these tasks, however new they are; how many.

        All journal rows that tell nothing more are told first, however few.
        """
        for app_id in sorted({(await self.task(task_id)).app_id for task_id in task_ids}):
            async with self.db.begin("told") as tx:
                await tasks.lock_application(tx, app_id)
                await holdings.tell_no_more(tx, app_id)
        forgotten: int = 0
        after: int | None = 0
        while after is not None:
            async with self.db.read() as tx:
                page = await retention.page(tx, 0, after)
            for one in page.old:
                self.forgotten[one.id] = await self._read(one.id)
                async with self.db.begin("forget") as tx:
                    gone = await retention.forget(tx, [one])
                if not gone:
                    del self.forgotten[one.id]
                forgotten += gone
            after = page.last
        return forgotten

    async def _read(self, task_id: str) -> tuple[Task, list[ResourceRow], list[JobRow]]:
        if task_id in self.forgotten:
            return self.forgotten[task_id]
        async with self.db.read() as tx:
            task = await tasks.get(tx, task_id)
            assert task is not None, f"the task {task_id} is gone"
            return task, await journal.of_task(tx, task_id), await jobs.of_task(tx, task_id)
