"""A simulated Kubernetes cluster that speaks the Kubernetes HTTP API from memory, over a real socket."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kubesim.controllers import Operator, Pace
    from kubesim.faults import Fault
    from kubesim.server import SimServer
    from kubesim.threaded import ThreadedServer

__version__ = "0.1.0"

__all__ = ["Fault", "Operator", "Pace", "SimServer", "ThreadedServer"]

_MODULES = {
    "Fault": "kubesim.faults",
    "Operator": "kubesim.controllers",
    "Pace": "kubesim.controllers",
    "SimServer": "kubesim.server",
    "ThreadedServer": "kubesim.threaded",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for, and no more: pytest loads this package in every run, also where no test needs it."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)
