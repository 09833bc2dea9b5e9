"""Commands about who is told what happens."""

from typing import Annotated

import typer

from kubemin.cli.connection import DEFAULT_SERVER
from kubemin.cli.options import Formed, Quiet, Server, Token
from kubemin.cli.output import Output

app = typer.Typer()
notifications = typer.Typer(help="Who is told what happens.", no_args_is_help=True)
app.add_typer(notifications, name="notifications")


@notifications.command("list")
def show(
    state: Annotated[
        str | None,
        typer.Option("--state", metavar="STATE", help="Only those: waiting, delivered, dead or dropped."),
    ] = None,
    target: Annotated[str | None, typer.Option("--target", metavar="TARGET", help="Only those to this target.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many, at most.")] = 20,
    form: Formed = None,
    quiet: Quiet = False,
    server: Server = DEFAULT_SERVER,
    token: Token = None,
) -> None:
    """List targets, and what was sent to them, newest first."""
    from kubemin.cli.connection import Connection
    from kubemin.cli.notifications import show as run

    run(Connection(server, token, Output(form, quiet)), state, target, limit)


@notifications.command()
def retry(
    delivery: Annotated[int, typer.Argument(metavar="ID", min=1, help="Its number, as the list has it.")],
    form: Formed = None,
    quiet: Quiet = False,
    server: Server = DEFAULT_SERVER,
    token: Token = None,
) -> None:
    """Send a message once more, now; it is tried as often as at first."""
    from kubemin.cli.connection import Connection
    from kubemin.cli.notifications import retry as run

    run(Connection(server, token, Output(form, quiet)), delivery)


@notifications.command("test")
def send_test(
    target: Annotated[str, typer.Argument(metavar="TARGET", help="Name of the target.")],
    form: Formed = None,
    quiet: Quiet = False,
    server: Server = DEFAULT_SERVER,
    token: Token = None,
) -> None:
    """Send a test message to a target.

    Exits 1 when it was not delivered.
    """
    from kubemin.cli.connection import Connection
    from kubemin.cli.notifications import send_test as run

    raise typer.Exit(run(Connection(server, token, Output(form, quiet)), target))
