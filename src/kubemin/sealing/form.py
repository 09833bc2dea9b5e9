"""The form of a sealed text: ``s1:<key id>:<base64>``. JSON never begins so, so plain text is told apart."""

import re

MARK = "s1:"
KEY_ID = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,30}[a-z0-9])?")
"""What names a key."""


def begin_of(key_id: str) -> str:
    """How each text begins that is sealed with this key."""
    return f"{MARK}{key_id}:"


def key_id_of(stored: str) -> str | None:
    """The key that a stored text is sealed with; None if it is plain."""
    return stored[len(MARK) :].partition(":")[0] if stored.startswith(MARK) else None
