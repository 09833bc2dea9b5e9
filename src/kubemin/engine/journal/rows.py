"""The journal of a task in memory: a row for each object that it touches, and in it the requests about that object."""

from dataclasses import dataclass, field, fields
from typing import Self

from kubemin.engine.objects.ownership import applied_view
from kubemin.spec.events import ResourceEvent
from kubemin.spec.kinds import written
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.states import Purpose, ResourceState, WriteKind
from kubemin.spec.write_answer import WriteAnswer
from kubemin.store import journal


@dataclass
class Write:
    """One request that may change an object. ``answer`` is None while nothing is known of it.

    ``job_seq``: the job that sent it. Jobs of later stages may write an object again.
    """

    token: str
    kind: WriteKind
    job_seq: int
    base_version: str | None = None
    answer: WriteAnswer | None = None

    @property
    def open(self) -> bool:
        """The request may still land."""
        return self.answer is None

    @property
    def may_have_written(self) -> bool:
        """The request has done something, or may have."""
        return self.answer is None or self.answer.wrote


@dataclass
class Resource:
    """One object that the task touches; see `Purpose`. ``seq`` is 0 until the row is recorded.

    An object that several jobs write, one after the other, has one row, which the first of them made (``job_seq``): it
    is undone in one piece. ``before`` is then what the object would be without this task (`CleanupTracker.change`).
    ``adopted``: the object was a stranger's when this task first changed it; None where it was not there before.
    ``made_at``: the creationTimestamp of the object that this task made. ``priority``: its place in the order, where
    that is not its kind's. ``unreadable``: why what is stored of it cannot be opened, by field; that is then None here.
    """

    seq: int
    job_seq: int
    ref: ObjectRef
    purpose: Purpose = Purpose.APPLY
    state: ResourceState = ResourceState.INTENT
    uid: str | None = None
    before: Manifest | None = None
    applied: Manifest | None = None
    dependents: dict[str, list[str]] = field(default_factory=dict)
    why: str = ""
    adopted: bool | None = None
    made_at: str | None = None
    priority: int | None = None
    writes: dict[str, Write] = field(default_factory=dict)
    """By token."""
    unreadable: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of_row(cls, row: journal.ResourceRow) -> Self:
        """A stored row, still without its requests."""
        stored = {name: getattr(row, name) for name in _STORED}
        return cls(**{**stored, "dependents": row.dependents or {}}, unreadable=dict(row.unreadable))

    def to_row(self) -> journal.NewResource:
        """The row to store."""
        return journal.NewResource(**{name: getattr(self, name) for name in _STORED})

    def to_event(self) -> ResourceEvent:
        """What is told of the row as it is now."""
        ref = self.ref
        return ResourceEvent(
            seq=self.seq,
            job=self.job_seq,
            purpose=self.purpose,
            kind=ref.kind,
            namespace=ref.namespace,
            name=ref.name,
            state=self.state,
            why=self.why,
        )

    @property
    def key(self) -> tuple[ObjectRef, int, Purpose]:
        """What tells a task's rows apart."""
        return key_of(self.ref, self.job_seq, self.purpose)

    @property
    def place(self) -> int:
        """When its turn comes in a deploy: smaller is earlier."""
        return written(self.ref.kind).priority if self.priority is None else self.priority

    @property
    def was_there(self) -> bool:
        """The object was there before this task's first change of it, and is to be put back."""
        return journal.was_there(self.before, self.unreadable, self.state)

    @property
    def may_be_passed(self) -> bool:
        """Others may pass the object to the application for this run: it uses it, or wrote over what is theirs."""
        return self.purpose is Purpose.USE or (self.was_there and self.adopted is not False)

    @property
    def may_still_create(self) -> bool:
        """A create of ours may still land."""
        return any(write.kind is WriteKind.CREATE and write.open for write in self.writes.values())

    @property
    def touched(self) -> bool:
        """A request of ours changed the object, or may have."""
        return any(write.kind is not WriteKind.DELETE and write.may_have_written for write in self.writes.values())

    def view_of(self, live: Manifest) -> Manifest:
        """What our unanswered write made of the object, told from the object as it is later."""
        return applied_view(self.applied or self.before or live, live)

    @property
    def letting_go(self) -> bool:
        """A request of ours deleted or released the object, or may have."""
        kinds = (WriteKind.DELETE, WriteKind.RELEASE)
        return any(write.kind in kinds and write.may_have_written for write in self.writes.values())


def key_of(ref: ObjectRef, job_seq: int, purpose: Purpose) -> tuple[ObjectRef, int, Purpose]:
    """What tells a task's rows apart: what it applies has one row an object, whichever jobs do that."""
    return ref, 0 if purpose is Purpose.APPLY else job_seq, purpose


_STORED = tuple(column.name for column in fields(journal.NewResource))
