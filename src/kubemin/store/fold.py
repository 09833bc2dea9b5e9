"""What an application has, told from its journal rows alone: the newest of each object. Pure."""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import takewhile
from typing import NamedTuple, Protocol, TypeVar

from kubemin.spec.objects import ObjectRef
from kubemin.spec.states import Cleanup, Purpose, ResourceState, TaskStatus
from kubemin.store.transaction import load

PVC = "PersistentVolumeClaim"
_SETTLED = (Cleanup.NONE, Cleanup.DONE, Cleanup.ABANDONED)


class Origin(NamedTuple):
    """The journal row that shows an object as it was before the application had it."""

    task_id: str
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """An object that the application has.

    ``adopted``: the row of the task that took it over, where it was a stranger's; None where it is the application's
    own. That is what its tasks made, and what had its label before a task changed it: its database was lost.
    ``kept``: it holds data, and a former task has named it as kept. ``template``: a StatefulSet's controller made it.
    ``priority``: its place in the order, where that is not its kind's. ``by``: the task and job that brought it last.
    """

    ref: ObjectRef
    uid: str
    dependents: dict[str, list[str]]
    adopted: Origin | None = None
    kept: bool = False
    template: bool = False
    priority: int | None = None
    by: tuple[str, int] | None = field(default=None, compare=False)


class JournalRow(Protocol):
    """What is read of a journal row, and of its task."""

    task_seq: int
    status: str
    cleanup: str
    task_id: str
    seq: int
    job_seq: int
    api_version: str
    kind: str
    namespace: str
    name: str
    purpose: str
    state: str
    uid: str | None
    dependents: str | None
    adopted: bool | None
    priority: int | None
    was_there: bool
    """The row has the object as it was before."""


R = TypeVar("R", bound=JournalRow)


@dataclass
class Fold:
    """What an application has, as far as its rows were taken in, in order."""

    app_id: str
    ending: str | None = None
    _held: dict[str, Holding] = field(default_factory=dict)
    _uids: dict[ObjectRef, str] = field(default_factory=dict)
    """Of what is held: a name has one object at a time."""
    _strangers: dict[str, Origin] = field(default_factory=dict)

    @property
    def holdings(self) -> list[Holding]:
        """Each object, in the order in which the rows named them last."""
        return list(self._held.values())

    def of(self, uid: str | None) -> tuple[Holding | None, Origin | None]:
        """All that rows to come ask of an object."""
        return self._held.get(str(uid)), self._strangers.get(str(uid))

    def take(self, row: JournalRow) -> None:
        """Take the next row in."""
        if not self._counts(row):
            return
        uid = str(row.uid)
        if row.adopted:
            self._strangers[uid] = Origin(row.task_id, row.seq)
        completed = row.status == TaskStatus.COMPLETED or row.task_id == self.ending
        after = _after(self._held.get(uid), row, self.app_id, self._strangers.get(uid), completed=completed)
        self._drop(uid)  # what comes last is newest
        if after is not None:
            if row.purpose == Purpose.APPLY:
                after = replace(after, by=(row.task_id, row.job_seq))
            self._drop(self._uids.get(after.ref))  # of its name: the former object is gone
            self._held[uid] = after
            self._uids[after.ref] = uid

    def _drop(self, uid: str | None) -> None:
        former = None if uid is None else self._held.pop(uid, None)
        if former is not None:
            del self._uids[former.ref]

    def _counts(self, row: JournalRow) -> bool:
        """Whether the row says anything of what the application has."""
        state = row.state
        if row.purpose == Purpose.HAND_OVER and passed_to(row) == self.app_id:
            return True
        if row.uid is None or not is_ended(row, self.ending):
            return False
        match Purpose(row.purpose):
            case Purpose.APPLY:
                if takes_over(row):  # what it put back is the other application's again
                    return state in (ResourceState.CREATED, ResourceState.CHANGED, ResourceState.KEPT)
                return row.adopted is not None or state in (ResourceState.CREATED, ResourceState.CHANGED)
            case Purpose.REMOVE:
                return state in (ResourceState.DELETED, ResourceState.KEPT)
            case Purpose.RELEASE | Purpose.HAND_OVER:
                return state == ResourceState.RELEASED
            case Purpose.USE:
                return False


