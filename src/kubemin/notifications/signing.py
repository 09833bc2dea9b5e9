"""Signatures as Standard Webhooks has them: HMAC-SHA256 over ``<id>.<timestamp>.<body>``, one for each key."""

import base64
import binascii
import hmac
from collections.abc import Sequence

_PREFIX = "whsec_"
_SHORTEST, _LONGEST = 24, 64


class BadSecret(ValueError):
    """It cannot be a key; the message does not repeat it."""


def key_of(secret: str) -> bytes:
    """The key that is written as ``whsec_<base64>``, of 24 to 64 bytes. Raises `BadSecret`."""
    if not secret.startswith(_PREFIX):
        raise BadSecret(f"a secret begins with {_PREFIX}")
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise BadSecret(f"a secret is {_PREFIX} and base64") from None
    if not _SHORTEST <= len(key) <= _LONGEST:
        raise BadSecret(f"a secret has {_SHORTEST} to {_LONGEST} bytes")
    return key


def signed(keys: Sequence[bytes], message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers of a message that is sent at ``timestamp`` (unix seconds)."""
    content = f"{message_id}.{timestamp}.".encode() + body
    signatures = [base64.b64encode(hmac.digest(key, content, "sha256")).decode() for key in keys]
    headers = {"webhook-id": message_id, "webhook-timestamp": str(timestamp)}
    if signatures:
        headers["webhook-signature"] = " ".join(f"v1,{one}" for one in signatures)
    return headers
