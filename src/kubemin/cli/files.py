"""Reading what the user wrote: YAML or JSON, from a file or from stdin."""

import sys
from pathlib import Path
from typing import Any

from kubemin.cli.exits import CliError, Exit


def spoken(name: str) -> str:
    """The file's name as messages have it."""
    return "stdin" if name == "-" else name


def load(name: str) -> Any:
    """The one document in the file, ``-`` being stdin. Raises :class:`CliError` that names the place."""
    import yaml

    where = spoken(name)
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
    except OSError as error:
        raise CliError(f"cannot read {where}: {(error.strerror or str(error)).lower()}", Exit.USAGE) from error
    except UnicodeDecodeError as error:
        raise CliError(f"cannot read {where}: it is not UTF-8", Exit.USAGE) from error
    try:
        documents = [document for document in yaml.safe_load_all(text) if document is not None]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise CliError(
            f"{where} is neither YAML nor JSON: {error.problem or error.context}{place}", Exit.USAGE
        ) from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise CliError(f"{where} is neither YAML nor JSON: {error}".splitlines()[0], Exit.USAGE) from error
    if len(documents) != 1:
        raise CliError(f"{where} holds {len(documents) or 'no'} documents; one application is expected", Exit.USAGE)
    return documents[0]
