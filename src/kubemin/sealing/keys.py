"""Encryption keys as text: a line ``<id>=<base64 of 32 bytes>`` each; the first one seals, all of them open."""

import base64
import binascii
import secrets
from collections.abc import Mapping
from datetime import date

from kubemin.sealing.errors import BadKeys
from kubemin.sealing.form import KEY_ID

KEY_BYTES = 32


def parse(text: str, source: str) -> Mapping[str, bytes]:
    """The keys in order, one at least. Lines may also be separated by commas; ``#`` begins a comment.

    Raises `BadKeys`, which names the ``source`` and the line, and quotes nothing of a key.
    """
    found: dict[str, bytes] = {}
    lines = [line.partition("#")[0] for line in text.splitlines()]
    entries = [entry.strip() for line in lines for entry in line.split(",") if entry.strip()]
    for number, entry in enumerate(entries, 1):
        key_id, sign, encoded = entry.partition("=")
        key_id = key_id.strip()
        if not sign or not KEY_ID.fullmatch(key_id):
            known = "<id>=<base64>, with an id of a-z, 0-9, '.', '_', '-' (at most 32)"
            raise BadKeys(f"{source}: key {number} is not {known}")
        if key_id in found:
            raise BadKeys(f'{source}: the key "{key_id}" is given twice')
        found[key_id] = _key(encoded.strip(), f'{source}: the key "{key_id}"')
    if not found:
        raise BadKeys(f"{source}: there is no key in it")
    return found


def _key(encoded: str, what: str) -> bytes:
    try:
        key = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise BadKeys(f"{what} is not the base64 of {KEY_BYTES} bytes: `kubemin key generate` makes one")
    if len(set(key)) == 1:
        raise BadKeys(f"{what} is the same byte again and again, which is no key")
    return key


def generate(key_id: str | None = None) -> str:
    """A new key, as a line. Its id is the day unless one is given. Raises `BadKeys`."""
    key_id = key_id or date.today().isoformat()
    if not KEY_ID.fullmatch(key_id):
        raise BadKeys(f"a key's id has a-z, 0-9, '.', '_', '-', and at most 32 of them: {key_id!r}")
    return f"{key_id}={base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()}"
