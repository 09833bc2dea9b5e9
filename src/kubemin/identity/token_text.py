"""The text of an API token: ``kubemin_<id>_<secret><checksum>``. Pure, but for chance.

A scanner finds leaked ones by the beginning, and tells them from other text by the checksum. What is stored is a plain
SHA-256 of the secret. Passwords need a slow and salted hash because they can be guessed; nobody guesses 256 random
bits, and a slow hash would be paid for with each request.
"""

import hashlib
import hmac
import re
import secrets
import zlib
from typing import NamedTuple

PREFIX = "kubemin_"
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ID_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
_ID_LENGTH = 12
_SECRET_LENGTH = 43
"""256 bits in this alphabet."""
_CHECKSUM_LENGTH = 6
_TEXT = re.compile(
    rf"{PREFIX}([0-9a-z]{{{_ID_LENGTH}}})_([0-9A-Za-z]{{{_SECRET_LENGTH}}})([0-9A-Za-z]{{{_CHECKSUM_LENGTH}}})"
)


class TokenText(NamedTuple):
    """A token. Its id is no secret."""

    id: str
    secret: str

    @property
    def text(self) -> str:
        """What its owner is given."""
        head = f"{PREFIX}{self.id}_{self.secret}"
        return head + _checksum(head)

    @property
    def digest(self) -> str:
        """What is stored of it."""
        return digest_of(self.secret)

    def is_of(self, digest: str) -> bool:
        """Whether this is the digest of it; how long that takes tells nothing."""
        return hmac.compare_digest(self.digest, digest)


def digest_of(secret: str) -> str:
    """The SHA-256 of a random secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def new_token() -> TokenText:
    """A token that nobody has."""
    token_id = "".join(secrets.choice(_ID_ALPHABET) for _ in range(_ID_LENGTH))
    return TokenText(token_id, _encoded(secrets.randbits(256), _SECRET_LENGTH))


def looks_like_one(text: str) -> bool:
    """Whether it says itself that it is an API token."""
    return text.startswith(PREFIX)


def read_token(text: str) -> TokenText | None:
    """The token that the text is; None if it is none, or has a typing error in it."""
    match = _TEXT.fullmatch(text)
    if match is None:
        return None
    token = TokenText(match[1], match[2])
    return token if hmac.compare_digest(token.text, text) else None


def _checksum(head: str) -> str:
    return _encoded(zlib.crc32(head.encode()), _CHECKSUM_LENGTH)


def _encoded(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))
