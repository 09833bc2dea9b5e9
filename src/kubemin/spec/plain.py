"""Plain Kubernetes objects as an application: one component of the type ``manifests`` a file, or a chart."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from kubemin.spec.names import LABEL_LENGTH, shorten
from kubemin.spec.text import Document, Place

_CHART = re.compile(r"^# Source: (\S+?)/templates/", re.MULTILINE)
_NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True)
class Origin:
    """A document of a file, and what of an application it is: the field, ``""`` for all of it."""

    field: str
    file: str
    document: Document


def place_of(field: str, origins: Iterable[Origin]) -> tuple[str, Place] | None:
    """The file that has the field of an application, and where; None where no file has it."""
    for origin in origins:
        rest = field.removeprefix(origin.field)
        if field.startswith(origin.field) and (not origin.field or rest[:1] in ("", ".", "[")):
            return origin.file, origin.document.place_of(rest)
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


def chart_of(text: str, first_line: int) -> str | None:
    """The chart that rendered the document that begins there, as `helm template` says right above it; None else."""
    above = text.split("\n")[: first_line - 1]
    begin = next((number for number in range(len(above), 0, -1) if above[number - 1].startswith("---")), 0)
    found = _CHART.search("\n".join(above[begin:]))
    return found[1] if found else None


def application_of(
    name: str, namespace: str | None, objects: Sequence[PlainObject]
) -> tuple[dict[str, Any], list[Origin]]:
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
    origins = [
        Origin(f"component[{number}].properties.manifests[{place}]", one.file, one.document)
        for number, group in enumerate(by_source.values())
        for place, one in enumerate(group)
    ]
    return {"name": name, **({"namespace": namespace} if namespace else {}), "component": parts}, origins


def component_names(sources: Iterable[str]) -> dict[str, str]:
    """A name for each source, from the end of its path; from all of it where two would have the same."""
    sources = list(sources)
    short = {source: _as_name(source.rpartition("/")[2]) for source in sources}
    taken = list(short.values())
    return {
        source: short[source] if taken.count(short[source]) == 1 else _as_name(source.replace("/charts/", "/"))
        for source in sources
    }


def _as_name(text: str) -> str:
    return shorten(_NOT_IN_NAMES.sub("-", text.lower()).strip("-") or "objects", LABEL_LENGTH)
