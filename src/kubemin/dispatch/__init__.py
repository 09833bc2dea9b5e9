"""The doorbell: wakes a worker for a task sooner than its poll would (design §1)."""

from kubemin.dispatch.base import Doorbell
from kubemin.dispatch.local import LocalDoorbell

__all__ = ["Doorbell", "LocalDoorbell"]
