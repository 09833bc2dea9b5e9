"""The command line. Modules of this room import the heavy rooms inside the commands that need them: start-up is quick."""

import sys

from kubemin.cli.exits import CliError


def main() -> None:
    """Run ``kubemin …`` and exit."""
    from kubemin.cli.app import app

    try:
        app()
    except CliError as error:
        print(f"kubemin: {error.message}", file=sys.stderr)  # noqa: T201  a sentence for the user
        sys.exit(error.code)
