"""Reading what the user wrote: YAML or JSON, from a file or from stdin."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kubemin.cli.exits import CliError, Exit

if TYPE_CHECKING:
    from yaml import SafeLoader


def display_name(name: str) -> str:
    """The file's name as messages have it."""
    return "stdin" if name == "-" else name


def _loader() -> "type[SafeLoader]":
    """YAML's safe loader, but for a key that is given twice: YAML forbids it, and PyYAML takes the last one."""
    import yaml

    class Loader(yaml.SafeLoader):
        def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
            node = super().compose_mapping_node(anchor)
            seen: set[str] = set()
            for key, _ in node.value:
                if isinstance(key, yaml.ScalarNode) and key.value in seen:
                    raise yaml.MarkedYAMLError(problem=f"{key.value} is given twice", problem_mark=key.start_mark)
                seen.add(key.value if isinstance(key, yaml.ScalarNode) else "")
            return node

    return Loader


def load_application(name: str) -> dict[str, Any]:
    """The application in the file, as it can be sent. Raises :class:`CliError`."""
    spec = load(name)
    if not isinstance(spec, dict):
        message = f"{display_name(name)} does not hold an application: an object with name and component is expected"
        raise CliError(message, Exit.USAGE)
    try:
        json.dumps(spec, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:  # YAML knows dates, NaN and keys that JSON does not
        raise CliError(f"{display_name(name)} holds what JSON cannot carry: {error}", Exit.USAGE) from error
    return spec


def load(name: str) -> Any:
    """The one document in the file, ``-`` being stdin. Raises :class:`CliError` that names the place."""
    import yaml

    where = display_name(name)
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
    except OSError as error:
        raise CliError(f"cannot read {where}: {(error.strerror or str(error)).lower()}", Exit.USAGE) from error
    except UnicodeDecodeError as error:
        raise CliError(f"cannot read {where}: it is not UTF-8", Exit.USAGE) from error
    try:
        documents = [document for document in yaml.load_all(text, _loader()) if document is not None]
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
