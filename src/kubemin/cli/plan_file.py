"""``plan --out FILE`` and ``apply --plan FILE``: what was read in a review is what is run, or nothing.

The file names the applications' files, the options, and what the server expects to find (`expects`). It holds no text
of an application: the files are read again, and the server compares. So no secret is in it, but as a digest.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kubemin.cli.apply_options import Wanted
from kubemin.cli.by_code import of_system
from kubemin.cli.exits import CliError, Exit
from kubemin.cli.files import Spec
from kubemin.cli.language import because, tr

if TYPE_CHECKING:
    from kubemin.client.replies import Preview

_VERSION = 1


def write_plan(path: str, wanted: Wanted, specs: Sequence[Spec], previews: "Sequence[Preview]") -> None:
    """Write the plan, also over an older one. Raises :class:`CliError` where that cannot be, where the file is another
    one, or where the applications come from stdin.
    """
    if "-" in wanted.files:
        message = tr("a plan names the files of the applications, which are read again: stdin cannot be")
        raise CliError(message, Exit.USAGE)
    planned = zip(specs, previews, strict=True)
    content = {
        "kubeminPlan": _VERSION,
        "files": list(wanted.files),
        "namespace": wanted.namespace,
        "name": wanted.name,
        "cluster": wanted.cluster,
        "sets": [text for text in wanted.sets if _is_image(text)],
        "options": wanted.options,
        "applications": [{"application": spec.name, "expects": found["expects"]} for spec, found in planned],
    }
    if Path(path).is_file() and not _is_plan(path):  # such as the application's own file, by a slip
        message = tr("{path} is there already, and is no plan: name another file with --out", path=path)
        raise CliError(message, Exit.USAGE)
    try:
        Path(path).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise CliError(because(tr("cannot write {path}", path=path), of_system(error)), Exit.USAGE) from error


def _is_plan(path: str) -> bool:
    """Whether it is one, of whatever version; an empty file may become one."""
    try:
        text = Path(path).read_bytes()
        found = json.loads(text) if text else {"kubeminPlan": None}
    except (OSError, ValueError):
        return False
    return isinstance(found, dict) and "kubeminPlan" in found


class PlanFile:
    """A plan that was written. Raises :class:`CliError` where the file is none."""

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            content = json.loads(Path(path).read_text(encoding="utf-8"))
            if content["kubeminPlan"] != _VERSION:
                message = tr("{path} is a plan of another version of kubemin: make it again", path=path)
                raise CliError(message, Exit.USAGE)
            self._files = [str(name) for name in content["files"]]
            self._sets = [str(text) for text in content["sets"]]
            self._namespace: str | None = content["namespace"]
            self._name: str | None = content.get("name")
            self._cluster: str | None = content.get("cluster")
            self._options = dict(content["options"])
            self._expects = {one["application"]: one["expects"] for one in content["applications"]}
        except OSError as error:
            raise CliError(because(tr("cannot read {path}", path=path), of_system(error)), Exit.USAGE) from error
        except (ValueError, KeyError, TypeError) as error:
            message = tr("{path} is not a plan that kubemin plan --out wrote", path=path)
            raise CliError(message, Exit.USAGE) from error

    def wanted(self, given: Wanted) -> Wanted:
        """What the plan is of. What decides what is written is the plan's; of the caller come the other options.

        ``--set`` values that the file has not are given again.
        """
        options = {**given.options, **self._options}
        sets = [*(text for text in self._sets if text not in given.sets), *given.sets]
        return replace(
            given,
            files=self._files,
            namespace=self._namespace,
            sets=sets,
            name=self._name,
            cluster=self._cluster,
            options=options,
        )

    def expects(self, specs: Sequence[Spec]) -> list[dict[str, Any]]:
        """What each application's run expects. Raises :class:`CliError` where these are not those of the plan."""
        names = [spec.name for spec in specs]
        changed = [tr("{name} is new", name=name) for name in names if name not in self._expects]
        changed += [tr("{name} is no longer there", name=name) for name in self._expects if name not in names]
        if changed:
            message = tr("these are not the applications of {path}", path=self.path)
            raise CliError(because(message, "; ".join(changed)))
        return [self._expects[name] for name in names]


def _is_image(text: str) -> bool:
    """Whether a ``--set`` is of an image. Of other values nobody knows whether they are secret."""
    return text.partition("=")[0].endswith(".image")
