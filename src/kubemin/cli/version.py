"""``kubemin version``."""

from kubemin import __version__
from kubemin.cli.output import print_json, say


def show(*, as_json: bool) -> None:
    """Print the version."""
    if as_json:
        print_json({"version": __version__})
    else:
        say(f"kubemin {__version__}")
