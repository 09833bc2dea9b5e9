"""The options of a run (docs/api.md, "A run"), and the filters of the audit. What is left out is as the server says."""

from collections.abc import Mapping
from typing import Any, Literal, TypedDict


class RunOptions(TypedDict, total=False):
    """How something is run, and why."""

    note: str
    """Why, for people: one line, kept with the revision."""
    on_active: Literal["queue", "reject", "supersede"]
    """What to do while another task of the application is active."""
    cleanup: Literal["task", "job", "none"]
    """What a rollback covers."""
    restore: bool
    """A rollback puts changed objects back."""
    timeout_seconds: float | None
    """Of the whole task."""
    no_activity_seconds: float | None
    """How long nothing of the task may move; then it is ``timeout``."""
    hopeless_after_seconds: float | None
    """How long a hopeless state (a crash loop, say) may last; 0: to the end."""
    preflight: bool
    """Ask the cluster about every object before the first is written."""
    adopt: bool | None
    """Take over objects of these names that are not the application's."""
    take_over: bool
    """Remove from the application's objects what others have set in them."""
    strategy: str | Mapping[str, Any] | None
    """How Pods are replaced, of all components that can have it."""
    delete_volumes: bool
    """Delete the volume claims of what the application no longer has: their data is lost."""
    create_namespace: bool
    """Create a namespace that is not there; a rollback removes it."""
    expects: Mapping[str, Any] | None
    """Do what a preview showed, or nothing: its ``expects``, sent back as it is."""
    commit: Mapping[str, str] | None
    """The commit that is deployed, ``repository`` and ``sha``: it gets a status where a target takes them."""


class AuditFilters(TypedDict, total=False):
    """Which calls; all that is given has to fit, and None is as if it were left out."""

    since: str | None
    until: str | None
    caller: str | None
    operation: str | None
    cluster: str | None
    app: str | None
    task: str | None
    outcome: str | None
    status: int | None
    request_id: str | None
