"""Saying once, not at each try, that a server is away, and that it is back."""

import structlog


class Absence:
    """Whether a server is away; a log line when it goes, and one when it is back."""

    def __init__(self, name: str) -> None:
        """``name``: what it is for, as the lines say. It counts as there until it is missed."""
        self._name = name
        self._log = structlog.get_logger(__name__)
        self.away = False

    def begins(self, why: object, **details: object) -> bool:
        """The server did not answer; true if it did before."""
        if self.away:
            return False
        self.away = True
        self._log.warning("connection lost", of=self._name, why=str(why), **details)
        return True

    def ends(self, **details: object) -> None:
        """The server answered."""
        if self.away:
            self._log.info("connection is back", of=self._name, **details)
        self.away = False
