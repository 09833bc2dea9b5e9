"""Ids of applications, workflows and tasks."""

import secrets
import string

ID_LENGTH = 24
_ALPHABET = string.ascii_lowercase + string.digits


def new_id() -> str:
    """A fresh random id: 24 lower-case letters and digits, valid inside Kubernetes names and labels."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(ID_LENGTH))
