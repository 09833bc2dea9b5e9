"""``export``: an application as a file, or as plain Kubernetes objects."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kubemin.cli.connection import Connection
from kubemin.cli.exits import CliError, Exit
from kubemin.cli.history import revision_of
from kubemin.cli.language import tr
from kubemin.cli.output import Form, Output, complain, say
from kubemin.spec.config import MASK

if TYPE_CHECKING:
    from kubemin.convert.exporting import Exported
    from kubemin.spec.objects import ObjectRef

_KUSTOMIZATION = "kustomization.yaml"


@dataclass(frozen=True)
class Target:
    """Where an export goes: a file, or the folder of a kustomization; to stdout without either."""

    file: str | None = None
    folder: str | None = None
    force: bool = False


def export(app: str, revision: str | None, target: Target, to: Connection, *, manifests: bool) -> None:
    """Print or write the application of a revision, or the objects that it renders to. Raises :class:`CliError`."""
    if target.file is not None and target.folder is not None:
        raise CliError(tr("--out and --kustomize exclude each other"), Exit.USAGE)
    with to.client() as client:
        data = revision_of(client, app, revision)["application"]
    if manifests or target.folder is not None:
        _export_objects(data, target, to.output)
    else:
        _export_application(data, target, to.output)


def _export_application(data: Mapping[str, Any], target: Target, output: Output) -> None:
    from kubemin.spec.component_secrets import values_in_json

    masked = [part["name"] for part in data["component"] if MASK in values_in_json(part).values()]
    if masked and not output.quiet:
        message = tr(
            "values of secrets are not shown: {mask} in {names} means the value that the application has",
            mask=MASK, names=", ".join(masked),
        )  # fmt: skip
        complain(message)
    _give(data, [part["name"] for part in data["component"]], [data], target, output, secret=False)


def _export_objects(data: Mapping[str, Any], target: Target, output: Output) -> None:
    from pydantic import ValidationError

    from kubemin.convert.exporting import export_objects
    from kubemin.render import RenderError
    from kubemin.spec.application import Application

    try:
        found = export_objects(Application.model_validate(data))
    except (ValidationError, RenderError) as error:
        message = tr("this version of kubemin does not understand the application as the server has it")
        raise CliError(message) from error
    if not output.quiet:
        _warn(found)
    if target.folder is not None:
        _write_folder(Path(target.folder), found, target, output)
        return
    names = [str(ref) for ref in found.objects]
    secret = any(ref.kind == "Secret" for ref in found.objects)
    _give([*found.objects.values()], names, found.objects.values(), target, output, secret=secret)


def _warn(found: "Exported") -> None:
    def listed(refs: "Iterable[ObjectRef]") -> str:
        return ", ".join(map(str, refs))

    if found.masked:
        message = tr(
            "values of secrets are not shown, and no cluster takes {mask}: fill them in before you apply {objects}",
            mask=MASK, objects=listed(found.masked),
        )  # fmt: skip
        complain(message)
    if found.fetched:
        message = tr("a task fetches text by URL, which is not in {objects}", objects=listed(found.fetched))
        complain(message)
    if found.shared:
        message = tr("left out, as others make it: {objects}", objects=listed(found.shared))
        complain(message)


def _give(
    whole: Any, names: Iterable[str], documents: Iterable[Any], target: Target, output: Output, *, secret: bool
) -> None:
    """Print the result, or write its documents to the file."""
    from kubemin.cli.writing import yaml_text
    from kubemin.cli.writing_files import write_file

    text = "---\n".join(map(yaml_text, documents))
    if target.file is not None:
        write_file(Path(target.file), text, force=target.force, secret=secret)
    elif output.form in (Form.JSON, Form.NAME):
        output.printed(whole, names)
    else:
        say(text.rstrip())


def _write_folder(folder: Path, found: "Exported", target: Target, output: Output) -> None:
    """A file an object, and the kustomization that names them. Nothing is written where a file is in the way."""
    from kubemin.cli.writing import yaml_text
    from kubemin.cli.writing_files import make_folder, write_file
    from kubemin.convert.exporting import file_names, kustomization

    names = file_names(found.objects)
    files = {name: found.objects[ref] for ref, name in names.items()}
    files[_KUSTOMIZATION] = kustomization(names)
    make_folder(folder)
    if not target.force:
        for name in files:
            if (folder / name).exists():
                raise CliError(tr("{path} is there already; --force writes over it", path=folder / name), Exit.USAGE)
    for name, data in files.items():
        write_file(folder / name, yaml_text(data), force=target.force, secret=data["kind"] == "Secret")
    if not output.printed({"folder": str(folder), "files": [*files]}, files):
        output.tell(tr("{count} files in {folder}", count=len(files), folder=folder))
