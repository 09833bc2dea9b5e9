"""The engine's errors: what a job may raise, and what the service tells its callers."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from kubemin.spec.objects import ObjectRef
from kubemin.spec.reason_codes import ReasonCode
from kubemin.spec.states import Cleanup, CleanupPolicy, TaskStatus
from kubemin.store.shares import User


class EngineError(Exception):
    """Root of the engine's errors."""


class StatusError(EngineError):
    """An error that says which status the task ends in.

    ``status`` is ``failed`` or ``timeout``; ``cause`` is a sentence for the person who reads the task, ``code`` says
    the same to a program.
    """

    def __init__(self, status: TaskStatus, cause: str, code: ReasonCode) -> None:
        super().__init__(cause)
        self.status = status
        self.cause = cause
        self.code = code


class JobFailed(StatusError):
    """The job cannot succeed, and trying again would not help: the task is ``failed``."""

    def __init__(self, cause: str, code: ReasonCode = ReasonCode.INVALID) -> None:
        super().__init__(TaskStatus.FAILED, cause, code)


class TimedOut(StatusError):
    """The time given to a job or to the task is over: the task is ``timeout``."""

    def __init__(self, cause: str, code: ReasonCode = ReasonCode.TIMEOUT) -> None:
        super().__init__(TaskStatus.TIMEOUT, cause, code)


def deciding(error: BaseException) -> BaseException:
    """Of several errors at once the one that decides: that the task is not ours any more, else what a job says."""
    while isinstance(error, BaseExceptionGroup):
        error = min(error.exceptions, key=lambda one: (not isinstance(one, Stopped), not isinstance(one, StatusError)))
    return error


@contextmanager
def without_group(kind: type[Exception]) -> Iterator[None]:
    """Where tasks side by side failed with errors of this kind only, the first of these is raised instead of a group.

    ``except*`` does the same in later versions of Python; in 3.11.2, Debian 12's, what it raises is in a group again.
    """
    try:
        yield
    except ExceptionGroup as group:
        mine, others = group.split(kind)
        if mine is None or others is not None:
            raise
        raise deciding(mine) from None


class Stopped(EngineError):
    """This process no longer holds the task (lease lost, or a shutdown): it touches nothing more."""


class StillThere(EngineError):
    """A cleanup could not settle a resource yet; the reaper tries again."""

    def __init__(self, ref: ObjectRef, why: str) -> None:
        super().__init__(f"{ref}: {why}")
        self.ref = ref
        self.why = why


class OutOfTurn(EngineError):
    """The live object shows that a row has to be settled in another turn of the cleanup; the row says in which."""


class IsThere(EngineError):
    """An object that is only made where there is none is there: it is used as it is.

    ``warnings``: what a person might not expect of it.
    """

    def __init__(self, *warnings: str) -> None:
        super().__init__("is there already: used as it is")
        self.warnings = warnings


class InUse(EngineError):
    """An object that is to be deleted stays, because other applications use it."""

    def __init__(self, users: Sequence[User]) -> None:
        super().__init__(f"{', '.join(user.app_name for user in users)} {'use' if len(users) > 1 else 'uses'} it")
        self.users = users


class NotFoundError(EngineError):
    """What the request names does not exist. ``what`` is application, workflow or task."""

    what = "thing"

    def __init__(self, name: str, near: Sequence[str] = (), said: str = "does not exist") -> None:
        """``near``: those that may have been meant; ``said``: what is wrong with the name."""
        hint = f"; there is {', '.join(near)}" if near else ""
        super().__init__(f"{self.what} {name[:100]!r} {said}{hint}")
        self.name = name
        self.near = tuple(near)


class AppNotFound(NotFoundError):
    """No such application."""

    what = "application"


class WorkflowNotFound(NotFoundError):
    """No such workflow in this application."""

    what = "workflow"


class TaskElsewhere(WorkflowNotFound):
    """The task is another application's."""

    def __init__(self, task_id: str, app_id: str) -> None:
        super().__init__(task_id)
        self.args = (f"task {task_id} is not one of application {app_id}: name the application that it belongs to",)


class TaskNotFound(NotFoundError):
    """No such task."""

    what = "task"


class RevisionNotFound(NotFoundError):
    """No such revision of the application, or none that is kept."""

    what = "revision"


class NeverDeployed(EngineError):
    """The cluster has nothing of the application that could be started again."""

    def __init__(self, name: str) -> None:
        super().__init__(f"nothing of application {name} is deployed")


class TaskEnded(EngineError):
    """The task ended before what is asked could be done."""

    def __init__(self, task_id: str, status: TaskStatus, left: str = "there is nothing left to cancel") -> None:
        super().__init__(f"task {task_id} has already ended as {status}: {left}")
        self.task_id = task_id
        self.status = status


class CancelledOtherwise(EngineError):
    """The task is cancelled already, and that cancel asked for another cleanup."""

    def __init__(self, task_id: str, policy: CleanupPolicy) -> None:
        super().__init__(f"task {task_id} is cancelled already, with cleanup {policy}: that does not change any more")


class NotHeld(EngineError):
    """The task waits for no promote."""

    def __init__(self, task_id: str, why: str) -> None:
        super().__init__(f"task {task_id} does not wait for promote: {why}")


class NotIncomplete(EngineError):
    """Only a cleanup that is incomplete can be abandoned."""

    def __init__(self, task_id: str, cleanup: Cleanup) -> None:
        again = ": it is tried just now; wait until it is incomplete" if cleanup is Cleanup.RUNNING else ""
        super().__init__(f"the cleanup of task {task_id} is {cleanup}, and not incomplete{again}")


class TaskActive(EngineError):
    """Another task of the application is active."""

    def __init__(self, task_id: str) -> None:
        super().__init__(f"task {task_id} of this application is still active")
        self.task_id = task_id


class AppChanged(EngineError):
    """Each time that the run was computed, the application had been saved meanwhile."""

    def __init__(self, app_id: str) -> None:
        super().__init__(f"application {app_id} changed meanwhile: try again")


class PlanChanged(EngineError):
    """The run is no longer what its preview showed; ``changes`` say what is otherwise."""

    def __init__(self, changes: Sequence[str]) -> None:
        super().__init__(f"this is no longer what was planned: {'; '.join(changes)}")
        self.changes = tuple(changes)


class KeyReused(EngineError):
    """The Idempotency-Key was used before, with another body."""

    def __init__(self, key: str) -> None:
        super().__init__(f"Idempotency-Key {key!r} was already used for another request")


class SignalFailed(EngineError):
    """The cancel is recorded, but the signal to the worker failed; the worker finds it in the database."""

    def __init__(self, task_id: str, why: str) -> None:
        super().__init__(
            f"the cancel of task {task_id} is recorded, but the signal failed ({why}); "
            "its worker reads it from the database within seconds"
        )
        self.task_id = task_id


class Busy(EngineError):
    """Too many long computations wait already."""

    def __init__(self) -> None:
        super().__init__("the server checks too many large requests just now: nothing was stored, try again")


class BusyForCaller(EngineError):
    """As many long computations of this caller wait already as may be."""

    def __init__(self, caller: str, most: int) -> None:
        super().__init__(
            f"the server checks {most} large requests of {caller} just now: nothing was stored, "
            "try again when one is done"
        )
