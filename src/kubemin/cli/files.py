"""Reading what the user wrote: applications in YAML or JSON, from files, folders or stdin."""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kubemin.cli.exits import CliError, Exit
from kubemin.spec.names import DEFAULT_NAMESPACE
from kubemin.spec.text import ParseError, parse

_SUFFIXES = (".json", ".yaml", ".yml")


@dataclass(frozen=True)
class Spec:
    """One application as a file has it. ``where`` names the place for people; ``folder`` is the file's."""

    where: str
    folder: Path
    data: dict[str, Any]

    @property
    def name(self) -> str:
        """``namespace/name``, as far as the file has them."""
        return f"{self.data.get('namespace') or DEFAULT_NAMESPACE}/{self.data.get('name') or ''}".lower()


def load_application(name: str) -> dict[str, Any]:
    """The only application in the file. Raises :class:`CliError`."""
    found = read_specs([name])
    if len(found) != 1:
        raise CliError(f"{display_name(name)} holds {len(found)} applications; one is expected", Exit.USAGE)
    return found[0].data


def read_specs(names: Sequence[str], namespace: str | None = None) -> list[Spec]:
    """The applications in these files and folders, in their order; ``-`` is stdin.

    ``namespace`` is that of those that name none. Raises :class:`CliError` that names the place, also where an
    application is in another namespace, or is there twice.
    """
    if not names:
        raise CliError("name the file of an application, a folder of such files, or - for stdin", Exit.USAGE)
    found = [_placed(spec, namespace) for name in names for file in _files(name) for spec in _in_file(file)]
    places: dict[str, str] = {}
    for spec in found:
        if spec.name in places:
            other = places[spec.name]
            raise CliError(f"{spec.where} and {other} hold the same application, {spec.name}", Exit.USAGE)
        places[spec.name] = spec.where
    return found


def _placed(spec: Spec, namespace: str | None) -> Spec:
    named = spec.data.get("namespace") or namespace
    if namespace is None or named == spec.data.get("namespace") == namespace:
        return spec
    if named != namespace:
        raise CliError(f"{spec.where} names the namespace {named}, and --namespace {namespace}", Exit.USAGE)
    return replace(spec, data={**spec.data, "namespace": namespace})


def display_name(name: str) -> str:
    """The file's name as messages have it."""
    return "stdin" if name == "-" else name


def _files(name: str) -> Iterable[str]:
    if name == "-" or not Path(name).is_dir():
        return [name]
    inside = sorted(str(path) for path in Path(name).iterdir() if path.suffix.lower() in _SUFFIXES)
    if not inside:
        raise CliError(f"{name} holds no {', '.join(_SUFFIXES[:-1])} or {_SUFFIXES[-1]} file", Exit.USAGE)
    return inside


def _in_file(name: str) -> Iterable[Spec]:
    documents = _documents(name)
    for number, data in enumerate(documents, 1):
        where = display_name(name) + (f", document {number}" if len(documents) > 1 else "")
        if not isinstance(data, dict):
            message = f"{where} does not hold an application: an object with name and component is expected"
            raise CliError(message, Exit.USAGE)
        yield Spec(where, Path() if name == "-" else Path(name).parent, data)


def _documents(name: str) -> list[Any]:
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
    if not documents:
        raise CliError(f"{where} holds no documents; an application is expected", Exit.USAGE)
    return documents
