"""The command line.

Modules of this room import the heavy rooms inside the functions that need them, so that start-up is quick.
"""

import gc
import re
import signal
import sys
from typing import NoReturn

from kubemin.cli.exits import CliError, Exit

_BEFORE_COLLECTING = 200_000
"""Objects made before the next garbage collection. Imports make many, and all of them stay."""


def main() -> None:
    """Run ``kubemin …`` and exit."""
    gc.set_threshold(_BEFORE_COLLECTING)
    arguments = sys.argv[1:]
    as_json = re.search(r"(^| )(-\w*o ?|--output[ =])json( |$)", " ".join(arguments)) is not None
    from kubemin.cli.output import ReaderGone, drop_output

    try:
        sys.exit(_run(arguments, as_json=as_json))
    except CliError as error:
        _fail(error, as_json=as_json)
    except ReaderGone:
        drop_output()
        sys.exit(Exit.LEFT + signal.SIGPIPE)


def _run(arguments: list[str], *, as_json: bool) -> int:
    if arguments == ["version"]:
        from kubemin.cli.output import Output
        from kubemin.cli.version import show

        show(Output())  # without the parser, whose import takes longer than all else
        return Exit.OK
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        # Ctrl-C ends the process, unless a command asks for the exception: raised in an import, that may be lost.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from kubemin.cli.app import run
    from kubemin.client.errors import KubeminError

    try:
        return run(as_json=as_json)
    except KubeminError as error:
        from kubemin.cli.failures import Failure

        raise Failure(error) from error


def _fail(error: CliError, *, as_json: bool) -> NoReturn:
    """Say what went wrong on stderr: a sentence, or an object for whoever asked for JSON."""
    from kubemin.cli.output import complain

    if as_json:
        import json

        complain(json.dumps({"error": error.to_json()}, ensure_ascii=False))
    else:
        complain(f"kubemin: {error.message}")
    sys.exit(error.code)
