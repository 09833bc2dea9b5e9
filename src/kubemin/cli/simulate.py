"""The simulated cluster: an extra of its own, `kubemin[sim]`. ``kubemin sim`` serves it alone."""

from pathlib import Path
from typing import TYPE_CHECKING

from kubemin.cli.exits import CliError, Exit
from kubemin.cli.language import tr

if TYPE_CHECKING:
    from kubesim import SimServer


def run(host: str, port: int, kubeconfig_out: Path | None) -> None:
    """Serve until SIGINT or SIGTERM. Raises :class:`CliError`."""
    server = load_simulator()(host, port)
    from kubesim import command

    try:
        command.run(server, kubeconfig_out)
    except command.ServeError as error:
        raise CliError(str(error)) from error


def load_simulator() -> "type[SimServer]":
    """Import the simulated cluster. Raises :class:`CliError` where it is not installed."""
    try:
        import kubesim
    except ModuleNotFoundError as error:
        if error.name != "kubesim":
            raise
        message = tr("the simulated cluster is not installed: pip install 'kubemin[sim]'")
        raise CliError(message, Exit.USAGE) from error
    return kubesim.SimServer
