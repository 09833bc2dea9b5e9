"""The task table: the queue and the truth."""

from kubemin.store.tasks.lease import claim_next, guard, release, renew
from kubemin.store.tasks.reads import (
    LeaseStatus,
    active_of,
    brief,
    by_idempotency_key,
    get,
    latest_of_workflows,
    lock_application,
    page,
    statuses,
    under_way,
)
from kubemin.store.tasks.record import NewTask, Task
from kubemin.store.tasks.record import insert_task as insert
from kubemin.store.tasks.tally import Tally, tally
from kubemin.store.tasks.transitions import (
    cancel,
    finish,
    reopen_cleanup,
    retry_cleanup_now,
    set_cleanup,
    start,
    update_plan,
)

__all__ = [
    "LeaseStatus",
    "NewTask",
    "Tally",
    "Task",
    "active_of",
    "brief",
    "by_idempotency_key",
    "cancel",
    "claim_next",
    "finish",
    "get",
    "guard",
    "insert",
    "latest_of_workflows",
    "lock_application",
    "page",
    "release",
    "renew",
    "reopen_cleanup",
    "retry_cleanup_now",
    "set_cleanup",
    "start",
    "statuses",
    "tally",
    "under_way",
    "update_plan",
]
