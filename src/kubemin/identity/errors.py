"""What goes wrong when somebody says who they are. No message has a part of a secret in it."""

SESSION_OVER = "SESSION_OVER"


class IdentityError(Exception):
    """Root of this room's errors."""


class Unknown(IdentityError):
    """The credential is wrong, revoked or expired. ``code`` says which, for programs."""

    def __init__(self, message: str, code: str = "INVALID_CREDENTIAL") -> None:
        super().__init__(message)
        self.code = code


class Reserved(IdentityError):
    """A name that nobody may have."""


class IssuerAway(IdentityError):
    """The issuer does not answer, and what it said before is not enough. Nobody is let in for that."""


class TooMany(IdentityError):
    """More requests, or more wrong credentials, than one may send. ``seconds``: when to come again."""

    def __init__(self, message: str, seconds: int) -> None:
        super().__init__(message)
        self.seconds = seconds
