"""A run that is begun by `deploy`: what its block knows, and what is to be done as the block is left."""

from enum import Enum
from typing import TYPE_CHECKING

from kubemin.client.patience import Patience
from kubemin.client.result import Result

if TYPE_CHECKING:
    from kubemin.client.replies import Applied, FieldError

_REASON_LENGTH = 200


class Leaving(Enum):
    """What is to be done as a block is left."""

    NOTHING = "nothing"
    WAIT = "wait"
    STOP = "stop"


class Begun:
    """What both kinds of run have in common. ``result`` is there once the end was waited for."""

    def __init__(self, made: "Applied", patience: Patience) -> None:
        self.made = made
        self.result: Result | None = None
        self._patience = patience
        self._detached = False
        self._reads = False

    @property
    def task_id(self) -> str:
        """The task that brings the revision."""
        return self.made["taskId"]

    @property
    def app_id(self) -> str:
        """The application."""
        return self.made["appId"]

    @property
    def revision(self) -> int:
        """The number of the revision."""
        return self.made["revision"]

    @property
    def warnings(self) -> "list[FieldError]":
        """What of the application is allowed, and probably not meant."""
        return self.made["warnings"]

    def detach(self) -> None:
        """Let it go on by itself, however the block is left."""
        self._detached = True

    def leaving(self, error: BaseException | None) -> Leaving:
        """What is to be done as the block is left by this error, or by none.

        Whoever stopped to read `events` before their end, and did not wait either, has left early too.
        """
        if self._detached or self.result is not None:
            return Leaving.NOTHING
        return Leaving.STOP if error is not None or self._reads else Leaving.WAIT


def why_stopped(error: BaseException | None) -> str:
    """The reason of a cancel, for people."""
    if error is None:
        return "its events were read no further"
    said = " ".join(str(error).split())
    text = f"its block was left: {type(error).__name__}" + (f": {said}" if said else "")
    return "".join(char for char in text if char.isprintable())[:_REASON_LENGTH]


def not_stopped(task: str, why: Exception) -> str:
    """A note on the error that left the block."""
    return f"{task} may go on: it could not be cancelled ({why})"
