"""The applications that a command is about, as it is given them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from kubemin.cli.applications import applications
from kubemin.cli.exits import CliError, Exit
from kubemin.cli.files import Spec
from kubemin.cli.language import tr


@dataclass(frozen=True)
class Wanted:
    """What is to be applied: files, what replaces values in them, and the options of the runs."""

    files: Sequence[str]
    namespace: str | None = None
    sets: Sequence[str] = ()
    name: str | None = None
    """Of the application that plain Kubernetes objects in the files become."""
    cluster: str | None = None
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def given(self) -> dict[str, Any]:
        """The options that are given."""
        return {name: value for name, value in self.options.items() if value is not None}

    def applications(self) -> list[Spec]:
        """The applications as they are sent. Raises :class:`CliError`."""
        return applications(self.files, namespace=self.namespace, sets=self.sets, name=self.name, cluster=self.cluster)


def commit_of(text: str) -> dict[str, str]:
    """``repository@sha`` as a run carries it; the server looks at both. Raises :class:`CliError`."""
    repository, at, sha = text.rpartition("@")
    if not at or not repository or not sha:
        raise CliError(tr("--commit {text}: it is REPOSITORY@SHA, such as octo/shop@0123…", text=text), Exit.USAGE)
    return {"repository": repository, "sha": sha.lower()}
