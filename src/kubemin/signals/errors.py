"""What can go wrong with a signal."""


class SignalError(Exception):
    """A signal could not be sent, or the Redis URL cannot be used. The message is a sentence without secrets."""


class BadUrl(SignalError):
    """The Redis URL cannot be used."""
