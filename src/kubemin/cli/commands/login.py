"""Commands about who one is."""

from typing import Annotated

import typer

from kubemin.cli.connection import DEFAULT_SERVER, Connection
from kubemin.cli.exits import CliError, Exit
from kubemin.cli.language import tr
from kubemin.cli.options import Formed, Quiet, Server, Token
from kubemin.cli.output import Output

app = typer.Typer()


@app.command()
def login(
    token_stdin: Annotated[bool, typer.Option("--token-stdin", help="With the API token on stdin.")] = False,
    device: Annotated[
        bool, typer.Option("--device", help="At the server's issuer, in a browser anywhere: a code is shown to enter.")
    ] = False,
    browser: Annotated[
        bool, typer.Option("--browser", help="At the server's issuer, in a browser of this machine.")
    ] = False,
    form: Formed = None,
    quiet: Quiet = False,
    server: Server = DEFAULT_SERVER,
) -> None:
    """Log in at a server: further commands need no token.

    At the server's issuer: in a browser where there is a display, else by a code. Without an issuer it asks for an API
    token. What is kept is in ~/.config/kubemin/credentials.json, for this user alone.
    """
    import os

    from kubemin.cli.login.enter import Way
    from kubemin.cli.login.enter import login as run

    given = {Way.TOKEN: token_stdin, Way.DEVICE: device, Way.BROWSER: browser}
    ways = [way for way, is_given in given.items() if is_given]
    if len(ways) > 1:
        raise CliError(tr("--token-stdin, --device and --browser exclude each other"), Exit.USAGE)
    run(ways[0] if ways else None, Connection(server, os.environ.get("KUBEMIN_TOKEN"), Output(form, quiet)))


@app.command()
def logout(quiet: Quiet = False, server: Server = DEFAULT_SERVER) -> None:
    """Forget the login at a server.

    Its issuer takes back what it gave, if it can.
    """
    from kubemin.cli.login.leave import logout as run

    run(Connection(server, None, Output(None, quiet)))


@app.command()
def whoami(form: Formed = None, quiet: Quiet = False, server: Server = DEFAULT_SERVER, token: Token = None) -> None:
    """Who you are to the server, and what you may."""
    from kubemin.cli.whoami import whoami as run

    run(Connection(server, token, Output(form, quiet)))
