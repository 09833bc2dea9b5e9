"""Cancel signals: from whoever cancels a task to the worker that runs it (design §5)."""

from kubemin.signals.base import Cancelled, Mode, OnSignal, Signal, Signals, TakenOver
from kubemin.signals.errors import SignalError
from kubemin.signals.local import LocalHub, LocalSignals
from kubemin.signals.opening import open_signals

__all__ = [
    "Cancelled",
    "LocalHub",
    "LocalSignals",
    "Mode",
    "OnSignal",
    "Signal",
    "SignalError",
    "Signals",
    "TakenOver",
    "open_signals",
]