def fold(rows: Iterable[JournalRow], app_id: str, ending: str | None = None) -> Fold:
    """What the application has after these rows."""
    state = Fold(app_id, ending)
    for row in sorted(rows, key=partial(_order, app_id)):
        state.take(row)
    return state


def told(own: Iterable[R], passed: Iterable[R], app_id: str, ending: str | None = None) -> list[R]:
    """Those of an application's rows without which `fold` comes to the same now, and with all rows that come later.

    ``passed``: rows of other applications that the fold takes in. A row that may change yet is not told, nor is what
    comes after it; and the last row of an object that is used says who uses it, until the use has ended.
    """
    by_ref: dict[tuple[str, str, str], list[R]] = {}
    theirs = {(row.task_id, row.seq) for row in passed}
    for row in sorted([*own, *passed], key=partial(_order, app_id)):
        by_ref.setdefault((row.kind, row.namespace, row.name), []).append(row)
    found: list[R] = []
    for rows in by_ref.values():
        sure = list(takewhile(partial(_is_final, ending=ending), rows))
        if not sure:
            continue
        is_passed = any((row.task_id, row.seq) in theirs for row in rows)
        uses = [row for row in rows if row.purpose == Purpose.USE]
        if not is_passed:  # nor will it be, to whom does without it
            found += [row for row in sure if row in uses and row.state == ResourceState.RELEASED]
            uses = [row for row in uses if row.state != ResourceState.RELEASED]
        found += _used_since([row for row in sure if row in uses])
        if not uses or is_passed:
            # By the newest row of what was passed on, that is found.
            newest = {row.uid: row for row in sure if row.purpose == Purpose.APPLY and may_be_passed(row)}
            links = [newest.get(row.uid) for row in rows if (row.task_id, row.seq) in theirs]
            others = [row for row in sure if row.purpose != Purpose.USE]
            found += [row for row in _without_effect(others, app_id) if row not in links]
    return [row for row in found if (row.task_id, row.seq) not in theirs]


def _used_since(rows: Sequence[R]) -> list[R]:
    """The rows of uses that a later task, which completed, has had again."""
    found: list[R] = []
    again: set[str | None] = set()
    for row in reversed(rows):
        if row.uid in again:
            found.append(row)
        elif row.status == TaskStatus.COMPLETED and row.state != ResourceState.RELEASED:
            again.add(row.uid)
    return found


def _without_effect(rows: Sequence[R], app_id: str) -> list[R]:
    """Of the rows about the objects of one name, all final: those that change nothing, and those of objects gone."""
    state = Fold(app_id)
    found: list[R] = []
    left: list[R] = []
    for row in rows:
        before = state.of(row.uid)
        state.take(row)
        is_idle = state.of(row.uid) == before and row.purpose != Purpose.HAND_OVER
        (found if is_idle else left).append(row)
    passing = {row.uid for row in rows if row.purpose == Purpose.HAND_OVER}
    gone = [row for row in left if state.of(row.uid) == (None, None) and row.uid not in passing]
    alone = fold([row for row in left if row not in gone], app_id)
    return [*found, *gone] if all(alone.of(row.uid) == state.of(row.uid) for row in rows) else found


def _order(app_id: str, row: JournalRow) -> tuple[int, int]:
    """Where a row stands in what became of the application.

    What passes to it comes with the task by which it uses the object: it lets go of that later, whoever was first to
    begin. If that is still under way it comes first in it, as the task lets go of it itself where it does not complete.
    """
    to = load(row.dependents) if row.purpose == Purpose.HAND_OVER and row.dependents is not None else {}
    if receiver(to) == app_id and to.get(_WITH):
        return int(to[_WITH][0]), _LAST if len(to[_WITH]) > 1 else 0
    return row.task_seq, row.seq


def is_ended(row: JournalRow, ending: str | None) -> bool:
    return row.task_id == ending or TaskStatus(row.status).ended


