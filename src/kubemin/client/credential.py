"""What shows a server who asks."""

from typing import Protocol


class Credential(Protocol):
    """A token that may be renewed while a client is in use. Several threads may ask at once."""

    def token(self) -> str | None:
        """What is shown with the next request; None: nothing. Raises `KubeminError` where there is none any more."""

    def another(self, refused: str | None) -> str | None:
        """Another one, as the server does not know this one; None where there is none. Raises `KubeminError`."""


class Fixed:
    """A token that stays what it is, or none."""

    def __init__(self, token: str | None) -> None:
        self._token = token

    def token(self) -> str | None:
        """It."""
        return self._token

    def another(self, refused: str | None) -> None:
        """There is no other."""
