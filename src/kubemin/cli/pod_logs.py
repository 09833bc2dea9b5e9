"""``kubemin logs``: what containers write; of a task that has failed, what they said before its rollback."""

import json
from dataclasses import dataclass
from typing import Any

from kubemin.cli import evidence
from kubemin.cli.client import Client, Connection, NoAnswer, Refused
from kubemin.cli.exits import CliError, Exit
from kubemin.cli.interrupts import Interrupted, Interrupts, Patience, left
from kubemin.cli.output import Form, Output, complain, say

_APPLICATION_NOT_FOUND = 10005
_AGAIN_SECONDS = 1.0


@dataclass(frozen=True)
class Asked:
    """Which logs are wanted."""

    component: str | None = None
    container: str | None = None
    previous: bool = False
    tail: int | None = None
    follow: bool = False

    @property
    def narrows(self) -> bool:
        """Whether anything was given that is only for an application."""
        return self != Asked()


def logs(named: str, asked: Asked, to: Connection) -> None:
    """Show the logs of an application, or the evidence of a task. Raises :class:`CliError`."""
    with to.client() as client:
        try:
            app = client.get(f"/applications/{named}")["id"]
        except Refused as error:
            if error.business_code != _APPLICATION_NOT_FOUND:
                raise
            found = client.get(f"/workflow/tasks/{named}/evidence")
            if asked.narrows:
                message = "of a task there is only what its Pods said before the rollback: name it without options"
                raise CliError(message, Exit.USAGE) from error
            evidence.show(found, to.output)
            return
        params = {"component": asked.component, "container": asked.container, "tail": asked.tail}
        if asked.follow:
            _follow(client, f"/applications/{app}/logs", params, to.output)
        else:
            _show(client.text(f"/applications/{app}/logs", **params, previous=asked.previous or None), to.output)


def _show(text: str, output: Output) -> None:
    lines = [_read(line) for line in text.split("\n") if line]
    if output.printed({"lines": lines}, dict.fromkeys(_place(line) for line in lines)):
        return
    if not lines:
        output.tell("no container has written anything; kubemin logs TASK shows what the Pods of a failed task said")
    for line in lines:
        _print(line, output)


def _read(line: str) -> dict[str, Any]:
    """``[component/pod/container] text``, as the API has it; ``(text)`` alone is a note."""
    place, _, text = line.removeprefix("[").partition("] ")
    component, pod, container = place.split("/")
    return {"component": component, "pod": pod, "container": container, "text": text}


def _follow(client: Client, path: str, params: dict[str, Any], output: Output) -> None:
    """Each line as it comes, until the person stops it. A server that is away is waited for. Raises `CliError`."""
    patience = Patience(lambda text: complain(f"kubemin: {text}"))
    named: set[str] = set()
    with Interrupts() as interrupts:
        try:
            while True:
                stream = client.stream(path, **params, follow=True)
                try:
                    while True:
                        with interrupts.waiting():
                            event = next(stream, None)
                        if event is None:
                            client.get(path.removesuffix("/logs"))  # why it ended: perhaps the server is away
                            break
                        patience.answered()
                        _one(json.loads(event.data), event.type, output, named)
                except NoAnswer as error:
                    patience.failed(error.why, "ask for the logs again later")
                params["tail"] = 0  # what came meanwhile is lost, rather than told twice
                interrupts.sleep(_AGAIN_SECONDS)
        except Interrupted as signal:
            raise left("left; nothing is stopped by that", signal) from None


def _one(line: dict[str, Any], kind: str, output: Output, named: set[str]) -> None:
    """Print a line that came; with ``-o name`` the name of each container once, with JSON an object a line."""
    if kind == "note":
        line = {**line, "text": f"({line['text']})"}
    place = _place(line)
    if output.form is Form.NAME and place not in named:
        named.add(place)
        say(place)
    elif output.form is Form.JSON:
        say(json.dumps(line, ensure_ascii=False))
    elif output.form is Form.YAML:
        say("---")
        output.printed(line, ())
    elif not output.is_data:
        _print(line, output)


def _place(line: dict[str, Any]) -> str:
    return f"{line['component']}/{line['pod']}/{line['container']}"


def _print(line: dict[str, Any], output: Output) -> None:
    say(line["text"] if output.quiet else f"[{_place(line)}] {line['text']}")
