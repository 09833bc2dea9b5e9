"""Reading what the user wrote: YAML or JSON, from a file or from stdin."""

import sys
from pathlib import Path
from typing import Any

from kubemin.cli.exits import CliError, Exit
from kubemin.cli.parsing import ParseError, parse


def display_name(name: str) -> str:
    """The file's name as messages have it."""
    return "stdin" if name == "-" else name


def load_application(name: str) -> dict[str, Any]:
    """The application in the file. Raises :class:`CliError`."""
    spec = load(name)
    if not isinstance(spec, dict):
        message = f"{display_name(name)} does not hold an application: an object with name and component is expected"
        raise CliError(message, Exit.USAGE)
    return spec


def load(name: str) -> Any:
    """The one document in the file, ``-`` being stdin. Raises :class:`CliError` that names the place."""
    where = display_name(name)
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise CliError(f"cannot read {where}: {(error.strerror or str(error)).lower()}", Exit.USAGE) from error
    except UnicodeDecodeError as error:
        raise CliError(f"cannot read {where}: it is not UTF-8", Exit.USAGE) from error
    is_json = name.lower().endswith(".json")
    try:
        documents = parse(text, is_json=is_json)
    except ParseError as error:
        what = "not JSON" if is_json else "neither YAML nor JSON"
        raise CliError(f"{where} is {what}: {error}", Exit.USAGE) from error
    if len(documents) != 1:
        raise CliError(f"{where} holds {len(documents) or 'no'} documents; one application is expected", Exit.USAGE)
    return documents[0]
