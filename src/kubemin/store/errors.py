"""What can go wrong with the database. No exception of SQLAlchemy or a driver leaves this room.

Unless an error says otherwise, its transaction has changed nothing: it was, or will be, rolled back.
"""

from typing import ClassVar


class StoreError(Exception):
    """The database refused or failed. ``retryable``: the same transaction, begun anew, may well succeed."""

    retryable: ClassVar[bool] = False


class BadUrl(StoreError):
    """The database URL cannot be used, or its driver is not installed."""


class Locked(StoreError):
    """Another transaction held a lock for too long."""

    retryable = True


class Deadlock(Locked):
    """This transaction was ended, as two waited for each other. Begun anew, it need not wait."""


class Full(StoreError):
    """No space is left for the database."""


class Unavailable(StoreError):
    """The database cannot be reached, is shutting down, or did not answer in time."""

    retryable = True


class AccessDenied(Unavailable):
    """The server is there, and refuses this user or does not know this database. Others may mend that meanwhile."""


class CommitUnknown(StoreError):
    """COMMIT was sent and its answer lost: all of the transaction is stored, or nothing. Read back to learn which."""


class SchemaOutdated(StoreError):
    """The schema does not fit this version of KubeMin; the message says what to do."""


class Unstorable(StoreError):
    """A value does not fit its column."""


class Unreadable(StoreError):
    """A stored value cannot be opened: its key is missing or another one, or the value was changed.

    ``lacking``: the id of the key, where this process has not got it; others may have.
    """

    def __init__(self, message: str, lacking: str | None = None) -> None:
        super().__init__(message)
        self.lacking = lacking


class KeyInUse(StoreError):
    """Others seal with a key that this process has not got: it stores no secret in plain text beside them."""

    def __init__(self, key_id: str) -> None:
        super().__init__(f'the encryption key "{key_id}" is in use and not given to this process: nothing was stored')


class UnreadableTask(Unreadable):
    """A task that a claim would have taken cannot be opened; nothing was taken."""

    def __init__(self, task_id: str, seq: int, why: Unreadable) -> None:
        super().__init__(f"task {task_id} cannot be read: {why}", why.lacking)
        self.seq = seq


class Duplicate(StoreError):
    """A unique constraint is violated. ``constraint`` is its name in :mod:`kubemin.store.tables`."""

    def __init__(self, constraint: str) -> None:
        super().__init__(f"the database has such a row already ({constraint})")
        self.constraint = constraint


class LeaseLost(StoreError):
    """The task is no longer ours: its lease expired, or another worker took it over. Touch nothing more."""

    def __init__(self, task_id: str, epoch: int) -> None:
        super().__init__(f"the lease of task {task_id} with epoch {epoch} is lost")
        self.task_id = task_id
        self.epoch = epoch
