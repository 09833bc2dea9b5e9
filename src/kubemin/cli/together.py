"""Several tasks at once: started one after another, watched together, and with ``--all-or-nothing`` put back together.

A task is asked about once a second. With many, their events would say more than anybody reads.
"""

import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from kubemin.cli.client import Client, Refused
from kubemin.cli.exits import CliError, Exit
from kubemin.cli.follow import cancel
from kubemin.cli.output import print_table
from kubemin.cli.progress import Progress

_AGAIN_SECONDS = 1.0
_GIVE_UP_SECONDS = 60
_WORST_FIRST = (Exit.INCOMPLETE, Exit.FAILED, Exit.TIMEOUT, Exit.CANCELLED)
_APPLICATION_NOT_FOUND = 10005
_ACTIVE = ("waiting", "queued", "running")
_NOTE = "all or nothing: another application of the same apply did not complete"
_COLUMNS = ("application", "revision", "task", "status", "outcome")


@dataclass
class Run:
    """One application's run: its task, or why there is none."""

    name: str
    app_id: str = ""
    revision: int | None = None
    progress: Progress | None = None
    refused: str = ""
    former: "Former | None" = None
    undone: list[str] = field(default_factory=list)
    """What became of it after another one did not complete."""

    stuck: bool = False
    """It was to be put back, and is not."""

    @property
    def settled(self) -> bool:
        """Nothing more will happen to it."""
        return self.progress is None or self.progress.settled

    @property
    def exit(self) -> Exit:
        """The exit code that it alone would have."""
        return Exit.FAILED if self.progress is None else self.progress.exit

    @property
    def status(self) -> str:
        """The task's status, for people."""
        return "refused" if self.progress is None else str(self.progress.status)

    def to_json(self) -> dict[str, Any]:
        """For scripts."""
        task = self.progress.task_id if self.progress else None
        reason = self.progress.reason if self.progress else self.refused
        return {
            "application": self.name,
            "appId": self.app_id or None,
            "revision": self.revision,
            "taskId": task,
            "status": self.status,
            "reason": reason,
            "undone": self.undone,
        }


@dataclass(frozen=True)
class Former:
    """What an application was before its run: whether the server knew it, and which revision was deployed."""

    known: bool
    revision: int | None


def start(client: Client, names: Sequence[str], bodies: Sequence[dict[str, Any]], *, all_or_nothing: bool) -> list[Run]:
    """Ask for each application's run. With ``all_or_nothing`` nothing is asked for after one that is refused.

    Raises :class:`CliError` where the server does not answer at all.
    """
    runs: list[Run] = []
    for name, body in zip(names, bodies, strict=True):
        run = Run(name)
        try:
            run.former = _former(client, name) if all_or_nothing else None
            made = client.post("/apply", body)
        except CliError as error:
            if not runs and not isinstance(error, Refused):
                raise
            run.refused = error.message
        else:
            run.app_id, run.revision, run.progress = made["appId"], made["revision"], Progress(made["taskId"])
        runs.append(run)
        if run.refused and all_or_nothing:
            runs += [Run(later, refused="not begun") for later in names[len(runs) :]]
            break
    return runs


