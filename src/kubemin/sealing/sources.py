"""Where keys come from: a setting, a file, or what a program prints."""

import os
import shlex
import stat
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from kubemin.sealing.errors import BadKeys
from kubemin.sealing.keys import parse

if TYPE_CHECKING:
    from kubemin.sealing.sealer import Sealer

_LARGEST = 64 * 1024
_SAID = 300
"""So much of what a program said is quoted: it is its error, not its output."""


def keys_from(*, text: str = "", file: str = "", command: str = "", seconds: float = 30) -> Mapping[str, bytes]:
    """The keys that one of these gives; none of them: no key. ``seconds`` bounds the command. Raises `BadKeys`."""
    given = {"KUBEMIN_ENCRYPTION_KEYS": text, "KUBEMIN_ENCRYPTION_KEY_FILE": file}
    given["KUBEMIN_ENCRYPTION_KEY_COMMAND"] = command
    names = [name for name, value in given.items() if value.strip()]
    if len(names) > 1:
        raise BadKeys(f"{' and '.join(names)} are set: keys come from one of them")
    if text.strip():
        return parse(text, names[0])
    if file:
        return parse(_read(Path(file), names[0]), names[0])
    return parse(_run(command, seconds, names[0]), names[0]) if command.strip() else {}


def sealer_from(*, text: str = "", file: str = "", command: str = "", seconds: float = 30) -> "Sealer | None":
    """What seals with these keys; None without a key. Raises `BadKeys`."""
    keys = keys_from(text=text, file=file, command=command, seconds=seconds)
    if not keys:
        return None
    from kubemin.sealing.sealer import Sealer

    return Sealer(keys)


def _read(path: Path, setting: str) -> str:
    """The file, unless others than its owner and group may read it, or anybody but its owner may write it.

    Kubernetes shows a Secret to the group of a Pod's `fsGroup`, so a group may read.
    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            text = file.read(_LARGEST + 1)
    except OSError as error:
        raise BadKeys(f"{setting}: {path} cannot be read: {error.strerror}") from error
    if mode & (stat.S_IROTH | stat.S_IWOTH | stat.S_IWGRP):
        raise BadKeys(f"{setting}: others may read or change {path} (mode {stat.S_IMODE(mode):04o}): chmod 600 it")
    if len(text) > _LARGEST:
        raise BadKeys(f"{setting}: {path} is larger than {_LARGEST} bytes")
    return _decoded(text, setting)


def _run(command: str, seconds: float, setting: str) -> str:
    try:
        words = shlex.split(command)
        done = subprocess.run(  # noqa: S603  (whoever sets this setting decides what runs)
            words, stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds, check=False
        )
    except ValueError as error:
        raise BadKeys(f"{setting}: {error}") from error
    except subprocess.TimeoutExpired as error:
        raise BadKeys(f"{setting}: {words[0]} did not end within {seconds:g} s") from error
    except OSError as error:
        raise BadKeys(f"{setting}: {words[0]} cannot be run: {error.strerror}") from error
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip()[-_SAID:]
        raise BadKeys(f"{setting}: {words[0]} ended with exit code {done.returncode}: {said or 'it said nothing'}")
    return _decoded(done.stdout[: _LARGEST + 1], setting)


def _decoded(text: bytes, setting: str) -> str:
    try:
        return text.decode("ascii")
    except UnicodeError as error:
        raise BadKeys(f"{setting}: what it gives are no lines of <id>=<base64>") from error
