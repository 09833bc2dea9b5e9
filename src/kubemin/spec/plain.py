"""Plain Kubernetes objects as an application: one component of the type ``manifests`` a file, or a chart."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kubemin.spec.names import LABEL_LENGTH, shorten
from kubemin.spec.text import Document, Place

_CHART = re.compile(r"^# Source: (\S+?)/templates/", re.MULTILINE)
_END = re.compile(r"[.\[]")
_BETWEEN = ("---", "...")
"""How a line begins that is between two documents."""
_NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True)
class Origin:
    """A document of a file that is a part of an application, or all of it."""

    file: str
    document: Document


Origins = Mapping[str, Origin]
"""By the field of an application; ``""``: all of it."""


def place_of(field: str, origins: Origins) -> tuple[str, Place] | None:
    """The file that has the field of an application, and where; None where no file has it."""
    for end in [len(field), *reversed([one.start() for one in _END.finditer(field)]), 0]:
        if (origin := origins.get(field[:end])) is not None:
            return origin.file, origin.document.place_of(field[end:])
    return None


@dataclass(frozen=True)
class PlainObject:
    """One object, and what it came from: the path of a chart, or a file's name."""

    source: str
    data: dict[str, Any]
    file: str
    document: Document


def is_plain(data: object) -> bool:
    """Whether a document is a Kubernetes object, and no application."""
    return isinstance(data, dict) and "apiVersion" in data and "kind" in data and "component" not in data


def charts_of(text: str, first_lines: Iterable[int]) -> Iterator[str | None]:
    """The charts that rendered the documents that begin there, as `helm template` says right above each; None else."""
    lines = text.split("\n")
    for first_line in first_lines:
        begin = min(first_line - 1, len(lines))  # YAML knows line ends of more kinds
        while begin and not lines[begin - 1].startswith(_BETWEEN):
            begin -= 1
        found = _CHART.search("\n".join(lines[begin : first_line - 1]))
        yield found[1] if found else None


def application_of(name: str, namespace: str | None, objects: Sequence[PlainObject]) -> tuple[dict[str, Any], Origins]:
    """The application with these objects, by what they came from, in the order in which that is met first.

    Also where each object comes from.
    """
    by_source: dict[str, list[PlainObject]] = {}
    for one in objects:
        by_source.setdefault(one.source, []).append(one)
    names = component_names(by_source)
    parts = [
        {"name": names[source], "type": "manifests", "properties": {"manifests": [one.data for one in group]}}
        for source, group in by_source.items()
    ]
    origins = {
        f"component[{number}].properties.manifests[{place}]": Origin(one.file, one.document)
        for number, group in enumerate(by_source.values())
        for place, one in enumerate(group)
    }
    return {"name": name, **({"namespace": namespace} if namespace else {}), "component": parts}, origins


def component_names(sources: Iterable[str]) -> dict[str, str]:
    """A name for each source, from the end of its path; from all of it where two would have the same."""
    sources = list(sources)
    short = {source: _as_name(source.rpartition("/")[2]) for source in sources}
    taken = Counter(short.values())
    return {
        source: short[source] if taken[short[source]] == 1 else _as_name(source.replace("/charts/", "/"))
        for source in sources
    }


def _as_name(text: str) -> str:
    return shorten(_NOT_IN_NAMES.sub("-", text.lower()).strip("-") or "objects", LABEL_LENGTH)
