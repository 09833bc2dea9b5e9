"""The table of tasks. It is the queue, and what it says of a task is what counts."""

from kubemin.store.tasks.counts import TaskCounts, count_tasks
from kubemin.store.tasks.lease import claim, claim_next, guard, release, renew
from kubemin.store.tasks.reads import (
    LeaseStatus,
    active_of,
    beginning_with,
    brief,
    by_idempotency_key,
    get,
    latest_of_workflows,
    lock_application,
    page,
    promoted_hold,
    seq_of,
    statuses,
    under_way,
)
from kubemin.store.tasks.record import NewTask, Task, forget_idempotency_keys, set_spec
from kubemin.store.tasks.record import insert_task as insert
from kubemin.store.tasks.transitions import (
    abandon_cleanup,
    cancel,
    finish,
    lock_running,
    promote,
    reopen_cleanup,
    retry_cleanup_now,
    set_cleanup,
    start,
)

__all__ = [
    "LeaseStatus",
    "NewTask",
    "Task",
    "TaskCounts",
    "abandon_cleanup",
    "active_of",
    "beginning_with",
    "brief",
    "by_idempotency_key",
    "cancel",
    "claim",
    "claim_next",
    "count_tasks",
    "finish",
    "forget_idempotency_keys",
    "get",
    "guard",
    "insert",
    "latest_of_workflows",
    "lock_application",
    "lock_running",
    "page",
    "promote",
    "promoted_hold",
    "release",
    "renew",
    "reopen_cleanup",
    "retry_cleanup_now",
    "seq_of",
    "set_cleanup",
    "set_spec",
    "start",
    "statuses",
    "under_way",
]
