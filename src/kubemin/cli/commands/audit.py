"""Commands about the audit: who changed what."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from kubemin.cli.connection import DEFAULT_SERVER
from kubemin.cli.options import Formed, OfApp, OfCluster, Quiet, Server, Token
from kubemin.cli.output import Output

app = typer.Typer()
audit = typer.Typer(help="Who changed what, and from where.", no_args_is_help=True)
app.add_typer(audit, name="audit")


class Outcome(StrEnum):
    """What became of a call."""

    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"
    UNANSWERED = "unanswered"


Since = Annotated[str | None, typer.Option("--since", metavar="TIME", help="From then on: a date, or RFC 3339.")]
Until = Annotated[str | None, typer.Option("--until", metavar="TIME", help="Before then.")]
OfCaller = Annotated[str | None, typer.Option("--caller", help="Only calls of this caller.")]
Operation = Annotated[str | None, typer.Option("--operation", help="Only this operation, such as cancel_task.")]
OfTask = Annotated[str | None, typer.Option("--task", help="Only calls about this task.")]
OfRequest = Annotated[str | None, typer.Option("--request", metavar="ID", help="Only the call of this request id.")]
OfOutcome = Annotated[Outcome | None, typer.Option("--outcome", help="Only calls that ended so.")]


@audit.command("list")
def list_rows(
    since: Since = None,
    until: Until = None,
    caller: OfCaller = None,
    operation: Operation = None,
    cluster: OfCluster = None,
    app_id: OfApp = None,
    task: OfTask = None,
    outcome: OfOutcome = None,
    request: OfRequest = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most this many.")] = 50,
    form: Formed = None,
    quiet: Quiet = False,
    server: Server = DEFAULT_SERVER,
    token: Token = None,
) -> None:
    """List the calls that may have changed something, newest first; refused ones too."""
    from kubemin.cli.audit import Wanted
    from kubemin.cli.audit import audit as run
    from kubemin.cli.connection import Connection

    wanted = Wanted(since, until, caller, operation, cluster, app_id, task, outcome and outcome.value, request)
    run(wanted, limit, Connection(server, token, Output(form, quiet)))


@audit.command()
def export(
    since: Since = None,
    until: Until = None,
    caller: OfCaller = None,
    operation: Operation = None,
    cluster: OfCluster = None,
    app_id: OfApp = None,
    task: OfTask = None,
    outcome: OfOutcome = None,
    request: OfRequest = None,
    server: Server = DEFAULT_SERVER,
    token: Token = None,
) -> None:
    """Print the rows as JSON lines, oldest first.

    Without filters they are the whole chain, which `kubemin audit verify FILE` checks without a server.
    """
    from kubemin.cli.audit import Wanted
    from kubemin.cli.audit import export as run
    from kubemin.cli.connection import Connection

    wanted = Wanted(since, until, caller, operation, cluster, app_id, task, outcome and outcome.value, request)
    run(wanted, Connection(server, token))


@audit.command()
def verify(
    file: Annotated[
        str | None, typer.Argument(metavar="[FILE|-]", help="What was exported; else the server is asked.")
    ] = None,
    after: Annotated[
        str | None,
        typer.Option("--after", metavar="ROW:HASH", help="A checkpoint: this row must be there; begin with it."),
    ] = None,
    key_file: Annotated[
        Path | None,
        typer.Option("--key-file", metavar="FILE", help="Keys of the rows, one a line; else KUBEMIN_AUDIT_KEY."),
    ] = None,
    form: Formed = None,
    quiet: Quiet = False,
    server: Server = DEFAULT_SERVER,
    token: Token = None,
) -> None:
    """Check that no row was changed, deleted, inserted or moved.

    Prints a checkpoint, for --after at the next time: with it also rows that are missing at the end are found. Exits 7
    when a row is wrong or missing, and names the first one.
    """
    from kubemin.cli.audit import verify as run
    from kubemin.cli.connection import Connection

    raise typer.Exit(run(file, after, key_file, Connection(server, token, Output(form, quiet))))
