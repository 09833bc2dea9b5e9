"""What runs an application, and what was run: revisions, differences, the ways back."""

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Unpack

from kubemin.client.address import below, named
from kubemin.client.steps import Call

if TYPE_CHECKING:
    from kubemin.client.options import RunOptions
    from kubemin.client.replies import Applied, Diff, Preview, RevisionDetail, RevisionList, RolledBack, TaskId


def new_key() -> str:
    """An Idempotency-Key that nobody else has."""
    return os.urandom(16).hex()


def once(key: str) -> dict[str, str]:
    """The header that makes a request asked for again the same task."""
    return {"Idempotency-Key": key}


def applying(
    application: Mapping[str, Any], workflow: Sequence[Any] | None, key: str, options: "RunOptions"
) -> "Call[Applied]":
    """The run of an application; a second one with the same ``key`` is the same run."""
    body = {**_run(application, workflow), **options}
    return Call("POST", below("apply"), body=body, headers=once(key))


def preview(
    application: Mapping[str, Any], *, workflow: Sequence[Any] | None = None, **options: "Unpack[RunOptions]"
) -> "Call[Preview]":
    """What `apply` would do, asked of the cluster. Nothing is stored or written."""
    return Call("POST", below("apply"), body={**_run(application, workflow), **options, "dryRun": True})


def executing(app: str, workflow_id: str | None, key: str, options: "RunOptions") -> "Call[TaskId]":
    """The run of a draft; a second one with the same ``key`` is the same run."""
    path = below("applications", named(app), "workflow", "exec")
    return Call("POST", path, body={"workflowId": workflow_id, **options}, headers=once(key))


def revisions(app: str) -> "Call[RevisionList]":
    """Those that are kept, the newest first."""
    return Call("GET", below("applications", named(app), "revisions"))


def revision(app: str, number: int | str = "current") -> "Call[RevisionDetail]":
    """One, by its number, ``current`` or ``draft``, with its application as it was posted; secrets are masked."""
    return Call("GET", below("applications", named(app), "revisions", number))


def diff(app: str, begin: int | str = "current", end: int | str = "live") -> "Call[Diff]":
    """What leads from one to the other, each a number, ``current``, ``draft`` or ``live``. Without more: drift."""
    return Call("GET", below("applications", named(app), "diff"), {"from": begin, "to": end})


def rolling_back(app: str, revision: int | None, key: str, options: "RunOptions") -> "Call[RolledBack]":
    """The way back to a revision; a second one with the same ``key`` is the same run."""
    body = {"revision": revision, **options}
    return Call("POST", below("applications", named(app), "rollback"), body=body, headers=once(key))


def preview_rollback(app: str, revision: int | None = None, **options: "Unpack[RunOptions]") -> "Call[Preview]":
    """What `rollback` would do, asked of the cluster. Nothing is stored or written."""
    body = {"revision": revision, **options, "dryRun": True}
    return Call("POST", below("applications", named(app), "rollback"), body=body)


def restarting(app: str, components: Sequence[str], key: str) -> "Call[TaskId]":
    """The restart of an application; a second one with the same ``key`` is the same run."""
    body = {"components": list(components)} if components else {}
    return Call("POST", below("applications", named(app), "restart"), body=body, headers=once(key))


def _run(application: Mapping[str, Any], workflow: Sequence[Any] | None) -> dict[str, Any]:
    return {"application": application, **({} if workflow is None else {"workflow": list(workflow)})}
