"""What can go wrong with keys and sealed texts. No message has a key or a text in it."""


class SealingError(Exception):
    """A key or a sealed text cannot be used."""


class BadKeys(SealingError):
    """What was given as keys are none; the message says which of them, and why."""


class MissingKey(SealingError):
    """A text is sealed with a key that is not given."""

    def __init__(self, key_id: str) -> None:
        super().__init__(f'it is sealed with the key "{key_id}", which is not among the encryption keys')
        self.key_id = key_id


class DoesNotOpen(SealingError):
    """A text was changed or moved since it was sealed, or its key is another one than the one of this id."""

    def __init__(self, key_id: str) -> None:
        message = f'the key "{key_id}" does not open it: it was changed or moved, or another key had this id'
        super().__init__(message)
        self.key_id = key_id