def watch(client: Client, runs: Sequence[Run], tell: Callable[[str], None], *, all_or_nothing: bool) -> None:
    """Wait until all are settled, and put back what completed where not all did, if that is asked for.

    Ctrl-C cancels those that still run, a second one leaves them to themselves. Raises :class:`CliError`.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell starts background jobs with it ignored
    cancelled = False
    while True:
        try:
            _settle(client, runs, tell, all_or_nothing=all_or_nothing)
            break
        except KeyboardInterrupt:
            left = [run.progress.task_id for run in runs if run.progress and not run.settled]
            if cancelled or not left:
                hint = "`kubemin tasks` shows how they go on"
                raise CliError(f"left {', '.join(left) or 'them'}; {hint}", 130) from None
            _cancel(client, runs, "interrupted at the command line")
            cancelled = True
    if all_or_nothing and any(run.exit is not Exit.OK for run in runs):
        _put_back(client, runs, tell)


def report(runs: Sequence[Run]) -> None:
    """The table of the end: each application, and what became of it."""
    rows = []
    for run in runs:
        reason = run.refused if run.progress is None else run.progress.reason
        outcome = "; ".join([part for part in (reason, *run.undone) if part])
        task = run.progress.task_id if run.progress else "-"
        rows.append((run.name, run.revision or "-", task, run.status, outcome))
    print_table(_COLUMNS, rows, "no applications")


def exit_of(runs: Sequence[Run]) -> Exit:
    """5 where something is not as it was; else 1 where one failed, 3 timed out, 4 was cancelled."""
    codes = {Exit.INCOMPLETE if run.stuck else run.exit for run in runs}
    return next((code for code in _WORST_FIRST if code in codes), Exit.OK)


def _settle(client: Client, runs: Sequence[Run], tell: Callable[[str], None], *, all_or_nothing: bool) -> None:
    stopped = False
    silent_since: float | None = None
    while True:
        try:
            for run in runs:
                if run.progress is not None and not run.settled:
                    _look(client, run.name, run.progress, tell)
            silent_since = None
        except Refused:
            raise
        except CliError:  # the server is away for a while; the tasks go on
            silent_since = silent_since or time.monotonic()
            if time.monotonic() - silent_since > _GIVE_UP_SECONDS:
                raise
        if all_or_nothing and not stopped and any(_over(run) and run.exit is not Exit.OK for run in runs):
            _cancel(client, runs, "another application of the same apply did not complete")
            stopped = True
        if all(run.settled for run in runs):
            return
        time.sleep(_AGAIN_SECONDS)


def _over(run: Run) -> bool:
    return run.progress is None or run.progress.status.ended


def _look(client: Client, name: str, progress: Progress, tell: Callable[[str], None]) -> None:
    before = (progress.status, progress.cleanup)
    progress.load(client.get(f"/workflow/tasks/{progress.task_id}/status"), {"stages": []})
    if before[0] != progress.status:
        tell(f"{name}  {progress.status}" + (f": {progress.reason}" if progress.reason else ""))
    elif before[1] != progress.cleanup:
        tell(f"{name}  cleanup {progress.cleanup}")


def _cancel(client: Client, runs: Sequence[Run], reason: str) -> None:
    for run in runs:
        if run.progress is not None and not run.progress.status.ended:
            cancel(client, run.progress.task_id, reason, missing_ok=True)


def _former(client: Client, name: str) -> Former:
    try:
        found = client.get(f"/applications/{name.replace('/', '~')}/revisions")["revisions"]
    except Refused as error:
        if error.business_code == _APPLICATION_NOT_FOUND:
            return Former(known=False, revision=None)
        raise
    return Former(known=True, revision=_current(found))


def _current(found: Sequence[dict[str, Any]]) -> int | None:
    return next((one["revision"] for one in found if one["state"] == "current"), None)


def _put_back(client: Client, runs: Sequence[Run], tell: Callable[[str], None]) -> None:
    """Roll back what completed, to what was before; each by a task that is waited for."""
    begun: list[tuple[Run, Progress]] = []
    for run in runs:
        if run.exit is not Exit.OK:
            continue
        try:
            said, task = _undo(client, run)
        except CliError as error:
            run.undone.append(f"NOT rolled back: {error.message}")
            run.stuck = True
            continue
        run.undone.append(said)
        tell(f"{run.name}  {said}")
        if task is not None:
            begun.append((run, Progress(task)))
    while left := [(run, progress) for run, progress in begun if not progress.settled]:
        for run, progress in left:
            _look(client, run.name, progress, tell)
        time.sleep(_AGAIN_SECONDS)
    for run, progress in begun:
        why = f": {progress.reason}" if progress.reason else ""
        run.undone.append(f"task {progress.task_id} {progress.status}{why}")
        run.stuck = progress.exit is not Exit.OK


def _undo(client: Client, run: Run) -> tuple[str, str | None]:
    """What is done to put a completed run back, and by which task. Raises :class:`CliError` where that cannot be."""
    path = f"/applications/{run.app_id}"
    found = client.get(f"{path}/revisions")["revisions"]
    if (now := _current(found)) != run.revision:
        raise CliError(f"revision {now} was run since" if now else "its revision is no longer what is deployed")
    before = [one["revision"] for one in found if one["state"] == "superseded" and one["revision"] < run.revision]
    if before:
        body = {"revision": max(before), "note": _NOTE, "onActive": "reject", "expects": {"revision": run.revision}}
        return f"rolled back to revision {max(before)}", client.post(f"{path}/rollback", body)["taskId"]
    if run.former is not None and run.former.revision is not None:
        raise CliError(f"revision {run.former.revision}, which it had, is no longer kept")
    if any(one["status"] in _ACTIVE for one in client.get("/tasks", appId=run.app_id)["tasks"]):
        raise CliError("another task of it is active")
    if run.former is not None and run.former.known:  # it was only saved
        left = client.delete(f"{path}/resources")["failedResources"]
        if left:
            raise CliError(f"not all that it made is removed: {', '.join(left)}")
        return "removed from the cluster; it was not deployed before", None
    return "deleted; it was not there before", client.delete(path)["taskId"]
