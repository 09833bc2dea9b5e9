"""``kubemin version``."""

from kubemin import __version__
from kubemin.cli.output import Output, say


def show(output: Output) -> None:
    """Print the version."""
    if not output.printed({"version": __version__}, [__version__]):
        say(__version__ if output.quiet else f"kubemin {__version__}")
