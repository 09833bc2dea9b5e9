"""``import``: plain Kubernetes objects become an application in the own format, as far as that says the same."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kubemin.cli.exits import CliError
from kubemin.cli.files import read_objects
from kubemin.cli.language import because, tr
from kubemin.cli.output import Form, Output, complain, say
from kubemin.spec.names import DEFAULT_NAMESPACE, LABEL_LENGTH, shorten
from kubemin.spec.plain import PlainObject, component_names


def import_(
    names: Sequence[str],
    application: str,
    output: Output,
    *,
    namespace: str | None,
    adoptable: bool,
    out: str | None,
    force: bool,
) -> None:
    """Print the application that the objects in these files are, or write it, and say what stays manifests and why.

    Raises :class:`CliError`.
    """
    from kubemin.cli.settings import limits
    from kubemin.cli.writing import yaml_text
    from kubemin.cli.writing_files import write_file
    from kubemin.convert.importing import SELECTING, import_objects
    from kubemin.spec.issues import SpecError

    objects = read_objects(names)
    place = namespace or _only_namespace(objects)
    application = application.lower()
    try:
        found = import_objects([one.data for one in objects], application, place, limits=limits(), adoptable=adoptable)
    except SpecError as error:
        raise CliError(because(tr("application {name}", name=application), error)) from error
    rest = [one for ref, one in zip(found.refs, objects, strict=True) if ref in found.stays]
    parts = [*found.components, *_manifests(rest, {part["name"] for part in found.components})]
    named = {"name": application, **({"namespace": place} if place != DEFAULT_NAMESPACE else {})}
    data = {**named, "component": parts}
    if output.is_chatty and not output.is_data:
        for ref, why in found.stays.items():
            complain(because(tr("{object} stays a manifest", object=ref), why))
        if changed := [str(ref) for ref, _ in found.taken if ref.kind in SELECTING]:
            message = tr(
                "KubeMin's selector is another one, and a selector never changes: where one of these is in the cluster "
                "already, it cannot be taken over, but with --adoptable: {objects}",
                objects=", ".join(changed),
            )
            complain(message)
    if out is not None:
        write_file(Path(out), yaml_text(data), force=force, secret=_has_secrets(found.components, rest))
    elif output.form in (None, Form.YAML, Form.WIDE):
        say(yaml_text(data).rstrip())
        return
    whole = {
        "application": data,
        "taken": [{"object": str(ref), "component": part} for ref, part in found.taken],
        "manifests": [{"object": str(ref), "why": why} for ref, why in found.stays.items()],
    }
    output.printed(whole, [part["name"] for part in parts])


def _only_namespace(objects: Sequence[PlainObject]) -> str:
    """The namespace that all objects name which name one."""
    named = {one.data["metadata"].get("namespace") for one in objects} - {None, ""}
    return str(named.pop()) if len(named) == 1 else DEFAULT_NAMESPACE


def _manifests(objects: Sequence[PlainObject], taken: set[str]) -> list[dict[str, Any]]:
    """Components for these objects: one a file, or a chart."""
    from kubemin.convert.normal import cleaned

    by_source: dict[str, list[dict[str, Any]]] = {}
    for one in objects:
        by_source.setdefault(one.source, []).append(cleaned(one.data))
    named = component_names(by_source)
    return [
        {
            "name": shorten(f"{named[source]}-manifests", LABEL_LENGTH) if named[source] in taken else named[source],
            "type": "manifests",
            "properties": {"manifests": manifests},
        }
        for source, manifests in by_source.items()
    ]


def _has_secrets(components: Sequence[dict[str, Any]], objects: Sequence[PlainObject]) -> bool:
    return any(part["type"] == "secret" for part in components) or any(one.data["kind"] == "Secret" for one in objects)
