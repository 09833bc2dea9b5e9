"""For how long a server that is away is waited for."""

import time

from kubemin.client.errors import Unavailable

AGAIN_SECONDS = 0.5
_LONGEST = 5.0


class Patience:
    """One wait: it is told of each answer that comes, or fails to. Override `lost` and `back` to hear of it."""

    seconds: float = 60.0

    def __init__(self, seconds: float | None = None) -> None:
        """``seconds``: how long the server may be away."""
        if seconds is not None:
            self.seconds = seconds
        self._until: float | None = None

    def failed(self, error: Unavailable) -> float:
        """It did not answer: the seconds until it is to be asked again. Raises what `too_long` makes of the error."""
        now = time.monotonic()
        if self._until is None:
            self._until = now + self.seconds
            self.lost(error)
        elif now > self._until:
            raise self.too_long(error)
        return pause_after(error)

    def answered(self) -> None:
        """It answers."""
        if self._until is not None:
            self._until = None
            self.back()

    def lost(self, error: Unavailable) -> None:
        """Called once as it is away."""

    def back(self) -> None:
        """Called once as it is back."""

    def too_long(self, error: Unavailable) -> Exception:
        """What is raised when it has been away too long: the last error."""
        return error


def pause_after(error: Unavailable) -> float:
    """Seconds until to ask again."""
    return min(max(error.retry_after or 0, AGAIN_SECONDS), _LONGEST)
