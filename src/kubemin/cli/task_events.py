"""``kubemin events``: the events of a task, from its first to its last."""

import json
from typing import Any

from kubemin.cli.client import Client, Connection, NoAnswer
from kubemin.cli.follow import come_back
from kubemin.cli.interrupts import Interrupted, Interrupts, Patience, left
from kubemin.cli.output import Form, Output, complain, moment, say

_AGAIN_SECONDS = 0.5


def events(task_id: str, to: Connection) -> None:
    """Show each event, and those to come until the task is settled. The task is only watched. Raises `CliError`."""
    with to.client() as client:
        task_id = client.get(f"/workflow/tasks/{task_id}/status")["taskId"]
        stages = client.get(f"/workflow/tasks/{task_id}/stages")["stages"]
        names = {stage["id"]: stage["name"] for stage in stages}
        with Interrupts() as interrupts:
            try:
                _follow(client, task_id, names, to.output, interrupts)
            except Interrupted as signal:
                raise left(f"left; task {task_id} goes on: {come_back(task_id)}", signal) from None


def _follow(client: Client, task_id: str, names: dict[int, str], output: Output, interrupts: Interrupts) -> None:
    patience = Patience(lambda text: complain(f"kubemin: {text}"))
    last = 0
    path = f"/workflow/tasks/{task_id}"
    while True:
        stream = client.stream(f"{path}/events", last)
        try:
            while True:
                with interrupts.waiting():
                    event = next(stream, None)
                if event is None:
                    break
                patience.answered()
                last = int(event.id)
                _print({"id": last, "type": event.type, **json.loads(event.data)}, names, output)
                if event.type == "end":
                    return
            with interrupts.waiting():
                client.get(f"{path}/status")  # why it broke off: perhaps the server is away
            patience.answered()
        except NoAnswer as error:
            patience.failed(error.why, come_back(task_id))
        interrupts.sleep(_AGAIN_SECONDS)


def _print(event: dict[str, Any], names: dict[int, str], output: Output) -> None:
    """One event: an object a line for a program, else a line with its time."""
    if output.form is Form.JSON:
        say(json.dumps(event, ensure_ascii=False))
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
