"""Ids: random ones of workflows and tasks, and those of applications and components, which follow from their names."""

import hashlib
import secrets
import string

from kubemin.spec.names import DEFAULT_CLUSTER

ID_LENGTH = 24
_ALPHABET = string.ascii_lowercase + string.digits
_COMPONENT_DIGITS = 12
"""Hexadecimal: 48 bits, which JSON carries as a whole number everywhere."""


def new_id() -> str:
    """A fresh random id: 24 lower-case letters and digits, valid inside Kubernetes names and labels."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(ID_LENGTH))


def application_id(namespace: str, name: str, cluster: str = DEFAULT_CLUSTER) -> str:
    """The id of the application of this name: on every server the same, also after its database was lost.

    As long as the servers call its cluster alike.
    """
    return _digest(namespace if cluster == DEFAULT_CLUSTER else f"{cluster}/{namespace}", name)[:ID_LENGTH]


def component_id(app_id: str, name: str) -> int:
    """The number of a component of the application, for labels."""
    return int(_digest(app_id, name)[:_COMPONENT_DIGITS], 16)


def _digest(owner: str, name: str) -> str:
    return hashlib.sha256(f"{owner}/{name}".encode()).hexdigest()
