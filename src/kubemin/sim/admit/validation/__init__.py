"""Which objects and changes the API server refuses, in its words."""

from typing import Any

__all__ = ["validate_create", "validate_update"]

Object = dict[str, Any]


def validate_create(kind: str, obj: Object) -> None:
    """Raise Problem 422 with a cause a field if the object, decoded and with its defaults, is not valid."""


def validate_update(kind: str, new: Object, old: Object) -> None:
    """Raise Problem 422 with a cause a field if ``new`` is not valid or may not follow ``old``."""
