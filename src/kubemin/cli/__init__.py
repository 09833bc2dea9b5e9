"""The command line.

Modules of this room import the heavy rooms inside the functions that need them, so that start-up is quick.
"""

import sys

from kubemin.cli.exits import CliError


def main() -> None:
    """Run ``kubemin …`` and exit."""
    from kubemin.cli.app import app
    from kubemin.cli.output import visible_lines

    try:
        app()
    except CliError as error:
        print(f"kubemin: {visible_lines(error.message)}", file=sys.stderr)
        sys.exit(error.code)
