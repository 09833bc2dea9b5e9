"""What is wrong with an application, or probably not meant: each with the file, the line and the column of it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from kubemin.cli.by_code import issue as in_words
from kubemin.cli.exits import CliError, Exit
from kubemin.cli.files import Spec
from kubemin.cli.language import tr
from kubemin.client.errors import Invalid

Issue = Mapping[str, Any]
"""As the wire spells it."""


class Mistakes(CliError):
    """An application that is not taken: a line for each mistake. ``code`` is the server's, if it was asked."""

    def __init__(self, spec: Spec, issues: Sequence[Issue], *, code: int = 0) -> None:
        super().__init__("\n".join(mistake(spec, one) for one in issues), Exit.FAILED)
        self._code = code
        self._issues = [located(spec, one) for one in issues]

    def to_json(self) -> dict[str, Any]:
        """With each mistake and its place."""
        return {**super().to_json(), **({"code": self._code} if self._code else {}), "errors": self._issues}


@contextmanager
def mistakes_in(spec: Spec) -> Iterator[None]:
    """What the server says is wrong with the application is raised as `Mistakes`."""
    try:
        yield
    except Invalid as error:
        if not error.fields:
            raise
        raise Mistakes(spec, error.fields, code=error.code) from error


def located(spec: Spec, issue: Issue) -> dict[str, Any]:
    """The issue with its ``file``, ``line`` and ``column``, as far as a file has it."""
    found = spec.place_of(issue["field"])
    return {**issue, **({"file": found[0], **found[1]._asdict()} if found else {})}


def mistake(spec: Spec, issue: Issue) -> str:
    """The mistake in a line: ``shop.yaml:4:5: UNKNOWN_FIELD  …``."""
    return f"{_place(spec, issue)}: {issue['code']}  {in_words(issue['code'], _sentence(spec, issue))}"


def warning(spec: Spec, issue: Issue) -> str:
    """The warning in a line."""
    said = in_words(issue["code"], _sentence(spec, issue))
    return tr("warning: {what}", what=f"{_place(spec, issue)}: {said}")


def _place(spec: Spec, issue: Issue) -> str:
    found = spec.place_of(issue["field"])
    return spec.where if found is None else f"{found[0]}:{found[1].line}:{found[1].column}"


def _sentence(spec: Spec, issue: Issue) -> str:
    """What is wrong; where no file has the field, with its name."""
    field, message = issue["field"], str(issue["message"])
    return message if field in message or spec.place_of(field) is not None else f"{field}: {message}"
