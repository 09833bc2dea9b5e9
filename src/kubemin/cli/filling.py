"""``${{ env.NAME }}`` and ``${{ file.PATH }}``: values that the caller has, filled in before anything is sent.

Any text of an application may have them. What is filled in is plain text: an expression in it is not resolved. All
other expressions, and ``$${{``, are the server's.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kubemin.cli.by_code import of_system
from kubemin.cli.exits import CliError, Exit
from kubemin.cli.files import Spec
from kubemin.cli.language import because, tr

_BEGIN = "${{"
_EXPRESSION = re.compile(r"\$\$\{\{|\$\{\{[ \t]*(env|file)\.([^{}\s]*)[ \t]*\}\}")
_MAX_BYTES = 1024 * 1024
"""Of a file: a ConfigMap or Secret holds no more."""


def literal(text: str) -> str:
    """The text as it has to be written where expressions are resolved."""
    return text.replace(_BEGIN, f"${_BEGIN}")


def filled(spec: Spec, environment: Mapping[str, str]) -> dict[str, Any]:
    """The application with the caller's values. Raises :class:`CliError` that names all that are missing."""
    wrong: list[str] = []

    def value_of(kind: str, name: str) -> str:
        if kind == "file":
            return _content(spec.folder, name)
        if name not in environment:
            raise LookupError(_missing(name))
        return environment[name]

    def fill(text: str, path: str) -> str:
        def replace(found: re.Match[str]) -> str:
            if found[1] is None:
                return found[0]
            try:
                value = value_of(found[1], found[2])
                if value.endswith("$") and text[found.end() :].startswith(("{{", _BEGIN)):
                    message = tr(
                        "{expression} ends in $, and cannot stand right before an expression", expression=found[0]
                    )
                    raise LookupError(message)
            except LookupError as error:
                wrong.append(because(path, error.args[0]))
                return ""
            return literal(value)

        return _EXPRESSION.sub(replace, text)

    data: dict[str, Any] = _mapped(spec.data, "", fill)
    if wrong:
        raise CliError(because(spec.where, "; ".join(dict.fromkeys(wrong))), Exit.USAGE)
    return data


def _missing(name: str) -> str:
    if not name:
        return tr("the environment has no variable without a name")
    return tr("the environment has no {variable}", variable=name)


def _content(folder: Path, name: str) -> str:
    """A file's text. Only files of the folder, and of those in it: whoever wrote the application sees what it holds."""
    path = folder / name
    try:
        if not path.resolve().is_relative_to(folder.resolve()):
            raise LookupError(tr("{file} is outside of the folder of the application's file", file=name))
        if path.stat().st_size > _MAX_BYTES:
            raise LookupError(tr("{file} is larger than {count} bytes", file=name, count=_MAX_BYTES))
        return path.read_bytes().decode("utf-8-sig")
    except (OSError, ValueError) as error:
        why = of_system(error) if isinstance(error, OSError) and error.strerror else tr("it is not UTF-8 text")
        what = tr("cannot read the file {file}", file=name) if name else tr("cannot read the file without a name")
        raise LookupError(because(what, why)) from error


def _mapped(value: Any, path: str, change: Any) -> Any:
    if isinstance(value, str):
        return change(value, path) if _BEGIN in value else value
    if isinstance(value, list):
        return [_mapped(item, f"{path}[{index}]", change) for index, item in enumerate(value)]
    if isinstance(value, dict):
        return {
            key: item if _stands(path, key) else _mapped(item, f"{path}.{key}" if path else key, change)
            for key, item in value.items()
        }
    return value


def _stands(path: str, key: str) -> bool:
    """Whether it is what a component of the type ``manifests`` brings: other tools have such expressions too."""
    return key in ("manifests", "yaml") and path.endswith(".properties")
