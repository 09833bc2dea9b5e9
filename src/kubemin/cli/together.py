"""Several tasks at once: started one after another, watched together, and with ``--all-or-nothing`` put back together.

A task is asked about once a second. With many, their events would say more than anybody reads.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from kubemin.cli.by_code import told
from kubemin.cli.choosing import Choice, choose
from kubemin.cli.exits import CliError, Exit
from kubemin.cli.failures import Failure
from kubemin.cli.files import Spec
from kubemin.cli.follow import cancel
from kubemin.cli.interrupts import Interrupted, Interrupts, left, patience
from kubemin.cli.language import because, key, tr, trn
from kubemin.cli.mistakes import Mistakes, mistakes_in
from kubemin.cli.output import Output
from kubemin.cli.progress import Progress
from kubemin.client.calls.runs import new_key
from kubemin.client.errors import KubeminError, NotFound, Refused, Unauthorized, Unavailable
from kubemin.client.sync import Client

if TYPE_CHECKING:
    from kubemin.client.options import RunOptions
    from kubemin.client.replies import Revision, Task

T = TypeVar("T")

_AGAIN_SECONDS = 1.0
_ANSWER_SECONDS = 10
_REMOVAL_SECONDS = 90
"""A removal of resources is answered once it is done, after a minute at most."""
_WORST_FIRST = (Exit.INCOMPLETE, Exit.FAILED, Exit.TIMEOUT, Exit.CANCELLED)
_ACTIVE = ("waiting", "queued", "running")
_HINT = key("`kubemin tasks` shows how they go on")
_NOTE = "all or nothing: another application of the same apply did not complete"
_COLUMNS = (key("application"), key("revision"), key("task"), key("status"), key("outcome"))


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


def start(
    client: Client, specs: Sequence[Spec], bodies: Sequence[dict[str, Any]], *, all_or_nothing: bool
) -> list[Run]:
    """Ask for each application's run. With ``all_or_nothing`` nothing is asked for after one that is refused.

    Raises :class:`CliError`, `KubeminError` where the server does not answer at all.
    """
    runs: list[Run] = []
    for spec, body in zip(specs, bodies, strict=True):
        run = Run(spec.name)
        try:
            run.former = _former(client, spec.name) if all_or_nothing else None
            with mistakes_in(spec):
                made = client.apply(**body, patience=patience(_HINT))
        except (KubeminError, CliError) as error:
            if not runs and not isinstance(error, Refused | Mistakes):
                raise
            run.refused = _said(error)
        else:
            run.app_id, run.revision, run.progress = made["appId"], made["revision"], Progress(made["taskId"])
        runs.append(run)
        if run.refused and all_or_nothing:
            runs += [Run(later.name, refused=tr("not begun")) for later in specs[len(runs) :]]
            break
    return runs


def watch(client: Client, runs: Sequence[Run], output: Output, interrupts: Interrupts, *, all_or_nothing: bool) -> None:
    """Wait until all are settled, and put back what completed where not all did, if that is asked for.

    A signal does to those that still run what `Interrupts.on_signal` says, or the person at the terminal; a second one
    leaves them to themselves. Raises :class:`CliError`.
    """
    client = client.asking(_ANSWER_SECONDS)
    waiting = _Waiting(client, runs, output, interrupts, all_or_nothing=all_or_nothing)
    try:
        waiting.to_the_end()
    except Unauthorized as error:  # that ends the wait, and no task
        known = f"{error.message} {tr(_HINT)}"
        raise Unauthorized(known, code=error.code, status=error.status, fields=error.fields) from error
    except Interrupted as signal:
        going = [run.progress.task_id for run in runs if run.progress and not run.settled]
        sentence = tr("left {tasks}; `kubemin tasks` shows how they go on", tasks=", ".join(going) or tr("them"))
        raise left(sentence, signal) from None


def report(runs: Sequence[Run], output: Output) -> None:
    """The table of the end: each application, and what became of it."""
    rows = []
    for run in runs:
        reason = run.refused if run.progress is None else run.progress.reason
        outcome = "; ".join([part for part in (reason, *run.undone) if part])
        task = run.progress.task_id if run.progress else "-"
        rows.append((run.name, run.revision or "-", task, run.status, outcome))
    output.table(_COLUMNS, rows, key("no applications"))


def exit_of(runs: Sequence[Run]) -> Exit:
    """5 where something is not as it was; else 1 where one failed, 3 timed out, 4 was cancelled."""
    codes = {Exit.INCOMPLETE if run.stuck else run.exit for run in runs}
    return next((code for code in _WORST_FIRST if code in codes), Exit.OK)


class _Waiting:
    """The wait for several tasks, and for what puts them back."""

    def __init__(
        self, client: Client, runs: Sequence[Run], output: Output, interrupts: Interrupts, *, all_or_nothing: bool
    ) -> None:
        self._client = client
        self._runs = runs
        self._output = output
        self._interrupts = interrupts
        self._all_or_nothing = all_or_nothing
        self._patience = patience(_HINT)
        self._cancelled = False

    def to_the_end(self) -> None:
        """Until all are settled, and put back where that is asked for. Raises `Interrupted` to leave them."""
        while True:
            try:
                self._settle()
                break
            except Interrupted as signal:
                self._interrupted(signal)
        if self._all_or_nothing and any(run.exit is not Exit.OK for run in self._runs):
            self._put_back()

    def _interrupted(self, signal: Interrupted) -> None:
        going = [run for run in self._runs if not run.settled]
        if self._cancelled or not going:
            raise signal
        what = trn("A task", "Each of {count} tasks", len(going))
        choice = choose(self._interrupts, signal, what, asks=not self._output.is_data)
        if choice is Choice.DETACH:
            raise signal
        if choice is Choice.CANCEL:
            self._cancelled = True
            self._cancel("interrupted at the command line")
            self._interrupts.forget()

    def _settle(self) -> None:
        stopped = False
        while True:
            self._look([(run.name, run.progress) for run in self._runs if run.progress and not run.settled])
            failed = any(_over(run) and run.exit is not Exit.OK for run in self._runs)
            if self._all_or_nothing and not stopped and failed:
                self._cancel("another application of the same apply did not complete")
                stopped = True
            if all(run.settled for run in self._runs):
                return
            self._interrupts.sleep(_AGAIN_SECONDS)

    def _look(self, going: Sequence[tuple[str, Progress]]) -> None:
        """Ask how they come on; a server that is away is waited for: the tasks go on. Raises :class:`CliError`."""
        try:
            for name, progress in going:
                with self._interrupts.waiting():
                    status = self._client.task(progress.task_id)
                self._take(name, progress, status)
        except Unavailable as error:
            self._patience.failed(error)
        else:
            self._patience.answered()

    def _take(self, name: str, progress: Progress, status: "Task") -> None:
        before = (progress.status, progress.cleanup)
        progress.load(status)
        if before[0] != progress.status:
            self._output.tell(f"{name}  {because(progress.status, progress.reason)}")
        elif before[1] != progress.cleanup:
            self._output.tell(f"{name}  {tr('cleanup {state}', state=progress.cleanup)}")

    def _cancel(self, reason: str) -> None:
        """Cancel what runs. A server that is away is asked until it answers. Raises `Interrupted`."""
        for run in self._runs:
            while run.progress is not None and not run.progress.status.ended:
                try:
                    cancel(self._client, run.progress.task_id, reason, missing_ok=True)
                    break
                except Unavailable as error:
                    self._interrupts.forget()
                    self._interrupts.sleep(self._patience.failed(error))

    def _put_back(self) -> None:
        """Roll back what completed, to what was before; each by a task that is waited for."""
        begun: list[tuple[Run, Progress]] = []
        for run in self._runs:
            if run.exit is not Exit.OK:
                continue
            try:
                said, task = self._undo(run)
            except (KubeminError, CliError) as error:
                run.undone.append(tr("NOT rolled back: {why}", why=_said(error)))
                run.stuck = True
                continue
            run.undone.append(said)
            self._output.tell(f"{run.name}  {said}")
            if task is not None:
                begun.append((run, Progress(task)))
        while going := [(run.name, progress) for run, progress in begun if not progress.settled]:
            self._look(going)
            self._interrupts.sleep(_AGAIN_SECONDS)
        for run, progress in begun:
            said = tr("task {task} {status}", task=progress.task_id, status=progress.status)
            run.undone.append(because(said, progress.reason))
            run.stuck = progress.exit is not Exit.OK

    def _undo(self, run: Run) -> tuple[str, str | None]:
        """What is done to put a completed run back, and by which task. Raises :class:`CliError` where that cannot be.

        A server that is away is waited for. What is asked for has a key, so that asked again it is the same task.
        """
        client, key = self._client, new_key()
        found = self._answered(lambda: client.revisions(run.app_id))["revisions"]
        now = _current(found)
        if run.revision is None or now != run.revision:
            since = tr("revision {revision} was run since", revision=now)
            raise CliError(since if now else tr("its revision is no longer what is deployed"))
        before = [one["revision"] for one in found if one["state"] == "superseded" and one["revision"] < run.revision]
        if before:
            how: RunOptions = {"note": _NOTE, "on_active": "reject", "expects": {"revision": run.revision}}
            made = self._answered(
                lambda: client.rollback(run.app_id, max(before), key=key, patience=self._patience, **how)
            )
            return tr("rolled back to revision {revision}", revision=max(before)), made["taskId"]
        if run.former is not None and run.former.revision is not None:
            gone = tr("revision {revision}, which it had, is no longer kept", revision=run.former.revision)
            raise CliError(gone)
        tasks = self._answered(lambda: client.tasks(app=run.app_id))["tasks"]
        if any(one["status"] in _ACTIVE for one in tasks):
            raise CliError(tr("another task of it is active"))
        if run.former is not None and run.former.known:  # it was only saved
            slow = client.asking(_REMOVAL_SECONDS)
            left = self._answered(lambda: slow.delete_resources(run.app_id))["failedResources"]
            if left:
                raise CliError(tr("not all that it made is removed: {objects}", objects=", ".join(left)))
            return tr("removed from the cluster; it was not deployed before"), None
        goes = self._answered(lambda: client.delete(run.app_id, key=key, patience=self._patience))
        return tr("deleted; it was not there before"), goes.get("taskId")

    def _answered(self, ask: Callable[[], T]) -> T:
        """Ask until there is an answer. Raises :class:`CliError`, `Interrupted`."""
        return self._interrupts.answered(ask, self._patience)


def _said(error: KubeminError | CliError) -> str:
    return "; ".join(told(Failure(error) if isinstance(error, KubeminError) else error).splitlines())


def _over(run: Run) -> bool:
    return run.progress is None or run.progress.status.ended


def _former(client: Client, name: str) -> Former:
    try:
        found = client.revisions(name)["revisions"]
    except NotFound:
        return Former(known=False, revision=None)
    return Former(known=True, revision=_current(found))


def _current(found: "Sequence[Revision]") -> int | None:
    return next((one["revision"] for one in found if one["state"] == "current"), None)
