"""How far somebody is who follows a task, and what is next."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kubemin.client.replies import Event, Task

_ACTIVE = ("waiting", "queued", "running")
_UNSETTLED = ("pending", "running")


def is_settled(task: "Task") -> bool:
    """Nothing more happens to it by itself but, where its cleanup is ``incomplete``, a further try."""
    return task["status"] not in _ACTIVE and task["cleanup"]["state"] not in _UNSETTLED


class Following:
    """``seen`` is the last event that was taken in; None: those that are there already do not matter.

    ``complete``: no event may be missing at the end. Otherwise it is enough that the task is settled, so that a server
    which has no stream to give does not keep anybody waiting.
    """

    def __init__(self, after: int | None, *, complete: bool) -> None:
        self.seen = after or 0
        self._skips = after is None
        self._complete = complete
        self._ended = False

    def is_over(self, task: "Task") -> bool:
        """Take in how the task is now; whether nothing more is to come."""
        last = task.get("lastEventId")
        if last is not None and (self._skips or last < self.seen):  # fewer: the database is that of a backup
            self.seen = last
        self._skips = False
        if self._ended:
            return True
        return is_settled(task) and (not self._complete or last is None or self.seen >= last)

    def takes(self, event: "Event") -> bool:
        """Whether the event is new."""
        if event["id"] <= self.seen:
            return False
        self.seen = event["id"]
        self._ended = event["type"] == "end"
        return True
