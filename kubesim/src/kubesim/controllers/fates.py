"""What becomes of a container: its image's name decides."""

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["ready", "never", "slow", "crash", "pull", "done", "fail"]

_SLOW = re.compile(r"slow-(\d+)")


@dataclass(frozen=True, slots=True)
class Fate:
    """``seconds`` is how long it takes to be ready, or to end, at speed 1, after the container has started."""

    kind: Kind
    seconds: float = 0.0


def fate_of(image: str, *, ends: bool) -> Fate:
    """The fate of a container. ``ends``: it is to run to completion, as in a Job or an init container.

    ``never`` runs but is never ready (never ends), ``slow-N`` takes N seconds, ``crash`` exits with 1 at once,
    ``pull`` cannot be pulled; ``fail`` exits with 1 where containers end.
    """
    if "pull" in image:
        return Fate("pull")
    if "crash" in image:
        return Fate("fail" if ends else "crash")
    if "never" in image:
        return Fate("never")
    if ends and "fail" in image:
        return Fate("fail")
    slow = _SLOW.search(image)
    seconds = float(slow[1]) if slow else 0.0
    if ends:
        return Fate("done", seconds)
    return Fate("slow", seconds) if slow else Fate("ready")
