"""``kubemin logs``: what containers write; of a task that has failed, what they said before its rollback."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kubemin.cli import evidence
from kubemin.cli.connection import Connection
from kubemin.cli.exits import CliError, Exit
from kubemin.cli.interrupts import Interrupted, Interrupts, left, patience
from kubemin.cli.language import tr
from kubemin.cli.output import Form, Output, json_text, say
from kubemin.client.errors import NotFound
from kubemin.client.sync import Client

if TYPE_CHECKING:
    from kubemin.client.replies import LogLine


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
            app = client.application(named)["id"]
        except NotFound as error:
            found = client.evidence(named)
            if asked.narrows:
                message = tr("of a task there is only what its Pods said before the rollback: name it without options")
                raise CliError(message, Exit.USAGE) from error
            evidence.show(found, to.output)
            return
        if asked.follow:
            _follow(client, app, asked, to.output)
        else:
            text = client.logs(
                app,
                component=asked.component,
                container=asked.container,
                previous=asked.previous or None,
                tail=asked.tail,
            )
            _show(text, to.output)


def _show(text: str, output: Output) -> None:
    lines = [_read(line) for line in text.split("\n") if line]
    if output.printed({"lines": lines}, dict.fromkeys(_place(line) for line in lines)):
        return
    if not lines:
        output.tell(
            tr("no container has written anything; kubemin logs TASK shows what the Pods of a failed task said")
        )
    for line in lines:
        _print(line, output)


def _read(line: str) -> dict[str, Any]:
    """``[component/pod/container] text``, as the API has it; ``(text)`` alone is a note."""
    place, _, text = line.removeprefix("[").partition("] ")
    component, pod, container = place.split("/")
    return {"component": component, "pod": pod, "container": container, "text": text}


def _follow(client: Client, app: str, asked: Asked, output: Output) -> None:
    """Each line as it comes, until the person stops it. A server that is away is waited for. Raises `CliError`."""
    lines = client.follow_logs(
        app,
        component=asked.component,
        container=asked.container,
        tail=asked.tail,
        patience=patience(tr("ask for the logs again later")),
    )
    shown: set[str] = set()
    with Interrupts() as interrupts:
        try:
            while (line := _next(lines, interrupts)) is not None:
                _one({name: value for name, value in line.items() if name != "type"}, line["type"], output, shown)
        except Interrupted as signal:
            raise left(tr("left; nothing is stopped by that"), signal) from None


def _next(lines: "Iterator[LogLine]", interrupts: Interrupts) -> "LogLine | None":
    with interrupts.waiting():
        return next(lines, None)


def _one(line: dict[str, Any], kind: str, output: Output, named: set[str]) -> None:
    """Print a line that came; with ``-o name`` the name of each container once, with JSON an object a line."""
    if kind == "note":
        line = {**line, "text": f"({line['text']})"}
    place = _place(line)
    if output.form is Form.NAME and place not in named:
        named.add(place)
        say(place)
    elif output.form is Form.JSON:
        say(json_text(line))
    elif output.form is Form.YAML:
        say("---")
        output.printed(line, ())
    elif not output.is_data:
        _print(line, output)


def _place(line: dict[str, Any]) -> str:
    return f"{line['component']}/{line['pod']}/{line['container']}"


def _print(line: dict[str, Any], output: Output) -> None:
    say(line["text"] if output.quiet else f"[{_place(line)}] {line['text']}")
