"""Who asks, and what RBAC lets them do: as the real API server has it, for those who turn it on."""

from kubesim.authorization.callers import Authorization, Caller

__all__ = ["Authorization", "Caller"]
