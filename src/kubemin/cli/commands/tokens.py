"""Commands about API tokens."""

from typing import Annotated, Any

import typer

from kubemin.cli.connection import DEFAULT_SERVER
from kubemin.cli.options import DatabaseUrl, Formed, Quiet, Server, Token
from kubemin.cli.output import Output
from kubemin.spec.scope import ANY

app = typer.Typer()
token = typer.Typer(help="API tokens: who may ask the server, and for what.", no_args_is_help=True)
app.add_typer(token, name="token")

_Names = list[str] | None


@token.command()
def create(
    name: Annotated[str, typer.Argument(help="What it is for.")],
    role: Annotated[str, typer.Option("--role", help="viewer, deployer or admin.")] = "viewer",
    cluster: Annotated[_Names, typer.Option("--cluster", help="Only in this cluster; may be repeated.")] = None,
    namespace: Annotated[
        _Names, typer.Option("--namespace", "-n", help="Only in this namespace; may be repeated.")
    ] = None,
    project: Annotated[_Names, typer.Option("--project", help="Only of this project; may be repeated.")] = None,
    application: Annotated[
        _Names, typer.Option("--application", help="Only the application of this name; may be repeated.")
    ] = None,
    owner: Annotated[
        str | None, typer.Option("--owner", help="Who acts with it: the user of what is done. Default: you.")
    ] = None,
    expires: Annotated[str, typer.Option("--expires", metavar="DAYS", help="Days, as 90d; or never.")] = "90d",
    database: DatabaseUrl = None,
    local: Annotated[
        bool,
        typer.Option("--local", help="Make it in the database of KUBEMIN_DATABASE_URL: on the server's machine."),
    ] = False,
    form: Formed = None,
    quiet: Quiet = False,
    server: Server = DEFAULT_SERVER,
    token: Token = None,
) -> None:
    """Make a token, and print it: it is never shown again.

    The first one is made on the server's machine, with --local or --database, as nobody may ask the server yet.
    """
    from kubemin.cli.tokens import create as run
    from kubemin.cli.tokens import create_in_database, days_of

    days, output = days_of(expires), Output(form, quiet)
    given = {"clusters": cluster, "namespaces": namespace, "projects": project, "applications": application}
    grant: dict[str, Any] = {"role": role, **{field: names or [ANY] for field, names in given.items()}}
    if local or database is not None:
        from kubemin.cli.settings import settings_of

        create_in_database(name, owner, grant, days, settings_of(database_url=database), output)
        return
    from kubemin.cli.connection import Connection

    run(name, owner, grant, days, Connection(server, token, output))


@token.command(name="list")
def list_tokens(
    form: Formed = None, quiet: Quiet = False, server: Server = DEFAULT_SERVER, token: Token = None
) -> None:
    """List tokens: all of them for an admin, else your own. Their text is stored nowhere."""
    from kubemin.cli.connection import Connection
    from kubemin.cli.tokens import show

    show(Connection(server, token, Output(form, quiet)))


@token.command()
def revoke(
    token_id: Annotated[str, typer.Argument(metavar="ID", help="Its id, from the list.")],
    form: Formed = None,
    quiet: Quiet = False,
    server: Server = DEFAULT_SERVER,
    token: Token = None,
) -> None:
    """Revoke a token: it is refused within seconds, and its event streams end."""
    from kubemin.cli.connection import Connection
    from kubemin.cli.tokens import revoke as run

    run(token_id, Connection(server, token, Output(form, quiet)))
