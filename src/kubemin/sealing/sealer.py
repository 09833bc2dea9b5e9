"""AES-256-GCM with a key for each text.

A random nonce of 96 bits may be used for some 2^32 texts under one key (NIST SP 800-38D), which a large installation
may come to. So each text has a key and nonce of its own, derived from 192 random bits by HKDF: two texts that share
them do not happen. AES-GCM-SIV would take one call less, but needs OpenSSL 3.2, and took six times as long for 100 KB.
"""

import base64
import binascii
import secrets
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from kubemin.sealing.errors import DoesNotOpen, MissingKey
from kubemin.sealing.form import begin_of, key_id_of

_SALT_BYTES, _KEY_BYTES, _NONCE_BYTES, _TAG_BYTES = 24, 32, 12, 16
_SHA256 = SHA256()


class Sealer:
    """Seals with the first key, and opens with each. ``place`` says where a text is stored: nowhere else it opens."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._keys = dict(keys)
        self.first = next(iter(self._keys))
        self.known = frozenset(self._keys)
        self._begin = begin_of(self.first)

    def seal(self, text: str, place: str) -> str:
        """What is stored for ``text``; another one each time."""
        salt = secrets.token_bytes(_SALT_BYTES)
        cipher, nonce = _cipher(self._keys[self.first], salt)
        # "surrogatepass", as every text comes back as it was; JSON has no half pairs, but this room does not know.
        sealed = cipher.encrypt(nonce, text.encode("utf-8", "surrogatepass"), _bound(self._begin, place))
        return self._begin + base64.b64encode(salt + sealed).decode()

    def unseal(self, stored: str, place: str) -> str:
        """The text that `seal` was given with this place. Raises `MissingKey`, `DoesNotOpen`."""
        key_id = key_id_of(stored) or ""
        key = self._keys.get(key_id)
        if key is None:
            raise MissingKey(key_id)
        begin = begin_of(key_id)
        try:
            encoded = stored[len(begin) :]
            sealed = binascii.a2b_base64(encoded, strict_mode=True)
            # Of the few texts that decode to the same bytes, which differ in the last letters, only one opens.
            end = base64.b64encode(sealed[len(sealed) // 3 * 3 :] or sealed[-3:]).decode()
            if len(sealed) < _SALT_BYTES + _TAG_BYTES or not encoded.endswith(end):
                raise DoesNotOpen(key_id)
            cipher, nonce = _cipher(key, sealed[:_SALT_BYTES])
            return cipher.decrypt(nonce, sealed[_SALT_BYTES:], _bound(begin, place)).decode("utf-8", "surrogatepass")
        except (InvalidTag, binascii.Error, ValueError) as error:
            raise DoesNotOpen(key_id) from error


def _cipher(key: bytes, salt: bytes) -> tuple[AESGCM, bytes]:
    made = HKDFExpand(_SHA256, _KEY_BYTES + _NONCE_BYTES, b"kubemin s1 " + salt).derive(key)
    return AESGCM(made[:_KEY_BYTES]), made[_KEY_BYTES:]


def _bound(begin: str, place: str) -> bytes:
    return (begin + place).encode("utf-8", "surrogatepass")
