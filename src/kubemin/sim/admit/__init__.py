"""Admission: what a kind's fields are, what they default to, and which values are refused."""

from kubemin.sim.admit.decode import decode, unknown_fields
from kubemin.sim.admit.defaults import default
from kubemin.sim.admit.generated import complete
from kubemin.sim.admit.validation import validate_create, validate_update

__all__ = ["complete", "decode", "default", "unknown_fields", "validate_create", "validate_update"]
