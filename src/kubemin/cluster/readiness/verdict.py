"""The result of a check whether an object is ready."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from kubemin.spec.reason_codes import ReasonCode


class Trouble(NamedTuple):
    """What keeps an object from getting ready: its code, and in words."""

    code: ReasonCode
    text: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """``message`` is a sentence a person can act on; ``ready`` of ``desired`` counts replicas, or the object itself.

    ``hopeless``: it will not get ready unless somebody changes something, or a fault elsewhere ends; a job waits some
    time for that, and ``code`` says what is in the way. ``final``: it will never get ready.

    ``restarted``: a container that ended runs again, and is not ready yet. That proves nothing, neither way: what was
    hopeless before still is. ``suspended``: somebody holds it back on purpose (a queue, say), so it is not late.
    """

    state: Literal["ready", "waiting", "hopeless"]
    message: str
    ready: int = 0
    desired: int = 1
    final: bool = False
    code: ReasonCode | None = None
    restarted: bool = False
    suspended: bool = False
