"""What is said about an object on its way to ready."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Verdict:
    """``message`` is a sentence a person can act on; ``ready`` of ``desired`` counts replicas, or the object itself.

    ``hopeless``: it will not get ready unless somebody changes something, or a fault outside of it ends; whoever waits
    grants it some time. ``final``: no time will help.
    """

    state: Literal["ready", "waiting", "hopeless"]
    message: str
    ready: int = 0
    desired: int = 1
    final: bool = False
