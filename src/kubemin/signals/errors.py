"""What can go wrong with a signal."""


class SignalError(Exception):
    """A signal could not be sent, or its carrier's address is unusable. The message is a sentence without secrets."""
