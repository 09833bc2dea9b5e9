"""Reading what the user wrote: applications in YAML or JSON, from files, folders or stdin."""

import io
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from kubemin.cli.by_code import of_system
from kubemin.cli.exits import CliError, Exit
from kubemin.cli.language import because, tr
from kubemin.spec.manifest_shape import no_object
from kubemin.spec.manifests import flattened
from kubemin.spec.names import DEFAULT_CLUSTER, DEFAULT_NAMESPACE, shown
from kubemin.spec.plain import Origin, Origins, PlainObject, application_of, charts_of, is_plain, place_of
from kubemin.spec.text import Document, ParseError, Place, documents

_SUFFIXES = (".json", ".yaml", ".yml")


@dataclass(frozen=True)
class Spec:
    """One application as a file has it. ``where`` names the place for people; ``folder`` is the file's."""

    where: str
    folder: Path
    data: dict[str, Any]
    origins: Origins = field(default_factory=dict)

    def place_of(self, field: str) -> tuple[str, Place] | None:
        """The file that has the field, and where; None where no file has it."""
        return place_of(field, self.origins)

    @property
    def name(self) -> str:
        """``namespace/name``, as far as the file has them, with the cluster before it where that is not `default`."""
        cluster, namespace = self.data.get("cluster") or DEFAULT_CLUSTER, self.data.get("namespace")
        return shown(str(cluster), str(namespace or DEFAULT_NAMESPACE), str(self.data.get("name") or "")).lower()


def load_application(name: str) -> dict[str, Any]:
    """The only application in the file. Raises :class:`CliError`."""
    found = read_specs([name])
    if len(found) != 1:
        message = tr("{file} holds {count} applications; one is expected", file=display_name(name), count=len(found))
        raise CliError(message, Exit.USAGE)
    return found[0].data


def read_specs(
    names: Sequence[str], namespace: str | None = None, name: str | None = None, cluster: str | None = None
) -> list[Spec]:
    """The applications in these files and folders, in their order; ``-`` is stdin.

    ``namespace`` and ``cluster`` are those of those that name none. Plain Kubernetes objects become one application
    more, called ``name``. Raises :class:`CliError` that names the place, also where an application is in another
    namespace or cluster, or is there twice.
    """
    if not names:
        raise CliError(tr("name the file of an application, a folder of such files, or - for stdin"), Exit.USAGE)
    found: list[Spec] = []
    objects: list[PlainObject] = []
    for file in (file for given in names for file in _files(given)):
        for spec in _in_file(file):
            if isinstance(spec, PlainObject):
                objects.append(spec)
            else:
                found.append(spec)
    if objects and name is None:
        kind, source = objects[0].data["kind"], objects[0].source
        message = tr(
            "{kind} in {source} is a Kubernetes object: say what its application is called, with --name",
            kind=kind,
            source=source,
        )
        raise CliError(message, Exit.USAGE)
    if name is not None and not objects:
        message = tr("--name is of the application that plain Kubernetes objects become; there are none")
        raise CliError(message, Exit.USAGE)
    if name is not None:
        where = tr("application {name}", name=name)
        data, origins = application_of(name, namespace, objects)
        found.append(Spec(where, Path(), data, origins))
    found = [_of_cluster(_placed(spec, namespace), cluster) for spec in found]
    places: dict[str, str] = {}
    for spec in found:
        if spec.name in places:
            message = tr(
                "{place} and {other} hold the same application, {name}",
                place=spec.where, other=places[spec.name], name=spec.name,
            )  # fmt: skip
            raise CliError(message, Exit.USAGE)
        places[spec.name] = spec.where
    return found


