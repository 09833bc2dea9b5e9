"""Commands on the keys that seal secrets in the database."""

from typing import Annotated

import typer

from kubemin.cli.options import DatabaseUrl, Formed, Quiet
from kubemin.cli.output import Output

app = typer.Typer()
key = typer.Typer(help="Keys that seal secrets in the database.", no_args_is_help=True)
app.add_typer(key, name="key")


@key.command()
def generate(
    key_id: Annotated[str | None, typer.Argument(metavar="[ID]", help="Its name; default: today's date.")] = None,
) -> None:
    """Print a new key, for KUBEMIN_ENCRYPTION_KEYS or a key file."""
    from kubemin.cli.keys import print_new

    print_new(key_id)


@key.command()
def status(database: DatabaseUrl = None, form: Formed = None, quiet: Quiet = False) -> None:
    """Which keys are in use: how many values each has sealed, and how many are in plain text.

    It reads every value, so it takes its time.
    """
    from kubemin.cli.keys import status
    from kubemin.cli.settings import settings_of

    status(settings_of(database_url=database), Output(form, quiet))


@key.command()
def rotate(
    database: DatabaseUrl = None,
    accept_plain: Annotated[
        bool, typer.Option("--accept-plain", help="Also what was put there in plain text after all was sealed.")
    ] = False,
    form: Formed = None,
    quiet: Quiet = False,
) -> None:
    """Seal with the first key all that is in plain text or under another key, and wait until nothing is left.

    Servers do the same in the background, slowly. It may run beside them, more than once, and be ended at any time.
    Plain text that appears once all was sealed is refused: look who wrote it before you accept it.
    """
    from kubemin.cli.keys import rotate
    from kubemin.cli.settings import settings_of

    rotate(settings_of(database_url=database), Output(form, quiet), accept_plain=accept_plain)
