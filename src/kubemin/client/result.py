"""How a task ended."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from kubemin.client.errors import NotCompleted

if TYPE_CHECKING:
    from kubemin.client.replies import Remaining, Task
    from kubemin.client.replies.states import CleanupState, TaskState


@dataclass(frozen=True)
class Result:
    """A settled task. ``task`` is all that the server says of it."""

    task: "Task"

    @property
    def task_id(self) -> str:
        """Its id."""
        return self.task["taskId"]

    @property
    def status(self) -> "TaskState":
        """``completed``, ``failed``, ``timeout``, ``cancelled`` or ``reject``."""
        return self.task["status"]

    @property
    def completed(self) -> bool:
        """Whether the application is deployed as it was asked for."""
        return self.status == "completed"

    @property
    def reason(self) -> str:
        """Why it ended so, for people; empty where it is completed."""
        return self.task["reason"]

    @property
    def reason_code(self) -> str | None:
        """Why it failed, for programs (docs/api.md, "Why a task failed")."""
        return self.task.get("reasonCode")

    @property
    def cleanup(self) -> "CleanupState":
        """``done``: the cluster is as it was, but for the `exceptions`. ``none``: nothing was to be put back.

        ``incomplete``: `remaining` is still to be put back, and is tried again. ``abandoned``: it stays.
        """
        return self.task["cleanup"]["state"]

    @property
    def remaining(self) -> "list[Remaining]":
        """Objects that are still to be put back, each with why it is not."""
        return self.task["cleanup"]["remaining"]

    @property
    def exceptions(self) -> "list[Remaining]":
        """Objects that are not as they were although the cleanup is done, each with why."""
        return self.task["cleanup"]["exceptions"]

    def check(self) -> Self:
        """Itself, if it is completed. Raises `NotCompleted` otherwise."""
        if not self.completed:
            said = f"task {self.task_id} {self.status}: {self.reason}; cleanup {self.cleanup}"
            raise NotCompleted(said, self)
        return self