def _is_final(row: JournalRow, ending: str | None) -> bool:
    """Whether nothing changes the row any more, but for a cleanup that begins anew (`tell_again`)."""
    ended = row.task_id != ending and TaskStatus(row.status).ended and Cleanup(row.cleanup) in _SETTLED
    return ended and not (row.purpose == Purpose.HAND_OVER and row.state == ResourceState.INTENT)


def receiver(dependents: dict[str, list[str]]) -> str:
    """The id of the application that a row of purpose ``hand-over`` passes its object to."""
    return (dependents.get(_TO) or [""])[0]


def handed_to(app_id: str, task_seq: int | None = None, *, completed: bool = True) -> dict[str, list[str]]:
    """What such a row keeps of its receiver, and of the task by which that uses the object."""
    if task_seq is None:
        return {_TO: [app_id]}
    return {_TO: [app_id], _WITH: [str(task_seq), *(["completed"] if completed else [])]}


def kept_at(origin: Origin) -> dict[str, list[str]]:
    """What a row of purpose ``release`` keeps of the row that has its object's labels, where that does not open now."""
    return {_AT: [origin.task_id, str(origin.seq)]}


def origin_of(dependents: dict[str, list[str]]) -> Origin | None:
    """The row that `kept_at` was given."""
    match dependents.get(_AT):
        case [task_id, seq]:
            return Origin(task_id, int(seq))
    return None


_TO = "application"
_WITH = "task"
_LAST = sys.maxsize
_AT = "before"


def takes_over(row: JournalRow) -> bool:
    """Whether its task has written over what another application shares, which may have it still."""
    return row.purpose == Purpose.APPLY and row.adopted is None and row.was_there


def may_be_passed(row: JournalRow) -> bool:
    """Whether what others pass on may be the row's object: it was another's, or is."""
    return row.purpose == Purpose.USE or takes_over(row) or (row.purpose == Purpose.APPLY and bool(row.adopted))


def passed_to(row: JournalRow) -> str:
    return receiver({} if row.dependents is None else load(row.dependents))


def _after(
    held: Holding | None, row: JournalRow, app_id: str, stranger: Origin | None, *, completed: bool
) -> Holding | None:
    """What the application has of an object once a row of its history is taken in.

    ``stranger``: the row that shows it as a stranger's, where there is one. ``completed``: the row's task.
    """
    ref = ObjectRef.stored(row.kind, row.namespace, row.name, row.api_version)
    dependents = {} if row.dependents is None else load(row.dependents)
    new = Holding(ref=ref, uid=str(row.uid), dependents=dependents, priority=row.priority)
    if row.purpose == Purpose.HAND_OVER:
        if passed_to(row) != app_id:
            return None
        return replace(held or replace(new, dependents={}), adopted=stranger)
    if row.purpose == Purpose.APPLY:
        if row.state == ResourceState.CREATED:
            return new
        return _after_change(held, new, row, stranger, completed=completed)
    if row.state != ResourceState.KEPT:
        return None
    if ref.kind != PVC:
        return held
    return replace(held or replace(new, dependents={}, template=True), kept=True)


def _after_change(
    held: Holding | None, new: Holding, row: JournalRow, stranger: Origin | None, *, completed: bool
) -> Holding | None:
    """The same after a row of an object that was there before; ``new`` is what the row alone would say."""
    if held and completed and row.state == ResourceState.OBSERVED and row.adopted is False:
        return replace(held, kept=False, priority=new.priority)  # it was what it is to be, and was not written
    own = replace(new, dependents={kind: [] for kind in new.dependents})  # what its controller had made is ours too
    # Another's, which still may have what was written.
    left = row.state == ResourceState.KEPT and row.adopted is not False
    if row.state != ResourceState.CHANGED and not left:  # it is as it was, or was left as it is
        gone = row.state in (ResourceState.DELETED, ResourceState.LOST)
        return held if held or stranger or gone else own
    if held:
        return replace(held, kept=False, priority=new.priority)
    return replace(new, adopted=stranger) if stranger else own
