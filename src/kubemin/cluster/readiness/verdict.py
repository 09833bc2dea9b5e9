"""The result of a check whether an object is ready."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Verdict:
    """``message`` is a sentence a person can act on; ``ready`` of ``desired`` counts replicas, or the object itself.

    ``hopeless``: it will not get ready unless somebody changes something, or a fault elsewhere ends; a job waits some
    time for that. ``final``: it will never get ready.
    """

    state: Literal["ready", "waiting", "hopeless"]
    message: str
    ready: int = 0
    desired: int = 1
    final: bool = False
