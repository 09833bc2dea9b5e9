"""Files that a command writes: none is overwritten unawares, and what may be secret is for its owner alone."""

import os
from pathlib import Path

from kubemin.cli.by_code import of_system
from kubemin.cli.exits import CliError, Exit
from kubemin.cli.language import because, tr


def write_file(path: Path, text: str, *, force: bool, secret: bool) -> None:
    """Write a new file, whole or not at all; with ``force`` in the place of one that is there.

    A ``secret`` one can be read by its owner alone. Raises :class:`CliError`.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        number = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if secret else 0o666)
        try:
            with os.fdopen(number, "w", encoding="utf-8") as file:
                file.write(text)
            if force:
                beside.replace(path)
            else:
                os.link(beside, path)
        finally:
            beside.unlink(missing_ok=True)
    except FileExistsError as error:
        raise CliError(tr("{path} is there already; --force writes over it", path=path), Exit.USAGE) from error
    except OSError as error:
        raise CliError(because(tr("cannot write {path}", path=path), of_system(error)), Exit.USAGE) from error


def make_folder(path: Path) -> None:
    """Make the folder, if it is not there. Raises :class:`CliError`."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CliError(because(tr("cannot write {path}", path=path), of_system(error)), Exit.USAGE) from error
