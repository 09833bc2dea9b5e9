"""A run's options, as `exec` takes them and the task keeps them (design R9, api.md)."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from kubemin.spec.states import CleanupPolicy, OnActive


@dataclass(frozen=True)
class ExecOptions:
    """Times in seconds; ``seconds`` bounds the whole task, ``hopeless_after`` 0 means: wait to the timeout."""

    on_active: OnActive = OnActive.QUEUE
    cleanup: CleanupPolicy = CleanupPolicy.TASK
    restore: bool = True
    seconds: float | None = None
    hopeless_after: float | None = None
    preflight: bool = True
    dry_run: bool = False
    create_namespace: bool = False
    keep_application: bool = False

    @classmethod
    def read(cls, stored: Mapping[str, Any] | None) -> Self:
        """From the JSON that `write` made; unknown keys of a newer version are passed over."""
        known = {key: value for key, value in (stored or {}).items() if key in cls.__dataclass_fields__}
        if "cleanup" in known:
            known["cleanup"] = CleanupPolicy(known["cleanup"])
        if "on_active" in known:
            known["on_active"] = OnActive(known["on_active"])
        return cls(**known)

    def write(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)
