"""``kubemin apply``."""

from collections.abc import Sequence
from typing import Any

from kubemin.cli import together
from kubemin.cli.apply_options import Wanted
from kubemin.cli.client import Client, Connection
from kubemin.cli.ending import ending
from kubemin.cli.exits import CliError, Exit
from kubemin.cli.follow import follow
from kubemin.cli.output import print_json, say
from kubemin.cli.plan_file import PlanFile, write_plan
from kubemin.cli.preview import previews, report


def apply(
    wanted: Wanted, to: Connection, *, wait: bool, dry_run: bool, all_or_nothing: bool, plan_file: str | None = None
) -> int:
    """Run the applications, and with ``wait`` follow their tasks. Returns the exit code. Raises :class:`CliError`.

    With ``plan_file`` those of the plan, as it has them.
    """
    if all_or_nothing and not (wait or dry_run):
        raise CliError("--all-or-nothing waits: it cannot be given with --detach", Exit.USAGE)
    known = None
    if plan_file is not None:
        if wanted.files or dry_run:
            raise CliError("--plan names the files, and is run: give no files and no --dry-run with it", Exit.USAGE)
        known = PlanFile(plan_file)
        wanted = known.wanted(wanted)
    specs = wanted.applications()
    expects = [{"expects": one} for one in known.expects(specs)] if known else [{}] * len(specs)
    bodies = [{"application": spec.data, **wanted.given, **more} for spec, more in zip(specs, expects, strict=True)]
    with to.client() as client:
        if dry_run:
            found = previews(client, specs, wanted.given)
            return report([spec.name for spec in specs], found, as_json=to.as_json, exit_of_changes=Exit.DIFFERS)
        if len(specs) == 1:
            return _one(client, specs[0].name, bodies[0], wait=wait, as_json=to.as_json)
        names = [spec.name for spec in specs]
        return _several(client, names, bodies, wait=wait, as_json=to.as_json, all_or_nothing=all_or_nothing)


def plan(wanted: Wanted, to: Connection, out: str | None = None) -> int:
    """Show what the runs would do, and do nothing; 1 when something of it would be refused, and no plan is written."""
    specs = wanted.applications()
    with to.client() as client:
        found = previews(client, specs, wanted.given)
    code = report([spec.name for spec in specs], found, as_json=to.as_json, exit_of_changes=Exit.OK)
    if out is not None and code == Exit.OK:
        write_plan(out, wanted, specs, found)
        if not to.as_json:
            say(f"written to {out}; run it with: kubemin apply --plan {out}")
    return code


def _one(client: Client, name: str, body: dict[str, Any], *, wait: bool, as_json: bool) -> int:
    made = client.post("/apply", body)
    if not as_json:
        say(f"application {name}, revision {made['revision']} ({made['appId']})")
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
    client: Client,
    names: Sequence[str],
    bodies: Sequence[dict[str, Any]],
    *,
    wait: bool,
    as_json: bool,
    all_or_nothing: bool,
) -> int:
    tell = _silent if as_json else say
    runs = together.start(client, names, bodies, all_or_nothing=all_or_nothing)
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
