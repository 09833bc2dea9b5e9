"""The rules of the design that can be switched off, to see why each is needed."""

from enum import Enum


class Rule(Enum):
    """One clause of the design; the value says what is done while it is on."""

    WRITE_AHEAD = "R1: a request's write token is committed before the request leaves"
    FENCED = "R1: each commit is fenced by the lease"
    TOKEN_DECIDES = "R2: the write token on the object decides what is ours, not the journal's row"
    TOKEN_BY_KUBEMIN = "R2: a write token counts only where managedFields gives it to kubemin"
    EVERY_WRITE_HAS_A_TOKEN = "R2: a change sets its write token, too"
    TERMINATING_WAITED_FOR = "R2: a terminating object is waited for, not changed"
    APPLY_WITH_UID = "R3: an apply carries the uid of the live object it is based on"
    APPLY_WITH_VERSION = "R3: an apply carries the resourceVersion of the live object it is based on"
    DELETE_WITH_VERSION = (
        "R4: a DELETE carries the resourceVersion, not only the uid, of the live object that had the token"
    )
    THREE_WAY = "R4: what somebody changed after us is kept"
    TOKEN_COMES_OFF = "R4: a restore takes our write token off"
    FORMER_TOKEN_BACK = "R4: a restore puts back the write token that was on the object before"
    MOVE_VERSION = "R4: the version is moved past an unanswered request before the last read"
    LANDED_RECORDED = "R6, R8: that a request has landed is committed before it is undone"
    LOST_STAYS_LOST = "R4: what is absent though we did not delete it is not made again"
    READERS_REPLACED = "R4: a Pod that started while the object was changed is replaced before the row is settled"
    GONE_MEANS_GONE = "R5: a deleted object is waited for until it is absent"
    FIRST_BEFORE_STANDS = "R2, R8: after an apply of ours the first `before` stands"
    TERMINAL_STAYS = "§3: a terminal status never changes again"
    REVISION_WITH_TASK = "§3: the state of a revision changes in the transaction that ends its task"
    TAKEOVER_FIRST = "§6: a takeover updates the task's row first, then reads the journal"
    ONE_TASK_AT_A_TIME = "§6: the next task starts when the former's cleanup is done, or incomplete and named"
    REAPER = "§6: an object with a write token of a task that did not complete reopens that task's cleanup"
    LEFTOVERS_TAKEN_OVER = (
        "§6, found here: what a task that did not complete left behind counts as made by who takes it over"
    )
    STRANGERS_REFUSED = "C: an object without this application's label is changed only where that was asked for (adopt)"
    LOOK_FIRST = "R3: only what is absent is created"
    LOOK_AGAIN = "R3: after any refusal of a POST the object is looked for before the task fails"
    RELEASED_NOT_DELETED = "R11: what a task adopted is released by a removal, and not deleted"
    RELEASE_LOOKED_AT = "R11: an object is released once a look shows that it has nothing of ours"
    RELEASE_WITH_VERSION = "R11: a release carries the resourceVersion of the live object that it is based on"
    RELEASE_WITH_UID = "R11: only the very object that was adopted is released"
    RELEASE_OURS_ONLY = "R11, found here: what has another application's label by now is not released"
    ROLLBACK_BEFORE_RELEASE = "R11, found here: what is still to be put back is left to the rollback, and not released"
    DATA_KEPT = "R11: a removal keeps volume claims, unless their deletion was asked for"
    OLDER_CLAIM_STAYS = "R6: a volume claim that was there before the write is kept by a rollback"
    USED_CLAIM_STAYS = "R6, found here: a volume claim that a task completed with is kept by every rollback"
    REAPER_KNOWS_UIDS = "§6, found here: an object that a completed task's journal does not know the uid of is removed"


ALL = frozenset(Rule)
"""The design."""
