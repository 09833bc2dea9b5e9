"""The doorbell: wakes a worker for a new task before its next poll (design §1)."""

from kubemin.dispatch.base import Doorbell
from kubemin.dispatch.local import LocalDoorbell
from kubemin.dispatch.opening import open_doorbell

__all__ = ["Doorbell", "LocalDoorbell", "open_doorbell"]
