"""Commands that stop a task or let it go on, try its cleanup again, or give up what that could not undo."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from kubemin.cli.asking import confirm, is_asked
from kubemin.cli.cleanup_text import named
from kubemin.cli.connection import Connection
from kubemin.cli.exits import CliError, Exit
from kubemin.cli.follow import cancel as cancel_task
from kubemin.cli.follow import follow as follow_task
from kubemin.cli.interrupts import Interrupts
from kubemin.cli.language import because, key, tr
from kubemin.cli.output import Output, say
from kubemin.spec.states import CleanupPolicy

if TYPE_CHECKING:
    from kubemin.client.replies import CleanupNow


def cancel(
    task_id: str, reason: str | None, policy: CleanupPolicy | None, to: Connection, *, yes: bool, wait: bool
) -> int:
    """Cancel a task, and with ``wait`` follow its rollback: exits 5 when that stays incomplete, else 0.

    With the policy ``none`` what the task did stays: it is listed before, and whoever sits at a terminal is asked,
    unless ``yes``.
    """
    if yes and policy is not CleanupPolicy.NONE:
        raise CliError(tr("--yes is for --cleanup none: nothing else is asked about"), Exit.USAGE)
    with to.client() as client:
        if policy is CleanupPolicy.NONE:
            stays = [
                f"{named(one)} ({one['state']})"
                for one in client.resources(task_id)["resources"]
                if one["state"] in _DONE_BY_THE_TASK
            ]
            if not _agreed(tr("stays as it is now"), stays, tr("Cancel, and leave this?"), to.output, yes=yes):
                say(tr("nothing was cancelled"))
                return Exit.OK
        done = cancel_task(client, task_id, reason, policy)
        if not wait and done is not None:
            if not to.output.printed(done, [done["taskId"]]):
                to.output.tell(_state(task_id, done))
            return Exit.OK
        with Interrupts() as interrupts:
            progress, ending = follow_task(client, task_id, to.output, interrupts, from_end=True)
        if not to.output.printed(ending.task, [progress.task_id]) and (
            to.output.is_chatty or progress.exit is Exit.INCOMPLETE
        ):
            say(ending.text)
        return Exit.INCOMPLETE if progress.exit is Exit.INCOMPLETE else Exit.OK


def promote(task_id: str, to: Connection) -> None:
    """Let the pause that a task is in pass."""
    with to.client() as client:
        held = client.task(task_id).get("hold")
        done = client.promote(task_id, seq=held["seq"] if held else None)
    if not to.output.printed(done, [done["name"]]):
        to.output.tell(tr("task {task}: {hold} is promoted, and the run goes on", task=task_id, hold=done["name"]))


def cleanup(task_id: str, reason: str | None, to: Connection, *, yes: bool) -> None:
    """Try an incomplete cleanup again now. ``reason`` and ``yes`` are only for `abandon`, and refused here."""
    if wrong := [name for name, given in (("--reason", reason), ("--yes", yes)) if given]:
        options = tr(" and ").join(wrong)
        raise CliError(tr("{options} can be given only with --abandon", options=options), Exit.USAGE)
    with to.client() as client:
        _tell(task_id, client.cleanup(task_id), to.output)


def abandon(task_id: str, reason: str | None, to: Connection, *, yes: bool) -> int:
    """Give up what an incomplete cleanup could not undo: it is listed, and at a terminal asked about."""
    with to.client() as client:
        found = client.task(task_id)["cleanup"]
        if found["state"] == "incomplete":
            left = [because(named(one), one["why"]) for one in found["remaining"]]
            stays = tr("stays as it is, and is not tried again")
            if not _agreed(stays, left, tr("Give this up?"), to.output, yes=yes):
                say(tr("nothing was given up"))
                return Exit.OK
        _tell(task_id, client.abandon(task_id, reason=reason or None), to.output)
        return Exit.OK


def _agreed(what: str, objects: Iterable[str], question: str, output: Output, *, yes: bool) -> bool:
    """List the objects, and ask about them; only somebody at a terminal is asked."""
    asks = is_asked(output, yes=yes, instead=tr("give --yes"))
    if output.is_chatty or asks:
        for one in objects:
            say(because(what, one))
    return not asks or confirm(question)


def _tell(task_id: str, done: "CleanupNow", output: Output) -> None:
    if not output.printed(done, [done["taskId"]]):
        output.tell(because(_state(task_id, done), tr(_NEXT[done["cleanup"]], task=task_id)))


def _state(task_id: str, done: Mapping[str, Any]) -> str:
    status, cleanup_ = done["status"], done["cleanup"]
    return tr("task {task} {status}, cleanup {cleanup}", task=task_id, status=status, cleanup=cleanup_)


_DONE_BY_THE_TASK = ("intent", "created", "changed")

_NEXT = {
    "none": key("there is nothing to clean up"),
    "pending": key("it is about to begin"),
    "running": key("it is under way"),
    "done": key("there is nothing left to do"),
    "incomplete": key("it is tried again now; follow it with `kubemin status {task} --follow`"),
    "abandoned": key("it is not tried again; what is left shows in `kubemin status {task}` and in `kubemin orphans`"),
}
"""What becomes of a cleanup, by the state that it is in."""
