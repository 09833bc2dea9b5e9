"""``kubemin apply``."""

import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kubemin.cli import together
from kubemin.cli.apply_options import Wanted
from kubemin.cli.connection import Connection
from kubemin.cli.exits import CliError, Exit
from kubemin.cli.files import Spec
from kubemin.cli.follow import follow
from kubemin.cli.interrupts import Interrupts, OnSignal, patience, seeing_it_through
from kubemin.cli.language import aside, tr
from kubemin.cli.mistakes import mistakes_in, warning
from kubemin.cli.output import Output, say
from kubemin.cli.plan_file import PlanFile, write_plan
from kubemin.cli.preview import previews, report
from kubemin.client.sync import Client

if TYPE_CHECKING:
    from kubemin.client.replies import Preview


def apply(
    wanted: Wanted,
    to: Connection,
    *,
    wait: OnSignal | None,
    dry_run: bool,
    all_or_nothing: bool,
    plan_file: str | None = None,
) -> int:
    """Run the applications, and with ``wait`` follow their tasks, which says what a signal does to them.

    With ``plan_file`` those of the plan, as it has them. Returns the exit code. Raises :class:`CliError`.
    """
    if all_or_nothing and wait is None and not dry_run:
        raise CliError(tr("--all-or-nothing waits: it cannot be given with --detach"), Exit.USAGE)
    known = None
    if plan_file is not None:
        if wanted.files or dry_run:
            message = tr("--plan names the files, and is run: give no files and no --dry-run with it")
            raise CliError(message, Exit.USAGE)
        known = PlanFile(plan_file)
        wanted = known.wanted(wanted)
    specs = wanted.applications()
    expects = [{"expects": one} for one in known.expects(specs)] if known else [{}] * len(specs)
    bodies = [{"application": spec.data, **wanted.given, **more} for spec, more in zip(specs, expects, strict=True)]
    if dry_run:
        with to.client() as client:
            found = previews(client, specs, wanted.given)
        _warn(specs, found, to.output)
        return report([spec.name for spec in specs], found, to.output, exit_of_changes=Exit.DIFFERS)
    with to.client() as client, seeing_it_through(wait) as interrupts:
        if len(specs) == 1:
            return _one(client, specs[0], bodies[0], to.output, interrupts)
        return _several(client, specs, bodies, to.output, interrupts, all_or_nothing=all_or_nothing)


def plan(wanted: Wanted, to: Connection, out: str | None = None) -> int:
    """Show what the runs would do, and do nothing; 1 when something of it would be refused, and no plan is written."""
    specs = wanted.applications()
    with to.client() as client:
        found = previews(client, specs, wanted.given)
    _warn(specs, found, to.output)
    code = report([spec.name for spec in specs], found, to.output, exit_of_changes=Exit.OK)
    if out is not None and code == Exit.OK:
        write_plan(out, wanted, specs, found)
        to.output.tell(tr("written to {file}; run it with: kubemin apply --plan {file}", file=shlex.quote(out)))
    return code


def _warn(specs: Sequence[Spec], found: "Sequence[Preview]", output: Output) -> None:
    for spec, preview in zip(specs, found, strict=True):
        for one in preview["warnings"]:
            output.tell(warning(spec, one))


def _one(client: Client, spec: Spec, body: dict[str, Any], output: Output, interrupts: Interrupts | None) -> int:
    with mistakes_in(spec):
        made = client.apply(**body, patience=patience())
    made_of = tr("application {name}, revision {revision}", name=spec.name, revision=made["revision"])
    output.tell(aside(made_of, made["appId"]))
    if not output.is_data:
        for one in made["warnings"]:
            say(warning(spec, one))
    return followed(client, made, output, interrupts)


def followed(client: Client, made: Mapping[str, Any], output: Output, interrupts: Interrupts | None) -> int:
    """Name the task of ``made``, the server's reply, and unless ``interrupts`` is None follow it; the exit code."""
    task_id = made["taskId"]
    output.tell(tr("task {task}", task=task_id))
    if interrupts is None:
        output.printed(made, [task_id])
        return Exit.OK
    progress, ending = follow(client, task_id, output, interrupts)
    if not output.printed({**made, **ending.to_json()}, [task_id]):
        ending.tell(output)
    return progress.exit


def _several(
    client: Client,
    specs: Sequence[Spec],
    bodies: Sequence[dict[str, Any]],
    output: Output,
    interrupts: Interrupts | None,
    *,
    all_or_nothing: bool,
) -> int:
    runs = together.start(client, specs, bodies, all_or_nothing=all_or_nothing)
    if interrupts is not None:
        together.watch(client, runs, output, interrupts, all_or_nothing=all_or_nothing)
    code = together.exit_of(runs)
    if interrupts is None:
        code = Exit.FAILED if any(run.progress is None for run in runs) else Exit.OK
    whole = {"applications": [run.to_json() for run in runs]}
    if not output.printed(whole, [run.progress.task_id for run in runs if run.progress]):
        together.report(runs, output)
    return code
