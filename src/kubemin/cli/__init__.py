"""The command line.

Modules of this room import the heavy rooms inside the functions that need them, so that start-up is quick.
"""

import gc
import signal
import sys

from kubemin.cli.exits import CliError

_BEFORE_COLLECTING = 200_000
"""Objects made before the next garbage collection. Imports make many, and all of them stay."""


def main() -> None:
    """Run ``kubemin …`` and exit."""
    gc.set_threshold(_BEFORE_COLLECTING)
    arguments = sys.argv[1:]
    if arguments in (["version"], ["version", "--json"]):
        from kubemin.cli.version import show

        show(as_json="--json" in arguments)  # without the parser, whose import takes longer than all else
        return
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        # Ctrl-C ends the process, unless a command asks for the exception: raised in an import, that may be lost.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from kubemin.cli.app import app
    from kubemin.cli.output import visible_lines

    try:
        app()
    except CliError as error:
        print(f"kubemin: {visible_lines(error.message)}", file=sys.stderr)
        sys.exit(error.code)
