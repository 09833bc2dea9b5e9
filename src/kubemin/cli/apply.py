"""``kubemin apply``."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from kubemin.cli import together
from kubemin.cli.applications import applications
from kubemin.cli.client import Client
from kubemin.cli.ending import ending
from kubemin.cli.exits import CliError, Exit
from kubemin.cli.files import Spec
from kubemin.cli.follow import follow
from kubemin.cli.output import print_json, say
from kubemin.cli.preview import previews


@dataclass(frozen=True)
class Connection:
    """The server that a command asks, and how it answers."""

    server: str
    token: str | None
    as_json: bool


@dataclass(frozen=True)
class Wanted:
    """What is to be applied: files, what replaces values in them, and the options of the runs."""

    files: Sequence[str]
    namespace: str | None = None
    sets: Sequence[str] = ()
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def given(self) -> dict[str, Any]:
        """The options that are given."""
        return {name: value for name, value in self.options.items() if value is not None}

    def applications(self) -> list[Spec]:
        """The applications as they are sent. Raises :class:`CliError`."""
        return applications(self.files, namespace=self.namespace, sets=self.sets)


def apply(wanted: Wanted, to: Connection, *, wait: bool, dry_run: bool, all_or_nothing: bool) -> int:
    """Run the applications, and with ``wait`` follow their tasks. Returns the exit code. Raises :class:`CliError`."""
    if all_or_nothing and not (wait or dry_run):
        raise CliError("--all-or-nothing waits: it cannot be given with --detach", Exit.USAGE)
    specs = wanted.applications()
    with Client(to.server, to.token) as client:
        if dry_run:
            return previews(client, specs, wanted.given, as_json=to.as_json, exit_of_changes=Exit.DIFFERS)
        if len(specs) == 1:
            return _one(client, specs[0], wanted.given, wait=wait, as_json=to.as_json)
        return _several(client, specs, wanted.given, wait=wait, as_json=to.as_json, all_or_nothing=all_or_nothing)


def _one(client: Client, spec: Spec, options: dict[str, Any], *, wait: bool, as_json: bool) -> int:
    made = client.post("/apply", {"application": spec.data, **options})
    if not as_json:
        say(f"application {spec.name}, revision {made['revision']} ({made['appId']})")
        for one in made["warnings"]:
            say(f"warning: {one['field']}: {one['message']}")
    return followed(client, made, wait=wait, as_json=as_json)


def followed(client: Client, made: dict[str, Any], *, wait: bool, as_json: bool) -> int:
    """Name the task of ``made``, the server's reply, and with ``wait`` follow it; the exit code."""
    task_id = made["taskId"]
    if not as_json:
        say(f"task {task_id}")
    if not wait:
        if as_json:
            print_json(made)
        return Exit.OK
    progress = follow(client, task_id, quiet=as_json)
    if as_json:
        print_json({**made, "task": client.get(f"/workflow/tasks/{task_id}/status")})
    else:
        say(ending(client, task_id))
    return progress.exit


def _several(
    client: Client, specs: Sequence[Spec], options: dict[str, Any], *, wait: bool, as_json: bool, all_or_nothing: bool
) -> int:
    tell = _silent if as_json else say
    runs = together.start(client, specs, options, all_or_nothing=all_or_nothing)
    if wait:
        together.watch(client, runs, tell, all_or_nothing=all_or_nothing)
    if as_json:
        print_json({"applications": [run.to_json() for run in runs]})
    else:
        together.report(runs)
    if wait:
        return together.exit_of(runs)
    return Exit.FAILED if any(run.progress is None for run in runs) else Exit.OK


def _silent(_line: str) -> None:
    """For scripts only the end is told."""


def plan(wanted: Wanted, to: Connection) -> int:
    """Show what the runs would do, and do nothing; 1 when something of it would be refused."""
    specs = wanted.applications()
    with Client(to.server, to.token) as client:
        return previews(client, specs, wanted.given, as_json=to.as_json, exit_of_changes=Exit.OK)
