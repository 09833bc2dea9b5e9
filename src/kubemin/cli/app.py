"""The command line's parser: all commands, by subject."""

from typing import Any

import typer

from kubemin.cli.commands import applications, audit, files, keys, login, notifications, servers, tasks, tokens
from kubemin.cli.exits import CliError, Exit
from kubemin.cli.language import is_english, tr
from kubemin.cli.options import Formed, Quiet
from kubemin.cli.output import Output, complain

app = typer.Typer(
    name="kubemin",
    help="Deploy applications to Kubernetes as tasks that can be stopped, and that put the cluster back as it was.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _subject in (files, applications, tasks, notifications, audit, servers, keys, login, tokens):
    app.add_typer(_subject.app)


@app.command()
def version(form: Formed = None, quiet: Quiet = False) -> None:
    """Print the version."""
    from kubemin.cli.version import show

    show(Output(form, quiet))


_UsageError: Any = typer.BadParameter.__base__  # of typer's own click, whose other errors it does not show


def run(*, as_json: bool) -> int:
    """Run the command; its exit code. With ``as_json`` also what is wrong with the command line is raised.

    Raises :class:`CliError`.
    """
    command: Any = typer.main.get_command(app)
    if not is_english():
        from kubemin.cli.translating import translate

        translate(command)
    try:
        return command(standalone_mode=False) or Exit.OK
    except _UsageError as error:
        if as_json:
            raise CliError(error.format_message(), Exit.USAGE) from error
        _show(error)
        return Exit.USAGE
    except typer.Abort as error:
        raise CliError(tr("nobody answered: nothing was done")) from error


def _show(error: Any) -> None:
    """As the parser does, in the reader's language."""
    if is_english():
        error.show()
        return
    from kubemin.cli.translating import wrong

    if error.ctx is not None:
        command = f"{error.ctx.command_path} {error.ctx.help_option_names[0]}"
        complain(error.ctx.get_usage())
        complain(tr("Try '{command}' for help.", command=command) + "\n")
    complain(tr("Error: {message}", message=wrong(error.format_message())))
