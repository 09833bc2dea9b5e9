"""The command line.

Modules of this room import the heavy rooms inside the functions that need them, so that start-up is quick.
"""

import gc
import os
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
    asked = re.search(r"(?:^| )(?:-\w*o ?|--output[ =])(json|yaml|name)(?: |$)", " ".join(arguments))
    as_json = asked is not None and asked[1] == "json"
    from kubemin.cli.language import speak
    from kubemin.cli.output import ReaderGone, drop_output, write_whatever_comes

    speak(for_program=asked is not None)
    write_whatever_comes()

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
    from kubemin.cli.light import read
    from kubemin.client.errors import KubeminError

    command = read(arguments, os.environ)
    try:
        if command is not None:
            return command() or Exit.OK
        from kubemin.cli.app import run

        return run(as_json=as_json)
    except KubeminError as error:
        from kubemin.cli.failures import Failure

        raise Failure(error) from error


def _fail(error: CliError, *, as_json: bool) -> NoReturn:
    """Say what went wrong on stderr: a sentence, or an object for whoever asked for JSON."""
    from kubemin.cli.output import complain

    if as_json:
        from kubemin.cli.output import json_text

        complain(json_text({"error": error.to_json()}))
    else:
        from kubemin.cli.by_code import told

        complain(f"kubemin: {told(error)}")
    sys.exit(error.code)
