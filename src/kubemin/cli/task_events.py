"""``kubemin events``: the events of a task, from its first to its last."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from kubemin.cli.connection import Connection
from kubemin.cli.follow import come_back, goes_on
from kubemin.cli.interrupts import Interrupted, Interrupts, left, patience
from kubemin.cli.output import Form, Output, json_text, moment, say

if TYPE_CHECKING:
    from kubemin.client.replies import Event


def events(task_id: str, to: Connection) -> None:
    """Show each event, and those to come until the task is settled. The task is only watched. Raises `CliError`."""
    with to.client() as client:
        task_id = client.task(task_id)["taskId"]
        names = {stage["id"]: stage["name"] for stage in client.stages(task_id)["stages"]}
        coming = client.events(task_id, patience=patience(come_back(task_id)))
        with Interrupts() as interrupts:
            try:
                while (event := _next(coming, interrupts)) is not None:
                    _print(dict(event), names, to.output)
            except Interrupted as signal:
                raise left(goes_on(task_id), signal) from None


def _next(coming: "Iterator[Event]", interrupts: Interrupts) -> "Event | None":
    with interrupts.waiting():
        return next(coming, None)


def _print(event: dict[str, Any], names: dict[int, str], output: Output) -> None:
    """One event: an object a line for a program, else a line with its time."""
    if output.form is Form.JSON:
        say(json_text(event))
        return
    if output.form is Form.YAML:
        say("---")
    if output.printed(event, [event["id"]]):
        return
    about = names.get(
        event.get("job", 0), "/".join(event[key] for key in ("kind", "namespace", "name") if event.get(key))
    )
    state = event.get("status") or event.get("state") or event.get("cleanup") or ""
    why = event.get("error") or event.get("reason") or event.get("why") or event.get("info") or ""
    code = f" ({event['reasonCode']})" if "reasonCode" in event else ""
    when = "" if output.quiet else f"{moment(event.get('at'))}  "
    say(f"{when}{event['type']:<8}  {about + '  ' if about else ''}{state}" + (f"  {why}{code}" if why else ""))