def read_objects(names: Sequence[str]) -> list[PlainObject]:
    """The Kubernetes objects in these files and folders, those of lists one by one; the tests of charts are left out.

    Raises :class:`CliError`, also for what is no object, or has no name.
    """
    if not names:
        raise CliError(tr("name a file of Kubernetes objects, a folder of such files, or - for stdin"), Exit.USAGE)
    found = []
    for one in (one for given in names for file in _files(given) for one in _in_file(file)):
        if isinstance(one, Spec):
            raise CliError(
                tr("{place} is no Kubernetes object: it has no kind and apiVersion", place=one.where), Exit.USAGE
            )
        for _, data in flattened([one.data], ""):
            if (issue := no_object(data, one.source, tr("an object"))) is not None:
                raise CliError(issue.message, Exit.USAGE)
            found.append(replace(one, data=data))
    return found


def _placed(spec: Spec, namespace: str | None) -> Spec:
    named = spec.data.get("namespace") or namespace
    if namespace is None or named == spec.data.get("namespace") == namespace:
        return spec
    if named != namespace:
        message = tr(
            "{place} names the namespace {named}, and --namespace {namespace}",
            place=spec.where, named=named, namespace=namespace,
        )  # fmt: skip
        raise CliError(message, Exit.USAGE)
    return replace(spec, data={**spec.data, "namespace": namespace})


def _of_cluster(spec: Spec, cluster: str | None) -> Spec:
    named = spec.data.get("cluster") or cluster
    if cluster is None:
        return spec
    if named != cluster:
        message = tr(
            "{place} names the cluster {named}, and --cluster {cluster}", place=spec.where, named=named, cluster=cluster
        )
        raise CliError(message, Exit.USAGE)
    return replace(spec, data={**spec.data, "cluster": cluster})


def display_name(name: str) -> str:
    """The file's name as messages have it."""
    return tr("stdin") if name == "-" else name


def _files(name: str) -> Iterable[str]:
    if name == "-" or not os.path.isdir(name):  # what may not be looked at is none, and is named where it is read
        return [name]
    try:
        inside = sorted(str(path) for path in Path(name).iterdir() if path.suffix.lower() in _SUFFIXES)
    except OSError as error:
        raise CliError(because(tr("cannot read {path}", path=name), of_system(error)), Exit.USAGE) from error
    if not inside:
        raise CliError(tr("{folder} holds no .json, .yaml or .yml file", folder=name), Exit.USAGE)
    return inside


def _in_file(name: str) -> Iterable[Spec | PlainObject]:
    text = _text(name)
    found = _documents(name, text)
    charts = charts_of(text, (document.place_of("").line for document in found))
    for number, (document, chart) in enumerate(zip(found, charts, strict=True), 1):
        where, data = display_name(name), document.value
        if len(found) > 1:
            where = tr("{file}, document {number}", file=where, number=number)
        if is_plain(data):
            yield PlainObject(chart or _source(name), data, display_name(name), document)
            continue
        if not isinstance(data, dict):
            message = tr(
                "{place} does not hold an application: an object with name and component is expected", place=where
            )
            raise CliError(message, Exit.USAGE)
        origins = {"": Origin(display_name(name), document)}
        yield Spec(where, Path() if name == "-" else Path(name).parent, data, origins)


def _source(name: str) -> str:
    return "stdin" if name == "-" else str(Path(name).with_suffix(""))


def _text(name: str) -> str:
    where = display_name(name)
    try:
        return _stdin() if name == "-" else Path(name).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise CliError(because(tr("cannot read {path}", path=where), of_system(error)), Exit.USAGE) from error
    except UnicodeDecodeError as error:
        raise CliError(because(tr("cannot read {path}", path=where), tr("it is not UTF-8")), Exit.USAGE) from error


def _stdin() -> str:
    """As a file is read, whatever the locale says."""
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(encoding="utf-8-sig", errors="strict")
    return sys.stdin.read()


def _documents(name: str, text: str) -> list[Document]:
    where = display_name(name)
    is_json = name.lower().endswith(".json")
    try:
        found = documents(text, is_json=is_json)
    except ParseError as error:
        what = tr("{file} is not JSON", file=where) if is_json else tr("{file} is neither YAML nor JSON", file=where)
        raise CliError(because(what, error), Exit.USAGE) from error
    if not found:
        raise CliError(tr("{file} holds no documents; an application is expected", file=where), Exit.USAGE)
    return found
