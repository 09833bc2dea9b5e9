"""The applications that a command is about, as it is given them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from kubemin.cli.applications import applications
from kubemin.cli.files import Spec


@dataclass(frozen=True)
class Wanted:
    """What is to be applied: files, what replaces values in them, and the options of the runs."""

    files: Sequence[str]
    namespace: str | None = None
    sets: Sequence[str] = ()
    name: str | None = None
    """Of the application that plain Kubernetes objects in the files become."""
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def given(self) -> dict[str, Any]:
        """The options that are given."""
        return {name: value for name, value in self.options.items() if value is not None}

    def applications(self) -> list[Spec]:
        """The applications as they are sent. Raises :class:`CliError`."""
        return applications(self.files, namespace=self.namespace, sets=self.sets, name=self.name)
