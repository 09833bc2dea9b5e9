"""The command line's parser: all commands, by subject."""

import typer

from kubemin.cli.commands import applications, servers, tasks
from kubemin.cli.options import Json

app = typer.Typer(
    name="kubemin",
    help="Deploy applications to Kubernetes as tasks that can be stopped, and that put the cluster back as it was.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _subject in (applications, tasks, servers):
    app.add_typer(_subject.app)


@app.command()
def version(as_json: Json = False) -> None:
    """Print the version."""
    from kubemin.cli.version import show

    show(as_json=as_json)
