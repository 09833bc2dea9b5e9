"""``kubemin init`` and ``kubemin schema``: a first application, and what editors know of the format."""

import json
import re
import shlex
from pathlib import Path

from kubemin.cli.by_code import of_system
from kubemin.cli.exits import CliError, Exit
from kubemin.cli.language import because, tr
from kubemin.cli.output import Output, say
from kubemin.spec.names import LABEL_LENGTH, is_label
from kubemin.spec.schema import NAME, schema_text

_DEFAULT_NAME = "hello"
_FOLDER = ".kubemin"
"""Not beside the application: commands that are given a folder read each JSON file in it."""


def schema(output: Output) -> None:
    """Print the JSON Schema of an application."""
    text = schema_text()
    if not output.printed(json.loads(text), [NAME]):
        say(text.rstrip())


def init(name: str | None, file: str | None, server: str | None, output: Output) -> None:
    """Write a first application, with comments, and the schema unless a server has it. Raises :class:`CliError`."""
    name = name or _name_of(Path.cwd().name)
    if not is_label(name) or not name[0].isalpha() or len(name) < 2:
        message = tr(
            '"{name}" cannot name an application here: use lower-case letters, digits and "-", at most 63, '
            "and begin with a letter",
            name=name,
        )
        raise CliError(message, Exit.USAGE)
    path = Path(file or f"{name}.yaml")
    written = [path]
    where = f"{server.rstrip('/')}/schema/application.json" if server else f"{_FOLDER}/{NAME}"
    _write(path, _starter(name, shlex.quote(str(path)), where), anew=False)
    if not server:
        written.append(path.parent / _FOLDER / NAME)
        _write(written[-1], schema_text(), anew=True)
    names = [str(one) for one in written]
    if not output.printed({"name": name, "files": names}, names):
        for one in names:
            output.tell(tr("written: {file}", file=one))
        output.tell(tr("check it with: kubemin try {file}", file=shlex.quote(str(path))))


def _name_of(folder: str) -> str:
    name = re.sub(r"[^a-z0-9]+", "-", folder.lower())[:LABEL_LENGTH].strip("-")
    return name if len(name) > 1 and name[0].isalpha() else _DEFAULT_NAME


def _write(path: Path, text: str, *, anew: bool) -> None:
    """Write the file, and its folder; unless ``anew`` it must not be there."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w" if anew else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        message = tr("{path} is there already, and is not written over; name another file with --out", path=path)
        raise CliError(message, Exit.USAGE) from error
    except OSError as error:
        raise CliError(because(tr("cannot write {path}", path=path), of_system(error)), Exit.USAGE) from error


def _starter(name: str, file: str, schema_at: str) -> str:
    """The application. What is commented out in it may be taken in as it stands."""
    template = Path(__file__).with_name("starter.yaml").read_text(encoding="utf-8")
    return template.format(
        name=name,
        file=file,
        schema=schema_at,
        line=tr("The line above lets an editor complete and check this file."),
        try_it=tr("says everything that is wrong with it"),
        plan_it=tr("shows what is made, in which order"),
        apply_it=tr("runs it; Ctrl-C puts the cluster back as it was"),
        configuration=tr(
            "Configuration that other components read, as a ConfigMap. Of the type secret it is a Secret."
        ),
        workload=tr("A Deployment, and as it has a port also a Service. Others: store, job, secret, manifests."),
        variables=tr("All keys of settings, as variables. When a value changes, the Pods are replaced."),
        routes=tr("Routes from outside, by an Ingress controller of the cluster."),
        steps=tr("Steps, one after another. Without them everything is deployed at once, configuration first."),
    )
