"""Admission: what a kind's fields are, what they default to, and which values are refused."""

from kubesim.admit.decode import decode, unknown_fields
from kubesim.admit.defaults import default
from kubesim.admit.generated import complete
from kubesim.admit.validation import validate_create, validate_update

__all__ = ["complete", "decode", "default", "unknown_fields", "validate_create", "validate_update"]
