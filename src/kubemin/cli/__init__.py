"""The command line.

Modules of this room import the heavy rooms inside the functions that need them, so that start-up is quick.
"""

import gc
import os
import re
import signal
import sys
from itertools import pairwise
from typing import NoReturn

from kubemin.cli.exits import CliError, Exit

_FORM = re.compile(r"(?:-[a-np-z]*o=?|--output(?:=|$))(.*)")
_BEFORE_COLLECTING = 200_000
"""Objects made before the next garbage collection. Imports make many, and all of them stay."""


def main() -> None:
    """Run ``kubemin …`` and exit."""
    gc.set_threshold(_BEFORE_COLLECTING)
    _open_streams()
    arguments = sys.argv[1:]
    form = _form_in(arguments)
    as_json = form == "json"
    from kubemin.cli.language import speak
    from kubemin.cli.output import ReaderGone, drop_output, write_whatever_comes

    speak(for_program=form is not None)
    write_whatever_comes()

    try:
        sys.exit(_run(arguments, as_json=as_json))
    except CliError as error:
        _fail(error, as_json=as_json)
    except ReaderGone:
        drop_output()
        sys.exit(Exit.LEFT + signal.SIGPIPE)


def _open_streams() -> None:
    """A stream that is closed reads nothing, and is written nowhere: no file or connection gets its number."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free: the stream's own
            setattr(sys, name, os.fdopen(nowhere, mode, encoding="utf-8", closefd=False))


def _form_in(arguments: list[str]) -> str | None:
    """The form for programs that `-o` names; None without one. The parser is not imported for that."""
    for word, after in pairwise([*arguments, ""]):
        if word == "--":
            break
        if found := _FORM.fullmatch(word):
            form = found[1] or after
            if form in ("json", "yaml", "name"):
                return form
    return None


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
