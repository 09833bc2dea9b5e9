"""What became of a request that was sent to change the cluster, as the journal keeps it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class WriteOutcome(StrEnum):
    """What is known of a request. While nothing is known, there is no `WriteAnswer`."""

    UNSENT = "unsent"
    """It never left."""
    REFUSED = "refused"
    """The API server refused it, and changed nothing."""
    DONE = "done"
    """The API server did it, and answered."""
    SEEN = "seen"
    """Its answer was lost; the object showed later that it was done."""


@dataclass(frozen=True, slots=True)
class WriteAnswer:
    """An outcome, with the object's version after it (``done``, ``seen``) or the HTTP status (``refused``)."""

    outcome: WriteOutcome
    detail: str = ""

    @classmethod
    def unsent(cls) -> Self:
        """The request never left."""
        return cls(WriteOutcome.UNSENT)

    @classmethod
    def refused(cls, status: int | None) -> Self:
        """The API server answered with an error."""
        return cls(WriteOutcome.REFUSED, str(status))

    @classmethod
    def done(cls, version: str = "") -> Self:
        """The API server answered with the object, or that it is gone."""
        return cls(WriteOutcome.DONE, version)

    @classmethod
    def seen(cls, version: str) -> Self:
        """The object, in this version, carries the token of the request."""
        return cls(WriteOutcome.SEEN, version)

    @classmethod
    def read(cls, text: str) -> Self:
        """The reverse of ``str``. Raises `ValueError` for an outcome that is not known."""
        outcome, _, detail = text.partition(" ")
        return cls(WriteOutcome(outcome), detail)

    @property
    def wrote(self) -> bool:
        """Whether the request changed the object."""
        return self.outcome in (WriteOutcome.DONE, WriteOutcome.SEEN)

    def __str__(self) -> str:
        """As the database keeps it: ``done 17``, ``refused 409``, ``unsent``."""
        return f"{self.outcome} {self.detail}" if self.detail else str(self.outcome)
