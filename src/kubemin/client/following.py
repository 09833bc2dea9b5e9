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
    """``seen`` is the last event that was taken in; None: only the end matters, and no event.

    ``complete``: no event may be missing. Without it whoever follows a settled task asks for what is missing once more,
    so that a server which has no stream to give keeps nobody waiting.
    """

    def __init__(self, after: int | None, *, complete: bool) -> None:
        self.seen = after or 0
        self._ends_at_once = after is None
        self._complete = complete
        self._asked_again = False
        self._ended = False

    def is_over(self, task: "Task") -> bool:
        """Take in how the task is now; whether nothing more is to come."""
        last = task.get("lastEventId", self.seen)
        if self._ends_at_once or last < self.seen:  # fewer events: the database is that of a backup
            self.seen = last
        if self._ended or not is_settled(task):
            return self._ended
        over = self.seen >= last or (self._asked_again and not self._complete)
        self._asked_again = True
        return over

    def takes(self, event: "Event") -> bool:
        """Whether the event is new."""
        if event["id"] <= self.seen:
            return False
        self.seen = event["id"]
        self._ended = event["type"] == "end"
        return True
